package server_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/config"
)

// TestServer_RFC9110_15_5_6_Allow: a method that an address does not have is 405, with those
// that it has; an address that is not there is 404 whatever the method (RFC 6749 §3.2, RFC
// 7009 §2, RFC 7662 §2.1, RFC 9126 §2.3: POST only).
func TestServer_RFC9110_15_5_6_Allow(t *testing.T) {
	t.Parallel()
	s := start(t, false, func(c *config.Config) { c.Registration = "open" })
	for path, want := range map[string]string{
		"/token": "OPTIONS, POST", "/revoke": "OPTIONS, POST", "/device_authorization": "OPTIONS, POST", "/introspect": "POST", "/par": "OPTIONS, POST", "/register": "POST",
		"/register/dyn-x": "DELETE, GET, HEAD, PUT", "/userinfo": "GET, HEAD, OPTIONS, POST", "/authorize": "GET, HEAD, POST", "/authorize/continue": "GET, HEAD",
		"/logout": "GET, HEAD, POST", "/jwks.json": "GET, HEAD", "/jwks-pq.json": "GET, HEAD", "/revocations": "GET, HEAD, OPTIONS",
		"/.well-known/openid-configuration": "GET, HEAD", "/.well-known/oauth-authorization-server": "GET, HEAD",
		"/login": "GET, HEAD, POST", "/consent": "GET, HEAD, POST", "/": "GET, HEAD", "/readyz": "GET, HEAD", "/nowhere": "", "/token/": "", "/token/x": "",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"} {
			if slices.Contains(strings.Split(want, ", "), method) {
				continue
			}
			r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			a, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = a.Body.Close()
			status := http.StatusMethodNotAllowed
			if want == "" {
				status = http.StatusNotFound
			}
			if a.StatusCode != status || a.Header.Get("Allow") != want || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d, Allow %q", method, path, a.StatusCode, a.Header.Get("Allow"))
			}
		}
	}
}

// TestServer_NothingThere: to a browser an address that is not there, or has no such method, says
// so with the error page and the number of the request; to everybody else in a word.
func TestServer_NothingThere(t *testing.T) {
	t.Parallel()
	s := start(t, false, nil)
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct {
		method, path, accept, language string
		status                         int
		allow, says                    string
	}{
		{"GET", "/nowhere?x=sgc_secret", browser, "en", 404, "", "There is no such page"},
		{"GET", "/nowhere?x=sgc_secret", browser, "de", 404, "", "Diese Seite gibt es nicht"},
		{"POST", "/nowhere", "application/json", "en", 404, "", "not found\n"},
		{"GET", "/nowhere", "", "en", 404, "", "not found\n"},
		{"GET", "/token?x=sgc_secret", browser, "en", 405, "OPTIONS, POST", "This does not work like that"},
		{"DELETE", "/login", browser, "de", 405, "GET, HEAD, POST", "So geht es nicht"},
		{"GET", "/token", "*/*", "en", 405, "OPTIONS, POST", "method not allowed\n"},
		{"PUT", "/login", "application/json", "en", 405, "GET, HEAD, POST", "method not allowed\n"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, s.url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Language", c.language)
		if c.accept != "" {
			r.Header.Set("Accept", c.accept)
		}
		a, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		name := c.method + " " + c.path + " " + c.accept
		if a.StatusCode != c.status || a.Header.Get("Allow") != c.allow || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, Allow %q", name, a.StatusCode, a.Header.Get("Allow"))
		}
		if c.accept != browser {
			if string(body) != c.says || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
				t.Errorf("%s says %q", name, body)
			}
			continue
		}
		if !strings.Contains(string(body), "<h1>"+c.says+"</h1>") || !strings.Contains(string(body), "<code>"+a.Header.Get("X-Request-Id")+"</code>") {
			t.Errorf("%s: neither what is wrong nor the number of the request:\n%s", name, body)
		}
		if strings.Contains(string(body), "sgc_secret") || a.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s repeats what was asked, or has no policy", name)
		}
	}
}
