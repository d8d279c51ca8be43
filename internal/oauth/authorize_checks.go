package oauth

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// asking is an authorization request whose client and redirect URI are proven. The
// checks fill in req.
type asking struct {
	form     url.Values
	client   idp.Client
	key      possession // that a pushed request has proven (RFC 9449 §10.1)
	endpoint *authorizeEndpoint
	req      idp.AuthRequest
}

// answer wraps an error for the client, as it is sent to its redirect URI.
func (a *asking) answer(err error) error {
	return &redirectError{issuer: a.endpoint.issuer, req: a.req, cause: asError(err)}
}

// authorizeChecks run in this order. What comes first decides what the client is told.
var authorizeChecks = [...]struct {
	name  string
	check func(context.Context, *asking) error
}{
	{"state is short enough to be sent back", checkState},
	{"no request object (OpenID Connect Core §6)", checkRequestObject},
	{"response_type is code", checkResponseType},
	{"response_mode is query", checkResponseMode},
	{"the client may use codes", checkClientMayUse},
	{"nonce is short enough to be kept", checkNonce},
	{"code_challenge is S256 (RFC 7636)", checkCodeChallenge},
	{"dpop_jkt is a thumbprint (RFC 9449 §10)", checkDPoPKey},
	{"prompt is known and not contradictory", checkPrompt},
	{"max_age is a number", checkMaxAge},
	{"scope has something the client may have", checkScope},
	{"resource is one the scopes belong to (RFC 8707)", checkResource},
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

func checkRequestObject(_ context.Context, a *asking) error {
	switch {
	case a.form.Get("request") != "":
		return refuse(RequestNotSupported, "request objects are not supported")
	case a.form.Get("request_uri") != "":
		return refuse(RequestURINotSupported, "request_uri is not supported")
	case a.form.Get("registration") != "":
		return refuse(RegistrationUnsupported, "registration is not supported")
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

func checkResponseMode(_ context.Context, a *asking) error {
	if mode := a.form.Get("response_mode"); mode != "" && mode != "query" {
		return refuse(InvalidRequest, "response_mode must be query")
	}
	return nil
}

func checkClientMayUse(_ context.Context, a *asking) error {
	if !mayUse(a.client, idp.GrantAuthorizationCode) {
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

// prompts are the values of OpenID Connect Core §3.1.2.1.
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

func checkMaxAge(_ context.Context, a *asking) error {
	text := a.form.Get("max_age")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return refuse(InvalidRequest, "max_age must be a number of seconds")
	}
	a.req.MaxAge = min(time.Duration(seconds)*time.Second, maxAge)
	return nil
}

// checkScope keeps what the client asks for and may have; what was granted is told in
// the token response (RFC 6749 §3.3, OpenID Connect Core §3.1.2.1).
func checkScope(ctx context.Context, a *asking) (err error) {
	a.req.Scopes, err = a.endpoint.audiences.allowed(ctx, a.client, a.form.Get("scope"))
	return err
}

func checkResource(ctx context.Context, a *asking) error {
	t, err := a.endpoint.audiences.choose(ctx, a.form.Get("resource"), a.req.Scopes)
	a.req.Resource = t.audience
	return err
}

// checkIDTokenHint reads who is expected (OpenID Connect Core §3.1.2.1). The hint may be
// old. It logs nobody in; it only keeps everybody else out (OAU-17).
func checkIDTokenHint(_ context.Context, a *asking) error {
	hint := a.form.Get("id_token_hint")
	if hint == "" {
		return nil
	}
	sub, _, aud, err := a.endpoint.tokens.IDTokenHint(hint)
	if err != nil || aud != a.client.ID {
		return &Error{Code: InvalidRequest, Description: "id_token_hint is not an ID token of this client", Cause: err}
	}
	a.req.Subject = sub
	return nil
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
