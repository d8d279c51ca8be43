package web_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/web"
)

func TestLogin_ForAnApp(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	flow := b.flow()
	path := "/login?flow=" + flow
	page := b.get(path)
	for _, want := range []string{
		"to continue to Friendly Scheduler", "Privacy policy", "Terms of service",
	} {
		if !strings.Contains(page.text(), want) {
			t.Errorf("page does not say %q: %s", want, page.text())
		}
	}
	for _, want := range []string{
		`autocomplete="username webauthn"`, `autocomplete="current-password"`, `autocapitalize="none"`, `spellcheck="false"`,
		`href="https://scheduler.example/privacy"`, `href="https://scheduler.example/terms"`, `<label for="username">`, `<label for="password">`,
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("page has no %s", want)
		}
	}
	a := b.submit(page, path, "username", "ANN@example.com ", "password", annPassword)
	if a.status != http.StatusSeeOther || a.location() != "/authorize/continue?flow="+flow {
		t.Fatalf("%d %s %s", a.status, a.location(), a.text())
	}
	req := b.stored(flow)
	sessions, err := wd.db.Sessions(t.Context(), wd.ann.ID, wd.now())
	wd.must(err)
	if len(sessions) != 1 || req.SessionID != sessions[0].ID || !req.LoginAt.Equal(sessions[0].AuthTime) {
		t.Errorf("request %+v, sessions %+v", req, sessions)
	}
	if s := sessions[0]; s.ACR != idp.ACRPassword || len(s.AMR) != 1 || s.AMR[0] != idp.AMRPassword {
		t.Errorf("session is worth %q %q", s.ACR, s.AMR)
	}
}

func TestLogin_Hint(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	hint := func(r *idp.AuthRequest) { r.LoginHint = `a"><b>nn` }
	if a := b.get("/login?flow=" + b.flow(hint)); !strings.Contains(a.body, `value="a&#34;&gt;&lt;b&gt;nn"`) {
		t.Error("login_hint is not in the field, or not as text")
	}
	ann := wd.asAnn()
	if a := ann.get("/login?flow=" + ann.flow()); !strings.Contains(a.body, `value="ann"`) {
		t.Error("whoever has to sign in again must not type the name again")
	}
	if a := ann.get("/login"); a.location() != "/account" {
		t.Errorf("signed in, no flow: %d %s", a.status, a.location())
	}
}

// SES-01: a login gives the browser another cookie, also to one that was signed in.
func TestLogin_SES01_NewCookie(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	b.cookies["__Host-signet"] = secret.New(secret.Session).Reveal() // planted
	planted := b.cookies["__Host-signet"]
	b.submit(b.get("/login"), "/login", "username", "ann", "password", annPassword)
	first := b.cookies["__Host-signet"]
	path := "/login?flow=" + b.flow()
	b.submit(b.get(path), path, "username", "ann", "password", annPassword)
	second := b.cookies["__Host-signet"]
	if first == planted || second == first {
		t.Error("the cookie stayed")
	}
	for _, old := range []string{planted, first} {
		b.cookies["__Host-signet"] = old
		if a := b.get("/account"); a.status != http.StatusSeeOther {
			t.Errorf("an old cookie opens the account: %d", a.status)
		}
	}
}

// LOG-01: whether a name exists cannot be told by the answer: status, headers, cookies and
// body are the same byte for byte, and so is the number of tries before waiting.
func TestLogin_LOG01_SameAnswer(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	wd.must(wd.db.DisableUser(t.Context(), operator, wd.bob.ID, wd.now()))
	b := wd.browser()
	path := "/login?flow=" + b.flow()
	page := b.get(path)
	names := map[string][2]string{
		"wrong password": {"ann", "wrong wrong wrong"}, "no such user": {"zoe", "wrong wrong wrong"},
		"disabled, right": {"bob", bobPassword}, "no name at all": {"a b", "wrong wrong wrong"},
	}
	for try := range 8 {
		var first *answer
		for who, login := range names {
			a := b.submit(page, path, "username", login[0], "password", login[1])
			a.body = strings.ReplaceAll(a.body, `value="`+login[0]+`"`, `value="NAME"`)
			a.header.Del("X-Request-Id")
			if try == 0 && (a.status != http.StatusForbidden || !strings.Contains(a.text(), "Wrong username or password")) {
				t.Errorf("%s: %d %s", who, a.status, a.text())
			}
			if first == nil {
				first = &a
				continue
			}
			if a.status != first.status || a.body != first.body || !maps.EqualFunc(a.header, first.header, func(x, y []string) bool { return strings.Join(x, "\n") == strings.Join(y, "\n") }) {
				t.Errorf("try %d, %s: %d %v\nis not: %d %v", try, who, a.status, a.header, first.status, first.header)
			}
		}
		if (try >= 5) != (first.status == http.StatusTooManyRequests) {
			t.Errorf("try %d: %d", try, first.status)
		}
	}
}

// The typed name stays, the password never comes back; an error has the focus.
func TestLogin_Refused(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	page := b.get("/login")
	const typed = "not my password, sorry"
	a := b.submit(page, "/login", "username", "ann", "password", typed)
	if !strings.Contains(a.body, `value="ann"`) || strings.Contains(a.body, typed) {
		t.Error("the name is to stay, the password is not")
	}
	if !strings.Contains(a.body, `role="alert" tabindex="-1" autofocus`) || strings.Count(a.body, "autofocus") != 1 ||
		strings.Count(a.body, `aria-invalid="true" aria-describedby="error"`) != 2 {
		t.Error("the error is not announced")
	}
	for _, fields := range [][]string{{"username", "ann"}, {"password", typed}, {}, {"username", "", "password", ""}} {
		if a := b.submit(page, "/login", fields...); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.text(), "Enter your username") {
			t.Errorf("%q: %d %s", fields, a.status, a.text())
		}
	}
}

// After too many tries the page says when to come back, and so does the header.
func TestLogin_Throttled(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	page := b.get("/login")
	for range 5 {
		b.submit(page, "/login", "username", "ann", "password", "wrong")
	}
	a := b.submit(page, "/login", "username", "ann", "password", annPassword)
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "300" || !strings.Contains(a.text(), "Too many attempts. Try again in 5 minutes.") {
		t.Fatalf("%d, Retry-After %q, %s", a.status, a.header.Get("Retry-After"), a.text())
	}
	wd.pass(5*time.Minute + time.Second)
	if a := b.submit(page, "/login", "username", "ann", "password", annPassword); a.status != http.StatusSeeOther {
		t.Errorf("later: %d %s", a.status, a.text())
	}
}

// full stands for a hasher with a full queue.
type full struct{ web.Passwords }

func (full) Check(context.Context, idp.Actor, string, string, secret.Text) (idp.User, error) {
	return idp.User{}, idp.ErrUnavailable
}

func TestLogin_QueueFull(t *testing.T) {
	t.Parallel()
	wd := newWorld(t, func(c *web.Config) { c.Passwords = full{c.Passwords} })
	b := wd.browser()
	a := b.submit(b.get("/login"), "/login", "username", "ann", "password", annPassword)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "5" || !strings.Contains(a.text(), "Try again in 5 seconds") {
		t.Errorf("%d, Retry-After %q, %s", a.status, a.header.Get("Retry-After"), a.text())
	}
	if strings.Contains(a.body, "aria-invalid") {
		t.Error("nothing was wrong with what was typed")
	}
}
