package scheduler_test

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/signet-id/signet/examples/calendar/scheduler"
	"github.com/signet-id/signet/verify"
)

var (
	inTemplates = regexp.MustCompile(`\bt ("[^"]+")`)
	inCalls     = regexp.MustCompile(`\b(?:date|say)\(lang, [^"\n]*?("[^"]+")`)
)

// texts finds what the pages say: in templates, notices, steps, cheats and claims, and in
// layouts of dates.
var texts = map[string][]*regexp.Regexp{
	"assets/page.html":  {inTemplates},
	"assets/panel.html": {inTemplates},
	"page.go":           {regexp.MustCompile(`notice\{(?:Title: )?("[^"]+"), (?:Text: )?("[^"]+")(?:, ("[^"]+"))?`)},
	"trace.go":          {regexp.MustCompile(`step\{("[^"]+"), ("[^"]*")`)},
	"cheats.go":         {regexp.MustCompile(`(?:Button: |Why: )("[^"]+")`), regexp.MustCompile(`step\{("[^"]+")(?:, ("[^"]+"))?`)},
	"claims.go":         {regexp.MustCompile(`\t\{"\w+", ("[^"]+")\},`), regexp.MustCompile(`return ("[a-z ]+")`)},
	"week.go":           {inCalls},
	"language.go":       {inCalls},
}

var place = regexp.MustCompile(`%[a-z]`)

// Each text of the pages is there in German, with the same places for arguments, and no other.
func TestGerman_HasEachText(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for name, patterns := range texts {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, pattern := range patterns {
			for _, m := range pattern.FindAllStringSubmatch(string(source), -1) {
				for _, quoted := range m[1:] {
					if text, err := strconv.Unquote(quoted); err == nil && text != "" {
						found[text] = true
					}
				}
			}
		}
	}
	for text := range found {
		if scheduler.German[text] == "" {
			t.Errorf("no German for %q", text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(scheduler.German)) {
		if !found[text] {
			t.Errorf("German has %q, the pages have not", text)
		}
		if want, got := place.FindAllString(text, -1), place.FindAllString(scheduler.German[text], -1); !slices.Equal(got, want) {
			t.Errorf("%q has places %q, in German %q", text, want, got)
		}
	}
}

// The language is the browser's at each page, also for what was kept before.
func TestPages_InGerman(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, _ := w.connected()
	p.lang = "de-DE,de;q=0.9,en;q=0.8"
	p.get("/").expect(t, `<html lang="de">`, "Wählen Sie eine freie Stunde", "2. März – 6. März 2026", "Die App kauft mit dem Code Tokens", "endet von selbst in 5 min", "vor 0,")
	p.get("/book?start=2026-03-05T10:00:00Z").expect(t, "Donnerstag, 5. März, 10:00 bis 11:00 Uhr", `value="Kaffee mit Bob"`)
	p.post("/cheat", url.Values{"cheat": {"events"}}).expect(t, "Ihre Termine lesen: abgewiesen", "unser Token nicht enthält", `<code lang="en">`)
	w.set(func() { w.over = true })
	w.iss.Revoke(verify.Rule{Kind: verify.RuleGrant, ID: "grant-1"})
	w.await(http.StatusUnauthorized)
	p.get("/").expect(t, "Der Kalender wusste es 0\u00a0ms nach Ihrem Widerruf.", "Hätte noch gegolten</dt><dd>5 min")
}
