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
	b.expect(append(texts, map[string]string{"en": ": refused", "de": ": abgewiesen"}[b.lang])...)
	b.look(b.named("scheduler-cheat-" + id))
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

// inGerman is what the pages say to a person who reads German.
var inGerman = map[string]string{
	"Try to cheat":                                        "Versuchen Sie zu schummeln",
	"whoever holds one can use it":                        "Wer eines hat, kann es verwenden",
	"with another key":                                    "mit einem anderen Schlüssel",
	"without a proof":                                     "ohne Nachweis",
	"only here: every other service refuses it":           "nur hier: Jeder andere Dienst weist es ab",
	`ends by itself in (4 min \d+|5 min \d) s`:            `endet von selbst in (4 min \d+|5 min \d) s`,
	`Key downloads\s+1`:                                   `Schlüssel geladen\s+1`,
	`Questions about a token\s+0`:                         `Fragen zu einem Token\s+0`,
	`Requests checked\s+[1-9]`:                            `Geprüfte Anfragen\s+[1-9]`,
	`Confirmed\s+\d+\.\d s ago`:                           `Bestätigt\s+vor \d+,\d s`,
	"whoever gets hold of it can use it nowhere else":     "Wer es in die Hände bekommt, kann es nirgends sonst verwenden",
	"not what signet has signed":                          "nicht mehr das, was signet signiert hat",
	"A code works once":                                   "Ein Code gilt einmal",
	"revocation event received":                           "die Nachricht vom Widerruf kam",
	"everything is forgotten here":                        "Hier ist alles vergessen",
	"Pick a free hour":                                    "Wählen Sie eine freie Stunde",
	"nine uses old":                                       "schon neunmal ersetzt",
	"A sign-in code of Friendly Scheduler was used twice": "Ein Anmeldecode von Friendly Scheduler wurde zweimal verwendet",
	"A key of Friendly Scheduler was used twice":          "Ein Schlüssel von Friendly Scheduler wurde zweimal verwendet",
	"bound to a key":                                      "an einen Schlüssel gebunden",
	"worth nothing without a proof of that key":           "ohne dessen Nachweis nichts wert",
	"does not have that key":                              "hat diesen Schlüssel nicht",
	"needs a new proof":                                   "braucht einen neuen Nachweis",
	"Back to the beginning":                               "Zurück auf Anfang",
	"See when you are busy":                               "Sehen, wann Sie beschäftigt sind",
}

// says is a text of the pages in the person's language.
func (b *tab) says(text string) string {
	b.t.Helper()
	if b.lang == "en" {
		return text
	}
	if inGerman[text] == "" {
		b.t.Fatalf("what is %q in German?", text)
	}
	return inGerman[text]
}

// TOK-02, TOK-14, OAU-04, OAU-09: every cheat of the demo, and what its panel says.
func TestUnderTheHood(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "de"} {
		t.Run(lang, func(t *testing.T) { underTheHood(t, lang) })
	}
}

func underTheHood(t *testing.T, lang string) {
	t.Parallel()
	at := startStack(t)
	b := newTabIn(t, lang)
	says := b.says
	b.open(at.calendar + "/login")
	b.signIn("ann")
	b.open(at.scheduler + "/connect")
	b.click("button[value=authorize]")
	b.expect(says("Try to cheat"), says("whoever holds one can use it"))
	b.expectNot(says("with another key"), says("without a proof"))
	b.openPanel()
	b.expect("RFC 9126 §2.1", "RFC 9207 §2", "RFC 6749 §4.1.3", "RFC 7636 §4.5", "RFC 6750 §2.1",
		says("only here: every other service refuses it"), "friendly-scheduler", "calendar.freebusy:read calendar.meetings:write", "iss = "+at.issuer)
	b.expectMatch(says(`ends by itself in (4 min \d+|5 min \d) s`), says(`Key downloads\s+1`), says(`Questions about a token\s+0`), says(`Requests checked\s+[1-9]`), says(`Confirmed\s+\d+\.\d s ago`))
	b.look(b.named("scheduler-panel"))

	b.cheat("userinfo", says("whoever gets hold of it can use it nowhere else"), "HTTP 401", "invalid_token")
	b.click(`main a[href="/"]`)
	b.cheat("byte", says("not what signet has signed"), "HTTP 401", "invalid_token")
	b.click(`main a[href="/"]`)
	b.cheat("code", says("A code works once"), "HTTP 400", "invalid_grant", "HTTP 401", says("revocation event received"), says("everything is forgotten here"))
	b.click(`main a.button`)
	b.expect(says("Pick a free hour"))
	b.cheat("refresh", says("nine uses old"), "HTTP 400", "invalid_grant", "HTTP 401", says("revocation event received"))
	b.click(`main a[href$="/security"]`)
	b.expect(says("A sign-in code of Friendly Scheduler was used twice"), says("A key of Friendly Scheduler was used twice"))

	b.open(at.scheduler + "/")
	b.click(`main a[href^="/connect?dpop"]`)
	b.expect(says("bound to a key"))
	b.openPanel()
	b.expect("RFC 9449 §4", "cnf", says("worth nothing without a proof of that key"))
	b.look(b.named("scheduler-panel-bound"))
	b.cheat("key", says("does not have that key"), "HTTP 401", "DPoP realm")
	b.click(`main a[href="/"]`)
	b.cheat("bearer", says("needs a new proof"), "HTTP 401", "Bearer realm")

	b.click(`form[action="/reset"] button`)
	b.expect(says("Back to the beginning"))
	b.look(b.named("scheduler-reset"))
	b.click("main a.button")
	b.expect(says("See when you are busy"))
	if to, err := url.Parse(b.eval("location.href")); err != nil || to.Path != "/consent" {
		t.Errorf("after a reset, nobody is asked: %v %v", to, err)
	}
}
