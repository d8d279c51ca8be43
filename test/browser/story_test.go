// Package browser_test lives the story of the demo in Chromium: what no other test sees
// is what a browser does with our headers, cookies, forms, styles and scripts.
package browser_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
)

const password = "correct horse battery staple"

// signIn fills in the login page on which the tab is.
func (b *tab) signIn(username string) {
	b.t.Helper()
	b.do(
		chromedp.SetValue(chromedp.CSS("input[name=username]"), username),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), password),
	)
	b.click("form button:not([type=button])")
}

// TOK-12, OAU-15, OAU-16: the whole story, with a look at every page on the way.
func TestStory(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	b := newTab(t)

	b.open(at.calendar + "/")
	b.expect("Your week, and nobody else’s business")
	b.look("calendar-welcome")

	b.click(`a[href="/login"]`)
	b.expect("Sign in", "to continue to Calendar")
	b.look("signet-login")
	b.signIn("ann")
	b.expect("Ann Example’s week", "Doctor", "Job interview")
	b.do(chromedp.Click(chromedp.CSS("summary")))
	b.expect("only here: every other service refuses it", at.calendar, "Key downloads", "Questions about a token")
	b.look("calendar-week")

	b.open(at.scheduler + "/")
	b.look("scheduler-welcome")
	b.click(`a[href="/connect"]`)
	b.expect("Friendly Scheduler", "See when you are busy", "Add meetings to your calendar", "See your password", "Read your events")
	b.look("signet-consent")
	b.click("button[value=cancel]")
	b.expect("No problem!")
	b.look("scheduler-declined")

	b.click(`a[href="/connect"]`)
	b.click("button[value=authorize]")
	b.expect("Pick a free hour", "Busy")
	b.expectNot("Doctor", "interview")
	b.look("scheduler-week")
	b.click(".free a")
	b.look("scheduler-book")
	b.click("form.card button")
	b.expect("Booked for you", "Coffee with Bob")
	b.look("scheduler-booked")
	b.cheat("events", "not what you do", "HTTP 403", "insufficient_scope", "calendar.events:read")

	b.open(at.calendar + "/")
	b.expect("Coffee with Bob", "added by Friendly Scheduler")
	b.look("calendar-added")

	b.open(at.issuer + "/dev/mail")
	b.expect("Friendly Scheduler")
	b.look("signet-mail")
	b.open(at.issuer + "/account/apps")
	b.expect("Friendly Scheduler")
	b.look("signet-apps")
	b.revoke("friendly-scheduler")
	b.expectNot("See when you are busy, not")
	b.look("signet-apps-revoked")

	b.open(at.scheduler + "/")
	b.expect("access was revoked", "Connect again", "Refused by", at.calendar, "Would have been good for")
	b.expectMatch(`The calendar knew \d+ ms after you revoked it\.`, `revocation event received \d+ ms after it was made`, `Would have been good for\s+[1-4] min`)
	b.look("scheduler-revoked")

	b.click(`a[href="/connect"]`)
	b.click("button[value=authorize]")
	b.click(`form[action="/disconnect"] button`)
	b.expect("All forgotten")
	b.look("scheduler-disconnected")

	b.open(at.calendar + "/")
	if state := b.eval(`(() => {
		const form = document.querySelector('form[action="/signout"]');
		form.addEventListener("submit", e => e.preventDefault(), {once: true});
		form.requestSubmit();
		return String(stream.readyState);
	})()`); state != "2" {
		t.Errorf("the calendar loads itself again while it is left: the stream's state is %s, not closed", state)
	}
	b.click(`form[action="/signout"] button`)
	b.expect("Sign in")
	b.open(at.calendar + "/")
	b.expectNot("Marriage counselling")
}

// revoke presses the app's button, and the question behind it if there is one.
func (b *tab) revoke(clientID string) {
	b.t.Helper()
	form := `form:has(input[name=client_id][value="` + clientID + `"])`
	b.eval(`(() => { const d = document.querySelector('` + form + `').closest("details"); if (d) d.open = true; return "" })()`)
	b.click(form + " button")
}

// A page that is open is closed when its person signs out elsewhere, and shows what an
// app added, without anybody pressing reload.
func TestLivePage(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	b := newTab(t)
	b.open(at.calendar + "/login")
	b.signIn("bob")
	b.expect("Bob Example’s week")
	b.load("sign out elsewhere", b.signOutElsewhere(at.issuer))
	b.expect("You have been signed out", "ms later")
	b.look("calendar-signed-out")
}

// signOutElsewhere ends all sessions of this browser from a second window of it. The
// first window is not touched: what it shows then, it has heard from the calendar.
func (b *tab) signOutElsewhere(issuer string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		window, cancel := chromedp.NewContext(b.ctx)
		defer cancel()
		if err := chromedp.Do(window, chromedp.Navigate(issuer+"/logout")); err != nil {
			return err
		}
		_, err := chromedp.RunResponse(window, chromedp.Click(chromedp.CSS("main form button")))
		return err
	})
}

// What the demo's apps say to an answer that is not for them.
func TestNotYours(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	b := newTab(t)
	b.open(at.scheduler + "/callback?state=x")
	b.look("scheduler-not-yours")
	b.open(at.calendar + "/callback?state=x")
	b.look("calendar-not-yours")
}
