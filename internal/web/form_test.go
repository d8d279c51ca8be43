package web_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
)

// A formCase is a form that would do something, and how to see that it did not.
type formCase struct {
	route     string
	path      string
	form      url.Values
	unchanged func() bool
}

// formCases has one for every POST route; all would succeed from our own page.
func formCases(wd *world, b *browser) []formCase {
	wd.t.Helper()
	flow := b.flow(func(r *idp.AuthRequest) { r.Prompt = []string{"select_account", "consent"} })
	other := wd.asAnn()
	before := b.cookies["__Host-signet"]
	req := func() idp.AuthRequest { return b.stored(flow) }
	code, waiting := wd.device()
	confirming := b.flow(func(r *idp.AuthRequest) { r.DeviceID, r.RedirectURI, r.ClientID = waiting.ID, "", waiting.ClientID })
	return []formCase{
		{"POST /login", "/login?flow=" + flow, values("username", "bob", "password", bobPassword), func() bool {
			return req().LoginAt.IsZero() && b.cookies["__Host-signet"] == before
		}},
		{"POST /select-account", "/select-account?flow=" + flow, values("account", "this"), func() bool { return req().SelectedAt.IsZero() }},
		{"POST /consent", "/consent?flow=" + flow, values("decision", "authorize"), func() bool {
			return req().ConsentedAt.IsZero() && req().DeniedAt.IsZero()
		}},
		{"POST /device", "/device", values("user_code", code), func() bool { return b.begun == "" }},
		{"POST /device/confirm", "/device/confirm?flow=" + confirming, values("decision", "allow"), func() bool {
			return b.stored(confirming).ConfirmedAt.IsZero() && b.stored(confirming).DeniedAt.IsZero()
		}},
		{"POST /account/sessions", "/account/sessions", values("action", "end_others"), func() bool {
			return other.get("/account").status == http.StatusOK
		}},
		{"POST /account/apps", "/account/apps", values("client_id", schedulerID), func() bool {
			return len(wd.consents(wd.ann)) == 1
		}},
		{"POST /account/password", "/account/password", values("old_password", annPassword, "new_password", bobPassword, "new_password_again", bobPassword), func() bool {
			return other.get("/account").status == http.StatusOK
		}},
	}
}

func (wd *world) consents(u idp.User) []idp.Consent {
	wd.t.Helper()
	list, err := wd.db.Consents(wd.t.Context(), u.ID)
	wd.must(err)
	return list
}

// allow connects the scheduler with whoever is signed in.
func (wd *world) allow(b *browser) {
	wd.t.Helper()
	path := "/consent?flow=" + b.flow()
	a := b.submit(b.get(path), path, "decision", "authorize")
	if a.status != http.StatusSeeOther {
		wd.t.Fatalf("consent: %d %s", a.status, a.text())
	}
}

// OAU-15: no form of another site, and none without this browser's value, does anything.
func TestForms_OfOthers(t *testing.T) {
	t.Parallel()
	foreign := map[string]func(r *http.Request){
		"cross-site":            func(r *http.Request) { header(r, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example") },
		"same-site":             func(r *http.Request) { header(r, "Sec-Fetch-Site", "same-site", "Origin", "https://evil.example.com") },
		"origin alone":          func(r *http.Request) { header(r, "Origin", "https://evil.example") },
		"origin null":           func(r *http.Request) { header(r, "Origin", "null") },
		"origin with a suffix":  func(r *http.Request) { header(r, "Origin", issuer+".evil.example") },
		"origin in plain text":  func(r *http.Request) { header(r, "Origin", "http://id.example.com") },
		"typed":                 func(r *http.Request) { header(r, "Sec-Fetch-Site", "none") },
		"neither header":        func(*http.Request) {},
		"contradicting headers": func(r *http.Request) { header(r, "Sec-Fetch-Site", "same-origin", "Origin", "https://evil.example") },
	}
	wd := newWorld(t)
	b := wd.asAnn()
	wd.allow(b)
	stranger := wd.browser().get("/login").csrf()
	loggedOut := b.preLoginCSRF()
	cases := formCases(wd, b)
	covered := map[string]bool{}
	for _, c := range cases {
		covered[c.route] = true
		own := b.get("/account/password").csrf()
		for name, dress := range foreign {
			c.form.Set("csrf", own)
			r := b.request("POST", c.path, c.form)
			dress(r)
			refused(t, c, name, b.send(r))
		}
		for name, csrf := range map[string]string{"none": "", "wrong": "AAAA" + own[4:], "another browser's": stranger, "from before the login": loggedOut} {
			c.form.Set("csrf", csrf)
			refused(t, c, "value "+name, b.post(c.path, c.form))
		}
		c.form.Del("csrf")
		join := "?"
		if strings.Contains(c.path, "?") {
			join = "&"
		}
		refused(t, c, "value in the query", b.post(c.path+join+"csrf="+own, c.form))
	}
	for _, route := range wd.pages.Routes() {
		if strings.HasPrefix(route, "POST ") && !covered[route] {
			t.Errorf("%s is not tested", route)
		}
	}
	own := b.get("/account/password").csrf()
	for _, c := range cases[1:] { // and our own pages' do; after a login this browser would be somebody else's
		c.form.Set("csrf", own)
		if a := b.post(c.path, c.form); a.status != http.StatusSeeOther || c.route != "POST /account/password" && c.unchanged() {
			t.Errorf("%s: our own form: %d %s", c.route, a.status, a.text())
		}
	}
}

func header(r *http.Request, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
}

// preLoginCSRF is the value that the browser had before it signed in.
func (b *browser) preLoginCSRF() string {
	session := b.cookies["__Host-signet"]
	delete(b.cookies, "__Host-signet")
	defer func() { b.cookies["__Host-signet"] = session }()
	return b.get("/login").csrf()
}

func refused(t *testing.T, c formCase, how string, a answer) {
	t.Helper()
	if a.status != http.StatusForbidden {
		t.Errorf("%s, %s: %d %s", c.route, how, a.status, a.location())
	}
	if !c.unchanged() {
		t.Fatalf("%s, %s: it was done", c.route, how)
	}
}

// Forms are read strictly: size, kind, each field once.
func TestForms_Malformed(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	csrf := b.get("/account/sessions").csrf()
	for name, c := range map[string]struct {
		body, kind string
		want       int
	}{
		"field twice":    {"csrf=" + csrf + "&action=end_others&action=end", "application/x-www-form-urlencoded", http.StatusBadRequest},
		"too long":       {"csrf=" + csrf + "&action=" + strings.Repeat("x", 20_000), "application/x-www-form-urlencoded", http.StatusRequestEntityTooLarge},
		"JSON":           {`{"csrf":"` + csrf + `"}`, "application/json", http.StatusUnsupportedMediaType},
		"text/plain":     {"csrf=" + csrf + "&action=end_others", "text/plain", http.StatusUnsupportedMediaType},
		"no such action": {"csrf=" + csrf + "&action=delete", "application/x-www-form-urlencoded", http.StatusBadRequest},
		"no action":      {"csrf=" + csrf, "application/x-www-form-urlencoded", http.StatusBadRequest},
	} {
		r := b.request("POST", "/account/sessions", nil)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(c.body)), int64(len(c.body))
		header(r, "Content-Type", c.kind, "Sec-Fetch-Site", "same-origin", "Origin", issuer)
		if a := b.send(r); a.status != c.want {
			t.Errorf("%s: %d, want %d", name, a.status, c.want)
		}
	}
}

// SES-02: a browser with a planted second cookie is nobody, and told what to do.
func TestForms_SES02_DuplicateCookie(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	for _, name := range []string{"__Host-signet", "__Host-signet-flow"} {
		b := wd.asAnn()
		flow := b.flow()
		for _, path := range []string{"/account/sessions", "/login?flow=" + flow, "/consent?flow=" + flow} {
			if name == "__Host-signet-flow" && path == "/account/sessions" {
				continue // the session alone decides who may read
			}
			r := b.request("GET", path, nil)
			r.AddCookie(&http.Cookie{Name: name, Value: "planted"})
			a := b.send(r)
			if a.status != http.StatusBadRequest || !strings.Contains(a.text(), "Delete the cookies of this site") {
				t.Errorf("%s twice at %s: %d %s", name, path, a.status, a.text())
			}
		}
		r := b.request("POST", "/account/sessions", values("csrf", b.get("/account/sessions").csrf(), "action", "end_others"))
		header(r, "Sec-Fetch-Site", "same-origin")
		r.AddCookie(&http.Cookie{Name: name, Value: "planted"})
		if a := b.send(r); a.status != http.StatusBadRequest {
			t.Errorf("form with %s twice: %d", name, a.status)
		}
	}
}

// Whoever is not signed in is sent to the login page, from pages and from forms.
func TestAccount_NeedsLogin(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	csrf := b.get("/login").csrf()
	for _, route := range wd.pages.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if !strings.HasPrefix(path, "/account") {
			continue
		}
		a := b.get(path)
		if method == http.MethodPost {
			a = b.post(path, values("csrf", csrf, "action", "end_others"))
		}
		if a.status != http.StatusSeeOther || a.location() != "/login" || a.body != "" {
			t.Errorf("%s: %d %s", route, a.status, a.location())
		}
	}
}
