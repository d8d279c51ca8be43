package oauth_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
)

// posted reads the form of a page that answers with form_post.
func (a answer) posted() (action string, fields map[string]string) {
	a.t.Helper()
	if a.page() != "form-post" || a.Code != http.StatusOK || a.Header().Get("Cache-Control") != "no-store" {
		a.t.Fatalf("no form: %d %s %s %s", a.Code, a.page(), a.Header().Get("Location"), a.Body)
	}
	var f oauth.FormPost
	if err := json.Unmarshal(a.Body.Bytes(), &f); err != nil {
		a.t.Fatal(err)
	}
	fields = map[string]string{}
	for _, field := range f.Fields {
		if _, twice := fields[field.Name]; twice {
			a.t.Fatalf("%s twice", field.Name)
		}
		fields[field.Name] = field.Value
	}
	return f.Action, fields
}

// OAuth 2.0 Form Post Response Mode §2: code, state and iss in a form to the redirect URI,
// at once and after pages; errors, too (OAU-14).
func TestAuthorize_FormPost_2_CodesAndErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	form := ask("legacy", "response_mode", "form_post", "state", `"><script>alert(1)</script>&code=x`)
	for _, way := range []string{"pages", "at once"} {
		a := b.through(b.authorize(form), ann)
		action, fields := a.posted()
		if action != legacyURI || len(fields) != 3 || fields["code"] == "" || fields["state"] != form.Get("state") || fields["iss"] != issuer {
			t.Errorf("%s: %s %v", way, action, fields)
		}
		if a.Header().Get("Location") != "" {
			t.Errorf("%s: a redirect as well", way)
		}
		w.redeem("legacy", fields["code"]).ok()
	}
	for name, bad := range map[string][]string{
		"unsupported_response_type": {"response_type", "token"}, "invalid_request": {"prompt", "none login"}, "login_required": {"prompt", "none"},
	} {
		browser := w.browser()
		action, fields := browser.authorize(with(form, bad...)).posted()
		if action != legacyURI || fields["error"] != name || fields["state"] != form.Get("state") || fields["iss"] != issuer || fields["code"] != "" {
			t.Errorf("%s: %s %v", name, action, fields)
		}
	}
	a := b.authorize(with(form, "prompt", "consent"))
	b.deny(a.query("flow"))
	if _, fields := b.proceed(a.query("flow")).posted(); fields["error"] != "access_denied" {
		t.Errorf("denied: %v", fields)
	}
}

// OAU-14: modes that do not exist, that the client has not registered, or that cannot
// carry the answer unchanged. The error goes in the query.
func TestAuthorize_OAU14_ResponseModes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.alter("other", func(c *idp.Client) { c.ResponseModes = []string{"form_post"} })
	w.alter("own", func(c *idp.Client) { c.ResponseModes = []string{"query"} })
	for _, tt := range []struct {
		client, mode string
		refused      bool
	}{
		{"web", "", false}, {"web", "query", false}, {"web", "form_post", false},
		{"web", "fragment", true}, {"web", "web_message", true}, {"web", "query.jwt", true}, {"web", "FORM_POST", true}, {"web", "query form_post", true},
		{"other", "form_post", false}, {"other", "query", true}, {"other", "", true},
		{"own", "query", false}, {"own", "", false}, {"own", "form_post", true},
	} {
		a := w.browser().authorize(ask(tt.client, "response_mode", tt.mode))
		refused := a.query("error") == "invalid_request" && a.query("state") == "st" && a.query("iss") == issuer
		if refused != tt.refused || !refused && a.page() != "/login" {
			t.Errorf("%s %q: %d %s", tt.client, tt.mode, a.Code, a.Header().Get("Location"))
		}
	}
	for name, form := range map[string][]string{
		"line breaks":  {"web", "state", "a\r\nb"},
		"app's scheme": {"native", "redirect_uri", schemeURI},
	} {
		a := w.browser().authorize(ask(form[0], "response_mode", "form_post", form[1], form[2]))
		if a.query("error") != "invalid_request" {
			t.Errorf("%s: %d %s", name, a.Code, a.Header().Get("Location"))
		}
	}
	// OAU-02: no form to an address that is not proven.
	if a := w.browser().authorize(ask("web", "response_mode", "form_post", "redirect_uri", "https://evil.example/cb")); a.page() != "error" {
		t.Errorf("unregistered: %d %s", a.Code, a.page())
	}
}
