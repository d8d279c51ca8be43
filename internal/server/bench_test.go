package server_test

import (
	"net/http/httptest"
	"testing"
)

// BenchmarkHandler is what the layers around an endpoint cost: everything but the network.
func BenchmarkHandler(b *testing.B) {
	s := start(b, false, nil)
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks.json", "/livez"} {
		b.Run(path, func(b *testing.B) {
			r := httptest.NewRequest("GET", path, nil)
			b.ReportAllocs()
			for b.Loop() {
				s.Handler().ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
