package web_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/notify"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/web"
)

// payloads are what people write who want to write our pages.
var payloads = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`'onmouseover='alert(1)`,
	`" autofocus onfocus="alert(1)" x="`,
	`</title></h1></pre></code></textarea><svg/onload=alert(1)>`,
	`<!--<a href="javascript:alert(1)">x</a>`,
	`javascript:alert(1)//`,
	`{{.CSRF}}{{template "csrf" .}}`,
	`&lt;script&gt;alert(1)&lt;/script&gt;`,
	"a\u202egnp.exe\u2066<b>\u200b",
	`\"><base href=//evil.example>`,
}

// CLI-06, SES-06: whatever stands in a name, a text or a header, the pages have the same
// elements with the same attributes as with harmless words: nothing becomes markup.
func TestPages_CLI06_PayloadCorpus(t *testing.T) {
	t.Parallel()
	harmless := skeletons(newWorld(t, inDev), "harmless")
	if len(harmless) < 15 {
		t.Fatalf("only %d pages", len(harmless))
	}
	for _, payload := range payloads {
		wd := newWorld(t, inDev, func(c *web.Config) { c.Brand.Name = payload })
		for page, got := range skeletons(wd, payload) {
			if want := harmless[page]; !slices.Equal(got, want) {
				t.Errorf("%q changes %s:\n%v\nis not\n%v", payload, page, got, want)
			}
		}
	}
}

// skeletons puts the text into every field that holds foreign text and returns the
// elements of every page.
func skeletons(wd *world, text string) map[string][]string {
	wd.t.Helper()
	ctx := wd.t.Context()
	in := map[string]string{"en": text}
	wd.must(wd.db.PutResource(ctx, operator, idp.Resource{ID: calendarID, Name: text, TokenFormat: "jwt", Alg: "EdDSA", Scopes: []idp.Scope{
		{Name: "calendar.freebusy:read", Title: in, Detail: in},
		{Name: "calendar.meetings:write", Title: in, Detail: in, Write: true},
		{Name: "calendar.events:read", Title: in, Detail: in},
	}}, wd.now()))
	c := scheduler()
	c.Name = text
	c.ClientURI, c.PolicyURI, c.TermsURI = "https://x.example/"+text, "https://x.example/?"+text, "https://x.example/#"+text
	wd.must(wd.db.PutClient(ctx, operator, c, wd.now()))
	u := wd.ann
	u.Profile.Name, u.Groups = text, []string{text}
	wd.must(wd.db.UpdateUser(ctx, operator, u, wd.now()))
	wd.must(wd.mail.Send(ctx, notify.Mail{To: "ann@example.com", Subject: "x", Text: text}))
	wd.must(wd.db.Audit(ctx, idp.Event{At: wd.now(), UserID: u.ID, Actor: idp.Actor{Kind: "user", ID: u.ID, IP: text, UserAgent: text}, Action: text, Target: text, ClientID: text, Result: "refused", Reason: text}))
	wd.must(wd.db.CreateSession(ctx, operator, idp.Session{
		ID: secret.ID(), UserID: u.ID, CreatedAt: wd.now(), AuthTime: wd.now(), LastSeenAt: wd.now(), ACR: "aal1", AMR: []string{"pwd"},
		IdleExpiresAt: wd.now().AddDate(0, 0, 1), ExpiresAt: wd.now().AddDate(0, 0, 1), IP: text, UserAgent: text,
	}, secret.Key()))

	pages := map[string][]string{}
	see := func(name string, a answer) {
		if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			pages[name] = skeleton(a.body)
		}
	}
	b := wd.asAnn()
	wd.allow(b)
	b.header.Set("User-Agent", text)
	everyPage(wd, b, func(path string, a answer) {
		path, _, _ = strings.Cut(path, "?")
		see(path, a)
	})
	see("nobody's login", wd.browser().get("/login"))
	wrong := wd.browser()
	path := "/login?flow=" + wrong.flow(func(r *idp.AuthRequest) { r.LoginHint = text })
	see("hint", wrong.get(path))
	see("typed", wrong.submit(wrong.get(path), path, "username", text, "password", text))
	see("more consent", b.get("/consent?flow="+b.flow(func(r *idp.AuthRequest) { r.Scopes = append(r.Scopes, text) })))
	for name, h := range map[string]http.HandlerFunc{
		"problem": func(w http.ResponseWriter, r *http.Request) {
			wd.pages.Error(w, r, 400, web.Problem{Title: text, Text: text, Detail: text})
		},
		"logout": func(w http.ResponseWriter, r *http.Request) {
			wd.pages.LogoutConfirm(w, r, web.LogoutQuestion{CSRF: text, UserName: text, ClientName: text, ClientID: text, PostLogoutRedirectURI: text, State: text})
		},
		"form post": func(w http.ResponseWriter, r *http.Request) {
			wd.pages.FormPost(w, r, web.FormPost{Action: "https://x.example/" + text, Fields: []web.FormField{{Name: "state", Value: text}, {Name: text, Value: "x"}}})
		},
		"logged out": func(w http.ResponseWriter, r *http.Request) {
			wd.pages.LoggedOut(w, r, web.Farewell{Apps: []idp.LeftApp{{Name: text, Told: true, Frame: text}, {Name: text}}, Continue: "https://x.example/bye", ClientName: text, UILocales: text})
		},
		"not found": wd.pages.NotFound,
	} {
		wd.mux = h
		see(name, b.get("/"))
	}
	return pages
}

var (
	element   = regexp.MustCompile(`<(/?[a-zA-Z!][^\s>]*)((?:"[^"]*"|[^">])*)>`)
	attribute = regexp.MustCompile(`([^\s="]+)(?:="([^"]*)")?`)
	address   = regexp.MustCompile(`^(?:/(?:[^/\\]|$)|[#?]|https://(?:x|scheduler)\.example/)`)
)

// skeleton is the elements of a page with the names of their attributes, and what is
// wrong with their addresses.
func skeleton(body string) []string {
	var list []string
	for _, e := range element.FindAllStringSubmatch(body, -1) {
		item := e[1]
		for _, a := range attribute.FindAllStringSubmatch(e[2], -1) {
			item += " " + a[1]
			if (a[1] == "href" || a[1] == "src" || a[1] == "action") && !address.MatchString(a[2]) {
				item += "=" + a[2]
			}
		}
		list = append(list, item)
	}
	return list
}

// CLI-06: an address of an app becomes a link only if it can be nothing but a link.
func TestPages_CLI06_Links(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	for uri, shown := range map[string]bool{
		"https://app.example/terms": true, "http://127.0.0.1:8082/terms": true, "http://localhost/terms": true,
		"http://app.example/terms": false, "javascript:alert(1)": false, "JavaScript:alert(1)": false, " javascript:alert(1)": false, "java\tscript:alert(1)": false,
		"data:text/html,<script>alert(1)</script>": false, "vbscript:x": false, "//evil.example": false, "/logout": false, "mailto:x@example.com": false,
		"https://bank.example@evil.example/": false, "ftp://app.example/": false, "https:": false, "blob:https://x/y": false, "": false,
	} {
		c := scheduler()
		c.ClientURI, c.PolicyURI, c.TermsURI = uri, uri, uri
		wd.must(wd.db.PutClient(t.Context(), operator, c, wd.now()))
		for _, page := range []string{"/login", "/consent"} {
			a := b.get(page + "?flow=" + b.flow())
			if got := strings.Contains(a.body, `target="_blank"`); got != shown {
				t.Errorf("%s with %q: shown is %v", page, uri, got)
			}
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Friendly  Scheduler\n":           "Friendly Scheduler",
		"Bank\u202e\u2066\u200b\u00ad":    "Bank",
		"a\u2028b\u2029c\td\x00\x7f":      "a b c d",
		strings.Repeat("ä", 81):           strings.Repeat("ä", 79) + "…",
		strings.Repeat("x", 80):           strings.Repeat("x", 80),
		"\xff\xfe":                        "",
		" \u00a0\u3000 ":                  "",
		"Καλημέρα 你好 👋 <b>not markup</b>": "Καλημέρα 你好 👋 <b>not markup</b>",
	} {
		if got := web.OneLine(in, 80); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
