package calendar_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/examples/calendar/calendar"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

const scopes = "calendar.events:read calendar.meetings:write calendar.freebusy:read"

// world is a calendar, its issuer, and what the issuer's token endpoint answers.
type world struct {
	t     *testing.T
	iss   *verifytest.Issuer
	app   *calendar.App
	url   string
	clock clock
	nonce string

	mu      sync.Mutex
	answer  func(grantType string) (int, verifytest.Claims)
	asked   []url.Values // forms that came to the token endpoint
	access  verifytest.Claims
	idToken verifytest.Claims
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newWorld starts on Wednesday, 4 March 2026, 8:00.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock{now: time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)}}
	w.iss = verifytest.NewIssuer(t, verifytest.Clock(w.clock.Now))
	tokens := httptest.NewServer(http.HandlerFunc(w.token))
	t.Cleanup(tokens.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + ln.Addr().String()
	w.app, err = calendar.New(calendar.Config{
		Issuer: w.iss.URL, URL: w.url, ClientID: "calendar", ClientSecret: "s3cret",
		Now: w.clock.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.app.Discovered(tokens.URL, w.iss.URL)
	server := &httptest.Server{Listener: ln, Config: &http.Server{Handler: w.app.Handler()}}
	server.Start()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.app.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		server.Close()
	})
	<-w.app.Ready()
	return w
}

// token plays the issuer's token and userinfo endpoints.
func (w *world) token(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/userinfo" {
		_ = json.NewEncoder(rw).Encode(verifytest.Claims{"sub": "user-1", "name": "Ann Example"})
		return
	}
	if id, secret, _ := r.BasicAuth(); id != "calendar" || secret != "s3cret" || r.ParseForm() != nil {
		rw.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r.PostForm)
	if w.answer != nil {
		status, body := w.answer(r.PostForm.Get("grant_type"))
		rw.WriteHeader(status)
		_ = json.NewEncoder(rw).Encode(body)
		return
	}
	_ = json.NewEncoder(rw).Encode(verifytest.Claims{
		"access_token":  w.iss.Token(w.url, verifytest.Claims{"scope": scopes, "client_id": "calendar"}, w.access),
		"token_type":    "Bearer",
		"refresh_token": "r",
		"id_token":      w.iss.IDToken("calendar", verifytest.Claims{"nonce": w.nonce}, w.idToken),
	})
}

// browser keeps cookies and stays on its page when it is sent to another server.
func (w *world) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if "http://"+req.URL.Host != w.url {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// beginLogin presses "sign in" and returns what the issuer is asked.
func (w *world) beginLogin(b *http.Client) url.Values {
	w.t.Helper()
	res := get(w.t, b, w.url+"/login")
	to, err := url.Parse(res.header.Get("Location"))
	if err != nil || res.status != http.StatusSeeOther {
		w.t.Fatalf("login: %d %q", res.status, res.header.Get("Location"))
	}
	q := to.Query()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nonce = q.Get("nonce")
	return q
}

// signedIn returns a browser in which the person is signed in.
func (w *world) signedIn() *http.Client {
	w.t.Helper()
	b := w.browser()
	q := w.beginLogin(b)
	res := get(w.t, b, w.url+"/callback?"+url.Values{"code": {"c"}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode())
	if res.status != http.StatusOK || !strings.Contains(res.body, "Ann Example’s week") {
		w.t.Fatalf("not signed in: %d %s", res.status, res.body)
	}
	return b
}

// revoke adds a rule and waits until the calendar knows.
func (w *world) revoke(kind verify.RuleKind, id string) {
	w.t.Helper()
	before := w.app.Position()
	w.iss.Revoke(verify.Rule{Kind: kind, ID: id})
	for deadline := time.Now().Add(10 * time.Second); w.app.Position() == before; {
		if time.Now().After(deadline) {
			w.t.Fatal("the calendar does not hear of the revocation")
		}
	}
}

// forms returns what came to the issuer so far.
func (w *world) forms() []url.Values {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

type response struct {
	status int
	header http.Header
	body   string
}

func get(t *testing.T, c *http.Client, address string) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, c, req)
}

func do(t *testing.T, c *http.Client, req *http.Request) response {
	t.Helper()
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, string(body)}
}

// api asks the API with a token; more are headers as pairs.
func (w *world) api(method, path, token, body string, more ...string) response {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	return do(w.t, http.DefaultClient, req)
}

// appToken is what an app holds that may see free hours and add meetings.
func (w *world) appToken(overrides ...verifytest.Claims) string {
	claims := verifytest.Claims{"client_id": "friendly-scheduler", "scope": "calendar.freebusy:read calendar.meetings:write"}
	return w.iss.Token(w.url, append([]verifytest.Claims{claims}, overrides...)...)
}
