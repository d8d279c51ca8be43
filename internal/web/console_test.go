package web_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/web"
)

// The link works once, whoever comes first. Looking at its page leaves it as it was.
func TestConsole_OPS04_LinkWorksOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for range 3 { // browsers fetch in advance
		if a := d.tab().get(d.link); a.status != http.StatusOK || len(a.header.Values("Set-Cookie")) != 0 {
			t.Fatalf("looking at the link: %d, cookie %q", a.status, a.header.Values("Set-Cookie"))
		}
	}
	page := d.tab().get(d.link)
	var in atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if d.tab().enter(page).status == http.StatusSeeOther {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("the link let %d browsers in", in.Load())
	}
	for _, a := range []answer{d.tab().get(d.link), d.tab().enter(page), d.tab().get("/open"), d.tab().get("/open?link=sgi_x")} {
		if a.status != http.StatusGone || len(a.header.Values("Set-Cookie")) != 0 {
			t.Errorf("a link that is used up, or none: %d", a.status)
		}
	}
}

func TestConsole_OPS04_LinkExpires(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	page := d.tab().get(d.link)
	d.pass(15*time.Minute - time.Second)
	if a := d.tab().get(d.link); a.status != http.StatusOK {
		t.Errorf("before its time: %d", a.status)
	}
	d.pass(time.Second)
	for name, a := range map[string]answer{"page": d.tab().get(d.link), "button": d.tab().enter(page)} {
		if a.status != http.StatusGone || len(a.header.Values("Set-Cookie")) != 0 {
			t.Errorf("%s after 15 minutes: %d", name, a.status)
		}
	}
}

// Other programs listen on other ports of the same address, and cookies ignore ports: a
// path that they do not know keeps the cookie from them.
func TestConsole_OPS04_Cookie(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	c := b.cookies["signet-console"]
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != b.base+"/" || c.Domain != "" || !c.Expires.IsZero() || c.MaxAge != 0 {
		t.Errorf("cookie %+v, base %q", c, b.base)
	}
	if other := newDesk(t).tab().open(); other.base == b.base || other.cookies["signet-console"].Value == c.Value {
		t.Error("two consoles have the same path or cookie")
	}
	if a := b.get(b.base + "/users"); a.status != http.StatusOK {
		t.Errorf("with the cookie: %d", a.status)
	}
}

// inPath puts ann and the calendar in the places of a person and of an app.
func inPath(d *desk) *strings.Replacer {
	return strings.NewReplacer("{$}", "", "{user}", d.ann.ID, "{app}", "calendar")
}

// routes are those of a console.
func (b *operatorTab) routes() map[string]string {
	list := map[string]string{}
	for _, r := range b.d.console.Routes() {
		method, path, _ := strings.Cut(r, " ")
		list[r] = method + " " + inPath(b.d).Replace(path)
	}
	return list
}

// Nothing of the console is there without the cookie: not for nobody, not for another value,
// not for two cookies, and not after the end of the session.
func TestConsole_OPS04_CookieRequired(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	csrf := b.get(b.base + "/").csrf()
	value := b.cookies["signet-console"].Value
	closed := func(who string, ask func(method, path string) answer) {
		for route, at := range b.routes() {
			method, path, _ := strings.Cut(at, " ")
			if a := ask(method, path); a.status != http.StatusForbidden || !strings.Contains(a.text(), "The console is not open here") || strings.Contains(a.body, "ann") {
				t.Errorf("%s, %s: %d %s", who, route, a.status, a.text())
			}
		}
	}
	as := func(tab *operatorTab) func(method, path string) answer {
		return func(method, path string) answer {
			if method == http.MethodGet {
				return tab.get(path)
			}
			return tab.post(path, values("csrf", csrf, "action", "disable"))
		}
	}
	closed("nobody", as(d.tab()))
	closed("another value", as(b.with("sgl_"+strings.Repeat("0", 49))))
	closed("no value", as(b.with("")))
	closed("two cookies", func(method, path string) answer {
		r := b.request(method, path, values("csrf", csrf))
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.AddCookie(&http.Cookie{Name: "signet-console", Value: value})
		return b.send(r)
	})
	if a := b.get(b.base + "/nothing"); a.status != http.StatusNotFound {
		t.Errorf("who is in asks for what is not there: %d", a.status)
	}
	if a := d.tab().get("/"); a.status != http.StatusForbidden {
		t.Errorf("the root: %d", a.status)
	}
	if a := b.submit(b.get(b.base+"/"), b.base+"/sign-out"); a.status != http.StatusOK || b.cookies["signet-console"] != nil {
		t.Errorf("sign-out: %d", a.status)
	}
	stolen := d.tab()
	stolen.cookies["signet-console"] = &http.Cookie{Name: "signet-console", Value: value, Path: b.base + "/"}
	closed("after sign-out", as(stolen))
	if u, err := d.db.User(t.Context(), d.ann.ID); err != nil || !u.DisabledAt.IsZero() {
		t.Errorf("somebody disabled ann: %v", err)
	}
}

func TestConsole_SES03_Idle(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	for range 4 { // longer than the time in all
		d.pass(29 * time.Minute)
		if a := b.get(b.base + "/"); a.status != http.StatusOK {
			t.Fatalf("a session in use: %d", a.status)
		}
	}
	d.pass(30 * time.Minute)
	for range 2 { // asking does not wake it
		if a := b.get(b.base + "/"); a.status != http.StatusForbidden {
			t.Errorf("after 30 minutes: %d", a.status)
		}
	}
}

// DNS rebinding: a page whose name points to this machine says its own name.
func TestConsole_OPS04_Host(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	for _, host := range []string{"evil.example:8083", "evil.example", "localhost:8083", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.:8083", "[::1]:8083", "0.0.0.0:8083", ""} {
		for _, path := range []string{b.base + "/users", d.link, "/assets/x"} {
			r := b.request("GET", path, nil)
			r.Host = host
			if a := b.send(r); a.status != http.StatusMisdirectedRequest || strings.Contains(a.body, "ann") || strings.Contains(a.body, b.base) {
				t.Errorf("Host %q, %s: %d", host, path, a.status)
			}
		}
	}
}

// consolePosts are all forms of the console, each with what must not have happened.
func (b *operatorTab) posts() map[string]url.Values {
	return map[string]url.Values{
		b.base + "/users/" + b.d.ann.ID:  values("action", "disable"),
		b.base + "/users/add":            values("username", "mallory"),
		b.base + "/sign-out":             values(),
		b.base + "/apps/calendar":        values("action", "disable"),
		b.base + "/apps/calendar/secret": values(),
		b.base + "/keys/rotate":          values(),
		b.base + "/keys/retire":          values("kid", "x"),
		b.base + "/tokens":               values("token", "x"),
		b.base + "/tokens/revoke":        values("user", b.d.ann.ID, "action", "grant", "grant", "x"),
	}
}

// OAU-15: the browser's word on the origin and the session's own value, each alone enough
// to refuse.
func TestConsole_OAU15_Forms(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	csrf := b.get(b.base + "/").csrf()
	if len(csrf) < 32 {
		t.Fatalf("anti-CSRF value %q", csrf)
	}
	other := newDesk(t).tab().open()
	foreign := other.get(other.base + "/").csrf()
	posts := b.posts()
	for _, r := range d.console.Routes() {
		if method, path, _ := strings.Cut(r, " "); method == http.MethodPost && posts[inPath(d).Replace(path)] == nil {
			t.Errorf("%s is not tried", r)
		}
	}
	for path, form := range posts {
		for name, value := range map[string]string{"no": "", "another session's": foreign, "a shorter": csrf[:20]} {
			form.Set("csrf", value)
			if a := b.post(path, form); a.status != http.StatusForbidden {
				t.Errorf("%s with %s anti-CSRF value: %d", path, name, a.status)
			}
		}
		form.Set("csrf", csrf)
		for name, header := range map[string][2]string{
			"cross-site": {"Sec-Fetch-Site", "cross-site"}, "another port": {"Sec-Fetch-Site", "same-site"}, "typed": {"Sec-Fetch-Site", "none"},
			"foreign origin": {"Origin", "http://127.0.0.1:8081"}, "by name": {"Origin", "http://localhost:8083"}, "says nothing": {"X-Nothing", "x"},
		} {
			r := b.request("POST", path, form)
			r.Header.Set(header[0], header[1])
			if a := b.send(r); a.status != http.StatusForbidden {
				t.Errorf("%s from %s: %d", path, name, a.status)
			}
		}
	}
	r := d.tab().request("POST", "/open", values("link", "x"))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := d.tab().send(r); a.status != http.StatusForbidden {
		t.Errorf("the link's button from elsewhere: %d", a.status)
	}
	if c, err := d.db.Client(t.Context(), "calendar"); err != nil || c.Disabled() || c.SecretHash != [32]byte{1} {
		t.Errorf("the calendar is disabled, or has another secret: %v", err)
	}
	if a := b.get(b.base + "/users"); a.status != http.StatusOK || strings.Contains(a.body, "mallory") || strings.Contains(a.body, "Disabled") {
		t.Errorf("something happened: %d %s", a.status, a.text())
	}
}

// SES-04, SES-06: as on all other pages.
func TestConsole_Headers(t *testing.T) {
	t.Parallel()
	d := newWorld(t, inDev).desk()
	look := d.tab()
	pages := map[string]answer{"link": look.get(d.link), "root": look.get("/"), "asset": look.get("/assets/x")}
	b := d.tab().open()
	for route, at := range b.routes() {
		if method, path, _ := strings.Cut(at, " "); method == http.MethodGet {
			pages[route] = b.get(path)
		} else {
			pages[route] = b.post(path, values())
		}
	}
	for name, a := range pages {
		for header, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "no-referrer",
		} {
			if got := a.header.Values(header); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
		checkPolicy(t, name, a)
		if m := inlineScript.FindString(a.body) + foreignLoad.FindString(a.body); m != "" {
			t.Errorf("%s: %q", name, m)
		}
		if !title.MatchString(a.body) || strings.Count(a.body, "<h1") != 1 || !strings.Contains(a.text(), "Development mode") {
			t.Errorf("%s: title, h1 or banner is missing", name)
		}
	}
}

// OPS-01: what opens the console and what keeps it open is in no line of the log, and
// neither is what was typed.
func TestConsole_OPS01_Log(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	d.tab().get(d.link)
	page := b.get(b.base + "/users/add")
	const password = "nine silver spoons in Graz"
	b.submit(page, b.base+"/users/add", "username", "x y", "password", password)
	b.submit(page, b.base+"/users/add", "username", "carol", "password", password)
	b.post(b.base+"/users/add", values("csrf", "wrong", "password", password))
	b.get(b.base + "/users?q=carol")
	written := d.log.String()
	for name, secret := range map[string]string{
		"the link": strings.TrimPrefix(d.link, "/open?link="), "the cookie": b.cookies["signet-console"].Value, "the anti-CSRF value": page.csrf(),
		"a password": password, "a search": "q=carol",
	} {
		if secret == "" || strings.Contains(written, secret) {
			t.Errorf("%s is in the log", name)
		}
	}
	if strings.Count(written, `"msg":"request"`) < 7 {
		t.Errorf("requests are not logged: %s", written)
	}
}

func TestNewConsole_Refuses(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"", "http://0.0.0.0:8083", "http://192.0.2.1:8083", "http://id.example.com:8083", "https://127.0.0.1:8083", "http://127.0.0.1", "::"} {
		if _, _, err := web.NewConsole(web.ConsoleConfig{Origin: origin, Now: time.Now, Log: slog.New(slog.DiscardHandler)}); err == nil {
			t.Errorf("origin %q was taken", origin)
		}
	}
}

// What the server says is for whoever is in, and for nobody else.
func TestConsole_ServerAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	d.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no socket", http.StatusBadGateway) })
	if a := b.get(b.base + "/users"); a.status != http.StatusBadGateway || !strings.Contains(a.text(), "The server does not answer") {
		t.Errorf("%d %s", a.status, a.text())
	}
}
