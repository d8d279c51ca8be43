package scheduler_test

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
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/examples/calendar/calendar"
	"github.com/signet-id/signet/examples/calendar/scheduler"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
	"github.com/signet-id/signet/verify/verifytest"
)

// world is a scheduler with a real calendar and an issuer for tests.
type world struct {
	t             *testing.T
	iss           *verifytest.Issuer
	url, calendar string
	now           time.Time

	mu      sync.Mutex
	over    bool                // the issuer takes refresh tokens no more
	down    bool                // the issuer does not work
	unbound bool                // the issuer binds no tokens
	first   []verifytest.Claims // of the token for a code
	claims  []verifytest.Claims // of the tokens after it
	pushed  []url.Values        // requests that came to the issuer…
	asked   []url.Values        // …and other forms
	proofs  int                 // that came with them
	resets  int
}

// newWorld starts on Wednesday, 4 March 2026, 8:00.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	w.iss = verifytest.NewIssuer(t, verifytest.Clock(clock))
	issuer := httptest.NewServer(http.HandlerFunc(w.issuer))
	t.Cleanup(issuer.Close)
	log := slog.New(slog.DiscardHandler)

	calendarLn, schedulerLn := listen(t), listen(t)
	w.calendar, w.url = "http://"+calendarLn.Addr().String(), "http://"+schedulerLn.Addr().String()
	cal, err := calendar.New(calendar.Config{Issuer: w.iss.URL, URL: w.calendar, ClientID: "calendar", Now: clock, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	app, err := scheduler.New(scheduler.Config{
		Issuer: w.iss.URL, URL: w.url, CalendarURL: w.calendar, ClientID: "friendly-scheduler", ClientSecret: "s3cret", Now: clock, Log: log,
		Reset: func() { w.resets++; cal.Reset() },
	})
	if err != nil {
		t.Fatal(err)
	}
	app.Discovered(issuer.URL, w.iss.URL)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cal.Run(ctx)
	}()
	calendarServer := &httptest.Server{Listener: calendarLn, Config: &http.Server{Handler: cal.Handler()}}
	calendarServer.Start()
	server := &httptest.Server{Listener: schedulerLn, Config: &http.Server{Handler: app.Handler()}}
	server.Start()
	t.Cleanup(func() {
		cancel()
		<-done
		server.Close()
		calendarServer.Close()
	})
	w.await(http.StatusForbidden) // ready: the token is understood, and allows nothing
	return w
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// await asks the calendar until it answers a token of grant-1 with the status.
func (w *world) await(status int) {
	w.t.Helper()
	token := w.iss.Token(w.calendar)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.calendar+"/api/events", nil)
		if err != nil {
			w.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		if res, err := http.DefaultClient.Do(req); err != nil {
			w.t.Fatal(err)
		} else if res.Body.Close(); res.StatusCode == status {
			return
		}
	}
	w.t.Fatalf("the calendar never answers %d", status)
}

// issuer plays the issuer's token and revocation endpoints.
func (w *world) issuer(rw http.ResponseWriter, r *http.Request) {
	if id, secret, _ := r.BasicAuth(); id != "friendly-scheduler" || secret != "s3cret" || r.ParseForm() != nil {
		rw.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.URL.Path == "/par" {
		w.pushed = append(w.pushed, r.PostForm)
		rw.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(rw).Encode(verifytest.Claims{"request_uri": "urn:ietf:params:oauth:request_uri:name-of-the-request", "expires_in": 60})
		return
	}
	w.asked = append(w.asked, r.PostForm)
	kind, binding := w.bind(r)
	switch {
	case w.down:
		rw.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/revoke":
	case w.over && r.PostForm.Get("grant_type") == "refresh_token":
		rw.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(rw).Encode(verifytest.Claims{"error": "invalid_grant"})
	default:
		more := w.claims
		if r.PostForm.Get("grant_type") == "authorization_code" {
			more = w.first
		}
		claims := verifytest.Claims{"client_id": "friendly-scheduler", "sid": nil, "scope": "calendar.freebusy:read calendar.meetings:write"}
		_ = json.NewEncoder(rw).Encode(verifytest.Claims{
			"access_token": w.iss.Token(w.calendar, append([]verifytest.Claims{claims, binding}, more...)...), "token_type": kind, "refresh_token": theRefreshToken,
		})
	}
}

const (
	theCode         = "the-code-that-came-back-from-the-issuer"
	theRefreshToken = "the-refresh-token-that-comes-next"
)

// bind says what the tokens of a request are bound to (RFC 9449 §5).
func (w *world) bind(r *http.Request) (kind string, claims verifytest.Claims) {
	if r.Header.Get("DPoP") == "" || w.unbound {
		return "Bearer", nil
	}
	payload, key, err := jose.VerifyEmbedded(r.Header.Get("DPoP"), "dpop+jwt", []jose.Algorithm{jose.ES256})
	if err != nil || !strings.Contains(string(payload), `/token"`) || strings.Contains(string(payload), `"ath"`) {
		w.t.Errorf("proof for the token endpoint: %v %s", err, payload)
		return "Bearer", nil
	}
	w.proofs++
	return "DPoP", verifytest.Claims{"cnf": map[string]string{"jkt": key.ID()}}
}

// set changes what the issuer does from now on.
func (w *world) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// person is a browser; it stays on its page when it is sent to the issuer.
type person struct {
	w    *world
	c    *http.Client
	lang string // what the browser prefers
}

func (w *world) person() person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return person{w: w, c: &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if "http://"+req.URL.Host != w.url {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
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

func (p person) do(method, path string, form url.Values, site string) response {
	p.w.t.Helper()
	req, err := http.NewRequestWithContext(p.w.t.Context(), method, p.w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.w.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Sec-Fetch-Site", site)
	req.Header.Set("Accept-Language", p.lang)
	res, err := p.c.Do(req)
	if err != nil {
		p.w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.w.t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, string(body)}
}

func (p person) get(path string) response { return p.do(http.MethodGet, path, nil, "none") }

func (p person) post(path string, form url.Values) response {
	return p.do(http.MethodPost, path, form, "same-origin")
}

// connect presses "connect" and returns what the issuer was asked (RFC 9126): the browser
// brings no more than the name of that.
func (p person) connect() url.Values {
	p.w.t.Helper()
	return p.connectAt("/connect")
}

func (p person) connectAt(path string) url.Values {
	p.w.t.Helper()
	res := p.get(path)
	to, err := url.Parse(res.header.Get("Location"))
	if err != nil || res.status != http.StatusSeeOther {
		p.w.t.Fatalf("connect: %d %q", res.status, res.header.Get("Location"))
	}
	if q := to.Query(); len(q) != 2 || q.Get("client_id") != "friendly-scheduler" || !strings.HasPrefix(q.Get("request_uri"), "urn:ietf:params:oauth:request_uri:") {
		p.w.t.Errorf("the browser brings %v", q)
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.w.pushed[len(p.w.pushed)-1]
}

// connected returns a person whose calendar is connected, and the first page.
func (w *world) connected() (person, response) {
	w.t.Helper()
	return w.connectedAt("/connect")
}

func (w *world) connectedAt(path string) (person, response) {
	w.t.Helper()
	p := w.person()
	q := p.connectAt(path)
	res := p.get("/callback?" + url.Values{"code": {theCode}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode())
	if !strings.Contains(res.body, "Pick a free hour") {
		w.t.Fatalf("not connected: %d %s", res.status, res.body)
	}
	return p, res
}

// OAU-03, OAU-06: an answer that this browser did not ask for, or that another server gave.
func TestCallback_RFC9700_4_7_RefusesForeignAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name   string
		change func(q url.Values)
	}{
		{"no state", func(q url.Values) { q.Del("state") }},
		{"another state", func(q url.Values) { q.Set("state", "x") }},
		{"no issuer", func(q url.Values) { q.Del("iss") }},
		{"another issuer", func(q url.Values) { q.Set("iss", "https://evil.example") }},
		{"two codes", func(q url.Values) { q.Add("code", "d") }},
	} {
		p := w.person()
		q := url.Values{"code": {"c"}, "state": {p.connect().Get("state")}, "iss": {w.iss.URL}}
		c.change(q)
		if res := p.get("/callback?" + q.Encode()); res.status != http.StatusBadRequest {
			t.Errorf("%s: %d", c.name, res.status)
		}
	}
	attacker, victim := w.person(), w.person()
	state := attacker.connect().Get("state")
	victim.connect()
	if res := victim.get("/callback?" + url.Values{"code": {"c"}, "state": {state}, "iss": {w.iss.URL}}.Encode()); res.status != http.StatusBadRequest {
		t.Errorf("another browser's answer: %d", res.status)
	}
	if len(w.forms()) != 0 {
		t.Errorf("%d codes went to the issuer", len(w.forms()))
	}
}

// RFC 9126: what the app wants goes to the issuer itself, the browser carries a name.
func TestConnect_RFC9126_AsksForTheNarrowRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := w.person().connect()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "friendly-scheduler", "redirect_uri": w.url + "/callback", "resource": w.calendar,
		"scope": "calendar.freebusy:read calendar.meetings:write offline_access", "code_challenge_method": "S256",
	} {
		if q.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, q.Get(name), want)
		}
	}
}

func TestCallback_Declined(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.person()
	q := url.Values{"error": {"access_denied"}, "state": {p.connect().Get("state")}, "iss": {w.iss.URL}}
	if res := p.get("/callback?" + q.Encode()); res.status != http.StatusOK || !strings.Contains(res.body, "No problem!") {
		t.Errorf("%d %s", res.status, res.body)
	}
}

var link = regexp.MustCompile(`/book\?start=([^"]+)"`)

func TestWeek_GreyBlocksBookAndCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, page := w.connected()
	for _, title := range []string{"Doctor", "interview", "Therapy", "Lawyer"} {
		if strings.Contains(page.body, title) {
			t.Errorf("the scheduler shows %q", title)
		}
	}
	if n := strings.Count(page.body, `class="busy`); n != 12 {
		t.Errorf("%d grey blocks", n)
	}
	free := link.FindStringSubmatch(page.body)
	if free == nil {
		t.Fatal("no free hour")
	}
	if res := p.get("/book?start=" + free[1]); !strings.Contains(res.body, "Coffee with Bob") {
		t.Fatalf("ask: %d %s", res.status, res.body)
	}
	start, err := url.QueryUnescape(free[1])
	if err != nil {
		t.Fatal(err)
	}
	page = p.post("/book", url.Values{"start": {start}, "title": {"Tea with Bob"}})
	if !strings.Contains(page.body, "Tea with Bob") || !strings.Contains(page.body, `class="ours`) {
		t.Fatalf("book: %d %s", page.status, page.body)
	}
	if res := p.post("/book", url.Values{"start": {start}, "title": {"Again"}}); !strings.Contains(res.body, "Somebody was quicker") {
		t.Errorf("the same hour again: %d %s", res.status, res.body)
	}
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page.body)
	// OAU-15: the calendar lives on the same host, so SameSite cookies alone would not do.
	if res := p.do(http.MethodPost, "/cancel", url.Values{"id": {id[1]}}, "same-site"); res.status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", res.status)
	}
	if page = p.post("/cancel", url.Values{"id": {id[1]}}); strings.Contains(page.body, "Booked for you") || strings.Contains(page.body, `class="ours`) {
		t.Errorf("cancel: %d %s", page.status, page.body)
	}
}

// TOK-12: after the person took the permission back, everything is forgotten.
func TestRevoked_ForgetsAndSaysHowSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, _ := w.connected()
	w.set(func() { w.over = true })
	w.iss.Revoke(verify.Rule{Kind: verify.RuleGrant, ID: "grant-1"})
	w.await(http.StatusUnauthorized)
	res := p.get("/")
	if res.status != http.StatusOK || !strings.Contains(res.body, "Your calendar refused: access was revoked. The calendar knew 0 ms after you revoked it.") || !strings.Contains(res.body, "Connect again") {
		t.Errorf("%d %s", res.status, res.body)
	}
	refreshes := 0
	for _, form := range w.forms() {
		if form.Get("grant_type") == "refresh_token" {
			refreshes++
		}
	}
	if refreshes != 1 {
		t.Errorf("%d refreshes", refreshes)
	}
	if res := p.get("/"); !strings.Contains(res.body, "Connect your calendar") {
		t.Errorf("not forgotten: %s", res.body)
	}
}

func TestExpired_RefreshesOnceAndGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := verifytest.Claims{"iat": w.now.Add(-10 * time.Minute).Unix(), "exp": w.now.Add(-5 * time.Minute).Unix()}
	w.set(func() { w.first = []verifytest.Claims{old} })
	w.connected()
	if len(w.forms()) != 2 || w.forms()[1].Get("refresh_token") != theRefreshToken || w.forms()[1].Get("resource") != w.calendar {
		t.Errorf("asked %v", w.forms())
	}
}

func TestIssuerDown_ForgetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, _ := w.connected()
	w.iss.Revoke(verify.Rule{Kind: verify.RuleGrant, ID: "grant-1"})
	w.await(http.StatusUnauthorized)
	w.set(func() { w.down = true })
	if res := p.get("/"); !strings.Contains(res.body, "not answering") {
		t.Errorf("%d %s", res.status, res.body)
	}
	w.set(func() { w.down, w.claims = false, []verifytest.Claims{{"grant_id": "grant-2"}} })
	if res := p.get("/"); !strings.Contains(res.body, "Pick a free hour") {
		t.Errorf("the connection was forgotten: %d %s", res.status, res.body)
	}
}

func TestDisconnect_GivesTheTokenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, _ := w.connected()
	res := p.post("/disconnect", nil)
	last := w.forms()[len(w.forms())-1]
	if !strings.Contains(res.body, "All forgotten") || last.Get("token") != theRefreshToken || last.Get("token_type_hint") != "refresh_token" {
		t.Errorf("%d %v", res.status, last)
	}
	if res := p.get("/"); !strings.Contains(res.body, "Connect your calendar") {
		t.Error("still connected")
	}
}

// A cookie that somebody saw, or chose for the person, is worth nothing before and after.
func TestSession_OldCookiesAreDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	p, thief := w.person(), w.person()
	steal := func() string {
		thief.c.Jar.SetCookies(at, p.c.Jar.Cookies(at))
		return thief.get("/").body
	}
	q := p.connect()
	before := p.c.Jar.Cookies(at)[0].Value
	p.get("/callback?" + url.Values{"code": {"c"}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode())
	if p.c.Jar.Cookies(at)[0].Value == before {
		t.Error("the cookie is the same as before connecting (session fixation)")
	}
	if !strings.Contains(steal(), "Pick a free hour") {
		t.Fatal("not connected")
	}
	p.post("/disconnect", nil)
	if strings.Contains(thief.get("/").body, "Pick a free hour") {
		t.Error("the cookie still works after disconnecting")
	}
}

func TestPages_Headers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, page := w.connected()
	policy := page.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy lacks %s: %s", want, policy)
		}
	}
	if strings.Contains(policy, "script-src") || strings.Contains(page.body, "<script") || strings.Contains(page.body, "style=") {
		t.Error("the page has a script or an inline style")
	}
}
