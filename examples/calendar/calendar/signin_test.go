package calendar_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

// secretTitle stands on the person's own page only.
const secretTitle = "Marriage counselling"

func TestSignIn_RFC7636_AsksAndRedeems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	q := w.beginLogin(b)
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "calendar", "redirect_uri": w.url + "/callback", "resource": w.url, "code_challenge_method": "S256",
		"scope": "openid profile calendar.events:read calendar.meetings:write calendar.freebusy:read calendar.settings:write",
	} {
		if q.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, q.Get(name), want)
		}
	}
	get(t, b, w.url+"/callback?"+url.Values{"code": {"c"}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode())
	if len(w.forms()) != 2 {
		t.Fatalf("%d calls of the token endpoint", len(w.forms()))
	}
	challenge := sha256.Sum256([]byte(w.forms()[0].Get("code_verifier")))
	if got := base64.RawURLEncoding.EncodeToString(challenge[:]); got != q.Get("code_challenge") || len(w.forms()[0].Get("code_verifier")) < 43 {
		t.Error("the verifier does not belong to the challenge")
	}
	if w.forms()[0].Get("code") != "c" || w.forms()[0].Get("redirect_uri") != w.url+"/callback" {
		t.Errorf("code exchange: %v", w.forms()[0])
	}
	// The name comes from userinfo, which takes a token for the issuer only (RFC 8707 §2.2).
	if w.forms()[1].Get("grant_type") != "refresh_token" || w.forms()[1].Get("resource") != w.iss.URL {
		t.Errorf("second token: %v", w.forms()[1])
	}
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
		{"issuer with slash", func(q url.Values) { q.Set("iss", q.Get("iss")+"/") }},
		{"two codes", func(q url.Values) { q.Add("code", "d") }},
		{"two states", func(q url.Values) { q.Add("state", q.Get("state")) }},
	} {
		b := w.browser()
		asked := w.beginLogin(b)
		q := url.Values{"code": {"c"}, "state": {asked.Get("state")}, "iss": {w.iss.URL}}
		c.change(q)
		res := get(t, b, w.url+"/callback?"+q.Encode())
		if res.status != http.StatusBadRequest || !strings.Contains(res.body, "another visit") {
			t.Errorf("%s: %d", c.name, res.status)
		}
		if res := get(t, b, w.url+"/"); strings.Contains(res.body, secretTitle) {
			t.Errorf("%s: somebody is signed in", c.name)
		}
	}
	if len(w.forms()) != 0 {
		t.Errorf("%d codes went to the token endpoint", len(w.forms()))
	}
}

// A code that an attacker's browser got cannot be finished in the victim's (login CSRF).
func TestCallback_BoundToTheBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	attacker, victim := w.browser(), w.browser()
	q := w.beginLogin(attacker)
	w.beginLogin(victim)
	answer := w.url + "/callback?" + url.Values{"code": {"c"}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode()
	for name, b := range map[string]*http.Client{"with another login": victim, "with no login": w.browser()} {
		if res := get(t, b, answer); res.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, res.status)
		}
	}
}

func TestCallback_OnceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	q := w.beginLogin(b)
	answer := w.url + "/callback?" + url.Values{"code": {"c"}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode()
	get(t, b, answer)
	if res := get(t, b, answer); res.status != http.StatusBadRequest {
		t.Errorf("second time: %d", res.status)
	}
}

func TestCallback_OIDCCore_3_1_3_7_ChecksTheIDToken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		access, idToken verifytest.Claims
	}{
		{"another nonce", nil, verifytest.Claims{"nonce": "x"}},
		{"no nonce", nil, verifytest.Claims{"nonce": nil}},
		{"for another client", nil, verifytest.Claims{"aud": "friendly-scheduler"}},
		{"of another issuer", nil, verifytest.Claims{"iss": "https://evil.example"}},
		{"expired", nil, verifytest.Claims{"iat": 1, "exp": 2}},
		{"of another person than the access token", nil, verifytest.Claims{"sub": "user-2"}},
		{"access token for another service", verifytest.Claims{"aud": "https://other.example"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.access, w.idToken = c.access, c.idToken
			b := w.browser()
			q := w.beginLogin(b)
			res := get(t, b, w.url+"/callback?"+url.Values{"code": {"c"}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode())
			if res.status != http.StatusBadGateway || !strings.Contains(res.body, "did not work") {
				t.Errorf("%d %s", res.status, res.body)
			}
			if res := get(t, b, w.url+"/"); strings.Contains(res.body, secretTitle) {
				t.Error("somebody is signed in")
			}
		})
	}
}

func TestCallback_Declined(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	q := w.beginLogin(b)
	res := get(t, b, w.url+"/callback?"+url.Values{"error": {"access_denied"}, "error_description": {"<b>x</b>"}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode())
	if res.status != http.StatusOK || !strings.Contains(res.body, "You are not signed in") || strings.Contains(res.body, "<b>x") {
		t.Errorf("%d %s", res.status, res.body)
	}
}

func TestWeek_PrivateTitlesAndAddedMeetings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	res := w.api(http.MethodPost, "/api/meetings", w.appToken(), `{"title":"Coffee <with> Bob","start":"2026-03-06T12:00:00Z","end":"2026-03-06T13:00:00Z"}`)
	if res.status != http.StatusCreated {
		t.Fatalf("add: %d %s", res.status, res.body)
	}
	page := get(t, b, w.url+"/").body
	for _, want := range []string{"Doctor", "Job interview", secretTitle, "Coffee &lt;with&gt; Bob", "added by Friendly Scheduler", "4 Mar, today"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
}

// TOK-12: a page whose token was revoked is closed, although the token is not expired.
func TestWeek_Revoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	w.revoke(verify.RuleSession, "session-1")
	res := get(t, b, w.url+"/")
	if res.status != http.StatusOK || !strings.Contains(res.body, "You have been signed out") || !strings.Contains(res.body, " ms later") || strings.Contains(res.body, secretTitle) {
		t.Errorf("%d %s", res.status, res.body)
	}
	if again := get(t, b, w.url+"/"); !strings.Contains(again.body, "nobody else’s business") {
		t.Errorf("the session is not forgotten: %s", again.body)
	}
}

func TestWeek_RefreshesAnExpiredToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	w.iss.Revoke(verify.Rule{Kind: verify.RuleJTI, ID: "nothing"}) // a word from the feed
	w.clock.add(4 * time.Minute)
	w.revoke(verify.RuleJTI, "nothing either") // and another, so that it is not stale later
	w.clock.add(2*time.Minute + time.Second)
	calls := len(w.forms())
	if res := get(t, b, w.url+"/"); !strings.Contains(res.body, secretTitle) {
		t.Fatalf("%d %s", res.status, res.body)
	}
	if len(w.forms()) != calls+1 || w.forms()[calls].Get("resource") != w.url {
		t.Errorf("asked %v", w.forms()[calls:])
	}
	w.mu.Lock()
	w.answer = func(string) (int, verifytest.Claims) {
		return http.StatusBadRequest, verifytest.Claims{"error": "invalid_grant"}
	}
	w.mu.Unlock()
	w.clock.add(3 * time.Minute)
	w.revoke(verify.RuleJTI, "nothing at all")
	w.clock.add(4 * time.Minute)
	if res := get(t, b, w.url+"/"); !strings.Contains(res.body, "You have been signed out") {
		t.Errorf("after the grant ended: %d %s", res.status, res.body)
	}
}

func TestWeek_StaleShowsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.iss.Pause()
	w.access = verifytest.Claims{"exp": w.clock.Now().Add(time.Hour).Unix()}
	b := w.signedIn()
	w.clock.add(6 * time.Minute)
	if res := get(t, b, w.url+"/"); res.status != http.StatusServiceUnavailable || strings.Contains(res.body, secretTitle) {
		t.Errorf("%d %s", res.status, res.body)
	}
}

func TestSignOut_EndsHereAndAtTheIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	post := func(site string) response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/signout", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", site)
		return do(t, b, req)
	}
	// OAU-15: the scheduler lives on the same host, so SameSite cookies alone would not do.
	if res := post("same-site"); res.status != http.StatusForbidden {
		t.Fatalf("a form of another site: %d", res.status)
	}
	res := post("same-origin")
	to, err := url.Parse(res.header.Get("Location"))
	if err != nil || to.Path != "/logout" || to.Query().Get("id_token_hint") == "" || to.Query().Get("post_logout_redirect_uri") != w.url+"/" {
		t.Errorf("%d %s", res.status, res.header.Get("Location"))
	}
	if res := get(t, b, w.url+"/"); strings.Contains(res.body, secretTitle) {
		t.Error("still signed in here")
	}
}

// A cookie that somebody saw, or chose for the person, is worth nothing before and after.
func TestSession_OldCookiesAreDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	with := func(cookie *http.Cookie, path string) response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(cookie)
		return do(t, http.DefaultClient, req)
	}
	at, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	q := w.beginLogin(b)
	before := b.Jar.Cookies(at)[0]
	get(t, b, w.url+"/callback?"+url.Values{"code": {"c"}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode())
	during := b.Jar.Cookies(at)[0]
	if before.Value == during.Value || strings.Contains(with(before, "/").body, secretTitle) {
		t.Error("the cookie from before the login is signed in (session fixation)")
	}
	if !strings.Contains(with(during, "/").body, secretTitle) {
		t.Fatal("not signed in")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/signout", nil)
	if err != nil {
		t.Fatal(err)
	}
	do(t, b, req)
	if strings.Contains(with(during, "/").body, secretTitle) {
		t.Error("the cookie still works after signing out")
	}
}

func TestPages_HeadersAndCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res := get(t, w.browser(), w.url+"/login")
	cookie := res.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "calendar_session=") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("cookie: %s", cookie)
	}
	page := get(t, w.signedIn(), w.url+"/")
	policy := page.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy lacks %s: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(page.body, "<style") || strings.Contains(page.body, "style=") || strings.Contains(page.body, "<script>") {
		t.Error("inline style or script")
	}
	if page.header.Get("Cache-Control") != "no-store" || strings.Contains(page.body, "eyJ") {
		t.Error("a page may be stored, or shows a token")
	}
}

// An open page is told at once that it is out of date, without asking again and again.
func TestLive_TellsOpenPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	if res := get(t, w.browser(), w.url+"/live?seen=0"); res.status != http.StatusNoContent {
		t.Errorf("nobody: %d", res.status)
	}
	if res := get(t, b, w.url+"/live?seen=9"); res.body != "data: changed\n\n" {
		t.Errorf("a page that shows something else: %d %q", res.status, res.body)
	}
	open := make(chan response, 1)
	go func() { open <- get(t, b, w.url+"/live?seen=0") }()
	w.api(http.MethodPost, "/api/meetings", w.appToken(), `{"title":"x","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`)
	if res := <-open; res.body != "data: changed\n\n" {
		t.Errorf("a meeting was added: %d %q", res.status, res.body)
	}
	go func() { open <- get(t, b, w.url+"/live?seen=1") }()
	w.revoke(verify.RuleSession, "session-1")
	if res := <-open; res.body != "data: changed\n\n" {
		t.Errorf("signed out: %d %q", res.status, res.body)
	}
}
