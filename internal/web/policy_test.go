package web_test

import (
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/web"
)

// A form may lead to the redirect's own origin or scheme; nothing in a
// redirect URI adds a directive of its own.
func TestPolicy_FormAction(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"https://app.example/cb":        "'self' https:",
		"http://127.0.0.1:8082/cb":      "'self' https: http://127.0.0.1:8082",
		"http://localhost/cb":           "'self' https: http://localhost",
		"http://[::1]:9000/cb":          "'self' https: http:",
		"com.example.app:/cb":           "'self' https: com.example.app:",
		"com.example.app://x/cb":        "'self' https: com.example.app:",
		"javascript:alert(1)":           "'self' https:",
		"data:text/html,x":              "'self' https:",
		"http://a;script-src *;x/":      "'self' https:",
		"http://a%20*/":                 "'self' https:",
		"http://a,b/":                   "'self' https: http:",
		"http://*.example/":             "'self' https: http:",
		"my_app:x; script-src 'unsafe'": "'self' https:",
		"":                              "'self'", // a device's flow ends here
		"://":                           "'self' https:",
	} {
		p := web.LeadingTo(uri).String()
		_, action, _ := strings.Cut(p, "form-action ")
		if action != want {
			t.Errorf("%q: form-action %q, want %q", uri, action, want)
		}
	}
}

// OAU-16: where it leads is said as a host that can be read.
func TestPolicy_Destination(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string][2]string{
		"https://app.example/cb":            {"site", "app.example"},
		"https://app.example:8443/cb":       {"site", "app.example:8443"},
		"https://bank.example@evil.example": {"site", "evil.example"},
		"http://127.0.0.1:8082/cb":          {"local", "127.0.0.1:8082"},
		"http://[::1]:9000/cb":              {"local", "[::1]:9000"},
		"http://localhost:1/cb":             {"local", "localhost:1"},
		"https://localhost.evil.example/":   {"site", "localhost.evil.example"},
		"com.example.app:/cb":               {"app", "com.example.app"},
		"com.example.app://host/cb":         {"app", "com.example.app"},
	} {
		if kind, name := web.Destination(uri); kind != want[0] || name != want[1] {
			t.Errorf("%q: %s %q", uri, kind, name)
		}
	}
}
