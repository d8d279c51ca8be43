package web_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
)

var otherLanguage = regexp.MustCompile(`<a href="(\?[^"]*)" lang="([a-z]+)" hreflang="[a-z]+" rel="nofollow">([^<]+)</a>`)

// A person who reads German clicks on Deutsch: the same page, and all that follow, whatever
// browser and app prefer.
func TestLanguage_Choice(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	flow := b.flow(func(r *idp.AuthRequest) { r.UILocales = []string{"en"} })
	page := b.get("/login?flow=" + flow)
	m := otherLanguage.FindStringSubmatch(page.body)
	if m == nil || m[2] != "de" || m[3] != "Deutsch" {
		t.Fatalf("no way to German: %q", m)
	}
	german := b.get("/login" + html.UnescapeString(m[1]))
	if !strings.Contains(german.body, `<html lang="de">`) || !strings.Contains(german.text(), "und weiter zu Friendly Scheduler") {
		t.Errorf("not the same page in German: %s", german.text())
	}
	cookie := german.header.Get("Set-Cookie")
	for _, part := range []string{"__Host-signet-lang=de", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(strings.Join(german.header.Values("Set-Cookie"), "\n"), part) {
			t.Errorf("%s is not in %q", part, cookie)
		}
	}
	b.submit(german, "/login?flow="+flow, "username", "ann", "password", annPassword)
	if a := b.get("/consent?flow=" + flow); !strings.Contains(a.text(), "Sehen, wann Sie beschäftigt sind") || !strings.Contains(a.body, `lang="en" hreflang="en" rel="nofollow">English</a>`) {
		t.Errorf("the next page forgets: %s", a.text())
	}
	if a := b.get("/account?lang=en"); !strings.Contains(a.body, `<html lang="en">`) || b.cookies["__Host-signet-lang"] != "en" {
		t.Errorf("back to English: %q", b.cookies)
	}
}

// Only a language of ours is kept; links lead to the page that is open, whatever its address.
func TestLanguage_OAU02_NowhereElse(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	for _, query := range []string{"lang=fr", "lang=", "lang=de%00", "lang=de,en", "lang=%22%3E%3Cscript%3E", "xlang=de", "lang=" + strings.Repeat("de", 3000)} {
		b := wd.browser()
		if a := b.get("/?" + query); a.status != http.StatusOK || !strings.Contains(a.body, `<html lang="en">`) || b.cookies["__Host-signet-lang"] != "" {
			t.Errorf("%.40s: %d, cookie %q", query, a.status, b.cookies["__Host-signet-lang"])
		}
	}
	b := wd.browser()
	b.cookies["__Host-signet-lang"] = "../../x"
	if a := b.get("/"); !strings.Contains(a.body, `<html lang="en">`) {
		t.Error("a cookie that is no language")
	}
	if m := otherLanguage.FindStringSubmatch(b.get("/?next=//evil.example&a=%3Cb%3E").body); m == nil || !strings.HasPrefix(m[1], "?") || strings.ContainsAny(m[1], "<>") {
		t.Errorf("the link is %q", m)
	}
}

// What has been answered cannot be shown again, and what went wrong repeats nothing of its
// request, so there is no link to it.
func TestLanguage_OnlyWhatCanBeShownAgain(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	for _, page := range allPages(wd, "en") {
		again := true
		switch page.name {
		case "form-post", "logged-out", "logged-out-apps", "device-allowed", "device-denied", "stale-form",
			"not-found", "flow-gone", "problem", "too-many", "not-found-elsewhere", "wrong-method",
			"console-closed", "console-link-used", "console-user-gone", "console-stale-form", "console-away", "console-left",
			"console-app-secret", "console-app-gone", "console-token-none", "console-token-refresh", "console-token-dead":
			again = false
		}
		if page.body != "" && otherLanguage.MatchString(page.body) != again {
			t.Errorf("%s: a link to another language: %v", page.name, !again)
		}
	}
}

// Mail is written in the person's own language if it is known, else in that of the page.
func TestLanguage_OfMail(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string]string{"": "Ihr Passwort wurde geändert", "en-GB": "Your password was changed", "de-AT": "Ihr Passwort wurde geändert", "fr": "Ihr Passwort wurde geändert", "?": "Ihr Passwort wurde geändert"} {
		wd := newWorld(t)
		ann := wd.ann
		ann.Profile.Locale = locale
		wd.must(wd.db.UpdateUser(t.Context(), operator, ann, wd.now()))
		b := wd.asAnn()
		b.header.Set("Accept-Language", "de")
		b.submit(b.get("/account/password"), "/account/password", "old_password", annPassword, "new_password", "four green boats sail", "new_password_again", "four green boats sail")
		wd.deliver()
		if mails := wd.mail.List(); len(mails) != 1 || !strings.Contains(mails[0].Subject, want) {
			t.Errorf("%q: %+v", locale, mails)
		}
	}
}

// SES-04: what caches keep for everybody brings nobody a cookie. Caches that do not look at
// the query would hand a stranger's choice to all.
func TestLanguage_SES04_NoCookieInCaches(t *testing.T) {
	t.Parallel()
	b := newWorld(t).browser()
	m := regexp.MustCompile(`href="(/assets/[^"]+)"`).FindStringSubmatch(b.get("/login").body)
	if m == nil {
		t.Fatal("the page has no stylesheet")
	}
	a := b.get(m[1] + "?lang=de")
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Cache-Control"), "public") {
		t.Fatalf("%d, %v", a.status, a.header)
	}
	if cookies := a.header.Values("Set-Cookie"); len(cookies) > 0 {
		t.Errorf("cookies: %q", cookies)
	}
}
