package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A token that was found: the console says whose it is, and ends it. It takes no JavaScript,
// and nothing of the token stands in an address.
func TestConsoleTokens(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	begun := ask(t, at.issuer+"/device_authorization", "scope", "calendar.freebusy:read offline_access")
	ann := newTab(t)
	ann.open(begun["verification_uri_complete"].(string))
	ann.click("main form button")
	ann.signIn("ann")
	ann.click("button[value=allow]")
	ann.click("button[value=authorize]")
	given := ask(t, at.issuer+"/token", "grant_type", "urn:ietf:params:oauth:grant-type:device_code", "device_code", begun["device_code"].(string))
	access, refresh := given["access_token"].(string), given["refresh_token"].(string)

	b := newTab(t)
	b.open(at.console)
	b.click("#open")
	b.click(".nav li:nth-child(6) a")
	paste := func(token string) {
		t.Helper()
		b.do(chromedp.SetValue(chromedp.CSS("#token"), token))
		b.click("main form button")
		for _, place := range []string{b.eval("location.href"), b.eval("document.documentElement.outerHTML")} {
			if len(token) > 40 && strings.Contains(place, token[len(token)-40:]) {
				t.Error("the token comes back")
			}
		}
	}
	paste(refresh)
	b.expect("Refresh token Good", "Ann Example", "calendar.freebusy:read", at.calendar)
	paste(access)
	b.expect("Access token (RFC 9068) Good", "Ann Example", "calendar.freebusy:read", at.calendar)
	b.look("en-console-token")
	b.click("button[value=grant]")
	b.expect("What the app was allowed has ended")
	paste(refresh)
	b.expect("Refresh token Worthless")
	paste(access)
	b.expect("Access token (RFC 9068) Worthless", "It was revoked")
	paste("hello")
	b.expect("That is no token that signet knows")
}

// serverPages are those of the console that are about the server. It is open.
func (v visitor) serverPages() {
	v.t.Helper()
	visit := func(name, path string) {
		v.t.Helper()
		v.open(*v.desk + path + "?lang=" + v.lang)
		v.see("console-" + name)
	}
	// sure opens a question, looks at it, and says yes.
	sure := func(name, action string) {
		v.t.Helper()
		v.do(chromedp.Click(chromedp.CSS("details:has(" + action + ") > summary")))
		v.see("console-" + name + "-sure")
		v.click(action)
		v.see("console-" + name)
	}
	visit("apps", "/apps")
	visit("app-native", "/apps/diary")
	sure("app-disabled", "button[value=disable]")
	v.click("button[value=enable]")
	v.do(chromedp.Click(chromedp.CSS("details:has(button[value=delete]) > summary")))
	v.see("console-app-delete-sure")
	visit("app", "/apps/wiki")
	sure("app-secret", "form[action$='/secret'] button")
	visit("app-gone", "/apps/nobody")
	visit("apis", "/apis")
	visit("keys", "/keys")
	sure("keys-rotated", "form[action$='/rotate'] button")
	sure("key-retired", "form[action$='/retire'] button")
	visit("tokens", "/tokens")
	v.do(chromedp.SetValue(chromedp.CSS("#token"), "hello"))
	v.click("main form button")
	v.see("console-token-none")
	v.do(chromedp.SetValue(chromedp.CSS("#token"), "sgr_"+longName))
	v.click("main form button")
	v.see("console-token-worthless")
	visit("log", "/log")
}
