package server_test

import (
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
