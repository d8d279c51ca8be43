package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/web"
)

var frameSources = regexp.MustCompile(`<iframe src="([^"]*)" sandbox="allow-scripts allow-same-origin" referrerpolicy="no-referrer" hidden></iframe>`)

// farewell is the page that says goodbye.
func (wd *world) farewell(f web.Farewell, languages string) answer {
	wd.mux = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { wd.pages.LoggedOut(w, r, f) })
	b := wd.browser()
	b.header.Set("Accept-Language", languages)
	return b.get("/logout")
}

// Front-Channel Logout §2: a frame for each app, and exactly their origins are allowed.
func TestLoggedOut_FrontChannel_2_Frames(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	a := wd.farewell(web.Farewell{Apps: []idp.LeftApp{
		{Name: "Wiki", Told: true, Frame: "https://wiki.example/out?a=1&iss=https%3A%2F%2Fid.example.com&sid=s1"},
		{Name: "Wiki again", Told: true, Frame: "https://wiki.example/two?iss=x&sid=s1"},
		{Name: "Local", Told: true, Frame: "http://127.0.0.1:8080/out?iss=x&sid=s1"},
		{Name: "Back channel", Told: true},
		{Name: "Silent <b>\u202e"},
		{Name: "IPv6", Told: true, Frame: "http://[::1]:8080/out"}, // no page can name it: nobody else is let in for it
		{Name: "Evil", Told: true, Frame: "https://x.example;script-src%20*/out"},
		{Name: "Script", Told: true, Frame: "javascript:alert(1)"},
		{Name: "Data", Told: true, Frame: "data:text/html,x"},
	}, Continue: "https://wiki.example/bye?state=1&x=2", ClientName: "Wiki"}, "en")
	var frames []string
	for _, m := range frameSources.FindAllStringSubmatch(a.body, -1) {
		frames = append(frames, m[1])
	}
	want := []string{
		"https://wiki.example/out?a=1&amp;iss=https%3A%2F%2Fid.example.com&amp;sid=s1", "https://wiki.example/two?iss=x&amp;sid=s1",
		"http://127.0.0.1:8080/out?iss=x&amp;sid=s1",
	}
	if !slices.Equal(frames, want) || strings.Count(a.body, "<iframe") != len(want) {
		t.Errorf("frames: %q", frames)
	}
	csp := a.header.Get("Content-Security-Policy")
	if !strings.HasSuffix(csp, "; script-src 'self'; frame-src https://wiki.example http://127.0.0.1:8080") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("policy: %s", csp)
	}
	inOrder(t, a.text(), "You are signed out", "These apps are signing you out as well", "Wiki", "Local", "Back channel",
		"You may still be signed in here", "Silent <b>", "Continue to Wiki")
	if !strings.Contains(a.body, `href="https://wiki.example/bye?state=1&amp;x=2"`) || !strings.Contains(a.body, `id="continue"`) {
		t.Error("no way on")
	}
}

// A hundred apps do not make the header longer than proxies take. Those for which there is no
// room are among those that do not hear of it, unless this server tells them.
func TestLoggedOut_FrontChannel_2_ManyApps(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	var apps []idp.LeftApp
	for i := range 100 {
		apps = append(apps, idp.LeftApp{
			Name: fmt.Sprintf("App %02d", i), Told: i == 98, Frame: fmt.Sprintf("https://app%02d.department.example.com/out?iss=x&sid=s1", i),
		})
	}
	a := wd.farewell(web.Farewell{Apps: apps}, "en")
	size := 0
	for name, values := range a.header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	frames := strings.Count(a.body, "<iframe")
	if size > 3<<10 || frames < 50 || frames > 99 {
		t.Errorf("%d frames, %d bytes of headers", frames, size)
	}
	told, untold, ok := strings.Cut(a.text(), "You may still be signed in here")
	if !ok || !strings.Contains(told, "App 00") || !strings.Contains(told, "App 98") || !strings.Contains(untold, "App 99") {
		t.Errorf("told: %s; not told: %s", told, untold)
	}
}

// Without apps, frames and somewhere to go there is nothing of them.
func TestLoggedOut_Plain(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	a := wd.farewell(web.Farewell{}, "en")
	for _, what := range []string{"<iframe", "<script", "<ul", "continue"} {
		if strings.Contains(a.body, what) {
			t.Errorf("the page has %s", what)
		}
	}
	if csp := a.header.Get("Content-Security-Policy"); strings.Contains(csp, "frame-src") || strings.Contains(csp, "script-src") {
		t.Error(csp)
	}
	inOrder(t, a.text(), "You are signed out", "Sign in again")
}

// RP-Initiated Logout §2: the app's wish for a language comes before the browser's.
func TestLoggedOut_RPInitiated_2_UILocales(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	apps := []idp.LeftApp{{Name: "Wiki", Told: true}, {Name: "Chat"}}
	inOrder(t, wd.farewell(web.Farewell{Apps: apps, UILocales: "fr-CA de"}, "en").text(), "Sie sind abgemeldet", "Auch in diesen Apps werden Sie abgemeldet",
		"Wiki", "Hier sind Sie vielleicht noch angemeldet", "Chat", "Wieder anmelden")
	wd.mux = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wd.pages.LogoutConfirm(w, r, web.LogoutQuestion{UILocales: "de", ClientName: "Wiki"})
	})
	a := wd.browser().get("/logout")
	inOrder(t, a.text(), "Abmelden?")
	if !strings.Contains(a.body, `name="ui_locales" value="de"`) {
		t.Error("the answer forgets the language")
	}
}

// OAU-02: a link leads to the web or to an app's own scheme, never to a script.
func TestLoggedOut_OAU02_Continue(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	for uri, want := range map[string]bool{
		"https://app.example/bye": true, "http://127.0.0.1:1/bye": true, "com.example.app:/bye?state=1": true,
		"javascript:alert(1)": false, "data:text/html,x": false, "JavaScript:alert(1)": false, "vbscript:x": false, "": false, "/account": false,
	} {
		if a := wd.farewell(web.Farewell{Continue: uri, ClientName: "App"}, "en"); strings.Contains(a.body, `id="continue" href="`+uri+`"`) != want ||
			strings.Contains(a.body, "continue") != want {
			t.Errorf("%q", uri)
		}
	}
}

// OAU-20: who signs out in the account sees which apps hear of it, by frames as well.
func TestSessions_OAU20_SignOutHere(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	c, err := wd.db.Client(t.Context(), schedulerID)
	wd.must(err)
	c.FrontchannelLogoutURI = "http://127.0.0.1:8082/out"
	wd.must(wd.db.PutClient(t.Context(), operator, c, wd.now()))
	b := wd.asAnn()
	sid := wd.sessionOf(wd.ann, "Firefox")
	g := idp.Grant{ID: secret.ID(), UserID: wd.ann.ID, ClientID: schedulerID, SessionID: sid, Scopes: []string{"openid"}, AuthTime: wd.now(), ExpiresAt: wd.now().AddDate(0, 0, 1)}
	wd.must(wd.db.IssueCode(t.Context(), operator, idp.Approval{}, g, idp.Code{Hash: [32]byte{9}, GrantID: g.ID, ClientID: schedulerID, ExpiresAt: wd.now().AddDate(0, 0, 1)}, wd.now()))
	a := b.submit(b.get("/account/sessions"), "/account/sessions", "action", "end", "session", sid)
	inOrder(t, a.text(), "You are signed out", "These apps are signing you out as well", "Friendly Scheduler", "Sign in again")
	if m := frameSources.FindStringSubmatch(a.body); m == nil || m[1] != "http://127.0.0.1:8082/out?iss=https%3A%2F%2Fid.example.com&amp;sid="+sid {
		t.Errorf("frame: %q", m)
	}
	if b.cookies["__Host-signet"] != "" || !slices.Equal(wd.told, []string{sid}) {
		t.Errorf("told: %q", wd.told)
	}
}
