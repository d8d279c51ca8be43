package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/config"
)

// TestProbe_OPS12: only the request that the operator asked for is remembered, once, and for
// the administration alone.
func TestProbe_OPS12(t *testing.T) {
	t.Parallel()
	s := start(t, false, func(c *config.Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	probes := s.Probes()
	send := func(id, forwarded string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/readyz?probe="+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", forwarded)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	send("", "192.0.2.1")
	if _, ok := probes.Arrived(""); ok {
		t.Error("a request that nobody asked for is remembered")
	}
	id := probes.Begin()
	send(strings.Repeat("a", len(id)), "192.0.2.1")
	if _, ok := probes.Arrived(id); ok {
		t.Error("a stranger's request is taken for the operator's")
	}
	send(id, "192.0.2.1, 192.0.2.2")
	send(id, "192.0.2.9")
	a, ok := probes.Arrived(id)
	if !ok || a.Client != "192.0.2.2" || a.Peer != "127.0.0.1" || !a.Trusted || len(a.ForwardedFor) != 1 || a.Proto != "http" {
		t.Errorf("%+v, %v", a, ok)
	}
	probes.Begin()
	if _, ok := probes.Arrived(id); ok {
		t.Error("an old request is remembered")
	}
	if code, _ := s.get(t, "/probes/"+id); code != http.StatusNotFound {
		t.Errorf("the public side answers %d", code)
	}
}
