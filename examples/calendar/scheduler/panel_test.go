package scheduler_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

func (r response) expect(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.body, text) {
			t.Errorf("the page does not say %q: %s", text, r.body)
		}
	}
}

// All that was said on the way, each with where it is written down.
func TestPanel_EveryExchangeWithItsSpecification(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, page := w.connected()
	page.expect(t, "RFC 9126 §2.1", "/par", "RFC 9126 §4", "RFC 9207 §2", "iss = "+w.iss.URL, "RFC 6749 §4.1.3", "RFC 7636 §4.5", "grant_type = authorization_code",
		"RFC 6750 §2.1", "/api/freebusy", "busy = 12 items", "HTTP 200")
	page.expect(t, "only here: every other service refuses it", w.calendar, "calendar.freebusy:read calendar.meetings:write", "ends by itself in 5 min", "which app holds it")
}

// The panel is a page: what it shows, whoever stands behind the person reads as well.
func TestPanel_NoSecretIsWhole(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/connect", "/connect?dpop=1"} {
		w := newWorld(t)
		old := verifytest.Claims{"iat": w.now.Add(-10 * time.Minute).Unix(), "exp": w.now.Add(-5 * time.Minute).Unix()}
		w.set(func() { w.first = []verifytest.Claims{old} }) // so that it refreshes
		p, page := w.connectedAt(path)
		page.expect(t, "grant_type = refresh_token")
		secrets := []string{theCode, theRefreshToken, "s3cret", "name-of-the-request", w.pushed[0].Get("state"), w.forms()[0].Get("code_verifier")}
		for _, body := range []string{page.body, p.post("/cheat", url.Values{"cheat": {"byte"}}).body} {
			for _, secret := range secrets {
				if secret == "" || strings.Contains(body, secret) {
					t.Errorf("%s: the page shows %q", path, secret)
				}
			}
			if token := regexp.MustCompile(`eyJ[\w-]{20}`).FindString(body); token != "" {
				t.Errorf("%s: the page shows a token: %s", path, token)
			}
		}
	}
}

var number = regexp.MustCompile(`<dt>([^<]+)</dt><dd>(\d+)`)

// The calendar downloads keys once and asks nobody about tokens, however many come.
func TestPanel_CountsThatDoNotRise(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, before := w.connected()
	for range 20 {
		p.get("/")
	}
	read := func(page response) map[string]int {
		counts := map[string]int{}
		for _, m := range number.FindAllStringSubmatch(page.body, -1) {
			counts[m[1]], _ = strconv.Atoi(m[2])
		}
		return counts
	}
	first, last := read(before), read(p.get("/"))
	if last["Key downloads"] != 1 || last["Questions about a token"] != 0 || last["Requests checked"] != first["Requests checked"]+21 {
		t.Errorf("before %v, after %v", first, last)
	}
	p.get("/").expect(t, "Questions about a token", "Revocations known", "Confirmed")
}

// What grows with each page has an end; the beginning of the connection stays.
func TestPanel_IsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, _ := w.connected()
	for range 60 {
		p.get("/")
	}
	page := p.get("/")
	page.expect(t, "RFC 9126 §2.1", "RFC 9207 §2", "RFC 7636 §4.5")
	if n := strings.Count(page.body, "The app calls the calendar</h3>"); n == 0 || n > 20 {
		t.Errorf("%d calls are shown", n)
	}
}

// TOK-12: the page tells how the end of the permission came through, and forgets.
func TestPanel_Revoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, _ := w.connected()
	w.set(func() { w.over = true })
	w.iss.Revoke(verify.Rule{Kind: verify.RuleGrant, ID: "grant-1"})
	w.await(http.StatusUnauthorized)
	p.get("/").expect(t, "revocation event received 0 ms after it was made", "Refused by</dt><dd>"+w.calendar, "Would have been good for</dt><dd>5 min", "HTTP 401", "HTTP 400", "Connect again")
	if page := p.get("/"); strings.Contains(page.body, "Under the hood") {
		t.Error("it is not forgotten")
	}
}

// Each is refused for its own reason, and the connection goes on. Those that end it need a
// real issuer: TestDemo_StoryGoesAsExpected.
func TestCheats_AreRefusedAndExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bearer, page := w.connected()
	if strings.Contains(page.body, `value="key"`) {
		t.Error("a cheat about keys is offered where there is none")
	}
	bound, page := w.connectedAt("/connect?dpop=1")
	page.expect(t, `value="key"`, `value="bearer"`)
	for _, c := range []struct {
		p     person
		id    string
		texts []string
	}{
		{bearer, "events", []string{"not what you do", "HTTP 403", "insufficient_scope", "calendar.events:read"}},
		{bearer, "byte", []string{"not what signet has signed", "HTTP 401", "invalid_token"}},
		{bound, "events", []string{"not what you do", "HTTP 403", "DPoP realm="}},
		{bound, "byte", []string{"HTTP 401", "invalid_token"}},
		{bound, "key", []string{"does not have that key", "HTTP 401", "DPoP realm=", "bound to a key that was not proven"}},
		{bound, "bearer", []string{"needs a new proof", "HTTP 401", "Bearer realm=", "bound to a key that was not proven"}},
	} {
		res := c.p.post("/cheat", url.Values{"cheat": {c.id}})
		res.expect(t, append(c.texts, ": refused", "Back to your week")...)
		if page := c.p.get("/"); !strings.Contains(page.body, "Pick a free hour") {
			t.Errorf("%s ended the connection", c.id)
		}
	}
	if res := bearer.do(http.MethodPost, "/cheat", url.Values{"cheat": {"events"}}, "same-site"); res.status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", res.status)
	}
	if res := bearer.post("/cheat", url.Values{"cheat": {"nothing"}}); !strings.Contains(res.body, "Pick a free hour") {
		t.Errorf("an unknown cheat: %d", res.status)
	}
}

// A page that says "refused" whatever comes would prove nothing.
func TestCheats_SayWhenOneWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // its issuer takes a code twice
	p, _ := w.connected()
	res := p.post("/cheat", url.Values{"cheat": {"code"}})
	res.expect(t, "not what we expected", "HTTP 200", "Start again")
	if strings.Contains(res.body, ": refused") {
		t.Error("the page says that it was refused")
	}
}

// RFC 9449 §5: who asked for bound tokens takes no others.
func TestDPoP_RFC9449_5_BearerAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, page := w.connectedAt("/connect?dpop=1")
	page.expect(t, "bound to a key", "RFC 9449 §4", "RFC 9449 §7.1", "token_type = DPoP")
	if w.proofs != 1 {
		t.Errorf("%d proofs came to the token endpoint", w.proofs)
	}
	w.set(func() { w.unbound = true })
	q := p.connectAt("/connect?dpop=1")
	p.get("/callback?"+url.Values{"code": {theCode}, "state": {q.Get("state")}, "iss": {w.iss.URL}}.Encode()).expect(t, "Connecting did not work")
}

func TestReset_BeginsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, _ := w.connected()
	p, page := w.connected()
	start, err := url.QueryUnescape(link.FindStringSubmatch(page.body)[1])
	if err != nil {
		t.Fatal(err)
	}
	p.post("/book", url.Values{"start": {start}, "title": {"Tea with Bob"}}).expect(t, "Tea with Bob")
	if res := p.do(http.MethodPost, "/reset", nil, "same-site"); res.status != http.StatusForbidden || w.resets != 0 {
		t.Errorf("a form of another site: %d", res.status)
	}
	p.post("/reset", nil).expect(t, "Back to the beginning", "consent=1")
	if last := w.forms()[len(w.forms())-1]; last.Get("token") != theRefreshToken || w.resets != 1 {
		t.Errorf("not given back: %v, %d resets", last, w.resets)
	}
	other.get("/").expect(t, "Connect your calendar")
	if q := p.connectAt("/connect?consent=1"); q.Get("prompt") != "consent" {
		t.Errorf("the issuer is asked %v", q)
	}
	if _, again := w.connected(); link.FindStringSubmatch(again.body)[1] != link.FindStringSubmatch(page.body)[1] {
		t.Error("the hour is still taken")
	}
}
