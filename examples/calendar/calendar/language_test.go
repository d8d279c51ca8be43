package calendar_test

import (
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/signet-id/signet/examples/calendar/calendar"
)

// texts finds what the pages say: in templates, in notices, in the weeks that people are
// born with, and in layouts of dates.
var texts = map[string]*regexp.Regexp{
	"assets/page.html": regexp.MustCompile(`\bt ("[^"]+")`),
	"page.go":          regexp.MustCompile(`(?:Title: |Text: |Button: |\bdate\([^"\n]*?)("[^"]+")`),
	"agenda.go":        regexp.MustCompile(`\d, \d+, \d+, \d+, ("[^"]+")\}`),
}

var place = regexp.MustCompile(`%[a-z]`)

// Each text of the pages is there in German, with the same places for arguments, and no other.
func TestGerman_HasEachText(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for name, pattern := range texts {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pattern.FindAllStringSubmatch(string(source), -1) {
			text, err := strconv.Unquote(m[1])
			if err != nil {
				t.Fatal(err)
			}
			found[text] = true
		}
	}
	for text := range found {
		if calendar.German[text] == "" {
			t.Errorf("no German for %q", text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(calendar.German)) {
		if !found[text] {
			t.Errorf("German has %q, the pages have not", text)
		}
		if want, got := place.FindAllString(text, -1), place.FindAllString(calendar.German[text], -1); !slices.Equal(got, want) {
			t.Errorf("%q has places %q, in German %q", text, want, got)
		}
	}
}

// The browser's wish decides; what cannot be read is no wish (RFC 9110 §12.5.4).
func TestLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for header, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "DE": "de", "fr, de;q=0.5": "de", "en, de;q=0.9": "en", "de;q=0.1, en;q=0.9": "en",
		"fr": "en", "*": "en", "de;q=0": "en", "de;q=x": "en", "den": "en", "<script>": "en", ",;,;q=,": "en", strings.Repeat("de-", 1000): "de",
	} {
		if res := w.api(http.MethodGet, "/", "", "", "Accept-Language", header); !strings.Contains(res.body, `<html lang="`+want+`">`) {
			t.Errorf("%.20q: not %s", header, want)
		}
	}
}

func TestWeek_InGerman(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Language", "de")
	res := do(t, b, req)
	for _, want := range []string{"Woche von Ann Example", "2. März – 6. März 2026", "Mittwoch <small>4.3., heute", "Arzttermin", "Unter der Haube"} {
		if !strings.Contains(res.body, want) {
			t.Errorf("the week does not say %q: %s", want, res.body)
		}
	}
	if strings.Contains(res.body, secretTitle) {
		t.Error("an English entry is left")
	}
}
