package outbound_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/outbound"
)

// pit is an address at which connections are taken and nothing is ever said.
type pit struct {
	port     int
	accepted chan struct{}
}

func newPit(t *testing.T) *pit {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pit{ln.Addr().(*net.TCPAddr).Port, make(chan struct{}, 1000)}
	var held []net.Conn
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			held = append(held, conn)
			p.accepted <- struct{}{}
		}
	})
	t.Cleanup(func() {
		ln.Close()
		all.Wait()
		for _, conn := range held {
			conn.Close()
		}
	})
	return p
}

// TestGet_NET01_StrangersStarveNobody: whoever names slow addresses, one or under many
// names, keeps neither clients of operators from being read nor notices from being sent.
func TestGet_NET01_StrangersStarveNobody(t *testing.T) {
	t.Parallel()
	s, hole := newSite(t, func(http.ResponseWriter, *http.Request) {}), newPit(t)
	c := newClient(t, outbound.Config{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, RootCAs: s.roots, Resolver: newDNS(t, "127.0.0.1").resolver(),
	})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	fill := func(by *outbound.Client, host string, calls, places int) {
		for i := range calls {
			all.Go(func() {
				name := host
				if host == "" {
					name = fmt.Sprintf("h%d.example.com", i)
				}
				by.Get(ctx, fmt.Sprintf("https://%s:%d/", name, hole.port), "*/*")
			})
		}
		for range places {
			<-hole.accepted
		}
	}
	reads := func(what string, by *outbound.Client) {
		t.Helper()
		soon, done := context.WithTimeout(t.Context(), 2*time.Second) // before the slow ones are given up
		defer done()
		if _, err := by.Get(soon, s.URL, "*/*"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	fill(c.Strangers(), "one.example.com", 100, 4)
	reads("beside one slow host, for a stranger", c.Strangers())
	fill(c.Strangers(), "", 200, 12)
	reads("beside many slow hosts of strangers", c)
	fill(c, "", 200, 32)
	if status, err := c.Post(t.Context(), s.URL, "text/plain", nil); err != nil || status != http.StatusOK {
		t.Errorf("a notice, when everything is slow: %d, %v", status, err)
	}
}
