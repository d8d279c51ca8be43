package oauth_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestToken_RFC6749_5_1_Response(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.tokensFor("web", ann)
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff",
	} {
		if got := a.Header().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if a.json("token_type") != "Bearer" || a.json("expires_in") != "300" || a.json("scope") != "cal.read" {
		t.Errorf("%s", a.Body)
	}
	access := claims(t, a.json("access_token"))
	if access["aud"] != calendar || access["client_id"] != "web" || access["sub"] != ann || access["scope"] != "cal.read" {
		t.Errorf("%v", access)
	}
}

func TestToken_RFC6749_5_2_Errors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		name, client string
		form         []string
		status       int
		code         string
	}{
		{"no grant_type", "web", []string{"code", "x"}, 400, "invalid_request"},
		{"unknown grant", "web", []string{"grant_type", "urn:x"}, 400, "unsupported_grant_type"},
		{"password", "web", []string{"grant_type", "password", "username", "ann", "password", "x"}, 400, "unsupported_grant_type"}, // OAU-12
		{"implicit", "web", []string{"grant_type", "implicit"}, 400, "unsupported_grant_type"},
		{"not registered", "robot", []string{"grant_type", "authorization_code", "code", "x"}, 400, "unauthorized_client"},
		{"not registered either", "spa", []string{"grant_type", "client_credentials"}, 400, "unauthorized_client"},
		{"no code", "web", []string{"grant_type", "authorization_code", "redirect_uri", webURI}, 400, "invalid_request"},
		{"no redirect_uri", "web", []string{"grant_type", "authorization_code", "code", "x"}, 400, "invalid_request"},
		{"garbage code", "web", []string{"grant_type", "authorization_code", "code", "x", "redirect_uri", webURI}, 400, "invalid_grant"},
		{"no refresh token", "web", []string{"grant_type", "refresh_token"}, 400, "invalid_request"},
		{"garbage refresh token", "web", []string{"grant_type", "refresh_token", "refresh_token", "x"}, 400, "invalid_grant"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			a := w.as(tt.client, "/token", params(tt.form...)).expect(tt.status, tt.code)
			if a.Header().Get("Cache-Control") != "no-store" || a.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%v", a.Header())
			}
			if a.Header().Get("WWW-Authenticate") != "" {
				t.Errorf("challenge with %d", a.Code)
			}
		})
	}
}

// OAU-07: the body only, as a form only.
func TestToken_RFC6749_3_2_ReadsTheBodyOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := params("grant_type", "client_credentials", "scope", "cal.read")
	good := w.as("robot", "/token", form).ok()
	if good.json("access_token") == "" {
		t.Fatal("no token")
	}
	w.send("POST", "/token?"+form.Encode(), params("x", "y"), "Authorization", basic("robot")).expect(400, "invalid_request")
	w.send("POST", "/token?scope=cal.write", form, "Authorization", basic("robot")).ok()
	if got := w.send("POST", "/token?scope=cal.write", form, "Authorization", basic("robot")).json("scope"); got != "cal.read" {
		t.Errorf("scope %q", got)
	}
	w.serve(jsonRequest(t, "/token", `{"grant_type":"client_credentials","client_id":"robot","client_secret":"robot secret"}`)).expect(400, "invalid_request")
	for _, mediaType := range []string{"text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded, text/plain", ""} {
		r := newRequest(t, "POST", "/token", form, "Authorization", basic("robot"))
		r.Header.Set("Content-Type", mediaType)
		w.serve(r).expect(400, "invalid_request")
	}
	huge := with(form, "x", strings.Repeat("x", 40<<10))
	w.send("POST", "/token", huge, "Authorization", basic("robot")).expect(400, "invalid_request")
	if a := w.send("GET", "/token?"+form.Encode(), nil, "Authorization", basic("robot")); a.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", a.Code)
	}
}

// Decide first, sign next, write last: a signer that fails costs nobody anything.
func TestToken_FailingSignerCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code(ask("web"), ann)
	w.keys.broken = true
	w.redeem("web", code).expect(503, "temporarily_unavailable")
	w.keys.broken = false
	refresh := w.redeem("web", code).ok().json("refresh_token")
	w.keys.broken = true
	if a := w.refresh("web", refresh).expect(503, "temporarily_unavailable"); a.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.keys.broken = false
	w.refresh("web", refresh).ok()
}

// JSON errors never show a cause: nothing of the database, no input.
func TestToken_ErrorsSayNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code(ask("web"), ann)
	w.must(w.db.Close())
	a := w.redeem("web", code)
	if a.Code != http.StatusInternalServerError && a.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", a.Code)
	}
	for _, word := range []string{"sql", "database", "closed", "read", code} {
		if strings.Contains(strings.ToLower(a.Body.String()), word) {
			t.Errorf("%s", a.Body)
		}
	}
}
