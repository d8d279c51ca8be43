package web_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/web"
)

// OAU-14, Form Post Response Mode §2: values are values, whatever is in them; nothing in
// the page is a script but our own file, and the form may go to the app.
func TestFormPost_OAU14_ValuesStayValues(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	var plain string // the elements of the page, which no value changes
	for _, value := range []string{
		"plain",
		`"><script>alert(1)</script>`, `' onload='alert(1)`, "</form><form action=//evil.example>", "&amp;code=x", "`${alert(1)}`", "{{.}}", "javascript:alert(1)", "a\u2028b",
	} {
		wd.mux = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wd.pages.FormPost(w, r, web.FormPost{Action: redirectURI, Fields: []web.FormField{{Name: "code", Value: "c"}, {Name: "state", Value: value}}})
		})
		a := wd.browser().get("/")
		elements := strings.Join(skeleton(a.body), "\n")
		if plain == "" {
			plain = elements
		}
		if a.status != http.StatusOK || elements != plain || strings.Count(a.body, "<form") != 1 || strings.Count(a.body, "<script") != 1 {
			t.Errorf("%q: %d %s", value, a.status, a.body)
		}
		for _, want := range []string{`method="post" action="` + redirectURI + `"`, `name="code" value="c"`, `<button class="button primary wide" type="submit">`} {
			if !strings.Contains(a.body, want) {
				t.Errorf("%q: no %s", value, want)
			}
		}
		_, rest, _ := strings.Cut(a.body, `name="state" value="`)
		if got, _, _ := strings.Cut(rest, `"`); html.UnescapeString(got) != value {
			t.Errorf("%q: came back as %q", value, html.UnescapeString(got))
		}
		csp := a.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "form-action 'self' https: http://127.0.0.1:8082; script-src 'self'") {
			t.Errorf("%q: policy %q", value, csp)
		}
	}
}
