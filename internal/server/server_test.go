package server_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
)

const (
	password = "a canary that nobody may ever print"
	redirect = "http://127.0.0.1:9/callback"
)

// running is a server on a loopback port.
type running struct {
	*server.Server
	place
	url  string
	log  *syncBuffer
	stop func() error
}

// place is what a server finds again when it starts another time.
type place struct {
	dir, key, address string
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func start(t testing.TB, dev bool, change func(*config.Config)) *running {
	t.Helper()
	return startAt(t, newPlace(t), dev, change)
}

func newPlace(t testing.TB) place {
	t.Helper()
	dir, err := os.MkdirTemp("", "s") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	key := secret.Key()
	keyFile := filepath.Join(dir, "key")
	if err := os.WriteFile(keyFile, []byte(base64.StdEncoding.EncodeToString(key[:])), 0o600); err != nil {
		t.Fatal(err)
	}
	return place{dir: dir, key: keyFile, address: "127.0.0.1:0"}
}

// config is the place's configuration, when its address is known.
func (p place) config() config.Config {
	_, port, _ := net.SplitHostPort(p.address)
	return config.Config{PublicURL: "http://localhost:" + port, KeyFile: p.key, DataDir: p.dir}.WithDefaults()
}

func startAt(t testing.TB, at place, dev bool, change func(*config.Config)) *running {
	t.Helper()
	ln, err := net.Listen("tcp", at.address)
	if err != nil {
		t.Fatal(err)
	}
	at.address = ln.Addr().String()
	cfg := at.config()
	if change != nil {
		change(&cfg)
	}
	log := new(syncBuffer)
	s, err := server.New(t.Context(), cfg, server.Options{
		Dev: dev, InsecureCheapPasswords: true,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, ln) }()
	r := &running{Server: s, place: at, url: cfg.PublicURL, log: log}
	r.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-done, s.Close())
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestServer_OPS03_NothingByDefault: no user, no setup page, no administration, nothing
// of development mode; the socket is its user's alone.
func TestServer_OPS03_NothingByDefault(t *testing.T) {
	t.Parallel()
	s := start(t, false, nil)
	for _, path := range []string{
		"/admin", "/setup", "/users", "/clients", "/metrics", "/debug/pprof/", "/dev/mail", "/register", "/.env", "/signet.db", "/admin.sock",
	} {
		if code, _ := s.get(t, path); code != http.StatusNotFound {
			t.Errorf("%s answers %d", path, code)
		}
	}
	if code, body := s.get(t, "/login"); code != http.StatusOK || strings.Contains(body, "Development mode") {
		t.Errorf("login page: %d", code)
	}
	err := s.Seed(t.Context(), server.Seed{Users: []server.SeedUser{{User: idp.User{ID: secret.ID(), Username: "ann"}, Password: password}}})
	if !errors.Is(err, server.ErrNotDev) {
		t.Errorf("demo users in a server for production: %v", err)
	}
	info, err := os.Stat(filepath.Join(s.dir, "admin.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("administration socket: %v, %v", info.Mode(), err)
	}
}

// TestServer_DOS01_SlowClients: connections that dribble are cut, the ones beyond the
// bound wait, and everybody else is served.
func TestServer_DOS01_SlowClients(t *testing.T) {
	t.Parallel()
	s := start(t, false, func(c *config.Config) {
		c.Limits.ReadHeaderTimeout, c.Limits.ReadTimeout = 300*time.Millisecond, 300*time.Millisecond
		c.Limits.MaxConnections, c.TrustedProxies = 120, []string{"127.0.0.1", "::1"} // not one network's share
	})
	var slow sync.WaitGroup
	for i := range 100 {
		head := "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: " // never ends
		if i%2 == 0 {
			head = "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\ngrant_type="
		}
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, head); err != nil {
			t.Fatal(err)
		}
		slow.Go(func() {
			defer conn.Close()
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("a slow connection was not cut")
			}
		})
	}
	if code, _ := s.get(t, "/livez"); code != http.StatusOK {
		t.Errorf("while others are slow: %d", code)
	}
	slow.Wait()
}

// TestServer_BoundsConnections: when all are busy, one beyond the bound waits until one is not.
func TestServer_BoundsConnections(t *testing.T) {
	t.Parallel()
	s := start(t, false, func(c *config.Config) { c.Limits.MaxConnections, c.Limits.ReadTimeout = 1, time.Minute })
	first, second := s.dial(t, "127.0.0.1"), net.Conn(nil)
	begin(t, first)
	second = s.dial(t, "127.0.0.1")
	_ = second.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := io.WriteString(second, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a connection beyond the bound was served: %v", err)
	}
	if _, err := io.WriteString(first, "grant_type=x"); err != nil { // its end
		t.Fatal(err)
	}
	_ = second.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := second.Read(make([]byte, 1)); err != nil {
		t.Fatalf("after another became idle: %v", err)
	}
}

// TestServer_Drains: when it stops, the feed's followers are let go and Run returns.
func TestServer_Drains(t *testing.T) {
	t.Parallel()
	s := start(t, false, nil)
	answer, err := http.Get(s.url + "/revocations")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := answer.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Logf("the feed ended with %v", err)
	}
	if code, _ := s.direct("/readyz?verbose"); code != http.StatusServiceUnavailable {
		t.Errorf("ready after the end: %d", code)
	}
}

// TestServer_OPS01_Canary plays a whole login with everything that can go wrong, and
// looks for each secret in all that the server wrote.
func TestServer_OPS01_Canary(t *testing.T) {
	t.Parallel()
	traces := newCollector(t)
	s := start(t, true, observed(traces.URL))
	clientSecret := s.seed(t)
	b := &browser{t: t, s: s, cookies: map[string]string{}}
	canaries := []string{password, clientSecret.Reveal(), strings.TrimPrefix(clientSecret.Reveal(), "sgs_")}
	b.login("wrong " + password)
	b.login(password)
	code := b.authorize()
	tokens := b.token(clientSecret.Reveal(), url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}})
	refreshed := b.token(clientSecret.Reveal(), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"]}})
	b.token(clientSecret.Reveal()+"x", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshed["refresh_token"]}})
	b.token(clientSecret.Reveal(), url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}}) // replay
	s.ask(t, clientSecret.Reveal(), refreshed, code)
	for _, v := range []map[string]string{tokens, refreshed, b.cookies} {
		for name, value := range v {
			if name != "token_type" && name != "scope" && len(value) > 20 {
				canaries = append(canaries, value)
			}
		}
	}
	canaries = append(canaries, code)
	key, err := os.ReadFile(s.key)
	if err != nil {
		t.Fatal(err)
	}
	canaries = append(canaries, string(key))
	backup := unzip(t, s.backup(t))
	measured := s.scrape(t)
	if len(canaries) < 10 {
		t.Fatalf("only %d canaries: the flow did not run", len(canaries))
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	database, err := os.ReadFile(filepath.Join(s.dir, "signet.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, canary := range canaries {
		if strings.Contains(s.log.String(), canary) {
			t.Errorf("the log holds a secret of %d bytes that begins with %.4s", len(canary), canary)
		}
		if strings.Contains(measured, canary) {
			t.Errorf("the metrics hold a secret of %d bytes that begins with %.4s", len(canary), canary)
		}
		if strings.Contains(traces.text(), canary) {
			t.Errorf("the traces hold a secret of %d bytes that begins with %.4s", len(canary), canary)
		}
		if bytes.Contains(database, []byte(canary)) { // STO-09
			t.Errorf("the database holds a secret of %d bytes that begins with %.4s", len(canary), canary)
		}
		if bytes.Contains(backup, []byte(canary)) {
			t.Errorf("the backup holds a secret of %d bytes that begins with %.4s", len(canary), canary)
		}
	}
	if !strings.Contains(s.log.String(), "route=") {
		t.Error("the access log is empty: the test looked at nothing")
	}
	if !strings.Contains(measured, "signet_tokens_issued_total") || !strings.Contains(traces.text(), "POST /token") {
		t.Error("no metrics or no traces: the test looked at nothing")
	}
	for _, person := range []string{`"ann"`, "ann@example.com", "127.0.0.1"} { // who reads them needs none
		if strings.Contains(measured, person) || strings.Contains(traces.text(), person) {
			t.Errorf("the metrics or the traces name %s", person)
		}
	}
	if !bytes.Contains(backup, []byte("ann@example.com")) {
		t.Error("the backup is empty: the test looked at nothing")
	}
}

// seed adds ann and a client, and returns the client's secret.
func (r *running) seed(t *testing.T) secret.Text {
	t.Helper()
	clientSecret := secret.New(secret.ClientSecret)
	err := r.Seed(t.Context(), server.Seed{
		Users: []server.SeedUser{{User: idp.User{ID: secret.ID(), Username: "ann", Email: "ann@example.com"}, Password: password}},
		Clients: []idp.Client{{
			ID: "app", SecretHash: secret.Hash("client_secret", clientSecret),
			ClientMetadata: idp.ClientMetadata{
				Name: "App", FirstParty: true, ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OIDC,
				RedirectURIs: []string{redirect}, Scopes: []string{"openid", "offline_access"},
				GrantTypes: []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken},
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return clientSecret
}

// browser keeps cookies by hand: they are Secure, and this is http on loopback.
type browser struct {
	t       *testing.T
	s       *running
	cookies map[string]string
	client  *http.Client // nil: noRedirects
}

var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (b *browser) do(method, target string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.s.url)
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer, err := cmp.Or(b.client, noRedirects).Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	for _, c := range answer.Cookies() {
		b.cookies[c.Name] = c.Value
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer, string(body)
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (b *browser) login(password string) (status int) {
	b.t.Helper()
	_, page := b.do("GET", b.s.url+"/login", nil)
	found := csrfField.FindStringSubmatch(page)
	if found == nil {
		b.t.Fatalf("no form: %s", page)
	}
	answer, _ := b.do("POST", b.s.url+"/login", url.Values{"username": {"ann"}, "password": {password}, "csrf": {found[1]}})
	return answer.StatusCode
}

func (b *browser) authorize() (code string) {
	b.t.Helper()
	answer, page := b.do("GET", b.s.url+"/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {redirect}, "scope": {"openid offline_access"}, "state": {"s"},
	}.Encode(), nil)
	at, err := answer.Location()
	if err != nil {
		b.t.Fatalf("authorize: %s: %s", answer.Status, page)
	}
	return at.Query().Get("code")
}

var member = regexp.MustCompile(`"([a-z_]+)":"([^"]*)"`)

func (b *browser) token(clientSecret string, form url.Values) map[string]string {
	b.t.Helper()
	r, err := http.NewRequest("POST", b.s.url+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("app", clientSecret)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	members := map[string]string{}
	for _, m := range member.FindAllStringSubmatch(string(body), -1) {
		members[m[1]] = m[2]
	}
	return members
}

func (r *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	answer, err := noRedirects.Get(r.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// direct asks the handler, for when nothing listens any more.
func (r *running) direct(path string) (int, string) {
	rec := httptest.NewRecorder()
	r.Handler().ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
	return rec.Code, rec.Body.String()
}

// until waits for something that happens in the background.
func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !yes(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it did not happen", what)
		}
	}
}
