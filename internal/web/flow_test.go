package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// flowPages are the pages that work for an authorization request, with forms that would
// take it a step further.
var flowPages = []struct {
	path   string
	fields []string
}{
	{"/login", []string{"username", "ann", "password", annPassword}},
	{"/select-account", []string{"account", "this"}},
	{"/consent", []string{"decision", "authorize"}},
	{"/consent", []string{"decision", "cancel"}},
}

// startAgain checks the friendly page for a flow that leads nowhere.
func startAgain(t *testing.T, what string, a answer) {
	t.Helper()
	if a.status != http.StatusBadRequest || !strings.Contains(a.text(), "Go back to the app and start there again") {
		t.Errorf("%s: %d %s", what, a.status, a.text())
	}
	if strings.Contains(a.body, "<form") {
		t.Errorf("%s: shows a form", what)
	}
}

// OAU-21: all that a browser has of a flow is its id. One that is over, another
// browser's (login CSRF, RFC 9700 §4.7) or invented leads to the same friendly page.
func TestFlow_OAU21_LeadsNowhere(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b, victim := wd.asAnn(), wd.signedIn("bob", bobPassword)
	finished, expired := b.flow(), b.flow()
	req := b.stored(finished)
	wd.must(wd.db.RefuseAuthRequest(t.Context(), finished, req.BrowserHash, wd.now()))
	wd.pass(10*time.Minute + time.Second)
	fresh := b.flow()
	noCookie := wd.browser()
	for _, c := range []struct {
		name string
		b    *browser
		flow string
	}{
		{"finished", b, finished},
		{"expired", b, expired},
		{"of another browser", victim, fresh},
		{"without a cookie", noCookie, fresh},
		{"unknown", b, "0000000000000000000001"},
		{"empty", b, ""},
		{"not an id", b, "1' OR '1'='1"},
		{"an address", b, "//evil.example/x"},
		{"with more", b, fresh + "&flow=" + fresh},
		{"with a path", b, fresh + "/../x"},
	} {
		for _, page := range flowPages {
			path := page.path + "?flow=" + strings.ReplaceAll(c.flow, " ", "+")
			startAgain(t, "GET "+path+" "+c.name, c.b.get(path))
			if c.b == noCookie {
				c.b.cookies = map[string]string{}
				continue
			}
			startAgain(t, "POST "+path+" "+c.name, c.b.submit(c.b.get("/account/password"), path, page.fields...))
		}
	}
	if got := b.stored(fresh); !got.LoginAt.IsZero() || !got.ConsentedAt.IsZero() || !got.SelectedAt.IsZero() || !got.DeniedAt.IsZero() {
		t.Errorf("another browser took the flow further: %+v", got)
	}
	for _, page := range flowPages[1:] { // these have no life of their own
		startAgain(t, page.path+" without a flow", b.get(page.path))
	}
}

// OAU-21: no step can be taken out of order: without a login there is nobody to choose or
// to consent, and the step that is due decides itself.
func TestFlow_OAU21_Order(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	flow := b.flow()
	next := "/authorize/continue?flow=" + flow
	for _, page := range flowPages[1:] {
		if a := b.get(page.path + "?flow=" + flow); a.status != http.StatusSeeOther || a.location() != next {
			t.Errorf("GET %s before the login: %d %s", page.path, a.status, a.location())
		}
		if a := b.submit(b.get("/login"), page.path+"?flow="+flow, page.fields...); a.status != http.StatusSeeOther || a.location() != next {
			t.Errorf("POST %s before the login: %d %s", page.path, a.status, a.location())
		}
	}
	if req := b.stored(flow); req.SessionID != "" || !req.ConsentedAt.IsZero() || !req.SelectedAt.IsZero() || !req.DeniedAt.IsZero() {
		t.Errorf("something was recorded: %+v", req)
	}
}

// A person who switched accounts in another tab has not read what they would allow.
func TestFlow_OtherSession(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	flow := b.flow()
	path := "/login?flow=" + flow
	b.submit(b.get(path), path, "username", "ann", "password", annPassword)
	b.submit(b.get("/login?flow="+b.flow()), "/login", "username", "bob", "password", bobPassword)
	for _, decision := range []string{"authorize", "cancel"} {
		a := b.submit(b.get("/account/password"), "/consent?flow="+flow, "decision", decision)
		if a.location() != "/authorize/continue?flow="+flow {
			t.Errorf("%s: %d %s", decision, a.status, a.location())
		}
	}
	if a := b.get("/consent?flow=" + flow); a.location() != "/authorize/continue?flow="+flow {
		t.Errorf("consent page of somebody else's request: %d", a.status)
	}
	if req := b.stored(flow); !req.ConsentedAt.IsZero() || !req.DeniedAt.IsZero() {
		t.Errorf("recorded for somebody else: %+v", req)
	}
	if n := len(wd.consents(wd.ann)) + len(wd.consents(wd.bob)); n != 0 {
		t.Errorf("%d consents", n)
	}
}

// OAU-02: nothing in a request names where the browser goes next.
func TestFlow_OAU02_NoTargetFromInput(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	targets := []string{
		"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:evil",
	}
	names := []string{"next", "return_to", "return", "redirect", "redirect_uri", "redirect_to", "continue", "url", "target", "RelayState", "service", "post_logout_redirect_uri"}
	for _, target := range targets {
		for _, signedIn := range []bool{true, false} {
			b := wd.browser()
			if signedIn {
				b = wd.asAnn()
			}
			flow := b.flow()
			extra := values()
			for _, name := range names {
				extra.Set(name, target)
			}
			for _, route := range wd.pages.Routes() {
				method, path, _ := strings.Cut(route, " ")
				path = strings.ReplaceAll(path, "{$}", "") + "?flow=" + flow + "&" + extra.Encode()
				b.header.Set("Referer", target)
				b.header.Set("X-Forwarded-Host", "evil.example")
				a := b.get(path)
				if method == http.MethodPost {
					form := values("username", "ann", "password", annPassword, "account", "this", "decision", "authorize", "action", "end", "session", "x",
						"client_id", "x", "old_password", annPassword, "new_password", annPassword, "new_password_again", annPassword, "csrf", b.get("/login?flow="+flow).csrf())
					for _, name := range names {
						form.Set(name, target)
					}
					a = b.post(path, form)
				}
				if to := a.location(); to != "" && !ownPath(to) {
					t.Errorf("%s with %q: leads to %q", route, target, to)
				}
			}
		}
	}
}

func ownPath(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.ContainsAny(s, "\\\t\r\n") && !strings.Contains(s, "evil")
}

// A disabled or deleted app has no pages any more.
func TestFlow_AppGone(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	flow := b.flow()
	wd.must(wd.db.DisableClient(t.Context(), operator, schedulerID, wd.now()))
	startAgain(t, "disabled", b.get("/consent?flow="+flow))
	wd.must(wd.db.DeleteClient(t.Context(), operator, schedulerID, wd.now()))
	startAgain(t, "deleted", b.get("/consent?flow="+flow))
}

// The app's wish for a language comes before the browser's.
func TestFlow_UILocales(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	b.header.Set("Accept-Language", "en")
	flow := b.flow(func(r *idp.AuthRequest) { r.UILocales = []string{"se", "de-CH", "en"} })
	if a := b.get("/login?flow=" + flow); !strings.Contains(a.body, `<html lang="de">`) {
		t.Error("ui_locales was not followed")
	}
}
