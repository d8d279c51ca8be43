package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
	"github.com/signet-id/signet/verify"
)

// inProcess answers requests by calling a handler, bodies that never end included. It
// needs no network, so that testing/synctest can run the time.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in, out := io.Pipe()
	w := &answer{header: http.Header{}, body: out, begun: make(chan int, 1)}
	r.Host = r.URL.Host
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	stop := context.AfterFunc(r.Context(), func() { _ = out.CloseWithError(r.Context().Err()) })
	go func() {
		defer stop()
		p.handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
		_ = w.buffer().Flush()
		_ = out.Close()
	}()
	status := <-w.begun
	return &http.Response{StatusCode: status, Header: w.sent, Body: in, Request: r}, nil
}

// answer writes into a pipe what a handler writes.
type answer struct {
	header, sent http.Header
	body         *io.PipeWriter
	buffered     *bufio.Writer
	begun        chan int
	once         sync.Once
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.once.Do(func() {
		a.sent = a.header.Clone()
		a.begun <- status
	})
}

func (a *answer) buffer() *bufio.Writer {
	if a.buffered == nil {
		a.buffered = bufio.NewWriter(a.body)
	}
	return a.buffered
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.buffer().Write(p)
}

func (a *answer) FlushError() error {
	a.WriteHeader(http.StatusOK)
	return a.buffer().Flush()
}

func (*answer) SetReadDeadline(time.Time) error  { return nil }
func (*answer) SetWriteDeadline(time.Time) error { return nil }

// traffic is a whole server in a time that is not real, with a service for each algorithm
// that checks tokens by the SDK, and clients that always have some.
type traffic struct {
	*testing.T
	server   *server.Server
	client   *http.Client
	key      secret.Text
	services []*service

	mu       sync.Mutex
	begun    time.Time
	accepted int
}

// service is an API whose tokens are signed with one algorithm.
type service struct {
	alg      string
	audience string
	scope    string
	verifier *verify.Verifier
	tokens   []held // guarded by traffic.mu
	killedAt time.Time
	signers  map[string]bool
}

// held is a token that is not over yet.
type held struct {
	token    string
	issuedAt time.Time
}

const (
	trafficURL    = "http://localhost:9"
	trafficLife   = 5 * time.Minute
	replacedAfter = 1500 * time.Millisecond // until the tokens of a replacement must be accepted
)

func newTraffic(t *testing.T, dir string) *traffic {
	t.Helper()
	policy := keyring.NewPolicy(trafficLife, 0)
	policy.Ahead, policy.Active, policy.Hints = policy.Lead, 70*time.Minute, time.Hour
	cfg := config.Config{PublicURL: trafficURL, KeyFile: filepath.Join(dir, "key"), DataDir: dir}.WithDefaults()
	if err := config.NewKey(cfg.KeyFile); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(t.Context(), cfg, server.Options{
		Dev: true, Keys: policy, InsecureCheapPasswords: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &traffic{T: t, server: s, client: &http.Client{Transport: inProcess{s.Handler()}}, key: secret.New(secret.ClientSecret), begun: time.Now()}
	app := idp.Client{ID: "app", SecretHash: secret.Hash("client_secret", w.key), ClientMetadata: idp.ClientMetadata{
		Name: "App", ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
		GrantTypes: []string{idp.GrantClientCredentials},
	}}
	var seed server.Seed
	for _, alg := range []string{"EdDSA", "ES256", "RS256", "ML-DSA-44"} {
		svc := &service{alg: alg, audience: "https://" + strings.ToLower(alg) + ".example", scope: strings.ToLower(alg), signers: map[string]bool{}}
		opts := []verify.Option{verify.HTTPClient(w.client)}
		if alg == "ML-DSA-44" {
			opts = append(opts, verify.KeySetURL(trafficURL+"/jwks-pq.json"))
		}
		if svc.verifier, err = verify.New(trafficURL, svc.audience, opts...); err != nil {
			t.Fatal(err)
		}
		w.services = append(w.services, svc)
		app.Scopes = append(app.Scopes, svc.scope)
		seed.Resources = append(seed.Resources, idp.Resource{
			ID: svc.audience, Name: alg, Alg: alg, Scopes: []idp.Scope{{Name: svc.scope, Title: map[string]string{"en": alg}}},
		})
	}
	seed.Clients = []idp.Client{app}
	if err := s.Seed(t.Context(), seed); err != nil {
		t.Fatal(err)
	}
	return w
}

// run lets everything happen until the time is over, and runs what is planned on the way.
func (w *traffic) run(d time.Duration, plan func(ctx context.Context)) {
	ctx, stop := context.WithCancel(w.Context())
	var all sync.WaitGroup
	all.Go(func() { w.server.Work(ctx) })
	for _, svc := range w.services {
		all.Go(func() { _ = svc.verifier.Run(ctx) })
		<-svc.verifier.Ready()
		for range 2 {
			all.Go(func() { w.use(ctx, svc) })
		}
	}
	if plan != nil {
		all.Go(func() { plan(ctx) })
	}
	time.Sleep(d)
	stop()
	all.Wait()
	if err := w.server.Close(); err != nil {
		w.Error(err)
	}
}

// use gets a token, shows it and all that it still has, and comes back after a while.
func (w *traffic) use(ctx context.Context, svc *service) {
	for n := 0; ctx.Err() == nil; n++ {
		if n%3 == 0 {
			w.issue(ctx, svc)
		}
		w.mu.Lock()
		svc.tokens = slices.DeleteFunc(svc.tokens, func(tok held) bool { return time.Since(tok.issuedAt) >= trafficLife })
		tokens := slices.Clone(svc.tokens)
		w.mu.Unlock()
		for _, tok := range tokens {
			w.show(ctx, svc, tok)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(1+rand.IntN(60_000)) * time.Millisecond):
		}
	}
}

func (w *traffic) issue(ctx context.Context, svc *service) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {svc.scope}}
	r, err := http.NewRequestWithContext(ctx, "POST", trafficURL+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		w.Error(err)
		return
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("app", w.key.Reveal())
	var got struct {
		Token string `json:"access_token"`
	}
	issuedAt := time.Now()
	resp, err := w.client.Do(r)
	if err == nil {
		err = errors.Join(json.NewDecoder(resp.Body).Decode(&got), resp.Body.Close())
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil || got.Token == "" {
		w.Errorf("%v: no token: %v", time.Since(w.begun), err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	svc.tokens = append(svc.tokens, held{got.Token, issuedAt})
}

// show presents a token: a good one is never refused; one of a killed key is refused a
// second after, at the latest.
func (w *traffic) show(ctx context.Context, svc *service, tok held) {
	now := time.Now()
	c, err := svc.verifier.Verify(ctx, tok.token)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.accepted++
		svc.signers[c.KeyID] = true
	}
	killed := svc.killedAt
	switch since := now.Sub(killed); {
	case killed.IsZero() || tok.issuedAt.After(killed.Add(replacedAfter)):
		if err != nil {
			w.Errorf("%v: %s: a good token, %v old, is refused: %v", now.Sub(w.begun), svc.alg, now.Sub(tok.issuedAt), err)
		}
	case tok.issuedAt.Before(killed):
		if err == nil && since > time.Second {
			w.Errorf("%v: %s: a token of a key that was killed %v ago is accepted", now.Sub(w.begun), svc.alg, since)
		}
	}
}

// kill retires the key that signs with an algorithm, as "signet key retire --now" does.
func (w *traffic) kill(svc *service) {
	w.Helper()
	ask := func(method, path, body string, out any) {
		w.Helper()
		r := httptest.NewRequest(method, "http://signet"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		w.server.AdminHandler().ServeHTTP(rec, r)
		if err := json.Unmarshal(rec.Body.Bytes(), out); err != nil || rec.Code != http.StatusOK {
			w.Errorf("%s %s: %d %s", method, path, rec.Code, rec.Body)
		}
	}
	var keys []struct{ Kid, Alg, State string }
	ask("GET", "/keys", "", &keys)
	for _, k := range keys {
		if k.Alg != svc.alg || k.State != "active" {
			continue
		}
		w.mu.Lock()
		svc.killedAt = time.Now()
		w.mu.Unlock()
		ask("POST", "/keys/"+k.Kid+"/retire", `{"now":true}`, &keys)
		return
	}
	w.Errorf("nothing signs with %s", svc.alg)
}

// TestKeys_TOK07_RotationUnderLoad: whole lives of keys pass under load and no good token
// is refused, by no service, ever.
func TestKeys_TOK07_RotationUnderLoad(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	synctest.Test(t, func(t *testing.T) {
		w := newTraffic(t, dir)
		lives := 3
		if testing.Short() {
			lives = 1
		}
		w.run(time.Duration(lives)*72*time.Minute+10*time.Minute, nil)
		for _, svc := range w.services {
			if n := len(svc.signers); n < lives+1 {
				t.Errorf("%s: only %d keys signed", svc.alg, n)
			}
		}
		t.Logf("%d checks in %v", w.accepted, time.Since(w.begun))
	})
}

// TestKeys_TOK07_KilledUnderLoad: a second after a key was retired in an emergency none of
// its tokens is accepted anywhere, the tokens of its replacement are, and those of other
// keys are never refused: each key in its turn, then all of them one after the other.
func TestKeys_TOK07_KilledUnderLoad(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	synctest.Test(t, func(t *testing.T) {
		w := newTraffic(t, dir)
		w.run(70*time.Minute, func(ctx context.Context) {
			pause := func(d time.Duration) {
				select {
				case <-ctx.Done():
				case <-time.After(d):
				}
			}
			for _, wait := range []time.Duration{14 * time.Minute, 2 * time.Second} {
				for _, svc := range w.services {
					pause(wait)
					w.kill(svc)
				}
			}
		})
		for _, svc := range w.services {
			if n := len(svc.signers); n < 2 || svc.killedAt.IsZero() {
				t.Errorf("%s: only %d keys signed", svc.alg, n)
			}
		}
		t.Logf("%d checks in %v", w.accepted, time.Since(w.begun))
	})
}

func privateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(fmt.Errorf("leave nothing behind: %w", err))
		}
	})
	return dir
}
