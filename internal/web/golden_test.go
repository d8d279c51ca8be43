package web_test

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/web"
)

var update = flag.Bool("update", false, "write testdata/golden")

// A shown page, by the name of its file.
type shown struct {
	name string
	answer
}

// allPages shows every page that there is, each in the states in which it looks different. It
// needs the caught mail, so development mode; without it that page is left out.
func allPages(wd *world, lang string) []shown {
	wd.t.Helper()
	var list []shown
	keep := func(name string, a answer) answer {
		list = append(list, shown{name, a})
		return a
	}
	browserOf := func() *browser {
		b := wd.browser()
		b.header.Set("Accept-Language", lang)
		return b
	}
	nobody := browserOf()
	keep("welcome", nobody.get("/"))
	keep("not-found", nobody.get("/assets/no"))
	login := keep("login", nobody.get("/login"))
	keep("login-empty", nobody.submit(login, "/login", "username", "", "password", ""))
	flow := "?flow=" + nobody.flow()
	login = keep("login-for-app", nobody.get("/login"+flow))
	keep("login-wrong", nobody.submit(login, "/login"+flow, "username", "ann", "password", "wrong"))
	keep("stale-form", nobody.post("/login", values("csrf", "x")))
	keep("flow-gone", nobody.get("/consent?flow=nothing"))
	keep("device", nobody.get("/device?user_code=bcdfghjklm"))
	keep("device-unknown", nobody.submit(nobody.get("/device"), "/device", "user_code", "BCDFG-HJKLM"))

	b := browserOf()
	keep("welcome-to-account", b.submit(b.get("/login"), "/login", "username", "bob", "password", bobPassword))
	keep("apps-none", b.get("/account/apps"))
	flow = "?flow=" + b.flow()
	keep("login-again", b.get("/login"+flow))
	keep("select-account", b.get("/select-account"+flow))
	keep("consent", b.get("/consent"+flow))
	strange := "?flow=" + b.flow(func(r *idp.AuthRequest) {
		r.Scopes, r.Resource = []string{"openid", "profile", "email", "groups", "offline_access", "nobody.knows:this"}, issuer
	})
	keep("consent-account", b.get("/consent"+strange))
	b.submit(b.get("/consent"+flow), "/consent"+flow, "decision", "authorize")
	keep("consent-again", b.get("/consent?flow="+b.flow(func(r *idp.AuthRequest) {
		r.Scopes = append(r.Scopes, "calendar.events:read")
	})))
	code, _ := wd.device()
	confirming, _ := b.enter(code)
	keep("device-confirm", b.get("/device/confirm?flow="+confirming))
	keep("account", b.get("/account"))
	keep("sessions", b.get("/account/sessions"))
	keep("apps", b.get("/account/apps"))
	keep("password", b.get("/account/password"))
	keep("password-wrong", b.submit(b.get("/account/password"), "/account/password",
		"old_password", "wrong", "new_password", "a new sentence of words", "new_password_again", "a new sentence of words"))
	keep("password-common", b.submit(b.get("/account/password"), "/account/password",
		"old_password", bobPassword, "new_password", "password1234", "new_password_again", "password1234"))
	keep("security", b.get("/account/security"))
	apps := b.get("/account/apps")
	b.submit(apps, "/account/apps", "action", "revoke", "client_id", schedulerID)
	keep("apps-revoked", b.get("/account/apps"))
	if b.get("/dev/mail").status == http.StatusOK {
		keep("mail-none", b.get("/dev/mail"))
		wd.deliver()
		keep("mail", b.get("/dev/mail"))
	}

	// What other packages show through this one.
	mux := wd.mux
	through := func(name string, show http.HandlerFunc) {
		wd.mux = show
		keep(name, b.get("/elsewhere"))
	}
	through("problem", func(w http.ResponseWriter, r *http.Request) {
		wd.pages.Error(w, r, http.StatusBadRequest, web.Problem{Title: web.Catalogues["en"]["oauth.appfault.title"], Text: web.Catalogues["en"]["oauth.appfault.text"], Detail: "redirect_uri"})
	})
	through("too-many", func(w http.ResponseWriter, r *http.Request) {
		wd.pages.Error(w, r, http.StatusTooManyRequests, web.Problem{Title: web.Catalogues["en"]["oauth.many.title"], Text: web.Catalogues["en"]["oauth.many.text"]})
	})
	through("not-found-elsewhere", wd.pages.NotFound)
	through("wrong-method", func(w http.ResponseWriter, r *http.Request) { wd.pages.WrongMethod(w, r, "GET, HEAD") })
	through("form-post", func(w http.ResponseWriter, r *http.Request) {
		wd.pages.FormPost(w, r, web.FormPost{Action: redirectURI, Fields: []web.FormField{{Name: "code", Value: "c"}, {Name: "state", Value: `"><b>`}}})
	})
	through("logout", func(w http.ResponseWriter, r *http.Request) {
		wd.pages.LogoutConfirm(w, r, web.LogoutQuestion{CSRF: "token", UserName: "Bob Example", ClientName: "Calendar", ClientID: "calendar", PostLogoutRedirectURI: redirectURI, State: "s"})
	})
	through("logged-out", func(w http.ResponseWriter, r *http.Request) { wd.pages.LoggedOut(w, r, web.Farewell{}) })
	through("logged-out-apps", func(w http.ResponseWriter, r *http.Request) {
		wd.pages.LoggedOut(w, r, web.Farewell{Apps: []idp.LeftApp{{Name: "Wiki", Frame: "https://wiki.example/out?sid=s"}, {Name: "Chat"}}, Continue: "https://wiki.example/bye", ClientName: "Wiki"})
	})
	for name, allowed := range map[string]bool{"device-allowed": true, "device-denied": false} {
		through(name, func(w http.ResponseWriter, r *http.Request) {
			wd.pages.DeviceAnswered(w, r, web.DeviceAnswer{Allowed: allowed, ClientID: tvID})
		})
	}
	wd.mux = mux
	return append(list, wd.consolePages(lang)...)
}

// limited answers that somebody has to wait, or that too much is going on.
type limited struct{ err error }

func (l limited) Check(context.Context, idp.Actor, string, string, secret.Text) (idp.User, error) {
	return idp.User{}, l.err
}

func (l limited) Change(context.Context, idp.Actor, string, secret.Text, secret.Text) error {
	return l.err
}

// limitedPages are those of a login that is refused for now, or cannot be answered.
func limitedPages(t *testing.T, lang string, change ...func(*web.Config)) []shown {
	t.Helper()
	var list []shown
	for name, err := range map[string]error{
		"login-wait": &authn.Wait{RetryAfter: 2 * time.Minute}, "login-busy": idp.ErrUnavailable, "broken": errors.New("out of paper"),
	} {
		b := newWorld(t, append(change, func(c *web.Config) { c.Passwords = limited{err} })...).browser()
		b.header.Set("Accept-Language", lang)
		list = append(list, shown{name, b.submit(b.get("/login"), "/login", "username", "ann", "password", "x")})
	}
	return list
}

// mailPages exist in development only.
func mailPages(t *testing.T, lang string) []shown {
	t.Helper()
	return slices.DeleteFunc(allPages(newWorld(t, inDev), lang), func(p shown) bool { return !strings.HasPrefix(p.name, "mail") })
}

// changing is what differs from one run to the next.
var changing = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(name="csrf" value=")[^"]+`), "${1}CSRF"},
	{regexp.MustCompile(`(flow=|name="session" value=")[0-9A-Za-z]{22}`), "${1}ID"},
	{regexp.MustCompile(`(/assets/[a-z-]+\.)[0-9a-f]{16}`), "${1}HASH"},
	{regexp.MustCompile(`<code>[0-9A-Za-z]{22}</code>`), "<code>NUMBER</code>"},
	{regexp.MustCompile(`(name="link" value="|link=)sgi_[0-9A-Za-z]+`), "${1}LINK"},
	{regexp.MustCompile(`((?:href|action)="/)[0-9A-Za-z]{22}/`), "${1}CONSOLE/"},
	{regexp.MustCompile(`(/CONSOLE/users/)[0-9A-Za-z]{22}`), "${1}ID"},
	{regexp.MustCompile(`(<code>|name="kid" value="|key |Schlüssel )[0-9A-Za-z_-]{43}`), "${1}KID"},
	{regexp.MustCompile(`sgs_[0-9A-Za-z]{49}`), "SECRET"},
	{regexp.MustCompile(`(name="(?:grant|user)" value=")[0-9A-Za-z]{22}`), "${1}ID"},
	{regexp.MustCompile(`(user-code"[^>]*><code>)[A-Z]{5}-[A-Z]{5}`), "${1}XXXXX-XXXXX"},
}

// Every page in every language, as it was when somebody last looked at the difference:
//
//	go test ./internal/web -run TestGolden -update
func TestGolden(t *testing.T) {
	t.Parallel()
	for lang := range web.Catalogues {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			left := map[string]bool{}
			files, err := filepath.Glob(filepath.Join("testdata/golden", lang, "*.html"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				left[f] = true
			}
			for _, page := range slices.Concat(allPages(newWorld(t), lang), limitedPages(t, lang), mailPages(t, lang)) {
				if page.body == "" { // a redirect
					continue
				}
				file := filepath.Join("testdata/golden", lang, page.name+".html")
				delete(left, file)
				checkGolden(t, file, page.body)
			}
			for f := range left {
				t.Errorf("%s is of no page; remove it", f)
			}
		})
	}
}

func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	for _, c := range changing {
		got = c.pattern.ReplaceAllString(got, c.with)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i, line := range gotLines {
		if i >= len(wantLines) || line != wantLines[i] {
			was := "(the end)"
			if i < len(wantLines) {
				was = wantLines[i]
			}
			t.Errorf("%s:%d\n- %s\n+ %s", file, i+1, was, line)
			return
		}
	}
	if len(wantLines) > len(gotLines) {
		t.Errorf("%s:%d\n- %s\n+ (the end)", file, len(gotLines)+1, wantLines[len(gotLines)])
	}
}

// Whoever plays with a server of developers sees that on each page, and nobody else does.
func TestPages_DevelopmentMode(t *testing.T) {
	t.Parallel()
	for lang, texts := range web.Catalogues {
		for _, page := range append(allPages(newWorld(t, inDev), lang), limitedPages(t, lang, inDev)...) {
			if page.body != "" && !strings.Contains(page.text(), texts["dev.banner"]) {
				t.Errorf("%s %s does not say that it is development", lang, page.name)
			}
		}
		for _, page := range append(allPages(newWorld(t), lang), limitedPages(t, lang)...) {
			if strings.Contains(page.text(), texts["dev.banner"]) {
				t.Errorf("%s %s says that it is development", lang, page.name)
			}
		}
	}
}

var (
	heading  = regexp.MustCompile(`<h1[ >]`)
	language = regexp.MustCompile(`<html lang="([a-z]+)">`)
	key      = regexp.MustCompile(`\b[a-z]+\.[a-z_]+(?:\.[a-z_]+)+\b|%!|%[sd]`)
)

// What holds for every page: its language, one heading, a title with the brand, a way past the
// head, no text without words, and in a form with an error the error is said and found.
func TestPages_Accessible(t *testing.T) {
	t.Parallel()
	for lang := range web.Catalogues {
		for _, page := range append(allPages(newWorld(t, inDev), lang), limitedPages(t, lang, inDev)...) {
			if page.body == "" {
				continue
			}
			if m := language.FindStringSubmatch(page.body); m == nil || m[1] != lang {
				t.Errorf("%s %s: language %q", lang, page.name, m)
			}
			if !title.MatchString(page.body) || len(heading.FindAllString(page.body, -1)) != 1 {
				t.Errorf("%s %s: title or h1", lang, page.name)
			}
			if !strings.Contains(page.body, `<a class="skip" href="#main">`) || !strings.Contains(page.body, ` id="main" tabindex="-1"`) {
				t.Errorf("%s %s: no way to the content", lang, page.name)
			}
			if m := key.FindString(strings.ReplaceAll(page.text(), "nobody.knows:this", "")); m != "" && !strings.Contains(m, "example") {
				t.Errorf("%s %s shows %q", lang, page.name, m)
			}
			if strings.Contains(page.body, `aria-invalid="true"`) && !(strings.Contains(page.body, `id="error" role="alert" tabindex="-1" autofocus`) && strings.Contains(page.body, `aria-describedby="error`)) {
				t.Errorf("%s %s: the error is not announced", lang, page.name)
			}
			if n := strings.Count(page.body, "autofocus"); n > 1 {
				t.Errorf("%s %s: %d elements want the focus", lang, page.name, n)
			}
		}
	}
}
