package browser_test

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"
)

// cheat presses one of the scheduler's buttons and looks at what comes of it.
func (b *tab) cheat(id string, texts ...string) {
	b.t.Helper()
	b.click(`button[name=cheat][value="` + id + `"]`)
	b.expect(append(texts, ": refused")...)
	b.look("scheduler-cheat-" + id)
}

func (b *tab) expectMatch(expressions ...string) {
	b.t.Helper()
	shown := b.text()
	for _, expression := range expressions {
		if !regexp.MustCompile(expression).MatchString(shown) {
			b.t.Errorf("the page %s has nothing like %q but:\n%s", b.eval("document.title"), expression, shown)
		}
	}
}

// openPanel opens the drawer, and each exchange in it.
func (b *tab) openPanel() {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS("summary")))
	b.eval(`document.querySelectorAll("details details").forEach(d => { d.open = true }), ""`)
}

// TOK-02, TOK-14, OAU-04, OAU-09: every cheat of the demo, and what its panel says.
func TestUnderTheHood(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	b := newTab(t)
	b.open(at.calendar + "/login")
	b.signIn("ann")
	b.open(at.scheduler + "/connect")
	b.click("button[value=authorize]")
	b.expect("Try to cheat", "whoever holds one can use it")
	b.expectNot("with another key", "without a proof")
	b.openPanel()
	b.expect("RFC 9126 §2.1", "RFC 9207 §2", "RFC 6749 §4.1.3", "RFC 7636 §4.5", "RFC 6750 §2.1",
		"only here: every other service refuses it", "friendly-scheduler", "calendar.freebusy:read calendar.meetings:write", "iss = "+at.issuer)
	b.expectMatch(`ends by itself in (4 min \d+|5 min \d) s`, `Key downloads\s+1`, `Questions about a token\s+0`, `Requests checked\s+[1-9]`)
	b.look("scheduler-panel")

	b.cheat("userinfo", "whoever gets hold of it can use it nowhere else", "HTTP 401", "invalid_token")
	b.click(`main a[href="/"]`)
	b.cheat("byte", "not what signet has signed", "HTTP 401", "invalid_token")
	b.click(`main a[href="/"]`)
	b.cheat("code", "A code works once", "HTTP 400", "invalid_grant", "HTTP 401", "revocation event received", "everything is forgotten here")
	b.click(`main a.button`)
	b.expect("Pick a free hour")
	b.cheat("refresh", "nine uses old", "HTTP 400", "invalid_grant", "HTTP 401", "revocation event received")
	b.click(`main a[href$="/security"]`)
	b.expect("A sign-in code of Friendly Scheduler was used twice", "A key of Friendly Scheduler was used twice")

	b.open(at.scheduler + "/")
	b.click(`main a[href^="/connect?dpop"]`)
	b.expect("bound to a key")
	b.openPanel()
	b.expect("RFC 9449 §4", "cnf", "worth nothing without a proof of that key")
	b.look("scheduler-panel-bound")
	b.cheat("key", "does not have that key", "HTTP 401", "DPoP realm")
	b.click(`main a[href="/"]`)
	b.cheat("bearer", "needs a new proof", "HTTP 401", "Bearer realm")

	b.click(`form[action="/reset"] button`)
	b.expect("Back to the beginning")
	b.look("scheduler-reset")
	b.click("main a.button")
	b.expect("See when you are busy")
	if to, err := url.Parse(b.eval("location.href")); err != nil || to.Path != "/consent" {
		t.Errorf("after a reset, nobody is asked: %v %v", to, err)
	}
}
