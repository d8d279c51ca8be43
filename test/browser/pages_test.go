package browser_test

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// longName is as long as names of apps get.
const longName = "The Rather Long-Winded Diary Company Ltd"

// A visitor walks through all pages in one language.
type visitor struct {
	*tab
	at   addresses
	app  receiver
	wiki *wiki
	lang string
	desk *string // the console's address, once it is open
}

// Every page of ours in both languages, both themes and both widths: no finding of the
// accessibility checker, nothing wider than the screen, nothing that the browser blocks.
func TestPages(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	v := visitor{tab: newTab(t), at: at, app: startReceiver(t, at), wiki: newWiki(t)}
	v.add("--id", "wiki", "--name", "Wiki", "--first-party", "--profile", "oidc", "--redirect", v.wiki.URL+"/cb",
		"--post-logout-redirect", v.wiki.URL+"/bye", "--frontchannel-logout", v.wiki.URL+"/front")
	v.add("--id", "diary", "--name", longName, "--type", "native", "--redirect", "com.example.diary:/cb", "--redirect", v.wiki.URL+"/diary",
		"--scope", "openid,profile,email,groups,offline_access,calendar.freebusy:read,calendar.meetings:write", "--policy", "https://diary.example/privacy")
	for _, v.lang = range []string{"en", "de"} {
		v.strangerPages()
		v.devicePages()
		v.appPages()
		v.accountPages()
		v.goodbyePages()
	}
	v.tooManyAttempts()
}

// The console's pages as well.
func TestPages_Console(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	v := visitor{tab: newTab(t), at: at, desk: new(string)}
	v.add("--id", "wiki", "--name", "Wiki", "--first-party", "--redirect", "https://wiki.example/cb")
	v.add("--id", "diary", "--name", longName, "--type", "native", "--redirect", "com.example.diary:/cb",
		"--scope", "openid,profile,email,groups,offline_access,calendar.freebusy:read,calendar.meetings:write")
	for _, v.lang = range []string{"en", "de"} {
		v.consolePages()
	}
}

func (v visitor) add(flags ...string) {
	v.t.Helper()
	if out, err := exec.Command(built, append([]string{"client", "add", "--socket", v.at.socket}, flags...)...).CombinedOutput(); err != nil {
		v.t.Fatalf("%v: %s", err, out)
	}
}

// see looks at the page that is open, which must be in the visitor's language.
func (v visitor) see(name string) {
	v.t.Helper()
	if lang := v.eval("document.documentElement.lang"); lang != v.lang {
		v.t.Errorf("%s is in %q", name, lang)
	}
	v.look(v.lang + "-" + name)
}

func (v visitor) visit(name, path string) {
	v.t.Helper()
	v.open(v.at.issuer + path)
	v.see(name)
}

func (v visitor) authorize(clientID, redirect, scope string, more ...string) {
	v.t.Helper()
	query := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirect}, "scope": {scope},
		"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	v.open(v.at.issuer + "/authorize?" + query.Encode())
}

func (v visitor) strangerPages() {
	v.t.Helper()
	v.visit("welcome", "/?lang="+v.lang)
	v.visit("404", "/no/such/page")
	v.visit("405", "/token")
	v.visit("problem", "/authorize?client_id=nobody")
	v.visit("login", "/login")
	v.tryPassword("ann", "wrong")
	v.see("login-wrong")
	if focus := v.eval("document.activeElement.id + ' ' + document.activeElement.getAttribute('role')"); focus != "error alert" {
		v.t.Errorf("the focus is at %q, not at the error", focus)
	}
	if name := v.eval("document.getElementById('username').value"); name != "ann" {
		v.t.Errorf("the name that was typed is gone: %q", name)
	}
	v.revealPassword()
	v.authorize("diary", v.wiki.URL+"/diary", "openid")
	v.see("login-for-app")
}

func (v visitor) tryPassword(name, password string) {
	v.t.Helper()
	v.do(chromedp.SetValue(chromedp.CSS("#username"), name), chromedp.SendKeys(chromedp.CSS("#password"), password))
	v.click("main form button[type=submit]")
}

// revealPassword presses the eye beside the password, twice.
func (v visitor) revealPassword() {
	v.t.Helper()
	v.do(chromedp.SendKeys(chromedp.CSS("#password"), "typed"))
	for _, want := range []string{"text true typed", "password false typed"} {
		v.do(chromedp.Click(chromedp.CSS(".reveal")))
		if got := v.eval("[document.getElementById('password').type, document.querySelector('.reveal').getAttribute('aria-pressed'), document.getElementById('password').value].join(' ')"); got != want {
			v.t.Errorf("after the eye was pressed: %s, want %s", got, want)
		}
	}
}

func (v visitor) devicePages() {
	v.t.Helper()
	begin := func() string {
		return ask(v.t, v.at.issuer+"/device_authorization", "scope", "calendar.freebusy:read offline_access")["user_code"].(string)
	}
	enter := func(code string) {
		v.do(chromedp.SetValue(chromedp.CSS("#user_code"), code))
		v.click("main form button")
	}
	v.visit("device", "/device")
	enter("bcdfg hjklm")
	v.see("device-unknown")
	enter(begin())
	v.tryPassword("ann", password)
	v.see("device-confirm")
	v.click("button[value=allow]")
	v.see("device-consent")
	v.click("button[value=authorize]")
	v.see("device-allowed")
	v.open(v.at.issuer + "/device")
	enter(begin())
	v.click("button[value=deny]")
	v.see("device-denied")
}

func (v visitor) appPages() {
	v.t.Helper()
	v.authorize("diary", v.wiki.URL+"/diary", "openid profile email groups offline_access calendar.freebusy:read calendar.meetings:write", "resource", v.at.calendar)
	v.see("consent")
	v.authorize("diary", "com.example.diary:/cb", "openid profile email groups offline_access")
	v.see("consent-own-scheme")
	v.authorize("calendar", v.at.calendar+"/callback", "openid", "prompt", "select_account")
	v.see("select-account")
	v.authorize("calendar", v.at.calendar+"/callback", "openid", "prompt", "login")
	v.see("login-again")
	// Pages that leave by themselves stay when their scripts do not come.
	v.block("*://*:*/assets/submit.*", "*://*:*/assets/continue.*")
	v.authorize("former", v.app.URL+"/cb?tenant=1", "openid", "response_mode", "form_post")
	v.see("form-post")
}

func (v visitor) block(patterns ...string) {
	v.t.Helper()
	var blocked []*network.BlockPattern
	for _, p := range patterns {
		blocked = append(blocked, &network.BlockPattern{URLPattern: p, Block: true})
	}
	if _, err := chromedp.Call(v.ctx, network.Enable, network.EnableParams{}); err != nil {
		v.t.Fatal(err)
	}
	if _, err := chromedp.Call(v.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: blocked}); err != nil {
		v.t.Fatal(err)
	}
}

func (v visitor) accountPages() {
	v.t.Helper()
	for _, page := range []string{"", "/sessions", "/apps", "/password", "/security"} {
		v.visit("account"+strings.ReplaceAll(page, "/", "-"), "/account"+page)
	}
	v.visit("mail", "/dev/mail")
	v.open(v.at.issuer + "/account/password")
	v.do(chromedp.SendKeys(chromedp.CSS("#old_password"), "wrong"), chromedp.SendKeys(chromedp.CSS("#new_password"), "several words in a row"),
		chromedp.SendKeys(chromedp.CSS("#new_password_again"), "several words in a row"))
	v.click("main form button[type=submit]")
	v.see("account-password-wrong")
	v.open(v.at.issuer + "/account/apps")
	v.revoke(clock)
	v.see("account-apps-revoked")
}

// goodbyePages leave the wiki, which hears of it by a frame, and the calendar, which does not.
func (v visitor) goodbyePages() {
	v.t.Helper()
	v.authorize("wiki", v.wiki.URL+"/cb", "openid")
	v.open(v.at.calendar + "/login")
	v.visit("logout", "/logout?"+url.Values{"client_id": {"wiki"}, "post_logout_redirect_uri": {v.wiki.URL + "/bye"}}.Encode())
	v.click("main form button")
	v.see("logged-out-apps")
	v.open(v.at.issuer + "/login")
	v.signIn("bob")
	v.open(v.at.issuer + "/account/apps")
	v.see("account-apps-none")
	v.open(v.at.issuer + "/logout")
	v.click("main form button")
	v.see("logged-out")
}

func (v visitor) tooManyAttempts() {
	v.t.Helper()
	v.open(v.at.issuer + "/login?lang=en")
	for range 6 {
		v.tryPassword("mallory", "wrong")
	}
	v.lang = "en"
	v.see("login-wait")
	v.open(v.at.issuer + "/login?lang=de")
	v.tryPassword("mallory", "wrong")
	v.lang = "de"
	v.see("login-wait")
}

// Nobody needs JavaScript: from the login to the end of it, and to another language.
func TestWithoutJavaScript(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	b := newTab(t)
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.open(at.issuer + "/")
	b.click("a[hreflang=de]")
	b.expect("Willkommen")
	b.click("a[hreflang=en]")
	b.expect("Welcome")
	b.open(at.calendar + "/login")
	b.signIn("ann")
	b.open(at.scheduler + "/connect")
	b.expect("See when you are busy", "You will be sent to")
	b.click("button[value=authorize]")
	b.expect("Pick a free hour")
	b.open(at.issuer + "/account")
	b.click("a[href='/account/apps'].tile")
	b.expect("Friendly Scheduler")
	b.do(chromedp.Click(chromedp.CSS(".row:has([value=friendly-scheduler]) summary")))
	b.click(".sure[open] form button")
	b.expect("The app has no access any more.")
	b.expectNot("Friendly Scheduler")
	b.click("header a[href='/logout']")
	b.click("main form button")
	b.expect("You are signed out")
	b.open(at.issuer + "/account")
	b.expect("Sign in")
}
