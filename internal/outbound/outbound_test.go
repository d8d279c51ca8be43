package outbound_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/signet-id/signet/internal/outbound"
)

func newClient(t *testing.T, c outbound.Config) *outbound.Client {
	t.Helper()
	c.Now = time.Now
	return outbound.New(c)
}

// site is an https server on loopback that counts its connections.
type site struct {
	*httptest.Server
	connections atomic.Int64
	roots       *x509.CertPool
	addr        netip.AddrPort
}

func newSite(t *testing.T, h http.HandlerFunc) *site {
	t.Helper()
	s := &site{roots: x509.NewCertPool()}
	s.Server = httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	s.roots.AddCert(s.Certificate())
	s.addr = netip.MustParseAddrPort(s.Listener.Addr().String())
	return s
}

// TestGet_NET01_Rebinding: a name that was public when it was checked, and is this machine
// when it is called. The listener sees no connection.
func TestGet_NET01_Rebinding(t *testing.T) {
	t.Parallel()
	for name, inside := range map[string]string{"IPv4": "127.0.0.1", "IPv4-mapped": "::ffff:127.0.0.1"} {
		s := newSite(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "secrets") })
		dns := newDNS(t, "93.184.216.34", inside)
		var log bytes.Buffer
		c := newClient(t, outbound.Config{RootCAs: s.roots, Resolver: dns.resolver(), Log: slog.New(slog.NewTextHandler(&log, nil))})
		c.PublicPort(s.addr.Port()) // so that nothing but its address speaks against it
		address := fmt.Sprintf("https://example.com:%d/jwks", s.addr.Port())

		if _, err := c.Check(address); err != nil { // what a registration does
			t.Fatal(name, err)
		}
		first, err := dns.resolver().LookupNetIP(t.Context(), "ip", "example.com")
		if err != nil || first[0].Unmap().String() != "93.184.216.34" || c.Permit(netip.AddrPortFrom(first[0].Unmap(), s.addr.Port())) != nil {
			t.Fatalf("%s: the name does not look public at first: %v, %v", name, first, err)
		}
		dns.next()
		if _, err := c.Get(t.Context(), address, "application/json"); !errors.Is(err, outbound.ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.Post(t.Context(), address, "text/plain", nil); !errors.Is(err, outbound.ErrUnreachable) {
			t.Errorf("%s: post: %v", name, err)
		}
		if n := s.connections.Load(); n != 0 {
			t.Errorf("%s: %d connections to this machine", name, n)
		}
		if !strings.Contains(log.String(), "127.0.0.1") || !strings.Contains(log.String(), "not a public address") || strings.Contains(log.String(), "jwks") {
			t.Errorf("%s: log: %s", name, &log)
		}
		if dns.asked.Load() < 2 {
			t.Errorf("%s: the name was looked up %d times", name, dns.asked.Load())
		}
	}
}

// dns is a server for names on loopback, with answers one after the other.
type dns struct {
	conn    net.PacketConn
	mu      sync.Mutex
	answers []netip.Addr
	asked   atomic.Int64
}

func newDNS(t *testing.T, answers ...string) *dns {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &dns{conn: conn}
	for _, a := range answers {
		d.answers = append(d.answers, netip.MustParseAddr(a))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply, err := d.reply(buf[:n]); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return d
}

func (d *dns) next() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers = d.answers[1:]
}

func (d *dns) reply(query []byte) ([]byte, error) {
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil {
		return nil, err
	}
	q, err := p.Question()
	if err != nil {
		return nil, err
	}
	d.asked.Add(1)
	d.mu.Lock()
	addr := d.answers[0]
	d.mu.Unlock()
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: h.ID, Response: true, RecursionAvailable: true})
	rh := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}
	err = errors.Join(b.StartQuestions(), b.Question(q), b.StartAnswers())
	switch {
	case q.Type == dnsmessage.TypeA && addr.Is4():
		err = errors.Join(err, b.AResource(rh, dnsmessage.AResource{A: addr.As4()}))
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		err = errors.Join(err, b.AAAAResource(rh, dnsmessage.AAAAResource{AAAA: addr.As16()}))
	}
	if err != nil {
		return nil, err
	}
	return b.Finish()
}

func (d *dns) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", d.conn.LocalAddr().String())
	}}
}

// own returns a client that may call the site.
func own(t *testing.T, s *site) *outbound.Client {
	t.Helper()
	return newClient(t, outbound.Config{RootCAs: s.roots, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
}

func TestGet(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Header.Get("Accept") != "application/json" || r.Header.Get("User-Agent") != "signet" ||
			r.Header.Get("Cookie") != "" || r.Header.Get("Accept-Encoding") != "" || r.ProtoMajor != 1 {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.Header().Set("Content-Type", "Application/JSON; charset=utf-8")
		w.Header().Set("Cache-Control", "max-age=600")
		io.WriteString(w, "{}")
	})
	c := own(t, s)
	for range 2 { // the second time without a cookie, and on a connection of its own
		doc, err := c.Get(t.Context(), s.URL+"/jwks", "application/json")
		if err != nil || string(doc.Body) != "{}" || doc.MediaType != "application/json" ||
			doc.Expires(time.Minute, time.Hour) != doc.At.Add(10*time.Minute) {
			t.Errorf("%+v, %v", doc, err)
		}
	}
	if n := s.connections.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/secevent+jwt" || string(body) != "token" {
			t.Errorf("%s %v %s", r.Method, r.Header, body)
		}
		w.WriteHeader(http.StatusAccepted)
	})
	if status, err := own(t, s).Post(t.Context(), s.URL, "application/secevent+jwt", []byte("token")); status != http.StatusAccepted || err != nil {
		t.Errorf("%d, %v", status, err)
	}
}

// TestGet_NET01_Answers: what an address may not answer with. A redirect leads nowhere,
// and none costs more time or memory than the limits say.
func TestGet_NET01_Answers(t *testing.T) {
	t.Parallel()
	var target *site
	var sent atomic.Int64
	reached := func(w http.ResponseWriter, _ *http.Request) { t.Error("a redirect was followed") }
	target = newSite(t, reached)
	for name, h := range map[string]http.HandlerFunc{
		"redirect":           func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, http.StatusFound) },
		"redirect to itself": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusTemporaryRedirect) },
		"not found":          http.NotFound,
		"no content":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"partial":            func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) },
		"failure":            func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"encoded":            func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "gzip") },
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			w.Write(bytes.Repeat([]byte("a"), outbound.MaxBody+1))
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				n, err := w.Write(bytes.Repeat([]byte("a"), 64<<10))
				if err != nil || sent.Add(int64(n)) > 32<<20 { // more than all buffers on the way
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, h)
			doc, err := own(t, s).Get(t.Context(), s.URL+"/", "*/*")
			if !errors.Is(err, outbound.ErrAnswer) || doc.Body != nil {
				t.Errorf("%d bytes, %v", len(doc.Body), err)
			}
			if n := sent.Load(); n > 32<<20 {
				t.Errorf("more than %d bytes were read", n)
			}
			if strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "status") {
				t.Errorf("says too much: %v", err)
			}
		})
	}
	t.Run("as large as allowed", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("a"), outbound.MaxBody)) })
		if doc, err := own(t, s).Get(t.Context(), s.URL, "*/*"); err != nil || len(doc.Body) != outbound.MaxBody {
			t.Errorf("%d bytes, %v", len(doc.Body), err)
		}
	})
	t.Run("huge headers", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("a", 64<<10)) })
		if _, err := own(t, s).Get(t.Context(), s.URL, "*/*"); !errors.Is(err, outbound.ErrUnreachable) {
			t.Error(err)
		}
	})
}

// TestGet_NET01_Slow: three seconds for all, whether nothing comes or a byte now and then.
func TestGet_NET01_Slow(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"dripping": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, "a")
				http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(50 * time.Millisecond):
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, h)
			begun := time.Now()
			_, err := own(t, s).Get(t.Context(), s.URL, "*/*")
			if took := time.Since(begun); err == nil || took > outbound.Timeout+5*time.Second {
				t.Errorf("%v after %v", err, took)
			}
		})
	}
}

// TestGet_NET01_Unreachable: nothing tells one reason from another.
func TestGet_NET01_Unreachable(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(w http.ResponseWriter, _ *http.Request) {})
	closed := newSite(t, func(w http.ResponseWriter, _ *http.Request) {})
	closed.Close()
	missing := newDNS(t, "::ffff:127.0.0.1")
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, get := range map[string]func() error{
		"forbidden": func() error {
			_, err := newClient(t, outbound.Config{RootCAs: s.roots, Resolver: missing.resolver()}).Get(t.Context(), "https://example.com/", "*/*")
			return err
		},
		"nobody listens": func() error {
			_, err := newClient(t, outbound.Config{Allow: loopback}).Get(t.Context(), closed.URL, "*/*")
			return err
		},
		"unknown certificate": func() error {
			_, err := newClient(t, outbound.Config{Allow: loopback}).Get(t.Context(), s.URL, "*/*")
			return err
		},
	} {
		if err := get(); err != outbound.ErrUnreachable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newClient(t, outbound.Config{RootCAs: s.roots}).Get(t.Context(), s.URL, "*/*"); err != outbound.ErrAddress {
		t.Errorf("an address of this machine: %v", err)
	}
	if n := s.connections.Load(); n != 1 { // the one whose certificate was refused
		t.Errorf("%d connections", n)
	}
}

// TestGet_NET01_Development: plain http goes to this machine only, whatever its name says.
func TestGet_NET01_Development(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	t.Cleanup(s.Close)
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	dev := newClient(t, outbound.Config{Loopback: true, Resolver: newDNS(t, "127.0.0.1").resolver()})
	for _, host := range []string{"127.0.0.1", "localhost"} {
		if doc, err := dev.Get(t.Context(), "http://"+host+port, "*/*"); err != nil || string(doc.Body) != "here" {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := newClient(t, outbound.Config{}).Get(t.Context(), s.URL, "*/*"); err != outbound.ErrAddress {
		t.Error(err)
	}
}

// TestGet_NET01_NoProxy: an environment that names a proxy is not asked.
func TestGet_NET01_NoProxy(t *testing.T) {
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	// Go never asks a proxy for loopback, so the name is another.
	c := newClient(t, outbound.Config{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Resolver: newDNS(t, "127.0.0.1").resolver(),
	})
	if _, err := c.Get(t.Context(), "https://example.com:1/", "*/*"); err != outbound.ErrUnreachable {
		t.Error(err)
	}
	if p, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: "example.com"}}); p == nil || err != nil {
		t.Fatalf("the environment names no proxy: %v", err) // it is read once in a process
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the proxy was asked %d times", n)
	}
}

// TestGet_NET01_Bounded: one host takes few places.
func TestGet_NET01_Bounded(t *testing.T) {
	t.Parallel()
	var most, now atomic.Int64
	s := newSite(t, func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-time.After(30 * time.Millisecond)
		now.Add(-1)
	})
	c := own(t, s)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() { c.Get(t.Context(), s.URL, "*/*") })
	}
	all.Wait()
	if n := most.Load(); n > 4 || n == 0 {
		t.Errorf("%d at the same time", n)
	}
}

func TestDocument_RFC9111_Expires(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"": time.Hour, "public": time.Hour, "max-age=600": 10 * time.Minute, "max-age=5": time.Minute, "max-age=99999999": time.Hour,
		"no-store": time.Minute, "no-cache, max-age=600": time.Minute, "max-age=600, no-store": time.Minute, `Max-Age="600"`: 10 * time.Minute,
		"max-age=x": time.Minute, "max-age=-1": time.Minute, "max-age=600, max-age=300": 5 * time.Minute, "s-maxage=5": time.Hour, "max-age": time.Minute,
		"max-age=99999999999999999999": time.Minute,
	} {
		h := http.Header{}
		if value != "" {
			h.Set("Cache-Control", value)
		}
		if got := outbound.Lifetime(h, time.Minute, time.Hour); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	h := http.Header{"Cache-Control": {"public", "max-age=600"}, "Age": {"300"}}
	if got := outbound.Lifetime(h, time.Minute, time.Hour); got != 5*time.Minute {
		t.Errorf("with an age: %v", got)
	}
}
