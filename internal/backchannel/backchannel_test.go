package backchannel_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/backchannel"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/token"
)

const issuer = "https://id.example"

// receiver is a relying party's back-channel logout endpoint.
type receiver struct {
	*httptest.Server
	answer func(n int, w http.ResponseWriter, r *http.Request) // n: the how-manieth request it is

	mu     sync.Mutex
	bodies []string
	bad    []string
	came   chan struct{}
}

func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	rp := &receiver{answer: answer, came: make(chan struct{}, 1000)}
	rp.Server = httptest.NewServer(rp)
	t.Cleanup(rp.Close)
	return rp
}

func (rp *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	rp.mu.Lock()
	rp.bodies = append(rp.bodies, string(body))
	n := len(rp.bodies)
	if err != nil || r.Method != "POST" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" ||
		r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" || r.URL.RawQuery != "tenant=7" {
		rp.bad = append(rp.bad, r.Method+" "+r.URL.String())
	}
	rp.mu.Unlock()
	rp.came <- struct{}{}
	rp.answer(n, w, r)
}

// uri has a query, which must be kept (§2.2).
func (rp *receiver) uri() string { return rp.URL + "/logout?tenant=7" }

func (rp *receiver) got() []string {
	rp.mu.Lock()
	defer rp.mu.Unlock()
	return slices.Clone(rp.bodies)
}

func status(codes ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(codes[min(n, len(codes))-1]) }
}

// poster is the outbound client without what it refuses.
type poster struct{ client *http.Client }

func (p poster) Post(ctx context.Context, address, contentType string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// world is a provider with a database, whose clock tests turn.
type world struct {
	*testing.T
	db     *store.DB
	sender *backchannel.Sender
	post   poster
	file   string
	ann    string

	mu   sync.Mutex
	time time.Time
}

var ring = sync.OnceValue(func() *keyring.Ring {
	dir, err := os.MkdirTemp("", "signet-keys")
	check(err)
	defer os.RemoveAll(dir)
	db, err := store.Open(context.Background(), "sqlite:"+filepath.Join(dir, "keys.db"), store.Options{RuleLifetime: time.Hour})
	check(err)
	r, err := keyring.Open(context.Background(), db, keyring.Config{KEK: [32]byte{1}}, start)
	check(err)
	check(db.Close())
	return r
})

func check(err error) {
	if err != nil {
		panic(err)
	}
}

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		T: t, file: filepath.Join(t.TempDir(), "signet.db"), ann: secret.ID(), time: start,
		post: poster{&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}},
	}
	w.open()
	t.Cleanup(func() { _ = w.db.Close() })
	w.must(w.db.CreateUser(t.Context(), idp.Actor{Kind: "operator"}, idp.User{ID: w.ann, Username: "ann"}, "hash", w.now()))
	return w
}

func (w *world) open() {
	w.Helper()
	db, err := store.Open(w.Context(), "sqlite:"+w.file, store.Options{RuleLifetime: time.Hour})
	w.must(err)
	w.db = db
	w.sender = backchannel.New(backchannel.Config{
		Store: db, Clients: db, Tokens: token.New(token.Config{Issuer: issuer, Keys: ring()}), Post: w.post, Now: w.now,
		Log: slog.New(slog.DiscardHandler),
	})
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) client(id, uri string) {
	w.Helper()
	w.must(w.db.PutClient(w.Context(), idp.Actor{Kind: "operator"}, idp.Client{ID: id, ClientMetadata: idp.ClientMetadata{
		Name: id, BackchannelLogoutURI: uri, IDTokenAlg: "EdDSA",
	}}, w.now()))
}

// leave logs ann in for clients and ends that login; it returns its sid.
func (w *world) leave(clients ...string) string {
	w.Helper()
	ctx, now, ann := w.Context(), w.now(), idp.Actor{Kind: "user", ID: w.ann}
	s := idp.Session{ID: secret.ID(), UserID: w.ann, CreatedAt: now, AuthTime: now, LastSeenAt: now, IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour)}
	w.must(w.db.CreateSession(ctx, ann, s, secret.Hash("session", secret.NewText(s.ID))))
	for _, id := range clients {
		g := idp.Grant{ID: secret.ID(), UserID: w.ann, ClientID: id, SessionID: s.ID, Scopes: []string{"openid"}, ExpiresAt: now.Add(time.Hour)}
		w.must(w.db.IssueCode(ctx, ann, idp.Approval{}, g, idp.Code{Hash: secret.Hash("code", secret.NewText(g.ID)), GrantID: g.ID, ClientID: id, ExpiresAt: now.Add(time.Minute)}, now))
	}
	w.must(w.db.EndSession(ctx, ann, w.ann, s.ID, now))
	return s.ID
}

// results are what the audit log says of notices, oldest first.
func (w *world) results() (all []string) {
	w.Helper()
	events, err := w.db.Events(w.Context(), "", 0, 1000)
	w.must(err)
	for _, e := range slices.Backward(events) {
		if e.Action == "logout.notify" {
			all = append(all, strings.TrimSpace(e.ClientID+" "+e.Result+" "+e.Reason))
		}
	}
	return all
}

// run runs the sender until the test is over or stop is called.
func (w *world) run() (stop func()) {
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.sender.Run(ctx)
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	w.Cleanup(stop)
	return stop
}

// until waits for something that others do.
func (w *world) until(what string, f func() bool) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatal("it does not happen: ", what)
		}
	}
}

// claims of the token in a form that has nothing else.
func (w *world) claims(body string) map[string]any {
	w.Helper()
	form, err := url.ParseQuery(body)
	if err != nil || len(form) != 1 || len(form["logout_token"]) != 1 {
		w.Fatalf("the form is %q", body)
	}
	tok := form.Get("logout_token")
	if _, _, err := ring().Keys().Verify(tok, "logout+jwt"); err != nil {
		w.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(tok, ".")[1])
	w.must(err)
	var m map[string]any
	w.must(json.Unmarshal(payload, &m))
	return m
}

// Back-Channel Logout §2.5: a form with a logout token and nothing else, before whoever
// waits goes on.
func TestSender_BackChannel_2_5_Request(t *testing.T) {
	t.Parallel()
	for _, code := range []int{200, 204} {
		w := newWorld(t)
		rp := newReceiver(t, status(code))
		w.client("wiki", rp.uri())
		w.client("other", "")
		sid := w.leave("wiki", "other")
		w.sender.Deliver(t.Context(), sid)
		bodies := rp.got()
		if len(bodies) != 1 || len(rp.bad) != 0 {
			t.Fatalf("%d: %d requests, bad ones: %q", code, len(bodies), rp.bad)
		}
		m := w.claims(bodies[0])
		if m["iss"] != issuer || m["aud"] != "wiki" || m["sub"] != w.ann || m["sid"] != sid || m["iat"] != float64(start.Unix()) {
			t.Errorf("%v", m)
		}
		if got, want := w.results(), []string{"wiki ok"}; !slices.Equal(got, want) {
			t.Errorf("%d: recorded %q, want %q", code, got, want)
		}
		w.sender.Deliver(t.Context(), sid)
		if len(rp.got()) != 1 {
			t.Error("told twice")
		}
	}
}

// Back-Channel Logout §2.8, NET-02: 400 is an answer; what is broken may be better later,
// within a budget; each attempt has a token of its own, and each is recorded.
func TestSender_NET02_RetryBudget(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		codes []int
		want  []string
	}{
		"500, then 200":     {[]int{500, 200}, []string{"wiki refused answered with status 500", "wiki ok"}},
		"redirect":          {[]int{307, 302, 204}, []string{"wiki refused answered with status 307", "wiki refused answered with status 302", "wiki ok"}},
		"not found, busy":   {[]int{404, 429, 503, 200}, []string{"wiki refused answered with status 404", "wiki refused answered with status 429", "wiki refused answered with status 503", "wiki ok"}},
		"400":               {[]int{400, 200}, []string{"wiki refused refused with status 400"}},
		"202 is no success": {[]int{202, 200}, []string{"wiki refused answered with status 202", "wiki ok"}},
		"always 500": {[]int{500}, append(slices.Repeat([]string{"wiki refused answered with status 500"}, 5),
			"wiki refused answered with status 500; given up")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rp := newReceiver(t, func(n int, rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("Location", "/elsewhere?tenant=7")
				status(tt.codes...)(n, rw, r)
			})
			w.client("wiki", rp.uri())
			sid := w.leave("wiki")
			for range 12 {
				w.sender.Deliver(t.Context(), sid)
				w.pass(time.Minute)
			}
			if got := w.results(); !slices.Equal(got, tt.want) {
				t.Errorf("recorded:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			ids := map[any]bool{}
			for _, body := range rp.got() {
				ids[w.claims(body)["jti"]] = true
			}
			if len(ids) != len(tt.want) || len(rp.bad) != 0 {
				t.Errorf("%d different tokens in %d attempts; bad requests: %q", len(ids), len(tt.want), rp.bad)
			}
			if due, err := w.db.DueLogouts(t.Context(), "", 10, w.now().Add(time.Hour)); err != nil || len(due) != 0 {
				t.Errorf("left over: %v, %v", due, err)
			}
		})
	}
}

// DOS-03: a client that is down for long has no queue of days, in which those wait who left
// just now: what waited for an hour is given up, and that is written down.
func TestSender_DOS03_OldNoticesAreGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rp := newReceiver(t, status(200))
	w.client("wiki", rp.uri())
	old := w.leave("wiki")
	w.pass(time.Hour)
	inTime := w.leave("wiki")
	w.pass(time.Second)
	w.sender.Deliver(t.Context(), old)
	w.sender.Deliver(t.Context(), inTime)
	want := []string{"wiki refused waited too long; given up", "wiki ok"}
	if got := w.results(); !slices.Equal(got, want) || len(rp.got()) != 1 {
		t.Errorf("%q, %d requests", got, len(rp.got()))
	}
	if due, err := w.db.DueLogouts(t.Context(), "", 10, w.now().Add(time.Hour)); err != nil || len(due) != 0 {
		t.Errorf("left over: %v, %v", due, err)
	}
}

// NET-02: attempts come when their time has come, and no sooner; all of them within ten
// minutes.
func TestSender_NET02_Backoff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rp := newReceiver(t, status(503))
	w.client("wiki", rp.uri())
	sid := w.leave("wiki")
	var at []time.Duration
	for n := 0; w.now().Sub(start) < 20*time.Minute; w.pass(time.Second) {
		w.sender.Deliver(t.Context(), sid)
		if got := len(rp.got()); got != n {
			n = got
			at = append(at, w.now().Sub(start))
		}
	}
	want := []time.Duration{0, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 9 * time.Minute}
	if !slices.Equal(at, want) {
		t.Errorf("attempts at %v, want %v", at, want)
	}
}

// NET-02: a client that hangs or is not there keeps nobody waiting: neither the person,
// nor the other clients, however much there is to be told to it.
func TestSender_NET02_SlowDelayNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := make(chan struct{})
	slow := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	quick := newReceiver(t, status(200))
	w.client("slow", slow.uri())
	w.client("quick", quick.uri())
	w.client("dead", "http://127.0.0.1:1/logout")
	for range 20 {
		w.leave("slow", "dead")
	}
	w.run()
	w.until("the slow client is asked", func() bool { return len(slow.got()) > 0 })
	began := time.Now()
	sid := w.leave("slow", "quick")
	w.sender.Deliver(t.Context(), sid)
	if waited := time.Since(began); waited > 4*time.Second { // a second, on a machine that does nothing else
		t.Errorf("the person waited for %v", waited)
	}
	w.until("the quick client is told", func() bool { return len(quick.got()) == 1 })
	if n := len(slow.got()); n > 4 {
		t.Errorf("%d attempts at one client at the same time", n)
	}
	for _, r := range w.results() {
		if strings.HasPrefix(r, "slow") {
			t.Errorf("the slow one has answered: %s", r)
		}
	}
}

// NET-02: whoever registers many clients that hang, and leaves them all, has half of the
// places.
func TestSender_NET02_StrangersDelayNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := make(chan struct{})
	slow := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	quick := newReceiver(t, status(200))
	var dyn []string
	for i := range 40 {
		c := idp.Client{ID: fmt.Sprint("dyn-", i), RegistrationHash: [32]byte{1}, ClientMetadata: idp.ClientMetadata{
			Name: "x", BackchannelLogoutURI: slow.uri(), IDTokenAlg: "EdDSA",
		}}
		w.must(w.db.RegisterClient(t.Context(), idp.Actor{Kind: "anonymous"}, c, [32]byte{}, 100, w.now()))
		dyn = append(dyn, c.ID)
	}
	w.client("quick", quick.uri())
	w.leave(dyn...)
	w.run()
	w.until("strangers are asked", func() bool { return len(slow.got()) >= 16 })
	w.sender.Deliver(t.Context(), w.leave("quick"))
	w.until("the quick client is told", func() bool { return len(quick.got()) == 1 })
	if n := len(slow.got()); n != 16 {
		t.Errorf("%d attempts at strangers at the same time", n)
	}
}

// NET-02: an attempt ends, also if the client never answers; the server stops all the same.
func TestSender_NET02_AttemptsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rp := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	w.client("wiki", rp.uri())
	w.leave("wiki")
	stop := w.run()
	<-rp.came
	stop() // waits for what has begun
	if got, want := w.results(), []string{"wiki refused no answer in time"}; !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

// OAU-20: a server that dies between the end of a login and the notice, or in the middle
// of it, loses nothing: the next one sends it.
func TestSender_OAU20_RestartLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rp := newReceiver(t, status(200))
	w.client("wiki", rp.uri())
	w.client("claimed", rp.uri())
	w.leave("wiki", "claimed")
	claimed, err := w.db.ClaimLogouts(t.Context(), "claimed", "", 1, w.now().Add(30*time.Second), w.now())
	if err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	w.must(w.db.Close())
	w.open()
	w.run()
	w.until("the first is told", func() bool { return len(rp.got()) == 1 })
	w.pass(31 * time.Second)
	w.until("the second is told", func() bool { return len(rp.got()) == 2 && len(w.results()) == 2 })
	if got, want := w.results(), []string{"wiki ok", "claimed ok"}; !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

// Two nodes never send the same notice.
func TestSender_NET02_OneNodeSends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rp := newReceiver(t, status(200))
	w.client("wiki", rp.uri())
	first := w.sender
	w.sender = backchannel.New(backchannel.Config{
		Store: w.db, Clients: w.db, Tokens: token.New(token.Config{Issuer: issuer, Keys: ring()}), Post: w.post, Now: w.now,
		Log: slog.New(slog.DiscardHandler),
	})
	w.run()
	for range 30 {
		first.Deliver(t.Context(), w.leave("wiki"))
	}
	w.until("all are told", func() bool { return len(w.results()) >= 30 })
	sids := map[any]bool{}
	for _, body := range rp.got() {
		sids[w.claims(body)["sid"]] = true
	}
	if len(rp.got()) != 30 || len(sids) != 30 {
		t.Errorf("%d requests for %d logins", len(rp.got()), len(sids))
	}
}

// What has changed since the login ended decides: no notice goes to a client that is gone.
func TestSender_BackChannel_2_3_ClientsOfNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rp := newReceiver(t, status(200))
	for _, id := range []string{"deleted", "disabled", "without", "strict"} {
		w.client(id, rp.uri())
	}
	w.leave("deleted", "disabled", "without")
	ctx, operator := t.Context(), idp.Actor{Kind: "operator"}
	g := idp.Grant{ID: secret.ID(), UserID: w.ann, ClientID: "strict", Scopes: []string{"openid"}, ExpiresAt: w.now().Add(time.Hour)}
	w.must(w.db.IssueCode(ctx, operator, idp.Approval{}, g, idp.Code{Hash: [32]byte{1}, GrantID: g.ID, ClientID: "strict", ExpiresAt: w.now().Add(time.Minute)}, w.now()))
	w.must(w.db.DisableUser(ctx, operator, w.ann, w.now()))
	w.must(w.db.DeleteClient(ctx, operator, "deleted", w.now()))
	w.must(w.db.DisableClient(ctx, operator, "disabled", w.now()))
	w.client("without", "")
	c, err := w.db.Client(ctx, "strict")
	w.must(err)
	c.BackchannelLogoutSID = true
	w.must(w.db.PutClient(ctx, operator, c, w.now()))
	w.run()
	w.until("all are decided", func() bool { return len(w.results()) == 4 })
	got := w.results()
	slices.Sort(got)
	if want := []string{
		"deleted refused the client is gone", "disabled refused the client is disabled",
		"strict refused the client needs a session's id, and there is none", "without refused the client takes no logout tokens any more",
	}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if n := len(rp.got()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// broken is a signer that does not work for a while.
type broken struct {
	backchannel.Tokens
	mu  sync.Mutex
	err error
}

func (b *broken) Logout(c idp.Client, userID, sid string, now time.Time) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return "", b.err
	}
	return b.Tokens.Logout(c, userID, sid, now)
}

// Without a key there is no notice yet; with one there is.
func TestSender_NET02_NoKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rp := newReceiver(t, status(200))
	w.client("wiki", rp.uri())
	b := &broken{Tokens: token.New(token.Config{Issuer: issuer, Keys: ring()}), err: errors.New("no key")}
	w.sender = backchannel.New(backchannel.Config{Store: w.db, Clients: w.db, Tokens: b, Post: w.post, Now: w.now, Log: slog.New(slog.DiscardHandler)})
	sid := w.leave("wiki")
	w.sender.Deliver(t.Context(), sid)
	b.mu.Lock()
	b.err = nil
	b.mu.Unlock()
	w.pass(5 * time.Second)
	w.sender.Deliver(t.Context(), sid)
	if got, want := w.results(), []string{"wiki refused the token could not be signed", "wiki ok"}; !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}
