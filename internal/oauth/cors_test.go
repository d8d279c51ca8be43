package oauth_test

import (
	"net/http"
	"strings"
	"testing"
)

// SES-05: fixed lists, never credentials, never "null".
func TestCORS_SES05_Preflight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.db.DisableClient(t.Context(), system(), "web", w.clock()))
	for origin, allowed := range map[string]bool{
		"https://spa.example": true, "https://app.example": false /* its client is disabled */, "https://evil.example": false, "null": false, "": false,
		"https://spa.example.evil.example": false, "https://SPA.example": false, "http://spa.example": false, "https://spa.example:443": false,
	} {
		for _, path := range []string{"/token", "/userinfo", "/revoke", "/device_authorization", "/par"} {
			a := w.send("OPTIONS", path, nil, "Origin", origin, "Access-Control-Request-Method", "POST")
			got := a.Header().Get("Access-Control-Allow-Origin")
			if a.Code != http.StatusNoContent || (got == origin && origin != "") != allowed || got == "*" {
				t.Errorf("%s from %q: %d %q", path, origin, a.Code, got)
			}
			if a.Header().Get("Access-Control-Allow-Credentials") != "" || a.Header().Get("Vary") != "Origin" {
				t.Errorf("%s: %v", path, a.Header())
			}
		}
	}
	if a := w.send("OPTIONS", "/token", nil, "Origin", "https://spa.example", "Origin", "https://evil.example"); a.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("two origins")
	}
}

// SES-05: the answer itself only for the client's own origins.
func TestCORS_SES05_Answers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.tokensFor("spa", ann, "scope", "openid")
	for _, tt := range []struct {
		origin string
		spa    bool
	}{{"https://spa.example", true}, {"https://app.example", false}, {"https://evil.example", false}, {"null", false}} {
		want := ""
		if tt.spa {
			want = tt.origin
		}
		origin := []string{"Origin", tt.origin}
		form := params("grant_type", "refresh_token", "refresh_token", "x", "client_id", "spa")
		for name, got := range map[string]answer{
			"token":    w.send("POST", "/token", form, origin...),
			"userinfo": w.send("GET", "/userinfo", nil, append(origin, "Authorization", "Bearer "+a.json("access_token"))...),
			"revoke":   w.send("POST", "/revoke", params("token", "x", "client_id", "spa"), origin...),
			"push":     w.send("POST", "/par", ask("spa"), origin...),
			"push, no": w.send("POST", "/par", ask("spa", "response_type", "token"), origin...),
			"device":   w.send("POST", "/device_authorization", params("client_id", "spa"), origin...),
		} {
			h := got.Header()
			if h.Get("Access-Control-Allow-Origin") != want || h.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(h.Get("Vary"), "Origin") {
				t.Errorf("%s from %s: %v", name, tt.origin, h)
			}
		}
	}
	unknown := w.send("POST", "/token", params("grant_type", "refresh_token", "client_id", "nobody"), "Origin", "https://spa.example")
	if unknown.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("an answer to nobody's client is readable")
	}
}

// SES-05: public documents are for everybody; what people visit is for nobody.
func TestCORS_SES05_OtherEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]string{
		"/jwks.json": "*", "/.well-known/openid-configuration": "*", "/.well-known/oauth-authorization-server": "*",
		"/authorize?" + ask("spa").Encode(): "", "/authorize/continue?flow=x": "", "/logout": "",
	} {
		a := w.send("GET", path, nil, "Origin", "https://spa.example")
		if a.Header().Get("Access-Control-Allow-Origin") != want || a.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, a.Header())
		}
	}
	for _, path := range []string{"/authorize", "/authorize/continue", "/logout"} {
		if a := w.send("OPTIONS", path, nil, "Origin", "https://spa.example"); a.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
}

// SES-04: nothing that is somebody's may be kept.
func TestHeaders_SES04_NoStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	for _, a := range []answer{
		b.authorize(ask("web")), b.authorize(ask("web", "client_id", "x")), b.proceed("x"), b.get("/logout"), b.get("/userinfo"),
		w.as("web", "/token", params("x", "y")), w.as("web", "/revoke", params("token", "x")), w.tokensFor("web", ann),
		w.device("tv"), w.as("tv", "/device_authorization", params("scope", "x")), w.enter("tv").confirmPage(),
	} {
		if a.Header().Get("Cache-Control") != "no-store" || a.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%d %v", a.Code, a.Header())
		}
	}
	for _, path := range []string{"/token/x.css", "/userinfo/x.js", "/authorize/x.png", "/logout.html", "/jwks.json/x"} {
		if a := w.send("GET", path, nil); a.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
}
