package browser_test

import "testing"

// The demo's other pages as a person sees them who reads German; the panel is in
// TestUnderTheHood.
func TestDemo_InGerman(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	b := newTabIn(t, "de")
	see := func(page string, texts ...string) {
		t.Helper()
		if lang := b.eval("document.documentElement.lang"); lang != "de" {
			t.Errorf("%s is in %q", page, lang)
		}
		b.expect(texts...)
		b.look(b.named(page))
	}
	b.open(at.calendar + "/callback?state=x")
	see("calendar-not-yours", "Diese Antwort gehört zu einem anderen Besuch")
	b.open(at.calendar + "/")
	see("calendar-welcome", "Ihre Woche geht sonst niemanden etwas an")
	b.click(`a[href="/login"]`)
	b.signIn("ann")
	b.eval(`document.querySelector("details").open = true, ""`)
	see("calendar-week", "Woche von Ann Example", "Montag", "Arzttermin", "Fragen zu einem Token")

	b.open(at.scheduler + "/callback?state=x")
	see("scheduler-not-yours", "Diese Antwort war nicht für diesen Besuch")
	b.open(at.scheduler + "/")
	see("scheduler-welcome", "Kalender verbinden")
	b.click(`a[href="/connect"]`)
	b.click("button[value=cancel]")
	see("scheduler-declined", "Kein Problem!")
	b.click(`a[href="/connect"]`)
	b.click("button[value=authorize]")
	see("scheduler-week", "Wählen Sie eine freie Stunde", "Belegt")
	b.click(".free a")
	see("scheduler-book", "Diese Stunde buchen?", "bis ")
	b.click("form.card button")
	see("scheduler-booked", "Für Sie gebucht", "Kaffee mit Bob")
	b.cheat("events", "nicht was Sie tun", "HTTP 403", "insufficient_scope")
	b.open(at.calendar + "/")
	see("calendar-added", "Kaffee mit Bob", "von Friendly Scheduler")

	b.open(at.issuer + "/account/apps")
	b.revoke("friendly-scheduler")
	b.open(at.scheduler + "/")
	see("scheduler-revoked", "Sie haben uns getrennt", "Abgewiesen von")
	b.click(`a[href="/connect"]`)
	b.click("button[value=authorize]")
	b.click(`form[action="/disconnect"] button`)
	see("scheduler-disconnected", "Alles vergessen")
	b.open(at.calendar + "/")
	b.load("sign out elsewhere", b.signOutElsewhere(at.issuer))
	see("calendar-signed-out", "Sie wurden abgemeldet", "ms später")
}
