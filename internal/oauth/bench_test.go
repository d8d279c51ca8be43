package oauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/store"
)

// sink is a ResponseWriter that costs nothing.
type sink struct {
	h      http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// benchmark serves one request over and over, with the directory in memory.
func benchmark(b *testing.B, w *world, method, target string, form url.Values, headers ...string) {
	b.Helper()
	body := form.Encode()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		s := &sink{h: http.Header{}, status: 200}
		w.mux.ServeHTTP(s, r)
		if s.status != 200 {
			b.Fatal(s.status)
		}
	}
}

func benchmarkWorld(b *testing.B) *world {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := newWorld(b, func(c *oauth.Config) {
		go func() { _ = c.Directory.(*store.Directory).Run(ctx) }()
	})
	b.Cleanup(stop)
	return w
}

func BenchmarkJWKS(b *testing.B) { benchmark(b, benchmarkWorld(b), "GET", "/jwks.json", nil) }

func BenchmarkDiscovery(b *testing.B) {
	benchmark(b, benchmarkWorld(b), "GET", "/.well-known/openid-configuration", nil)
}

func BenchmarkToken_ClientCredentials(b *testing.B) {
	benchmark(b, benchmarkWorld(b), "POST", "/token", params("grant_type", "client_credentials", "scope", "cal.read"), "Authorization", basic("robot"))
}

func BenchmarkUserinfo(b *testing.B) {
	w := benchmarkWorld(b)
	tok := w.tokensFor("web", ann, "scope", "openid profile").json("access_token")
	benchmark(b, w, "GET", "/userinfo", nil, "Authorization", "Bearer "+tok)
}

// BenchmarkNothing is what making the requests costs; subtract it from the others.
func BenchmarkNothing(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		httptest.NewRequest("GET", "/", strings.NewReader(""))
	}
}
