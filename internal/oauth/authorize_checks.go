package oauth

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// asking is an authorization request whose client and redirect URI are proven. The
// checks fill in req.
type asking struct {
	form      url.Values // what counts: the request object's, if there is one
	client    idp.Client
	checks    *requestChecks
	key       possession // that a pushed request has proven (RFC 9449 §10.1)
	pushed    bool       // the client brought it itself (RFC 9126)
	signed    bool       // form is a request object's (RFC 9101)
	objectErr error      // why the request object does not count
	claims    claimsWish
	req       idp.AuthRequest
}

// answer wraps an error for the client, as it is sent to its redirect URI.
func (a *asking) answer(err error) error {
	return &redirectError{issuer: a.checks.issuer, req: a.req, cause: asError(err), stranger: isStranger(a.client, a.req)}
}

// authorizeChecks run in this order. What comes first decides what the client is told.
var authorizeChecks = [...]struct {
	name  string
	check func(context.Context, *asking) error
}{
	{"state is short enough to be sent back", checkState},
	{"response_mode is one of the client's", checkResponseMode},
	{"the request object counts (RFC 9101)", checkRequestObject},
	{"pushed, if the client must push (RFC 9126 §5)", checkPushed},
	{"response_type is code", checkResponseType},
	{"the client may use codes", checkClientMayUse},
	{"nonce is short enough to be kept", checkNonce},
	{"code_challenge is S256 (RFC 7636)", checkCodeChallenge},
	{"dpop_jkt is a thumbprint (RFC 9449 §10)", checkDPoPKey},
	{"prompt is known and not contradictory", checkPrompt},
	{"max_age is a number", checkMaxAge},
	{"scope has something the client may have", checkScope},
	{"resource is one the scopes belong to (RFC 8707)", checkResource},
	{"claims is one request, of what the client may have", checkClaims},
	{"acr_values can be met", checkACR},
	{"id_token_hint is ours and this client's", checkIDTokenHint},
	{"hints for pages", takeHints},
}

// Limits on what is only passed through.
const (
	maxState = 4 << 10
	maxNonce = 1 << 10
	maxHint  = 254
	maxAge   = 100 * 365 * 24 * time.Hour
)

// checkState comes first, so that every answer has the state. It is opaque (OAU-08).
func checkState(_ context.Context, a *asking) error {
	state := a.form.Get("state")
	if len(state) > maxState {
		return refuse(InvalidRequest, "state is too long")
	}
	a.req.State, a.req.StateSent = state, state != ""
	return nil
}

// checkRequestObject: whoever sends parameters in a way that we do not read must hear of
// it: ignored, they would mean something else (OpenID Connect Core §6).
func checkRequestObject(_ context.Context, a *asking) error {
	switch {
	case a.objectErr != nil:
		return a.objectErr
	case a.form.Get("request_uri") != "":
		return refuse(RequestURINotSupported, "request_uri must be one that was pushed here")
	case a.form.Get("registration") != "":
		return refuse(RegistrationUnsupported, "registration is not supported")
	case a.client.RequireSignedRequest && !a.signed:
		return refuse(InvalidRequest, "the client must send a signed request object")
	}
	return nil
}

func checkPushed(_ context.Context, a *asking) error {
	if a.client.RequiresPAR() && !a.pushed {
		return refuse(InvalidRequest, "the client must push its requests")
	}
	return nil
}

// checkResponseType: no token ever comes from this endpoint (OAU-12, RFC 9700 §2.1.2).
func checkResponseType(_ context.Context, a *asking) error {
	switch a.form.Get("response_type") {
	case "code":
		return nil
	case "":
		return refuse(InvalidRequest, "response_type is required")
	}
	return refuse(UnsupportedResponseType, "response_type must be code")
}

func checkClientMayUse(_ context.Context, a *asking) error {
	if !a.client.MayUse(idp.GrantAuthorizationCode) {
		return refuse(UnauthorizedClient, "the client is not registered for codes")
	}
	return nil
}

func checkNonce(_ context.Context, a *asking) error {
	a.req.Nonce = a.form.Get("nonce")
	if len(a.req.Nonce) > maxNonce {
		return refuse(InvalidRequest, "nonce is too long")
	}
	return nil
}

func checkCodeChallenge(_ context.Context, a *asking) (err error) {
	a.req.CodeChallenge, err = codeChallenge(a.form, a.client)
	return err
}

// prompts are the values of OpenID Connect Core §3.1.2.1. There is no "create": accounts
// are made by the operator, and an OP that does not know the value refuses it.
var prompts = [...]string{"none", "login", "consent", "select_account"}

func checkPrompt(_ context.Context, a *asking) error {
	for _, p := range strings.Fields(a.form.Get("prompt")) {
		if !slices.Contains(prompts[:], p) {
			return refuse(InvalidRequest, "prompt has an unknown value")
		}
		if !a.req.Prompted(p) {
			a.req.Prompt = append(a.req.Prompt, p)
		}
	}
	if a.req.Prompted("none") && len(a.req.Prompt) > 1 {
		return refuse(InvalidRequest, "prompt=none stands alone")
	}
	return nil
}

// checkScope keeps what the client asks for and may have; what was granted is told in
// the token response (RFC 6749 §3.3, OpenID Connect Core §3.1.2.1).
func checkScope(ctx context.Context, a *asking) (err error) {
	a.req.Scopes, err = a.checks.audiences.allowed(ctx, a.client, a.form.Get("scope"))
	return err
}

func checkResource(ctx context.Context, a *asking) error {
	t, err := a.checks.audiences.choose(ctx, a.form.Get("resource"), a.req.Scopes)
	if err != nil {
		return err
	}
	a.req.Resource = t.audience
	return fits(a.client, t.resource)
}

// takeHints keeps what pages may use. None of it can make a request fail.
func takeHints(_ context.Context, a *asking) error {
	if hint := a.form.Get("login_hint"); len(hint) <= maxHint {
		a.req.LoginHint = hint
	}
	if tags := strings.Fields(a.form.Get("ui_locales")); len(tags) <= 20 && len(a.form.Get("ui_locales")) <= maxHint {
		a.req.UILocales = tags
	}
	return nil
}
