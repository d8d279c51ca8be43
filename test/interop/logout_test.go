package interop_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// noticeTime is how long a logout token may take: it is sent within seconds, and again after five.
const noticeTime = patience

// told is an app that hears of logouts.
type told struct {
	client
	tokens chan string
}

// tellMe registers an app with an address for logout tokens (Back-Channel Logout §2.2).
func (p *provider) tellMe(t *testing.T, name string) *told {
	t.Helper()
	a := &told{tokens: make(chan string, 10)}
	address := listen(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { a.tokens <- r.PostFormValue("logout_token") }))
	a.client = p.register(t, web(name, map[string]any{
		"first_party": true, "backchannel_logout_uri": address + "/out", "backchannel_logout_session_required": true,
		"post_logout_redirect_uris": []string{loggedOut},
	}))
	return a
}

// next waits for the app's next token.
func (a *told) next(t *testing.T) string {
	t.Helper()
	select {
	case token := <-a.tokens:
		return token
	case <-time.After(noticeTime):
		t.Fatal("the app was not told")
	}
	return ""
}

// A person signs out at one app, and the other hears of it: the token is what go-oidc, jose
// and joserfc take for a logout token, and nothing else.
func TestBackChannelLogout(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) {
		leaving, other := p.tellMe(t, "Leaving"), p.tellMe(t, "Other")
		v := p.visitor(t, "ann")
		g := p.goClient(t, other.client, "", oidc.ScopeOpenID)
		_, id := g.login(t, v)
		first := p.goClient(t, leaving.client, "", oidc.ScopeOpenID)
		tok, _ := first.login(t, v)
		hint, _ := tok.Extra("id_token").(string)

		var endpoints struct {
			EndSession string `json:"end_session_endpoint"`
		}
		if err := g.provider.Claims(&endpoints); err != nil {
			t.Fatal(err)
		}
		v.authorize(endpoints.EndSession+"?"+url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {loggedOut}}.Encode(), loggedOut)

		raw := other.next(t)
		checkLogoutToken(t, g, raw, id)
		if own, err := first.verifier().VerifyLogout(g.ctx, leaving.next(t)); err != nil || own.SessionID == "" {
			t.Errorf("the app that began it: %+v %v", own, err)
		}
		if _, err := first.verifier().VerifyLogout(g.ctx, raw); err == nil {
			t.Error("a token for another app was accepted")
		}
		if _, err := g.verifier().VerifyLogout(g.ctx, hint); err == nil {
			t.Error("an ID token passed for a logout token")
		}
		t.Run("jose", func(t *testing.T) { receive(t, needNode(t), "node/logout_token.mjs", p, other.ID, raw, hint, id) })
		t.Run("joserfc", func(t *testing.T) { receive(t, needPython(t), "python/logout_token.py", p, other.ID, raw, hint, id) })
	})
}

func checkLogoutToken(t *testing.T, g *goClient, raw string, id *oidc.IDToken) {
	t.Helper()
	got, err := g.verifier().VerifyLogout(g.ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	var login struct {
		SID string `json:"sid"`
	}
	if err := id.Claims(&login); err != nil {
		t.Fatal(err)
	}
	if got.Subject != id.Subject || got.SessionID != login.SID || login.SID == "" || got.TokenID == "" || !got.Expiry.After(time.Now()) {
		t.Errorf("logout token %+v of the login %q", got, login.SID)
	}
}

// receive lets a script judge a logout token, and one that is none.
func receive(t *testing.T, interpreter, script string, p *provider, clientID, raw, idToken string, id *oidc.IDToken) {
	t.Helper()
	s := startScript(t, interpreter, script, p.ca)
	s.tell(map[string]any{
		"issuer": p.issuer, "callback": callback, "client_id": clientID, "logout_token": raw, "id_token": idToken, "sub": id.Subject,
	})
	if line := s.hear(); len(line.Exercised) != 2 {
		text, _ := json.Marshal(line) // made of strings
		t.Errorf("%s: %s", script, text)
	}
	s.end()
}
