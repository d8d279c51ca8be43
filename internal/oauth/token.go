package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
)

// maxTokenForm is more than any request has.
const maxTokenForm = 32 << 10

// tokenEndpoint is POST /token (RFC 6749 §3.2). It decides first, signs next, writes to
// the database last and answers after that: a signer that fails costs no one a session.
type tokenEndpoint struct {
	clients *clientAuth
	grants  map[string]grant
	proofs  *proofs
	tokens  *token.Issuer
	cors    crossOrigin
	observe idp.Observer
	issued  func(grantType, kind string)
	now     func() time.Time
}

// A grant turns one grant_type into an authorization (RFC 6749 §4). The client is
// authenticated, and registered for the grant type, and its proof of possession is
// checked, before authorize is called.
type grant interface {
	authorize(ctx context.Context, c idp.Client, req tokenRequest) (decision, error)
}

// tokenRequest is what the grants read of a request.
type tokenRequest struct {
	code         secret.Text
	redirectURI  string
	codeVerifier secret.Text
	refreshToken secret.Text
	deviceCode   secret.Text
	scope        string
	resource     string
	key          possession // what access tokens are bound to (RFC 9449 §5)
	by           idp.Actor
	now          time.Time
}

// decision is what a client gets if signing works.
type decision struct {
	token.Authorization
	idToken bool
	// commit makes it so in the database and returns the refresh token, empty if there
	// is none to give. nil: nothing to write.
	commit func(ctx context.Context) (secret.Text, error)
}

// tokenResponse is RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3.
type tokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"` // of the access token
	IDToken      string `json:"id_token,omitempty"`
}

func (e *tokenEndpoint) serve(w http.ResponseWriter, r *http.Request) error {
	e.cors.vary(w)
	form, err := edge.Form(w, r, maxTokenForm)
	if err != nil {
		return formError(err)
	}
	c, err := e.clients.authenticate(r, form)
	if err != nil {
		return err
	}
	e.cors.allow(w, r, c.Client)
	g, err := e.grant(form.Get("grant_type"), c.Client)
	if err != nil {
		return err
	}
	req := newTokenRequest(form, edge.Actor(r, "client", c.ID), e.now())
	if req.key, err = e.proofs.ofClient(w, r, "/token", c.Client, req.now); err != nil {
		return err
	}
	if req.key.jkt == "" && c.RequiresDPoP() {
		return errNoProof
	}
	answer, err := e.issue(r.Context(), g, c, req)
	if err != nil {
		return err
	}
	e.count(form.Get("grant_type"), answer)
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// grant finds the grant, if the client may use it.
func (e *tokenEndpoint) grant(grantType string, c idp.Client) (grant, error) {
	g, known := e.grants[grantType]
	switch {
	case grantType == "":
		return nil, refuse(InvalidRequest, "grant_type is required")
	case !known:
		return nil, refuse(UnsupportedGrantType, "there is no such grant type here")
	case !c.MayUse(grantType):
		return nil, refuse(UnauthorizedClient, "the client is not registered for this grant type")
	}
	return g, nil
}

// issue does the four steps in their order.
func (e *tokenEndpoint) issue(ctx context.Context, g grant, c authenticated, req tokenRequest) (tokenResponse, error) {
	d, err := g.authorize(ctx, c.Client, req)
	if err != nil {
		return tokenResponse{}, err
	}
	if err := fits(c.Client, d.Resource); err != nil {
		return tokenResponse{}, err
	}
	d.NotBefore, d.JKT = c.notBefore, req.key.jkt
	_, signed := e.observe.Begin(ctx, "sign tokens")
	answer, err := e.sign(d, req.now)
	signed(err)
	if err != nil {
		return tokenResponse{}, err
	}
	if err := e.proofs.use(ctx, req.key, req.now); err != nil {
		return tokenResponse{}, err
	}
	if d.commit != nil {
		refresh, err := d.commit(ctx)
		if err != nil {
			return tokenResponse{}, err
		}
		answer.RefreshToken = refresh.Reveal()
	}
	return answer, nil
}

// sign makes what is signed of the answer.
func (e *tokenEndpoint) sign(d decision, now time.Time) (tokenResponse, error) {
	access, err := e.tokens.Access(d.Authorization, now)
	if err != nil {
		return tokenResponse{}, err
	}
	answer := tokenResponse{
		AccessToken: access.Token, TokenType: tokenType(d.JKT), ExpiresIn: access.ExpiresIn, Scope: strings.Join(d.Scopes, " "),
	}
	if d.idToken {
		answer.IDToken, err = e.tokens.ID(d.Authorization, access.Token, now)
	}
	return answer, err
}

// count tells what is given out.
func (e *tokenEndpoint) count(grantType string, answer tokenResponse) {
	e.issued(grantType, "access")
	if answer.IDToken != "" {
		e.issued(grantType, "id")
	}
	if answer.RefreshToken != "" {
		e.issued(grantType, "refresh")
	}
}

// tokenType is the scheme that the access token is used with (RFC 6749 §7.1, RFC 9449 §5).
func tokenType(jkt string) string {
	if jkt != "" {
		return "DPoP"
	}
	return "Bearer"
}

func newTokenRequest(form url.Values, by idp.Actor, now time.Time) tokenRequest {
	return tokenRequest{
		code:         secret.NewText(form.Get("code")),
		redirectURI:  form.Get("redirect_uri"),
		codeVerifier: secret.NewText(form.Get("code_verifier")),
		refreshToken: secret.NewText(form.Get("refresh_token")),
		deviceCode:   secret.NewText(form.Get("device_code")),
		scope:        form.Get("scope"),
		resource:     form.Get("resource"),
		by:           by,
		now:          now,
	}
}

// ofGrant makes the decision that a grant and its target allow at this moment.
func ofGrant(s idp.Standing, t target, scopes []string) decision {
	s.Grant.Claims = byName(s)
	return decision{
		Authorization: token.Authorization{
			Grant: s.Grant, User: s.User, Client: s.Client, Audience: t.audience, Resource: t.resource, Scopes: t.scopes,
		},
		idToken: slices.Contains(scopes, idp.ScopeOpenID),
	}
}
