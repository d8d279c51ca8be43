package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestDev_OPS04_OwnNamesOnly: in development mode a page whose name was turned to
// 127.0.0.1 reads nothing, neither caught mail nor anything else.
func TestDev_OPS04_OwnNamesOnly(t *testing.T) {
	t.Parallel()
	dev, serve := start(t, true, nil), start(t, false, nil)
	_, port, _ := strings.Cut(strings.TrimPrefix(dev.url, "http://"), ":")
	ask := func(s *running, host, path string) int {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = host
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, r)
		return rec.Code
	}
	for _, path := range []string{"/dev/mail", "/livez", "/.well-known/openid-configuration"} {
		for _, host := range []string{"localhost:" + port, "127.0.0.1:" + port, "[::1]:" + port, "LOCALHOST:" + port, "localhost", "127.0.0.1", "[::1]"} {
			if code := ask(dev, host, path); code != http.StatusOK {
				t.Errorf("%s under %q: %d", path, host, code)
			}
		}
		for _, host := range []string{
			"evil.example", "evil.example:" + port, "localhost.evil.example:" + port, "127.0.0.1.evil.example", "192.0.2.1:" + port,
			"0.0.0.0:" + port, "2130706433:" + port, "localhost.", "", ":" + port, "localhost@evil.example", "[::ffff:192.0.2.1]:" + port,
		} {
			if code := ask(dev, host, path); code != http.StatusMisdirectedRequest {
				t.Errorf("%s under %q: %d", path, host, code)
			}
		}
	}
	if code := ask(serve, "another.example", "/livez"); code != http.StatusOK { // whatever the proxy calls it
		t.Errorf("without development mode: %d", code)
	}
}
