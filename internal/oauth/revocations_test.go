package oauth_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// followFunc is a feed as the endpoint sees it.
type followFunc func(ctx context.Context, epoch string, after int64, send func(*revocation.Event) error) error

func (f followFunc) Follow(ctx context.Context, epoch string, after int64, send func(*revocation.Event) error) error {
	return f(ctx, epoch, after, send)
}

// fixedLog is a revocation log that never changes.
type fixedLog struct {
	rules int
	id    string // of every rule
}

func (l fixedLog) Watch() (<-chan struct{}, func()) { return nil, func() {} }

func (l fixedLog) RevocationHead(context.Context) (string, int64, error) {
	return "epoch", int64(l.rules), nil
}

func (l fixedLog) Rules(_ context.Context, after int64, limit int, now time.Time) ([]idp.Rule, error) {
	var rules []idp.Rule
	for seq := after + 1; seq <= int64(l.rules) && len(rules) < limit; seq++ {
		rules = append(rules, idp.Rule{Seq: seq, Kind: idp.RuleGrant, ID: l.id, At: now, Until: now.Add(time.Hour)})
	}
	return rules, nil
}

// runHub runs a hub over a log until the test ends, or until stop.
func runHub(t *testing.T, l revocation.Log) (hub *revocation.Hub, stop func()) {
	t.Helper()
	signer, err := jose.NewSigner(jose.EdDSA, "k1", ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	hub = revocation.NewHub(l, func() (*jose.Signer, error) { return signer, nil }, revocation.Config{
		Issuer: "https://id.example.com", Now: time.Now,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = hub.Run(ctx) })
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return hub, stop
}

// serveFeed serves the endpoint behind the middleware that all endpoints are behind.
func serveFeed(t *testing.T, e *oauth.Revocations) *httptest.Server {
	t.Helper()
	wrap := edge.Middleware(edge.Config{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	srv := httptest.NewServer(wrap(e))
	t.Cleanup(srv.Close)
	t.Cleanup(e.Close) // before srv.Close, which waits for connections to end
	return srv
}

// get begins a request and returns the answer, its body unread.
func get(t *testing.T, url string, header http.Header) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// TestRevocations_LastEventID: what is not exactly a position we gave is no position. TOK-13
func TestRevocations_LastEventID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		values []string
		epoch  string
		after  int64
	}{
		{"absent", nil, "", 0},
		{"empty", []string{""}, "", 0},
		{"position", []string{"abc.42"}, "abc", 42},
		{"beginning", []string{"abc.0"}, "abc", 0},
		{"greatest", []string{"abc.9223372036854775807"}, "abc", 1<<63 - 1},
		{"too great", []string{"abc.9223372036854775808"}, "", 0},
		{"negative", []string{"abc.-1"}, "", 0},
		{"plus", []string{"abc.+1"}, "", 0},
		{"leading zero", []string{"abc.01"}, "", 0},
		{"hexadecimal", []string{"abc.0x1"}, "", 0},
		{"fraction", []string{"abc.1.5"}, "", 0},
		{"no number", []string{"abc."}, "", 0},
		{"no epoch", []string{"42"}, "", 0},
		{"twice", []string{"abc.42", "abc.43"}, "", 0},
		{"list", []string{"abc.42, abc.43"}, "", 0},
		{"long", []string{strings.Repeat("a", 100) + ".1"}, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			called := false
			e := oauth.NewRevocations(followFunc(func(_ context.Context, epoch string, after int64, _ func(*revocation.Event) error) error {
				called = true
				if epoch != tt.epoch || after != tt.after {
					t.Errorf("got %q %d", epoch, after)
				}
				return io.EOF
			}), oauth.RevocationsConfig{})
			srv := serveFeed(t, e)
			if resp := get(t, srv.URL, http.Header{"Last-Event-Id": tt.values}); resp.StatusCode != http.StatusServiceUnavailable || !called {
				t.Errorf("status %d", resp.StatusCode)
			}
		})
	}
}

// TestRevocations_Methods: only reading, and from every origin. SES-05
func TestRevocations_Methods(t *testing.T) {
	t.Parallel()
	hub, _ := runHub(t, fixedLog{})
	srv := serveFeed(t, oauth.NewRevocations(hub, oauth.RevocationsConfig{}))
	tests := map[string]struct {
		status int
		header map[string]string
	}{
		http.MethodHead:    {200, map[string]string{"Content-Type": "text/event-stream"}},
		http.MethodOptions: {204, map[string]string{"Access-Control-Allow-Headers": "Last-Event-ID", "Access-Control-Allow-Methods": "GET, HEAD"}},
		http.MethodPost:    {405, map[string]string{"Allow": "GET, HEAD, OPTIONS"}},
		http.MethodPut:     {405, map[string]string{"Allow": "GET, HEAD, OPTIONS"}},
		http.MethodDelete:  {405, map[string]string{"Allow": "GET, HEAD, OPTIONS"}},
		"get":              {405, map[string]string{"Allow": "GET, HEAD, OPTIONS"}},
	}
	for method, want := range tests {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), method, srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != want.status {
				t.Errorf("status %d", resp.StatusCode)
			}
			want.header["Access-Control-Allow-Origin"] = "*"
			want.header["Access-Control-Allow-Credentials"] = ""
			want.header["Cache-Control"] = "no-store"
			for name, value := range want.header {
				if got := resp.Header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
			if body, err := io.ReadAll(resp.Body); err != nil || want.status < 300 && len(body) != 0 {
				t.Errorf("body %q %v", body, err)
			}
		})
	}
}

// TestRevocations_Stream: headers and events as they go over the wire.
func TestRevocations_Stream(t *testing.T) {
	t.Parallel()
	hub, _ := runHub(t, fixedLog{rules: 3, id: "g"})
	srv := serveFeed(t, oauth.NewRevocations(hub, oauth.RevocationsConfig{}))
	resp := get(t, srv.URL, http.Header{"Last-Event-Id": {"epoch.1"}})
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*",
		"X-Content-Type-Options": "nosniff", "X-Accel-Buffering": "no", "Set-Cookie": "",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	lines := bufio.NewScanner(resp.Body)
	for _, want := range []string{"id: epoch.3", "event: batch", "data: ey", ""} {
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), want) || want == "" && lines.Text() != "" {
			t.Errorf("got %q, want %q", lines.Text(), want)
		}
	}
}

// TestRevocations_HTTP2: the feed flows over HTTP/2 too.
func TestRevocations_HTTP2(t *testing.T) {
	t.Parallel()
	hub, _ := runHub(t, fixedLog{rules: 2000, id: "g"})
	e := oauth.NewRevocations(hub, oauth.RevocationsConfig{})
	srv := httptest.NewUnstartedServer(e)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	t.Cleanup(e.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Fatalf("got %s", resp.Proto)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for _, want := range []string{"id: epoch.1000", "id: epoch.2000"} {
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "id:") {
		}
		if lines.Text() != want {
			t.Errorf("got %q, want %q: %v", lines.Text(), want, lines.Err())
		}
	}
}

// TestRevocations_Unavailable: when nothing can be confirmed there is no stream, not
// even an empty one, and nothing is said about why.
func TestRevocations_Unavailable(t *testing.T) {
	t.Parallel()
	srv := serveFeed(t, oauth.NewRevocations(followFunc(func(context.Context, string, int64, func(*revocation.Event) error) error {
		return fmt.Errorf("dial 10.1.2.3: %w", idp.ErrUnavailable)
	}), oauth.RevocationsConfig{}))
	resp := get(t, srv.URL, nil)
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || strings.Contains(string(body), "10.1.2.3") {
		t.Errorf("status %d, body %q, %v", resp.StatusCode, body, err)
	}
}

// TestRevocations_Bounded: one more than allowed is told to come again, and a place
// that is left can be taken. DOS-01, DOS-04
func TestRevocations_Bounded(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]oauth.RevocationsConfig{
		"in all":      {MaxConnections: 2},
		"per network": {MaxPerNetwork: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub, _ := runHub(t, fixedLog{})
			left := make(chan struct{}, 1)
			e := oauth.NewRevocations(hub, cfg)
			wrapped := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				e.ServeHTTP(w, r)
				if r.Header.Get("Last-Event-Id") != "" {
					left <- struct{}{}
				}
			})
			srv := httptest.NewServer(wrapped)
			t.Cleanup(srv.Close)
			t.Cleanup(e.Close)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Last-Event-Id", "the one that leaves")
			first, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer first.Body.Close()
			second := get(t, srv.URL, nil)
			third := get(t, srv.URL, nil)
			if first.StatusCode != 200 || second.StatusCode != 200 || third.StatusCode != 503 || third.Header.Get("Retry-After") == "" {
				t.Errorf("got %d %d %d", first.StatusCode, second.StatusCode, third.StatusCode)
			}
			cancel()
			<-left
			if fourth := get(t, srv.URL, nil); fourth.StatusCode != 200 {
				t.Errorf("after one has left: %d", fourth.StatusCode)
			}
		})
	}
}

// TestRevocations_OneNetworkDoesNotFillIt: a crowd from one network leaves room for
// verifiers elsewhere. DOS-01
func TestRevocations_OneNetworkDoesNotFillIt(t *testing.T) {
	t.Parallel()
	hub, _ := runHub(t, fixedLog{})
	e := oauth.NewRevocations(hub, oauth.RevocationsConfig{MaxPerNetwork: 1})
	proxies, err := edge.ParseProxies([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(edge.Middleware(edge.Config{Log: slog.New(slog.DiscardHandler), Now: time.Now, Proxies: proxies})(e))
	t.Cleanup(srv.Close)
	t.Cleanup(e.Close)
	for _, tt := range []struct {
		from   string
		status int
	}{
		{"192.0.2.1", 200}, {"192.0.2.1", 503}, {"192.0.2.2", 200}, {"2001:db8::1", 200}, {"2001:db8::2", 503}, {"2001:db8:0:1::1", 200},
	} {
		if resp := get(t, srv.URL, http.Header{"X-Forwarded-For": {tt.from}}); resp.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", tt.from, resp.StatusCode, tt.status)
		}
	}
}

// TestRevocations_StrangersKeepNobodyOut: however many networks strangers have, half of
// the places is kept for services that were named; an IPv6 site is not 65,536 networks. DOS-01
func TestRevocations_StrangersKeepNobodyOut(t *testing.T) {
	t.Parallel()
	hub, _ := runHub(t, fixedLog{})
	services, err := edge.ParseNetworks([]string{"203.0.113.0/24"})
	if err != nil {
		t.Fatal(err)
	}
	proxies, err := edge.ParseProxies([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	e := oauth.NewRevocations(hub, oauth.RevocationsConfig{MaxConnections: 12, MaxPerNetwork: 1, MaxPerService: 5, Services: services})
	srv := httptest.NewServer(edge.Middleware(edge.Config{Log: slog.New(slog.DiscardHandler), Now: time.Now, Proxies: proxies})(e))
	t.Cleanup(srv.Close)
	t.Cleanup(e.Close)
	for i, tt := range []struct {
		from   string
		status int
	}{
		{"2001:db8:0:1::1", 200}, {"2001:db8:0:2::1", 200}, {"2001:db8:0:3::1", 200}, {"2001:db8:0:4::1", 200},
		{"2001:db8:0:5::1", 503}, // the fifth of a site
		{"198.51.100.1", 200}, {"198.51.100.1", 503}, {"198.51.100.2", 200},
		{"198.51.100.3", 503}, // strangers have their half
		{"203.0.113.1", 200}, {"203.0.113.1", 200}, {"203.0.113.1", 200}, {"203.0.113.1", 200}, {"203.0.113.1", 200},
		{"203.0.113.1", 503}, // a service that goes round in circles
		{"203.0.113.2", 200}, {"203.0.113.3", 503},
	} {
		if resp := get(t, srv.URL, http.Header{"X-Forwarded-For": {tt.from}}); resp.StatusCode != tt.status {
			t.Errorf("%d, %s: %d, want %d", i, tt.from, resp.StatusCode, tt.status)
		}
	}
}

// TestRevocations_SlowReader: who does not read is dropped instead of waited for. DOS-01
func TestRevocations_SlowReader(t *testing.T) {
	t.Parallel()
	hub, _ := runHub(t, fixedLog{rules: 1_000_000, id: strings.Repeat("x", 500)})
	ended := make(chan error, 1)
	e := oauth.NewRevocations(followFunc(func(ctx context.Context, epoch string, after int64, send func(*revocation.Event) error) error {
		err := hub.Follow(ctx, epoch, after, send)
		ended <- err
		return err
	}), oauth.RevocationsConfig{WriteTimeout: 50 * time.Millisecond})
	srv := serveFeed(t, e)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error // nothing is read from conn
	if err := <-ended; !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v", err)
	}
}

// TestRevocations_Shutdown: the server's end ends the feeds, so that it need not wait
// for them; so does the hub's. DOS-04
func TestRevocations_Shutdown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"server", "hub"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub, stopHub := runHub(t, fixedLog{})
			e := oauth.NewRevocations(hub, oauth.RevocationsConfig{})
			srv := httptest.NewUnstartedServer(e)
			if name == "server" {
				srv.Config.RegisterOnShutdown(e.Close)
			}
			srv.Start()
			t.Cleanup(srv.Close)
			resp := get(t, srv.URL, nil)
			if name == "hub" {
				stopHub()
			}
			if err := srv.Config.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Errorf("cut off: %v", err)
			}
			rec := httptest.NewRecorder()
			e.ServeHTTP(deadlines{ResponseRecorder: rec}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
			if rec.Code != http.StatusServiceUnavailable {
				t.Errorf("a newcomer gets %d", rec.Code)
			}
		})
	}
}

// deadlines records the deadlines that a handler sets.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write *time.Time
}

func (d deadlines) SetReadDeadline(t time.Time) error {
	if d.read != nil {
		*d.read = t
	}
	return nil
}

func (d deadlines) SetWriteDeadline(t time.Time) error {
	if d.write != nil {
		*d.write = t
	}
	return nil
}

// TestRevocations_Deadlines: the server's deadlines, made for requests that end, are
// lifted; a connection that cannot be given any is refused. DOS-01
func TestRevocations_Deadlines(t *testing.T) {
	t.Parallel()
	one := followFunc(func(context.Context, string, int64, func(*revocation.Event) error) error { return nil })
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	read, write := time.Now(), time.Now()
	rec := httptest.NewRecorder()
	oauth.NewRevocations(one, oauth.RevocationsConfig{}).ServeHTTP(deadlines{rec, &read, &write}, req)
	if !read.IsZero() || !write.IsZero() {
		t.Errorf("read %v, write %v", read, write)
	}
	rec = httptest.NewRecorder()
	oauth.NewRevocations(one, oauth.RevocationsConfig{}).ServeHTTP(rec, req)
	if rec.Code != http.StatusInternalServerError {
		t.Errorf("without deadlines: %d", rec.Code)
	}
}

// TestRevocations_Verifier: the SDK follows the feed of the real store and refuses a
// token as soon as its grant is revoked, and one of a key that is retired. TOK-07, TOK-12
func TestRevocations_Verifier(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "signet.db"), store.Options{RuleLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ring, err := keyring.Open(t.Context(), db, keyring.Config{KEK: secret.Key()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	hub := revocation.NewHub(db, func() (*jose.Signer, error) { return ring.Signer(jose.EdDSA) }, revocation.Config{Issuer: srv.URL, Now: time.Now})
	feed := oauth.NewRevocations(hub, oauth.RevocationsConfig{})
	mux.Handle("/revocations", feed)
	mux.HandleFunc("/jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(ring.JWKS())
	})
	mux.HandleFunc("/.well-known/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, srv.URL, srv.URL+"/jwks.json")
	})
	t.Cleanup(feed.Close)

	const audience = "https://calendar.example.com"
	v, err := verify.New(srv.URL, audience)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = hub.Run(ctx) })
	running.Go(func() { _ = v.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	<-v.Ready()

	tokens := token.New(token.Config{Issuer: srv.URL, Keys: ring})
	mint := func(grantID, alg string) string {
		t.Helper()
		user := idp.User{ID: secret.ID()}
		acc, err := tokens.Access(token.Authorization{
			Grant: idp.Grant{ID: grantID, UserID: user.ID, ClientID: "scheduler", AuthTime: time.Now()},
			User:  user, Client: idp.Client{ID: "scheduler"}, Audience: audience, Resource: idp.Resource{ID: audience, Alg: alg},
			NotBefore: hub.NotBefore("scheduler"),
		}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return acc.Token
	}
	refused := func(tok string) error {
		for i := 0; ; i++ {
			if _, err := v.Verify(ctx, tok); err != nil || i > 1e6 {
				return err
			}
		}
	}
	doomed, other := mint("g1", "EdDSA"), mint("g2", "ES256")
	for _, tok := range []string{doomed, other} {
		if _, err := v.Verify(ctx, tok); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.AppendRule(ctx, idp.Actor{Kind: "system"}, idp.Rule{Kind: idp.RuleGrant, ID: "g1"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := refused(doomed); !errors.Is(err, verify.ErrRevoked) {
		t.Errorf("revoked grant: %v", err)
	}
	if _, err := v.Verify(ctx, other); err != nil {
		t.Errorf("another grant: %v", err)
	}
	signer, err := ring.Signer(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.RetireKey(ctx, idp.Actor{Kind: "system"}, signer.Key().ID(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := refused(other); !errors.Is(err, verify.ErrRevoked) && !errors.Is(err, verify.ErrUnknownKey) {
		t.Errorf("retired key: %v", err)
	}
}
