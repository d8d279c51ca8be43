package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

func TestAccount_Home(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	wd.asAnn()
	wd.allow(b)
	inOrder(t, b.get("/account").text(), "Sign out", "Hello, Ann Example", "ann@example.com", "confirmed",
		"Signed in on 2 devices", "1 app has access", "Last: Allowed an app, just now")
	if a := wd.browser().get("/"); a.status != http.StatusOK || !strings.Contains(a.text(), "Welcome") {
		t.Errorf("welcome: %d", a.status)
	}
	if a := b.get("/"); a.location() != "/account" {
		t.Errorf("signed in at /: %d %s", a.status, a.location())
	}
	if a := wd.browser().get("/.well-known/change-password"); a.status != http.StatusSeeOther || a.location() != "/account/password" {
		t.Errorf("change-password: %d %s", a.status, a.location())
	}
}

// SES-03: sessions are listed in words, and can be ended.
func TestSessions_SES03(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	phone := wd.browser()
	phone.header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1")
	phone.submit(phone.get("/login"), "/login", "username", "ann", "password", annPassword)
	wd.pass(3 * time.Hour)
	page := b.get("/account/sessions")
	inOrder(t, page.text(), "Firefox on Linux", "This session", "Last seen just now", "Signed in 3 hours ago", "192.0.2.1",
		"Safari on iPhone", "3 hours ago", "Sign out the other session")
	a := b.submit(page, "/account/sessions", "action", "end", "session", wd.sessionOf(wd.ann, "iPhone"))
	if a.location() != "/account/sessions" {
		t.Fatalf("%d %s", a.status, a.text())
	}
	if !strings.Contains(b.get("/account/sessions").text(), "That session is signed out") {
		t.Error("nothing says that it worked")
	}
	if strings.Contains(b.get("/account/sessions").text(), "That session is signed out") {
		t.Error("it is said twice")
	}
	if a := phone.get("/account"); a.location() != "/login" {
		t.Errorf("the phone is still signed in: %d", a.status)
	}
	a = b.submit(b.get("/account/sessions"), "/account/sessions", "action", "end", "session", wd.sessionOf(wd.ann, "Firefox"))
	if a.status != http.StatusOK || !strings.Contains(a.text(), "You are signed out") || b.cookies["__Host-signet"] != "" {
		t.Errorf("signing out here: %d %s", a.status, a.text())
	}
	if len(wd.told) != 2 {
		t.Errorf("apps of %d sessions were told", len(wd.told))
	}
}

func (wd *world) sessionOf(u idp.User, agent string) string {
	wd.t.Helper()
	sessions, err := wd.db.Sessions(wd.t.Context(), u.ID, wd.now())
	wd.must(err)
	for _, s := range sessions {
		if strings.Contains(s.UserAgent, agent) {
			return s.ID
		}
	}
	wd.t.Fatalf("no session of %q", agent)
	return ""
}

// STO-08: whose sessions and apps a form acts on comes from the session; another person's
// id does nothing, and the answer does not tell whether it exists.
func TestAccount_STO08_OnlyOwn(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	ann, bob := wd.asAnn(), wd.signedIn("bob", bobPassword)
	wd.allow(ann)
	wd.allow(bob)
	bobs := wd.sessionOf(wd.bob, "Firefox")
	csrf := ann.get("/account/sessions").csrf()
	for _, sid := range []string{bobs, secret.ID(), "", "x' OR 1=1"} {
		a := ann.post("/account/sessions", values("csrf", csrf, "action", "end", "session", sid, "user_id", wd.bob.ID, "user", "bob"))
		if a.status != http.StatusSeeOther || a.location() != "/account/sessions" {
			t.Errorf("session %q: %d %s", sid, a.status, a.location())
		}
	}
	ann.post("/account/sessions", values("csrf", csrf, "action", "end_others", "user_id", wd.bob.ID, "session", bobs))
	ann.post("/account/apps", values("csrf", csrf, "client_id", schedulerID, "user_id", wd.bob.ID, "user", "bob"))
	if a := bob.get("/account"); a.status != http.StatusOK {
		t.Error("Ann signed Bob out")
	}
	if n := len(wd.consents(wd.bob)); n != 1 {
		t.Error("Ann revoked Bob's app")
	}
	if n := len(wd.consents(wd.ann)); n != 0 {
		t.Error("Ann's own app stayed")
	}
	if text := ann.get("/account/security").text(); strings.Contains(text, "Bob") {
		t.Error("Ann reads Bob's log")
	}
}

func TestApps(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	if text := b.get("/account/apps").text(); !strings.Contains(text, "No apps yet") {
		t.Errorf("empty: %s", text)
	}
	wd.allow(b)
	wd.grant(wd.ann, schedulerID, calendarID, "", "calendar.freebusy:read", "offline_access")
	wd.pass(2 * time.Hour)
	wd.grant(wd.ann, "calendar", issuer, wd.sessionOf(wd.ann, "Firefox"), "openid")
	wd.pass(48 * time.Minute)
	page := b.get("/account/apps")
	inOrder(t, page.text(), "Calendar", "Our own app", "Recognize you", "First used 48 minutes ago",
		"Friendly Scheduler", "Third-party app", "It may", "See when you are busy", "Add meetings to your calendar", "Stay connected",
		"First used 2 hours ago", "Last used 2 hours ago", "Stays connected when you sign out", "Revoke",
		"Friendly Scheduler loses access at once")
	if a := b.submit(page, "/account/apps", "client_id", schedulerID); a.location() != "/account/apps" {
		t.Fatalf("%d %s", a.status, a.text())
	}
	text := b.get("/account/apps").text()
	if strings.Contains(text, "Friendly Scheduler") || !strings.Contains(text, "The app has no access any more") {
		t.Errorf("after revoking: %s", text)
	}
	grants, err := wd.db.Grants(t.Context(), wd.ann.ID, wd.now())
	wd.must(err)
	if len(grants) != 1 || grants[0].ClientID != "calendar" {
		t.Errorf("grants: %+v", grants)
	}
	if a := b.submit(page, "/account/apps"); a.status != http.StatusBadRequest {
		t.Errorf("no app named: %d", a.status)
	}
}

// grant stores a grant as a finished flow does.
func (wd *world) grant(u idp.User, client, resource, sid string, scopes ...string) {
	wd.t.Helper()
	g := idp.Grant{
		ID: secret.ID(), UserID: u.ID, ClientID: client, SessionID: sid, Resource: resource, Scopes: scopes,
		AuthTime: wd.now(), ACR: idp.ACRPassword, AMR: []string{idp.AMRPassword}, CreatedAt: wd.now(), ExpiresAt: wd.now().Add(90 * 24 * time.Hour),
	}
	code := idp.Code{Hash: secret.Key(), GrantID: g.ID, ClientID: client, RedirectURI: redirectURI, CodeChallenge: "c", ExpiresAt: wd.now().Add(time.Minute)}
	wd.must(wd.db.IssueCode(wd.t.Context(), operator, idp.Approval{}, g, code, wd.now()))
}

func TestPassword_Change(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b, elsewhere := wd.asAnn(), wd.asAnn()
	page := b.get("/account/password")
	for _, want := range []string{
		`autocomplete="username"`, `autocomplete="current-password"`, `autocomplete="new-password" minlength="15" passwordrules="minlength: 15;`,
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("page has no %s", want)
		}
	}
	const next = "wonderful autumn leaves"
	old := b.cookies["__Host-signet"]
	a := b.submit(page, "/account/password", "old_password", annPassword, "new_password", next, "new_password_again", next)
	if a.location() != "/account" {
		t.Fatalf("%d %s", a.status, a.text())
	}
	if !strings.Contains(b.get("/account").text(), "Your password is changed") {
		t.Error("nothing says that it worked, or this browser is signed out")
	}
	if b.cookies["__Host-signet"] == old {
		t.Error("the cookie stayed (SES-01)")
	}
	if a := elsewhere.get("/account"); a.location() != "/login" {
		t.Errorf("the other session lives: %d", a.status)
	}
	wd.signedIn("ann", next)
	c := wd.browser()
	if a := c.submit(c.get("/login"), "/login", "username", "ann", "password", annPassword); a.status != http.StatusForbidden {
		t.Errorf("old password: %d", a.status)
	}
	wd.deliver()
	if mails := wd.mail.List(); len(mails) != 1 || mails[0].To != "ann@example.com" || !strings.Contains(mails[0].Subject, "password was changed") {
		t.Errorf("mails: %+v", mails)
	}
}

// The old password is asked for again, also of who is signed in; nothing typed comes back.
func TestPassword_Refused(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	page := b.get("/account/password")
	const good = "wonderful autumn leaves"
	for name, c := range map[string]struct{ old, next, again, lang, want string }{
		"wrong":           {"nonsense", good, good, "en", "Your current password is not right"},
		"none":            {"", good, good, "en", "Your current password is not right"},
		"two":             {annPassword, good, good + "!", "en", "The two new passwords are not the same"},
		"short":           {annPassword, "short", "short", "en", "too short"},
		"short in German": {annPassword, "short", "short", "de", "zu kurz"},
		"long":            {annPassword, strings.Repeat("käse und brot ", 90), strings.Repeat("käse und brot ", 90), "en", "too long"},
		"pattern":         {annPassword, "qwertzuiopasdfghjkl", "qwertzuiopasdfghjkl", "en", "neighbouring keys"},
		"personal":        {annPassword, "ann example signet", "ann example signet", "en", "made of your name"},
		"the same":        {annPassword, annPassword, annPassword, "en", "The new password is the old one"},
		"nothing":         {annPassword, "", "", "en", "too short"},
	} {
		b.header.Set("Accept-Language", c.lang)
		a := b.submit(page, "/account/password", "old_password", c.old, "new_password", c.next, "new_password_again", c.again)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.text(), c.want) {
			t.Errorf("%s: %d %s", name, a.status, a.text())
		}
		for _, typed := range []string{c.old, c.next} {
			if typed != "" && strings.Contains(a.body, `"`+typed+`"`) {
				t.Errorf("%s: %q came back", name, typed)
			}
		}
	}
	b.header.Set("Accept-Language", "en")
	for range 6 {
		b.submit(page, "/account/password", "old_password", "x", "new_password", good, "new_password_again", good)
	}
	if a := b.submit(page, "/account/password", "old_password", annPassword, "new_password", good, "new_password_again", good); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("guessing the old password: %d %s", a.status, a.text())
	}
	if a := b.get("/account"); a.status != http.StatusOK {
		t.Error("a refused change ended the session")
	}
}

// The log is told in words, in pages; what has no words is shown all the same.
func TestSecurity_Log(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	by := idp.Actor{Kind: "client", ID: schedulerID, IP: "198.51.100.7", UserAgent: "Go-http-client/2.0"}
	add := func(e idp.Event) {
		e.At, e.UserID = wd.now(), wd.ann.ID
		wd.must(wd.db.Audit(t.Context(), e))
	}
	add(idp.Event{Actor: by, Action: "refresh.reuse", Result: "refused", ClientID: schedulerID})
	add(idp.Event{Actor: idp.Actor{Kind: "anonymous", IP: "203.0.113.9"}, Action: "password.check", Result: "refused"})
	add(idp.Event{Actor: operator, Action: "password.change", Result: "ok"})
	add(idp.Event{Actor: operator, Action: "moon.landing", Result: "ok"})
	inOrder(t, b.get("/account/security").text(), "Something else: moon.landing", "Password changed by an administrator", "A password was tried", "Refused", "203.0.113.9",
		"A key of Friendly Scheduler was used twice", "Signed in", "Firefox on Linux", "Account created")
	for i := range 60 {
		add(idp.Event{Actor: operator, Action: fmt.Sprintf("n.%03d", i), Result: "ok"})
	}
	seen := 0
	for path := "/account/security"; path != ""; {
		a := b.get(path)
		seen += strings.Count(a.text(), "Something else: n.")
		_, rest, _ := strings.Cut(a.body, `href="/account/security?before=`)
		id, _, more := strings.Cut(rest, `"`)
		if path = ""; more && strings.Contains(a.text(), "Older entries") {
			path = "/account/security?before=" + id
		}
	}
	if seen != 60 {
		t.Errorf("%d of 60 entries in all pages", seen)
	}
	for _, bad := range []string{"x", "-1", "0", "1&before=2", "99999999999999999999"} {
		if a := b.get("/account/security?before=" + bad); a.status != http.StatusBadRequest {
			t.Errorf("before=%s: %d", bad, a.status)
		}
	}
}

// A cookie names one of our sentences and cannot write one.
func TestNotice_Fixed(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	for _, v := range []string{"x", "login.title", "<b>", "session_ended.x"} {
		b.cookies["__Host-signet-notice"] = v
		if a := b.get("/account"); strings.Contains(a.body, `role="status"`) {
			t.Errorf("%q is shown", v)
		}
	}
}
