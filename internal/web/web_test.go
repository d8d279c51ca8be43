package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/notify"
	"github.com/signet-id/signet/internal/web"
)

// inDev adds the banner and the caught mail.
func inDev(c *web.Config) {
	c.Dev = true
	c.Mail, _ = c.Mailer.(*notify.Catcher)
}

// everyPage asks for each GET route, signed in or not, within a flow where there is one.
func everyPage(wd *world, b *browser, visit func(path string, a answer)) {
	flow := b.flow()
	for _, route := range wd.pages.Routes() {
		method, path, _ := strings.Cut(route, " ")
		path = strings.ReplaceAll(path, "{$}", "")
		switch path {
		case "/login", "/select-account", "/consent":
			path += "?flow=" + flow
		case "/assets/{name}":
			continue // see TestAssets
		}
		if method == http.MethodGet {
			visit(path, b.get(path))
		} else {
			visit("POST "+path, b.post(path, values())) // refused: no anti-CSRF value
		}
	}
}

// SES-04, SES-06, OAU-15: no page, redirect or refusal may be cached, framed, sniffed or
// carry a script of its own, whoever asks.
func TestPages_Headers(t *testing.T) {
	t.Parallel()
	wd := newWorld(t, inDev)
	for name, b := range map[string]*browser{"nobody": wd.browser(), "ann": wd.asAnn()} {
		everyPage(wd, b, func(path string, a answer) {
			for header, want := range map[string]string{
				"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
				"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "no-referrer",
			} {
				if got := a.header.Values(header); len(got) != 1 || got[0] != want {
					t.Errorf("%s %s: %s is %q, want %q", name, path, header, got, want)
				}
			}
			if cors := a.header.Get("Access-Control-Allow-Origin"); cors != "" {
				t.Errorf("%s %s: readable by %q (SES-05)", name, path, cors)
			}
			if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
				checkPolicy(t, name+" "+path, a)
			}
		})
	}
}

func checkPolicy(t *testing.T, page string, a answer) {
	t.Helper()
	directives := map[string]string{}
	for d := range strings.SplitSeq(a.header.Get("Content-Security-Policy"), "; ") {
		name, value, _ := strings.Cut(d, " ")
		directives[name] = value
	}
	for name, want := range map[string]string{
		"default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'",
	} {
		if directives[name] != want {
			t.Errorf("%s: %s is %q, want %q", page, name, directives[name], want)
		}
	}
	if script, ok := directives["script-src"]; ok && (script != "'self'" || !strings.Contains(a.body, "type=\"password\"")) {
		t.Errorf("%s: script-src %q", page, script)
	}
	action := directives["form-action"]
	if !strings.HasPrefix(action, "'self'") || strings.Contains(action, "*") || strings.Contains(action, "http:;") {
		t.Errorf("%s: form-action %q", page, action)
	}
	// Forms that can end at an app name its address.
	inFlow := strings.Contains(page, "?flow=") && a.status == http.StatusOK
	if leads := strings.Contains(action, "https: http://127.0.0.1:8082"); leads != inFlow {
		t.Errorf("%s: form-action %q", page, action)
	}
}

var (
	inlineScript = regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	foreignLoad  = regexp.MustCompile(`(?:src|<link[^>]*href)="(?:https?:)?//`)
	title        = regexp.MustCompile(`<title>([^<]+) · signet</title>`)
)

// SES-06: nothing inline, nothing from elsewhere, and a page that names itself.
func TestPages_Markup(t *testing.T) {
	t.Parallel()
	wd := newWorld(t, inDev)
	for name, b := range map[string]*browser{"nobody": wd.browser(), "ann": wd.asAnn()} {
		everyPage(wd, b, func(path string, a answer) {
			if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
				return
			}
			if m := inlineScript.FindString(a.body); m != "" {
				t.Errorf("%s %s: inline %q", name, path, m)
			}
			if m := foreignLoad.FindString(a.body); m != "" {
				t.Errorf("%s %s: loads from elsewhere: %q", name, path, m)
			}
			if !title.MatchString(a.body) || !strings.Contains(a.body, `<html lang="en">`) || strings.Count(a.body, "<h1") != 1 {
				t.Errorf("%s %s: title, lang or h1 is missing", name, path)
			}
			if !strings.Contains(a.text(), "Development mode") {
				t.Errorf("%s %s: no banner", name, path)
			}
			for _, new := range regexp.MustCompile(`<a [^>]*target="_blank"[^>]*>`).FindAllString(a.body, -1) {
				if !strings.Contains(new, `rel="noopener noreferrer"`) {
					t.Errorf("%s %s: %s", name, path, new)
				}
			}
		})
	}
}

// SES-04: an address that looks like a file to a cache is no page.
func TestPages_UnknownSuffix(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	for _, path := range []string{
		"/account/", "/account/x.css", "/account/sessions/x.js", "/account/sessions;x.css", "/account/apps/logo.png", "/account%2fx.css",
		"/login/x.css", "/consent/x.png", "/assets/", "/assets/style.css", "/assets/..%2fweb.go", "/dev/mail",
	} {
		if a := b.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, a.status, a.location())
		}
	}
}

// The banner and the cause of an error are for development.
func TestPages_Dev(t *testing.T) {
	t.Parallel()
	for _, dev := range []bool{true, false} {
		wd := newWorld(t, func(c *web.Config) {
			inDev(c)
			c.Dev = dev
		})
		mux := http.NewServeMux()
		mux.HandleFunc("GET /x", func(w http.ResponseWriter, r *http.Request) {
			wd.pages.Error(w, r, http.StatusBadRequest, web.Problem{Title: "The app made a mistake", Text: "Go back.", Detail: "redirect_uri <b>x</b>"})
		})
		wd.mux = mux
		a := wd.browser().get("/x")
		if a.status != http.StatusBadRequest || !strings.Contains(a.text(), "The app made a mistake Go back.") {
			t.Errorf("dev %v: %d %s", dev, a.status, a.text())
		}
		if strings.Contains(a.text(), "redirect_uri <b>x</b>") != dev || strings.Contains(a.text(), "Development mode") != dev {
			t.Errorf("dev %v: %s", dev, a.text())
		}
		wd.pages.Register(mux)
		if got := wd.browser().get("/dev/mail").status; got == http.StatusOK != dev {
			t.Errorf("dev %v: /dev/mail is %d", dev, got)
		}
	}
}

// An issuer with a path has its pages below it.
func TestPages_IssuerWithPath(t *testing.T) {
	t.Parallel()
	wd := newWorld(t, func(c *web.Config) { c.Issuer = issuer + "/auth" })
	b := wd.browser()
	page := b.get("/auth/login")
	a := b.submit(page, "/auth/login", "username", "ann", "password", annPassword)
	if a.status != http.StatusSeeOther || a.location() != "/auth/account" {
		t.Fatalf("login: %d %s", a.status, a.location())
	}
	everyPage(wd, b, func(path string, a answer) {
		for _, link := range regexp.MustCompile(`(?:href|src|action)="(/[^"]*)"`).FindAllStringSubmatch(a.body, -1) {
			if !strings.HasPrefix(link[1], "/auth/") {
				t.Errorf("%s: link to %s", path, link[1])
			}
		}
	})
	if got := b.get("/.well-known/change-password").location(); got != "/auth/account/password" {
		t.Errorf("change-password leads to %q", got)
	}
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "id.example.com", "/x", "https://", "::"} {
		if _, err := web.New(web.Config{Issuer: bad}); err == nil {
			t.Errorf("issuer %q was taken", bad)
		}
	}
}
