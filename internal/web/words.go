package web

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// words are the texts of one language. The catalogues have the same keys.
type words struct {
	Lang      string // for the lang attribute
	Languages []languageLink
	text      map[string]string
}

var (
	// catalogues, the language for everybody else first.
	catalogues = []words{{Lang: "en", text: english}, {Lang: "de", text: german}}
	matcher    = language.NewMatcher([]language.Tag{language.English, language.German})
)

// joined is one catalogue of two that share no key.
func joined(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

const maxLanguages = 200 // bytes of a wish that are read

// words chooses a language: what the person chose at the foot of a page, else what the app
// asked for (ui_locales, OpenID Connect Core §3.1.2.1), else what the browser prefers
// (Accept-Language).
func (s *site) words(r *http.Request, uiLocales []string) words {
	if w, ok := chosen(r); ok {
		return w.inOtherLanguages(r)
	}
	return wished(r, uiLocales).inOtherLanguages(r)
}

func wished(r *http.Request, uiLocales []string) words {
	wishes := append(clipAll(uiLocales), clip(r.Header.Get("Accept-Language"), maxLanguages))
	for _, wish := range wishes {
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, i, confidence := matcher.Match(tags...); confidence > language.No {
			return catalogues[i]
		}
	}
	return catalogues[0]
}

func clipAll(list []string) []string {
	var short []string
	for _, s := range list[:min(len(list), 5)] {
		short = append(short, clip(s, maxLanguages))
	}
	return short
}

func clip(s string, n int) string { return s[:min(len(s), n)] }

// T returns a text with its arguments put in.
func (w words) T(key string, args ...any) string {
	text, ok := w.text[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Has reports whether there is a text.
func (w words) Has(key string) bool {
	_, ok := w.text[key]
	return ok
}

// N returns a text that depends on a number: key.one or key.other. One may be said
// without a figure.
func (w words) N(key string, n int) string {
	if n != 1 {
		return w.T(key+".other", n)
	}
	return strings.ReplaceAll(w.T(key+".one"), "%d", "1")
}

// A sentence is a text around a name, for templates that emphasise the name.
type sentence struct{ Before, Name, After string }

// Around splits the text where its one %s is. The parts are escaped by the template.
func (w words) Around(key, name string) sentence {
	before, after, _ := strings.Cut(w.T(key), "%s")
	return sentence{before, name, after}
}

// translate finds the text of another package in the English catalogue and returns it in
// this language; an unknown text stays as it is.
func (w words) translate(text string) string {
	if known, ok := w.known(text); ok {
		return known
	}
	return text
}

// known is what an English text of the catalogue is in this language.
func (w words) known(text string) (string, bool) {
	for key, known := range english {
		if known == text && w.Has(key) {
			return w.text[key], true
		}
	}
	return "", false
}

// Wait says how long to wait, rounded up.
func (w words) Wait(d time.Duration) string {
	if d > 90*time.Minute {
		return w.N("wait.hours", roundUp(d, time.Hour))
	}
	if d > 90*time.Second {
		return w.N("wait.minutes", roundUp(d, time.Minute))
	}
	return w.N("wait.seconds", max(1, roundUp(d, time.Second)))
}

func roundUp(d, unit time.Duration) int { return int((d + unit - 1) / unit) }

// An instant is a time as pages show it. People's time zones are not known here, so
// words say how long ago it was.
type instant struct {
	Words   string // "5 minutes ago"
	Exact   string // "3 May 2026, 14:05 UTC"
	Machine string // for <time datetime>
}

func (w words) instant(t, now time.Time) instant {
	t = t.UTC()
	i := instant{Exact: w.T("time.exact", w.date(t), t.Format("15:04")), Machine: t.Format(time.RFC3339)}
	switch ago := now.Sub(t); {
	case ago < time.Minute:
		i.Words = w.T("time.now")
	case ago < time.Hour:
		i.Words = w.N("time.minutes", int(ago/time.Minute))
	case ago < 24*time.Hour:
		i.Words = w.N("time.hours", int(ago/time.Hour))
	case ago < 30*24*time.Hour:
		i.Words = w.N("time.days", int(ago/(24*time.Hour)))
	default:
		i.Words = w.T("time.date", w.date(t))
	}
	return i
}

func (w words) date(t time.Time) string {
	return w.T("date", t.Day(), w.T("month."+t.Format("01")), t.Year())
}
