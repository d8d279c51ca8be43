package calendar

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// pages are the page in each language that there is.
var pages = map[string]*template.Template{"en": in("en"), "de": in("de")}

func in(lang string) *template.Template {
	return template.Must(template.New("page.html").Funcs(template.FuncMap{
		"lang": func() string { return lang },
		"t":    func(text string, args ...any) string { return say(lang, text, args...) },
	}).ParseFS(assets, "assets/page.html"))
}

// languageOf is the one of our languages that the browser likes best (RFC 9110 §12.5.4).
func languageOf(r *http.Request) string {
	lang, best := "en", 0.0
	for wish := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, weight, weighed := strings.Cut(wish, ";")
		tag, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if weighed {
			q, _ = strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		}
		if pages[tag] != nil && q > best {
			lang, best = tag, q
		}
	}
	return lang
}

// say returns an English text in a language, with its arguments put in.
func say(lang, text string, args ...any) string {
	format := text
	if translated, ok := german[text]; ok && lang == "de" {
		format = translated
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// date writes a time in a layout that is a text like any other.
func date(lang string, t time.Time, layout string) string {
	s := t.Format(say(lang, layout))
	if lang == "de" {
		s = germanNames.Replace(s)
	}
	return s
}
