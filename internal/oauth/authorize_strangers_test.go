package oauth_test

import (
	"net/http"
	"strings"
	"testing"
)

// RFC 9700 §4.11.2, OAU-02: everybody can register an address, and then send people with a
// link of ours to it by a request that is refused at once. So nobody is sent to the
// address of an app that no operator knows before they signed in here.
func TestAuthorize_RFC9700_4_11_2_NoRedirectToStrangers(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	id, _, _ := w.registeredClient("{" + strangerBody + "}")
	form := ask("web", "client_id", id, "redirect_uri", "https://mcp.example/cb", "scope", "openid")
	b := w.signedIn(ann)
	for name, pairs := range map[string][]string{
		"response_type": {"response_type", "token"}, "scope": {"scope", "nothing"}, "prompt": {"prompt", "x"}, "mode": {"response_mode", "fragment"},
		"state": {"state", strings.Repeat("x", 5000)}, "object": {"request", "a.b.c"}, "form_post": {"response_mode", "form_post", "prompt", "x"},
	} {
		for who, a := range map[string]answer{
			"nobody": w.browser().authorize(with(form, pairs...)), "ann": b.authorize(with(form, pairs...)),
			"POST": w.browser().send("POST", "/authorize", with(form, pairs...)),
		} {
			if a.Code != http.StatusBadRequest || a.page() != "error" || a.Header().Get("Location") != "" {
				t.Errorf("%s: %s: %d %s", name, who, a.Code, a.Header().Get("Location"))
			}
		}
	}
	if a := w.browser().authorize(with(form, "prompt", "none")); a.page() != "error" {
		t.Errorf("silent, nobody signed in: %d %s", a.Code, a.Header().Get("Location"))
	}
	nobody := w.browser()
	if a := nobody.follow(nobody.send("POST", "/authorize", with(form, "prompt", "none"))); a.page() != "error" {
		t.Errorf("silent, by POST: %d %s", a.Code, a.Header().Get("Location"))
	}
	// Who signed in is sent back: that is what silent authentication is for.
	if a := b.authorize(with(form, "prompt", "none")); a.query("error") != "consent_required" {
		t.Errorf("silent: %d %s", a.Code, a.Header().Get("Location"))
	}
	// And so is who said no.
	a := b.authorize(form)
	b.deny(a.query("flow"))
	if a = b.proceed(a.query("flow")); a.query("error") != "access_denied" {
		t.Errorf("no: %d %s", a.Code, a.Header().Get("Location"))
	}
	// Programs on this computer, and clients of an operator, hear what is wrong.
	id, _, _ = w.registeredClient(`{"redirect_uris":["http://127.0.0.1:7/cb"],"client_name":"CLI","token_endpoint_auth_method":"none"}`)
	if a := w.browser().authorize(with(form, "client_id", id, "redirect_uri", "http://127.0.0.1:7/cb", "scope", "nothing")); a.query("error") != "invalid_scope" {
		t.Errorf("this computer: %d %s", a.Code, a.Header().Get("Location"))
	}
	if a := w.browser().authorize(ask("web", "scope", "nothing")); a.query("error") != "invalid_scope" {
		t.Errorf("an operator's: %d %s", a.Code, a.Header().Get("Location"))
	}
}
