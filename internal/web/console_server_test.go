package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/internal/web"
)

// refresh gives an app a refresh token of somebody.
func (wd *world) refresh(u idp.User) string {
	wd.t.Helper()
	now := wd.now()
	g := idp.Grant{
		ID: secret.ID(), UserID: u.ID, ClientID: schedulerID, Resource: calendarID, Scopes: []string{"calendar.freebusy:read", "offline_access"},
		AuthTime: now, ACR: idp.ACRPassword, AMR: []string{idp.AMRPassword}, CreatedAt: now, ExpiresAt: now.Add(90 * 24 * time.Hour),
	}
	code := idp.Code{Hash: secret.Key(), GrantID: g.ID, ClientID: schedulerID, RedirectURI: redirectURI, CodeChallenge: "c", ExpiresAt: now.Add(time.Minute)}
	wd.must(wd.db.IssueCode(wd.t.Context(), operator, idp.Approval{}, g, code, now))
	tok, handle, hash := token.NewRefresh()
	wd.must(wd.db.RedeemCode(wd.t.Context(), operator, code.Hash, &idp.RefreshToken{
		HandleHash: handle, CurrentHash: hash, GrantID: g.ID, Generation: 1, ExpiresAt: now.Add(30 * 24 * time.Hour),
	}, now))
	return tok.Reveal()
}

// serverPages shows the pages of apps, APIs, keys, tokens and the log.
func (b *operatorTab) serverPages() (list []shown) {
	wd := b.d.world
	keep := func(name string, a answer) answer {
		list = append(list, shown{name, a})
		return a
	}
	keep("apps", b.get(b.base+"/apps"))
	path := b.base + "/apps/" + schedulerID
	page := keep("app", b.get(path))
	keep("app-secret", b.submit(page, path+"/secret"))
	b.submit(page, path, "action", "disable")
	keep("app-disabled", b.get(path))
	b.submit(page, path, "action", "enable")
	keep("app-native", b.get(b.base+"/apps/"+tvID))
	keep("app-gone", b.get(b.base+"/apps/nobody"))
	keep("apis", b.get(b.base+"/apis"))
	page = keep("keys", b.get(b.base+"/keys"))
	b.submit(page, b.base+"/keys/rotate")
	keep("keys-rotated", b.get(b.base+"/keys"))
	tokens := b.base + "/tokens"
	page = keep("tokens", b.get(tokens))
	keep("token-none", b.submit(page, tokens, "token", "hello"))
	keep("token-refresh", b.submit(page, tokens, "token", wd.refresh(wd.bob)))
	keep("token-dead", b.submit(page, tokens, "token", secret.New(secret.ClientSecret).Reveal()))
	keep("log", b.get(b.base+"/log"))
	return list
}

// Lists with nothing in them say how something comes there.
func TestConsole_EmptyServer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	api := d.api
	d.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[]")) })
	for path, want := range map[string]string{"/apps": "signet client add", "/apis": "signet resource put", "/keys": "No keys yet", "/log": "Nothing has happened yet"} {
		if a := b.get(b.base + path); a.status != http.StatusOK || !strings.Contains(a.text(), want) {
			t.Errorf("%s: %d %s", path, a.status, a.text())
		}
	}
	d.api = api
}

func TestConsoleApp_Actions(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	d := wd.desk()
	b := d.tab().open()
	path := b.base + "/apps/" + schedulerID
	page := b.get(path)
	for _, want := range []string{
		"Friendly Scheduler", schedulerID, "Third-party app", "Added by an administrator", "By a secret in the header (Basic)", "oauth21", redirectURI,
		"calendar.freebusy:read", "Later, without asking the person again",
	} {
		if !strings.Contains(page.text(), want) {
			t.Errorf("no %q: %s", want, page.text())
		}
	}
	disabled := func() bool {
		c, err := wd.db.Client(t.Context(), schedulerID)
		wd.must(err)
		return c.Disabled()
	}
	for action, want := range map[string]bool{"disable": true, "enable": false} {
		if action == "enable" {
			b.submit(page, path, "action", "disable")
		}
		if a := b.submit(page, path, "action", action); a.status != http.StatusSeeOther || a.location() != path || disabled() != want {
			t.Errorf("%s: %d %s", action, a.status, a.location())
		}
	}
	for _, wrong := range [][]string{{"action", "destroy"}, {}} {
		if a := b.submit(page, path, wrong...); a.status != http.StatusBadRequest {
			t.Errorf("%v: %d", wrong, a.status)
		}
	}
	if a := b.submit(page, b.base+"/apps/"+tvID+"/secret"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.text(), "has no secret") {
		t.Errorf("a secret for who needs none: %d %s", a.status, a.text())
	}
	if a := b.submit(page, path, "action", "delete"); a.status != http.StatusSeeOther || a.location() != b.base+"/apps" {
		t.Errorf("delete: %d %s", a.status, a.location())
	}
	if list := b.get(b.base + "/apps").text(); strings.Contains(list, "Friendly Scheduler") || !strings.Contains(list, "The app is deleted.") {
		t.Errorf("after deleting: %s", list)
	}
	if a := b.get(path); a.status != http.StatusNotFound {
		t.Errorf("the page of a deleted app: %d", a.status)
	}
}

// An id may be an address: its page and its forms are found all the same.
func TestConsoleApp_IDIsAnAddress(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	const id = "https://app.example/a/client.json?x=1"
	c := scheduler()
	c.ID, c.Name, c.SecretHash, c.TokenEndpointAuthMethod, c.CreatedAt = id, "Documented", [32]byte{}, idp.AuthNone, wd.now()
	_, err := wd.db.PutDocumentClient(t.Context(), operator, c, 10, wd.now())
	wd.must(err)
	b := wd.desk().tab().open()
	m := regexp.MustCompile(`<a href="([^"]+)"><bdi>Documented`).FindStringSubmatch(b.get(b.base + "/apps").body)
	if m == nil {
		t.Fatal("not in the list")
	}
	page := b.get(m[1])
	if !strings.Contains(page.text(), "Described by a document at its address") || !strings.Contains(page.body, `action="`+m[1]+`"`) {
		t.Fatalf("its page: %d %s", page.status, page.text())
	}
	b.submit(page, m[1], "action", "disable")
	if c, err := wd.db.Client(t.Context(), id); err != nil || !c.Disabled() {
		t.Errorf("not disabled: %v", err)
	}
}

func TestConsoleApps_Pages(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	for i := range 60 {
		c := scheduler()
		c.ID = "app-" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		wd.must(wd.db.PutClient(t.Context(), operator, c, wd.now()))
	}
	b := wd.desk().tab().open()
	first := b.get(b.base + "/apps")
	m := regexp.MustCompile(`href="(/[0-9A-Za-z]+/apps\?after=[^"]+)"`).FindStringSubmatch(first.body)
	if m == nil {
		t.Fatal("no second page")
	}
	ids := regexp.MustCompile(`<code>[^<]+</code>`)
	all := slices.Concat(ids.FindAllString(first.body, -1), ids.FindAllString(b.get(m[1]).body, -1))
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != 63 {
		t.Errorf("two pages show %d of 63 apps", n)
	}
}

// CLI-07: a new secret stands in the answer to the form that made it, and nowhere else: at no
// address, and not on any page later. The old one is dead.
func TestConsoleSecret_CLI07_ShownOnce(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.desk().tab().open()
	path := b.base + "/apps/" + schedulerID
	made := b.submit(b.get(path), path+"/secret")
	value := regexp.MustCompile(`sgs_[0-9A-Za-z]{49}`).FindString(made.body)
	if made.status != http.StatusOK || value == "" || made.header.Get("Cache-Control") != "no-store" || made.location() != "" {
		t.Fatalf("the answer: %d %s", made.status, made.text())
	}
	c, err := wd.db.Client(t.Context(), schedulerID)
	if err != nil || c.SecretHash != secret.Hash("client_secret", secret.NewText(value)) {
		t.Errorf("it is not the app's secret: %v", err)
	}
	if a := b.get(path + "/secret"); a.status != http.StatusNotFound {
		t.Errorf("a secret by GET: %d", a.status)
	}
	if again, err := wd.db.Client(t.Context(), schedulerID); err != nil || again.SecretHash != c.SecretHash {
		t.Errorf("looking made another: %v", err)
	}
	for _, other := range []string{path, b.base + "/apps", b.base + "/log"} {
		if strings.Contains(b.get(other).body, value) {
			t.Errorf("%s shows the secret", other)
		}
	}
}

func TestConsoleKeys_Actions(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	d := wd.desk()
	b := d.tab().open()
	type key struct {
		ID    string `json:"kid"`
		State string `json:"state"`
	}
	keys := func() (list []key) {
		wd.must(d.call(t.Context(), http.MethodGet, "/keys", nil, &list))
		return list
	}
	before := keys()
	page := b.get(b.base + "/keys")
	if !strings.Contains(page.text(), before[0].ID) || !strings.Contains(page.text(), "Signs") {
		t.Errorf("the keys: %s", page.text())
	}
	if a := b.submit(page, b.base+"/keys/rotate"); a.status != http.StatusSeeOther || len(keys()) != 2*len(before) {
		t.Errorf("rotate: %d, %d keys from %d", a.status, len(keys()), len(before))
	}
	if text := b.get(b.base + "/keys").text(); !strings.Contains(text, "Every signing key has its successor.") || !strings.Contains(text, "Signs from") {
		t.Errorf("after rotating: %s", text)
	}
	for _, wrong := range []string{"", "nobody", "../clients", "x/retire"} {
		if a := b.submit(page, b.base+"/keys/retire", "kid", wrong); a.status/100 != 4 {
			t.Errorf("retire %q: %d", wrong, a.status)
		}
	}
	if a := b.submit(page, b.base+"/keys/retire", "kid", before[0].ID); a.status != http.StatusSeeOther {
		t.Fatalf("retire: %d %s", a.status, a.text())
	}
	if !slices.ContainsFunc(keys(), func(k key) bool { return k.ID == before[0].ID && k.State == "retired" }) {
		t.Errorf("the key is not retired: %v", keys())
	}
}

// What was pasted is told, and ended by the button; it is neither shown again nor logged.
func TestConsoleToken_OPS01_Search(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	ann := wd.asAnn()
	var log bytes.Buffer
	d := wd.deskLogging(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	b := d.tab().open()
	path := b.base + "/tokens"
	page := b.get(path)
	refresh, cookie := wd.refresh(wd.bob), ann.cookies["__Host-signet"]
	for tok, want := range map[string][]string{
		refresh:                                  {"Refresh token Good", "Bob Example", "Friendly Scheduler", calendarID, "calendar.freebusy:read", "End it"},
		cookie:                                   {"Login cookie Good", "Ann Example", "Sign out there"},
		secret.New(secret.ClientSecret).Reveal(): {"Client secret Worthless", "This server never made it, or it is over"},
		"a word that is no token at all":         {"That is no token that signet knows"},
	} {
		a := b.submit(page, path, "token", "  "+tok+"\n")
		for _, w := range want {
			if !strings.Contains(a.text(), w) {
				t.Errorf("no %q: %s", w, a.text())
			}
		}
		for _, place := range []string{a.body, log.String()} {
			if strings.Contains(place, tok[5:]) {
				t.Errorf("what was pasted comes back: %s", place)
			}
		}
	}
	found := b.submit(page, path, "token", refresh)
	if a := b.submit(page, path+"/revoke", fields(found, "grant")...); a.status != http.StatusSeeOther || !strings.Contains(b.get(a.location()).text(), "What the app was allowed has ended") {
		t.Errorf("end the grant: %d %s", a.status, a.text())
	}
	if a := b.submit(page, path, "token", refresh); !strings.Contains(a.text(), "Worthless") || strings.Contains(a.body, "/tokens/revoke") {
		t.Errorf("after its end: %s", a.text())
	}
	found = b.submit(page, path, "token", cookie)
	b.submit(page, path+"/revoke", fields(found, "session")...)
	if a := ann.get("/account"); a.status == http.StatusOK {
		t.Error("ann is still signed in")
	}
	for _, wrong := range [][]string{{}, {"user", wd.ann.ID}, {"user", "ann", "grant", "x"}, {"user", wd.ann.ID, "action", "session", "grant", "x"}} {
		if a := b.submit(page, path+"/revoke", wrong...); a.status != http.StatusBadRequest {
			t.Errorf("%v: %d", wrong, a.status)
		}
	}
}

// What no form on this page ends has the way to the page that does. What is wrong is told in
// the reader's language; only the detail is not.
func TestConsoleToken_NextStep(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	d := wd.desk()
	b := d.tab().open()
	path := b.base + "/tokens"
	page := b.get(path)
	c, err := wd.db.Client(t.Context(), schedulerID)
	wd.must(err)
	made := secret.New(secret.ClientSecret)
	c.SecretHash = secret.Hash("client_secret", made)
	wd.must(wd.db.PutClient(t.Context(), operator, c, wd.now()))
	own := web.TokenExplanation{Kind: "access token (RFC 9068)", Verdict: "accepted", Why: web.TokenFits, Issuer: issuer, ClientID: schedulerID}
	dead := own
	dead.Verdict, dead.Why, dead.Reason = "refused", web.TokenMalformed, "malformed token: signature is not base64url"
	d.told = map[string]web.TokenExplanation{"own": own, "dead": dead}
	app := `href="` + b.base + "/apps/" + schedulerID + `">To the app`
	for tok, want := range map[string]string{"own": "ends all its tokens at once", made.Reveal(): "makes this one worthless at once"} {
		if a := b.submit(page, path, "token", tok); !strings.Contains(a.body, app) || !strings.Contains(a.text(), want) {
			t.Errorf("no way to end %.4s: %s", tok, a.text())
		}
	}
	b.lang = "de"
	a := b.submit(page, path, "token", "dead")
	if !strings.Contains(a.text(), "Jeder Dienst lehnt es ab.") || !strings.Contains(a.body, `<bdi lang="en">`+dead.Reason) || strings.Contains(a.text(), "Zur App") {
		t.Errorf("a malformed one: %s", a.text())
	}
}

// fields are those of the form on the page of a token that ends one thing.
func fields(page answer, what string) []string {
	list := []string{"action", what}
	for _, name := range []string{"user", what} {
		m := regexp.MustCompile(`name="` + name + `" value="([^"]+)"`).FindStringSubmatch(page.body)
		if m != nil {
			list = append(list, name, m[1])
		}
	}
	return list
}

// OPS-01: a token in an address would be in the browser's history, and in links of the page
// that repeat the address. There is no such address, and only a form's token is looked up.
func TestConsoleToken_OPS01_ByPOSTOnly(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	d := wd.desk()
	b := d.tab().open()
	page := b.get(b.base + "/tokens")
	if !strings.Contains(page.body, `<form class="form" method="post" action="`+b.base+`/tokens">`) {
		t.Error("the form does not post")
	}
	asked := 0
	api := d.api
	d.api = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/tokens") {
			asked++
		}
		api.ServeHTTP(w, r)
	})
	tok := wd.refresh(wd.bob)
	for _, method := range []string{"GET", "HEAD", "POST"} {
		r := b.request(method, b.base+"/tokens?token="+tok, values("csrf", page.csrf()))
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if a := b.send(r); strings.Contains(a.body, tok[5:]) || strings.Contains(a.text(), "Bob Example") {
			t.Errorf("%s with a token in the address: %d %s", method, a.status, a.text())
		}
	}
	if asked != 0 {
		t.Errorf("a token in an address was looked up %d times", asked)
	}
	if a := b.submit(page, b.base+"/tokens", "token", tok); asked != 1 || !strings.Contains(a.text(), "Bob Example") {
		t.Errorf("a token in the form was looked up %d times", asked)
	}
}

func TestConsoleLog(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	nobody := wd.browser()
	nobody.submit(nobody.get("/login"), "/login", "username", "ann", "password", "wrong")
	wd.must(wd.db.RevokeJTI(t.Context(), idp.Actor{Kind: "client", ID: schedulerID}, "j1", wd.now().Add(time.Minute), wd.now()))
	wd.must(wd.db.AppendRule(t.Context(), operator, idp.Rule{Kind: idp.RuleAll}, wd.now()))
	d := wd.desk()
	b := d.tab().open()
	text := b.get(b.base + "/log").text()
	for _, want := range []string{"Friendly Scheduler revoked a token", "Tokens revoked", "A password was tried Refused", "Ann Example", "App added or changed", schedulerID, "By an administrator", "API added or changed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q: %s", want, text)
		}
	}
	if i, j := strings.Index(text, "A password was tried"), strings.Index(text, "API added or changed"); i > j {
		t.Error("the oldest comes first")
	}
	for range 60 {
		wd.must(wd.db.PutClient(t.Context(), operator, scheduler(), wd.now()))
	}
	first := b.get(b.base + "/log")
	m := regexp.MustCompile(`href="([^"]+/log\?before=[0-9]+)"`).FindStringSubmatch(first.body)
	if m == nil {
		t.Fatal("no way to what is older")
	}
	if n, older := strings.Count(first.body, `<p class="what">`), b.get(m[1]); n != 50 || !strings.Contains(older.text(), "A password was tried") || strings.Contains(older.text(), "Older entries") {
		t.Errorf("%d lines on the first page; older: %s", n, older.text())
	}
	for _, wrong := range []string{"0", "-1", "x", "1;2"} {
		if a := b.get(b.base + "/log?before=" + wrong); a.status != http.StatusBadRequest {
			t.Errorf("before=%s: %d", wrong, a.status)
		}
	}
	if a := b.get(b.base + "/log?lang=de"); !strings.Contains(a.text(), "App hinzugefügt oder geändert") {
		t.Errorf("in German: %s", a.text())
	}
}

// Somebody's name that is markup or turns the direction of text is neither on these pages.
func TestConsole_CLI06_ForeignText(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	c := scheduler()
	c.Name, c.RedirectURIs = "<script>alert(1)</script>\u202e", []string{`https://x.example/"><script>alert(1)</script>`}
	wd.must(wd.db.PutClient(t.Context(), operator, c, wd.now()))
	b := wd.desk().tab().open()
	for _, path := range []string{"/apps", "/apps/" + schedulerID, "/log"} {
		if a := b.get(b.base + path); a.status != http.StatusOK || strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "\u202e") {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}
