package edge_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/edge"
)

// LOG-03: only hops that the operator named are believed, right to left.
func TestClientAddr_LOG03(t *testing.T) {
	t.Parallel()
	trusted := []string{"10.0.0.0/8", "2001:db8:aaaa::1", "127.0.0.1"}
	for _, tt := range []struct {
		name    string
		trusted []string
		peer    string
		header  []string
		want    string
	}{
		{"nobody is trusted by default", nil, "127.0.0.1:1", []string{"1.2.3.4"}, "127.0.0.1"},
		{"stranger's header", trusted, "192.0.2.1:1", []string{"1.2.3.4"}, "192.0.2.1"},
		{"no header", trusted, "10.0.0.1:1", nil, "10.0.0.1"},
		{"one hop", trusted, "10.0.0.1:1", []string{"192.0.2.1"}, "192.0.2.1"},
		{"client wrote the left part", trusted, "10.0.0.1:1", []string{"1.2.3.4, 192.0.2.1"}, "192.0.2.1"},
		{"client wrote a trusted address", trusted, "10.0.0.1:1", []string{"10.0.0.9, 192.0.2.1"}, "192.0.2.1"},
		{"two hops", trusted, "10.0.0.1:1", []string{"1.2.3.4, 192.0.2.1,10.0.0.2"}, "192.0.2.1"},
		{"two lines", trusted, "10.0.0.1:1", []string{"1.2.3.4", "192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		{"line of the client before", trusted, "10.0.0.1:1", []string{"10.0.0.3", "192.0.2.1"}, "192.0.2.1"},
		{"all trusted", trusted, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"garbage", trusted, "10.0.0.1:1", []string{"192.0.2.1, unknown"}, "10.0.0.1"},
		{"garbage behind a hop", trusted, "10.0.0.1:1", []string{"192.0.2.1, x, 10.0.0.2"}, "10.0.0.2"},
		{"empty element", trusted, "10.0.0.1:1", []string{"192.0.2.1,"}, "10.0.0.1"},
		{"empty header", trusted, "10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"port", trusted, "10.0.0.1:1", []string{"192.0.2.1:4711"}, "192.0.2.1"},
		{"IPv6", trusted, "[2001:db8:aaaa::1]:1", []string{"2001:db8::5"}, "2001:db8::5"},
		{"IPv6 with port", trusted, "10.0.0.1:1", []string{"[2001:db8::5]:4711"}, "2001:db8::5"},
		{"IPv6 in brackets", trusted, "10.0.0.1:1", []string{"[2001:db8::5]"}, "2001:db8::5"},
		{"neighbour of the proxy", trusted, "[2001:db8:aaaa::2]:1", []string{"1.2.3.4"}, "2001:db8:aaaa::2"},
		{"mapped peer", trusted, "[::ffff:10.0.0.1]:1", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"too many hops", trusted, "10.0.0.1:1", []string{"1.2.3.4," + strings.Repeat("10.0.0.2,", 40) + "10.0.0.3"}, "10.0.0.2"},
		{"unix socket", trusted, "@", []string{"1.2.3.4"}, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			proxies, err := edge.ParseProxies(tt.trusted)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = tt.peer, tt.header
			r.Header.Set("Forwarded", "for=6.6.6.6")
			r.Header.Set("X-Real-Ip", "6.6.6.6")
			var got netip.Addr
			cfg := edge.Config{Log: slog.New(slog.DiscardHandler), Proxies: proxies, Now: clock}
			edge.Middleware(cfg)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = edge.ClientAddr(r)
			})).ServeHTTP(httptest.NewRecorder(), r)
			if got.String() != tt.want {
				t.Errorf("got %s; want %s", got, tt.want)
			}
		})
	}
}

// Without the middleware nothing but the connection counts.
func TestClientAddr_WithoutMiddleware(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "192.0.2.1:1"
	r.Header.Set("X-Forwarded-For", "1.2.3.4")
	if got := edge.ClientAddr(r); got.String() != "192.0.2.1" {
		t.Error(got)
	}
}

func TestParseProxies_Refuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", "0.0.0.0/0", "::/0", "10.0.0.0/33", "10.0.0.1:80", "fe80::1%eth0", "::ffff:10.0.0.0/104", "localhost", "*"} {
		if _, err := edge.ParseProxies([]string{"10.0.0.1", s}); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

// LOG-03: who has one address of an IPv6 network has all of them.
func TestNetwork_LOG03(t *testing.T) {
	t.Parallel()
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff:0:0:2")
	if edge.Network(a) != edge.Network(b) || edge.Network(a) != "2001:db8::/64" {
		t.Error(edge.Network(a), edge.Network(b))
	}
	if got := edge.Network(netip.MustParseAddr("192.0.2.1")); got != "192.0.2.1/32" {
		t.Error(got)
	}
}

func FuzzClientAddr(f *testing.F) {
	f.Add("192.0.2.1, 10.0.0.2")
	f.Add("[::1]:1,,unknown")
	proxies, err := edge.ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	mw := edge.Middleware(edge.Config{Log: slog.New(slog.DiscardHandler), Proxies: proxies, Now: clock})
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = "10.0.0.1:1", []string{header, "192.0.2.1"}
		mw(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := edge.ClientAddr(r).String(); got != "192.0.2.1" {
				t.Errorf("%q made it %s", header, got)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	})
}
