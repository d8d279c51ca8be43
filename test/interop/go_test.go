package interop_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const callback = "http://127.0.0.1:9/callback" // nobody listens there: the person stops before

// web is an app with a redirect address; more overrides what it registers.
func web(name string, more map[string]any) map[string]any {
	m := map[string]any{
		"client_name": name, "redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token"},
		"scopes": []string{"openid", "profile", "email", "groups", "offline_access", notesRead, notesWrite},
	}
	for k, v := range more {
		m[k] = v
	}
	return m
}

// goClient is go-oidc and x/oauth2, set up as their documentation shows.
type goClient struct {
	ctx      context.Context
	provider *oidc.Provider
	conf     oauth2.Config
	method   string // of proving itself; x/oauth2 finds out by trying
}

func newGoClient(t *testing.T, p *provider, metadata map[string]any, scopes ...string) *goClient {
	t.Helper()
	method, _ := metadata["token_endpoint_auth_method"].(string)
	return p.goClient(t, p.register(t, metadata), method, scopes...)
}

func (p *provider) goClient(t *testing.T, c client, method string, scopes ...string) *goClient {
	t.Helper()
	ctx := oidc.ClientContext(t.Context(), p.http)
	found, err := oidc.NewProvider(ctx, p.issuer)
	if err != nil {
		t.Fatal(err)
	}
	return &goClient{ctx: ctx, provider: found, method: cmp.Or(method, "client_secret_basic"), conf: oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, Endpoint: found.Endpoint(), RedirectURL: callback, Scopes: scopes,
	}}
}

func (g *goClient) verifier() *oidc.IDTokenVerifier {
	return g.provider.VerifierContext(g.ctx, &oidc.Config{ClientID: g.conf.ClientID})
}

// login runs the code flow with PKCE and a nonce, and checks the ID token.
func (g *goClient) login(t *testing.T, v *person, more ...oauth2.AuthCodeOption) (*oauth2.Token, *oidc.IDToken) {
	t.Helper()
	verifier := oauth2.GenerateVerifier()
	more = append(more, oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-0S6_WzA2Mj"))
	at := v.authorize(g.conf.AuthCodeURL("a state", more...), callback)
	if query := at.Query(); query.Get("state") != "a state" || query.Get("code") == "" {
		t.Fatalf("came back with %v", query)
	}
	tok, err := g.conf.Exchange(g.ctx, at.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := tok.Extra("id_token").(string)
	id, err := g.verifier().Verify(g.ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if id.Nonce != "n-0S6_WzA2Mj" {
		t.Errorf("nonce %q", id.Nonce)
	}
	if err := id.VerifyAccessToken(tok.AccessToken); err != nil {
		t.Errorf("at_hash: %v", err)
	}
	return tok, id
}

// The code flow of a web app, in each way that x/oauth2 can prove the client.
func TestGoOIDC_CodeFlow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) {
		for _, method := range []string{"client_secret_basic", "client_secret_post", "none"} {
			t.Run(method, func(t *testing.T) {
				t.Parallel()
				metadata := web("Go "+method, map[string]any{"token_endpoint_auth_method": method})
				g := newGoClient(t, p, metadata, oidc.ScopeOpenID, "profile", "email", "groups", oidc.ScopeOfflineAccess)
				tok, id := g.login(t, p.visitor(t, "ann"))
				checkUserinfo(t, g, tok, id)
				checkRefresh(t, g, tok, id)
			})
		}
	})
}

func checkUserinfo(t *testing.T, g *goClient, tok *oauth2.Token, id *oidc.IDToken) {
	t.Helper()
	info, err := g.provider.UserInfo(g.ctx, g.conf.TokenSource(g.ctx, tok))
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Name   string   `json:"name"`
		Groups []string `json:"groups"`
	}
	if err := info.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	slices.Sort(claims.Groups)
	if info.Subject != id.Subject || info.Email != "ann@example.com" || !info.EmailVerified || claims.Name != "Ann Example" ||
		!slices.Equal(claims.Groups, []string{"book-club", "staff"}) {
		t.Errorf("userinfo: %+v %+v", info, claims)
	}
}

// checkRefresh lets a token source find its token expired, twice; then gives the grant back.
func checkRefresh(t *testing.T, g *goClient, tok *oauth2.Token, id *oidc.IDToken) {
	t.Helper()
	for range 2 {
		next, err := g.conf.TokenSource(g.ctx, &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
		if err != nil {
			t.Fatal(err)
		}
		if next.AccessToken == tok.AccessToken || next.RefreshToken == tok.RefreshToken || next.RefreshToken == "" || !next.Valid() {
			t.Fatalf("refreshed: %v, rotated: %v", next.AccessToken != tok.AccessToken, next.RefreshToken != tok.RefreshToken)
		}
		raw, _ := next.Extra("id_token").(string)
		again, err := g.verifier().Verify(g.ctx, raw)
		if err != nil || again.Subject != id.Subject {
			t.Fatalf("ID token of a refresh: %v %v", again, err)
		}
		tok = next
	}
	g.revoke(t, tok.RefreshToken)
	_, err := g.conf.TokenSource(g.ctx, &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != "invalid_grant" {
		t.Errorf("a revoked refresh token: %v", err)
	}
	if _, err := g.provider.UserInfo(g.ctx, oauth2.StaticTokenSource(tok)); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("userinfo after revocation: %v", err)
	}
}

// revoke is written here: neither library has RFC 7009.
func (g *goClient) revoke(t *testing.T, token string) {
	t.Helper()
	var endpoints struct {
		Revocation string `json:"revocation_endpoint"`
	}
	if err := g.provider.Claims(&endpoints); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"token": {token}}
	if g.method != "client_secret_basic" {
		form.Set("client_id", g.conf.ClientID)
	}
	if g.method == "client_secret_post" {
		form.Set("client_secret", g.conf.ClientSecret)
	}
	req, err := http.NewRequestWithContext(g.ctx, http.MethodPost, endpoints.Revocation, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if g.method == "client_secret_basic" {
		req.SetBasicAuth(g.conf.ClientID, g.conf.ClientSecret)
	}
	res, err := g.ctx.Value(oauth2.HTTPClient).(*http.Client).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || len(body) != 0 {
		t.Errorf("revocation: %d %s %v", res.StatusCode, body, err)
	}
}

// A service without a person, for one resource; the secret is found to belong into the
// header or into the body.
func TestGoOAuth2_ClientCredentials(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) {
		for _, method := range []string{"client_secret_basic", "client_secret_post"} {
			c := p.register(t, map[string]any{
				"client_name": "Go service " + method, "grant_types": []string{"client_credentials"}, "scopes": []string{notesRead},
				"token_endpoint_auth_method": method,
			})
			conf := clientcredentials.Config{
				ClientID: c.ID, ClientSecret: c.Secret, TokenURL: p.issuer + "/token", Scopes: []string{notesRead},
				EndpointParams: url.Values{"resource": {notes}},
			}
			tok, err := conf.Token(oidc.ClientContext(t.Context(), p.http))
			if err != nil {
				t.Fatalf("%s: %v", method, err)
			}
			if !tok.Valid() || tok.Type() != "Bearer" || tok.RefreshToken != "" || tok.Extra("scope") != notesRead {
				t.Errorf("%s: type %s, scope %v, refresh token: %v", method, tok.Type(), tok.Extra("scope"), tok.RefreshToken != "")
			}
			conf.ClientSecret = "wrong"
			_, err = conf.Token(oidc.ClientContext(t.Context(), p.http))
			if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != "invalid_client" {
				t.Errorf("%s with a wrong secret: %v", method, err)
			}
		}
	})
}

// Each algorithm of ID tokens that go-oidc is told to accept by discovery.
func TestGoOIDC_IDTokenAlgorithms(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) {
		v := p.visitor(t, "ann")
		for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
			g := newGoClient(t, p, web("Go "+alg, map[string]any{"id_token_signed_response_alg": alg, "first_party": true}), oidc.ScopeOpenID)
			tok, _ := g.login(t, v)
			raw, _ := tok.Extra("id_token").(string)
			only := g.provider.VerifierContext(g.ctx, &oidc.Config{ClientID: g.conf.ClientID, SupportedSigningAlgs: []string{alg}})
			if _, err := only.Verify(g.ctx, raw); err != nil {
				t.Errorf("%s: %v", alg, err)
			}
		}
		if v.logins != 1 {
			t.Errorf("ann typed her password %d times", v.logins)
		}
	})
}

// A refusal reaches the app as go programs read it: in the redirect, and as a RetrieveError.
func TestGoOIDC_Refusals(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) {
		g := newGoClient(t, p, web("Go refused", nil), oidc.ScopeOpenID)
		v := p.visitor(t, "ann")
		at := v.authorize(g.conf.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("prompt", "none")), callback)
		if query := at.Query(); query.Get("error") != "login_required" || query.Get("state") != "s" || query.Get("iss") != p.issuer {
			t.Errorf("prompt=none without a login: %v", query)
		}
		at = v.authorize(g.conf.AuthCodeURL("s"), callback)
		if query := at.Query(); query.Get("error") != "invalid_request" {
			t.Errorf("without PKCE: %v", query)
		}
		verifier := oauth2.GenerateVerifier()
		at = v.authorize(g.conf.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), callback)
		// Told nothing, x/oauth2 tries the other place for the secret after any refusal, and reports the refusal of that.
		g.conf.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
		_, err := g.conf.Exchange(g.ctx, at.Query().Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier()))
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != "invalid_grant" {
			t.Errorf("another verifier: %v", err)
		}
	})
}

// A device without a browser: the person agrees on another one while it asks again and again.
func TestGoOAuth2_DeviceFlow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) {
		g := newGoClient(t, p, map[string]any{
			"client_name": "Go device", "application_type": "native", "token_endpoint_auth_method": "none",
			"grant_types": []string{"urn:ietf:params:oauth:grant-type:device_code"}, "scopes": []string{"openid", notesRead},
		}, "openid")
		found, err := g.conf.DeviceAuth(g.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if found.UserCode == "" || found.VerificationURI == "" || found.VerificationURIComplete == "" || found.Interval < 1 || found.Expiry.IsZero() {
			t.Errorf("device authorization: %+v", found)
		}
		v := p.visitor(t, "ann")
		agreed := make(chan error, 1)
		go func() {
			_, err := v.walk(found.VerificationURIComplete, "")
			agreed <- err
		}()
		tok, err := g.conf.DeviceAccessToken(g.ctx, found) // asks for the first time after the interval
		if err := errors.Join(err, <-agreed); err != nil {
			t.Fatal(err)
		}
		raw, _ := tok.Extra("id_token").(string)
		if _, err := g.verifier().Verify(g.ctx, raw); err != nil {
			t.Error(err)
		}
	})
}
