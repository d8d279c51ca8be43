package verify_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

const (
	issuer   = "https://id.example.com"
	audience = "https://orders.example.com"
)

// world is an issuer in memory that a test can make misbehave. It needs no network, so
// that testing/synctest can run its time.
type world struct {
	t      testing.TB
	signer *jose.Signer

	mu       sync.Mutex
	now      func() time.Time
	metadata func(*http.Request) reply
	keys     func(*http.Request) reply
	feed     func(*conn)
	requests map[string]int
	epoch    string
	rules    []rule
	changed  chan struct{}
}

// reply is an answer to a request that is not for the feed.
type reply struct {
	status int
	kind   string
	body   string
	header http.Header
}

// rule is a rule as the feed has it.
type rule map[string]any

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, signer: newSigner(t, "key-1"), now: time.Now, requests: map[string]int{}, epoch: "one", changed: make(chan struct{})}
	w.metadata = func(*http.Request) reply {
		return reply{200, "application/json", `{"issuer":"` + issuer + `","jwks_uri":"` + issuer + `/jwks.json"}`, nil}
	}
	w.keys = func(*http.Request) reply { return reply{200, "application/json", w.jwks(w.signer), nil} }
	w.feed = w.honest
	return w
}

func newSigner(t testing.TB, kid string) *jose.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jose.NewSigner(jose.EdDSA, kid, private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) jwks(signers ...*jose.Signer) string {
	w.t.Helper()
	var keys []*jose.Key
	for _, s := range signers {
		keys = append(keys, s.Key())
	}
	set, err := jose.NewKeySet(keys...)
	if err != nil {
		w.t.Fatal(err)
	}
	doc, err := json.Marshal(set)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(doc)
}

// set changes the world while a verifier looks at it.
func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *world) count(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests[path]
}

// RoundTrip answers instead of a network.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.requests[r.URL.Path]++
	metadata, keys, feed := w.metadata, w.keys, w.feed
	w.mu.Unlock()
	switch r.URL.String() {
	case issuer + "/.well-known/openid-configuration":
		return metadata(r).response(r), nil
	case issuer + "/revocations":
		in, out := io.Pipe()
		stop := context.AfterFunc(r.Context(), func() { _ = out.CloseWithError(r.Context().Err()) })
		c := &conn{world: w, ctx: r.Context(), out: out, last: r.Header.Get("Last-Event-ID"), status: 200, kind: "text/event-stream"}
		started := make(chan struct{})
		c.started = sync.OnceFunc(func() { close(started) })
		go func() {
			defer stop()
			feed(c)
			c.started()
			_ = out.Close()
		}()
		<-started
		return &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {c.kind}}, Body: in, Request: r}, nil
	}
	return keys(r).response(r), nil
}

func (a reply) response(r *http.Request) *http.Response {
	h := http.Header{"Content-Type": {a.kind}}
	maps.Copy(h, a.header)
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}
}

// conn is one connection to the feed.
type conn struct {
	*world
	ctx     context.Context
	out     *io.PipeWriter
	last    string // Last-Event-ID
	status  int
	kind    string
	started func()
}

// send writes bytes; it reports whether the verifier is still there.
func (c *conn) send(text string) bool {
	c.started()
	_, err := io.Copy(c.out, bytes.NewBufferString(text))
	return err == nil
}

// hold waits until the verifier is gone.
func (c *conn) hold() {
	c.started()
	<-c.ctx.Done()
}

// pause lets time pass; it reports whether the verifier is still there.
func (c *conn) pause(d time.Duration) bool {
	c.started()
	select {
	case <-c.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// position reads Last-Event-ID.
func (c *conn) position() int64 {
	epoch, n, _ := strings.Cut(c.last, ".")
	seq, err := strconv.ParseInt(n, 10, 64)
	if err != nil || epoch != c.epoch || seq > int64(len(c.rules)) {
		return 0
	}
	return seq
}

// honest is the feed as it should be, in batches of 10 and with a heartbeat every 5 s.
func (w *world) honest(c *conn) {
	w.mu.Lock()
	at, epoch := c.position(), w.epoch
	w.mu.Unlock()
	for beat := true; ; {
		w.mu.Lock()
		if w.epoch != epoch {
			w.mu.Unlock()
			return
		}
		to, changed := min(at+10, int64(len(w.rules))), w.changed
		text := ""
		if to > at || beat {
			text = w.event(w.batch(at, to))
		}
		w.mu.Unlock()
		if text != "" {
			if !c.send(text) {
				return
			}
			at, beat = to, false
			continue
		}
		select {
		case <-c.ctx.Done():
			return
		case <-changed:
		case <-time.After(5 * time.Second):
			beat = true
		}
	}
}

// batch is a payload with the rules from < seq ≤ to. The caller holds mu.
func (w *world) batch(from, to int64) map[string]any {
	now := w.now()
	rules := make([]rule, 0, to-from)
	for _, r := range w.rules[from:to] {
		if r != nil { // nil: forgotten
			rules = append(rules, r)
		}
	}
	return map[string]any{
		"iss": issuer, "aud": issuer + "/revocations", "iat": now.Unix(), "now": now.UnixMilli(),
		"epoch": w.epoch, "from": from, "to": to, "head": len(w.rules), "rules": rules,
	}
}

// event signs a payload and writes it as an event.
func (w *world) event(payload map[string]any) string {
	return w.eventBy(w.signer, "revocations+jwt", payload)
}

func (w *world) eventBy(s *jose.Signer, typ string, payload map[string]any) string {
	return fmt.Sprintf("id: %v.%v\nevent: batch\ndata: %s\n\n", payload["epoch"], payload["to"], w.sign(s, typ, payload))
}

func (w *world) sign(s *jose.Signer, typ string, payload map[string]any) string {
	w.t.Helper()
	doc, err := json.Marshal(payload)
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := s.Sign(typ, doc)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// revoke appends a rule to the log.
func (w *world) revoke(kind, id string) {
	w.set(func() { w.rules = append(w.rules, w.rule(kind, id)) })
}

func (w *world) rule(kind, id string) rule {
	now := w.now()
	r := rule{"seq": len(w.rules) + 1, "kind": kind, "at": now.UnixMilli(), "until": now.Add(time.Hour).Unix()}
	if id != "" {
		r["id"] = id
	}
	if kind == "client" || kind == "all" {
		r["before"] = now.Unix()
	}
	return r
}

// claims are the payload of a good token, with changes.
func (w *world) claims(changes map[string]any) map[string]any {
	now := w.now()
	c := map[string]any{
		"iss": issuer, "sub": "user", "aud": audience, "client_id": "client", "jti": "jti", "sid": "sid", "grant_id": "grant",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "scope": "orders:read orders:write",
	}
	for name, value := range changes {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

func (w *world) token(changes map[string]any) string {
	return w.sign(w.signer, "at+jwt", w.claims(changes))
}

// start runs a verifier until the test ends.
func (w *world) start(opts ...verify.Option) *verify.Verifier {
	w.t.Helper()
	v, err := verify.New(issuer, audience, append([]verify.Option{verify.HTTPClient(&http.Client{Transport: w})}, opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.run(v)
	return v
}

func (w *world) run(v *verify.Verifier) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = v.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	w.t.Cleanup(stop)
	return stop
}

// isReady looks without waiting.
func isReady(v *verify.Verifier) bool {
	select {
	case <-v.Ready():
		return true
	default:
		return false
	}
}
