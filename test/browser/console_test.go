package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The operator's first minute: the link of the banner opens the console, once. Ann is there;
// Bob is disabled, and cannot sign in; after he is enabled he can.
func TestConsole(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	b, bob := newTab(t), newTab(t)
	bob.open(at.issuer + "/login")
	bob.signIn("bob")
	bob.expect("Bob Example")

	b.open(at.console)
	b.open(at.console) // looking does not use it up
	b.click("#open")
	b.expect("Overview", at.issuer, "Signing keys")
	if strings.Contains(b.eval("location.href"), "link=") || b.eval("document.cookie") != "" {
		t.Errorf("a script or the address knows a secret: %s, cookies %q", b.eval("location.href"), b.eval("document.cookie"))
	}
	b.click(".nav li:nth-child(2) a")
	b.expect("Ann Example", "ann@example.com", "Bob Example")
	b.do(chromedp.SendKeys(chromedp.CSS("#q"), "bo"))
	b.click("search button")
	b.expect("Bob Example")
	b.expectNot("Ann Example")
	b.click(".rows h2 a")
	b.expect("bob@example.com", "confirmed", "Chrome on Linux")
	b.do(chromedp.Click(chromedp.CSS("main > .sure > summary")))
	b.click("button[value=disable]")
	b.expect("The person is disabled.", "Signed in nowhere.", "Account disabled")

	bob.open(at.issuer + "/account")
	bob.expect("Sign in", "Username or e-mail")
	bob.signIn("bob")
	bob.expect("Wrong username or password")
	b.click("button[value=enable]")
	b.expect("The person may sign in again.")
	bob.signIn("bob")
	bob.expect("Bob Example")

	other := newTab(t)
	other.open(at.console)
	other.expect("This link does not work any more", "signet console")
	other.open(b.eval("location.href"))
	other.expect("The console is not open here")
	other.expectNot("bob")
	b.click("header form button")
	b.expect("The console is closed")
	b.open(b.eval("location.origin") + "/")
	b.expect("The console is not open here")
}

// consolePages are those of the operator. The link works once: what comes before it is seen in
// the first language, what comes after in the second.
func (v visitor) consolePages() {
	v.t.Helper()
	v.open(v.at.console + "&lang=" + v.lang)
	if v.lang == "en" {
		v.see("console-open")
		v.click("#open")
		*v.desk = strings.TrimSuffix(v.eval("location.href"), "/")
	} else {
		v.see("console-link-used")
	}
	visit := func(name, path string) {
		v.t.Helper()
		v.open(*v.desk + path + "?lang=" + v.lang)
		v.see("console-" + name)
	}
	visit("overview", "/")
	visit("users", "/users")
	visit("user-add", "/users/add")
	v.do(chromedp.SendKeys(chromedp.CSS("#username"), "two words"), chromedp.SendKeys(chromedp.CSS("#password"), "three lazy mules in Turin"))
	v.click("main form button[type=submit]")
	v.see("console-user-add-wrong")
	visit("user-gone", "/users/0000000000000000000000")
	v.open(*v.desk + "/users?q=nobody&lang=" + v.lang)
	v.see("console-users-none")
	v.open(*v.desk + "/users?q=ann&lang=" + v.lang)
	v.click(".rows h2 a")
	v.see("console-user")
	v.open(*v.desk + "/users?q=bob&lang=" + v.lang)
	v.click(".rows h2 a")
	v.do(chromedp.Click(chromedp.CSS("main > .sure > summary")))
	v.see("console-user-disable")
	v.click("main > .sure button")
	v.see("console-user-disabled")
	v.click("button[value=enable]")
	v.serverPages()
	if v.lang == "de" {
		v.click("header form button")
		v.see("console-left")
		v.open(*v.desk + "/")
		v.see("console-closed")
	}
}
