package web

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/text/language"

	"github.com/signet-id/signet/internal/idp"
)

// languageCookie keeps the language that a person chose at the foot of a page. It is only
// ever one of our languages, so a stranger's link can do no worse than change it.
const (
	languageCookie = "__Host-signet-lang"
	languageParam  = "lang"
	languageAge    = 365 * 24 * 60 * 60 // seconds
)

// A languageLink shows the page that is open in another language.
type languageLink struct{ Lang, Name, Address string }

// chosen returns the language that the person chose: just now by a link, or before.
func chosen(r *http.Request) (words, bool) {
	if w, ok := inCatalogues(linked(r)); ok {
		return w, true
	}
	c, err := r.Cookie(languageCookie)
	if err != nil {
		return words{}, false
	}
	return inCatalogues(c.Value)
}

// linked is what the address says; empty for nearly all.
func linked(r *http.Request) string {
	if !strings.Contains(r.URL.RawQuery, languageParam+"=") || len(r.URL.RawQuery) > maxSwitched {
		return ""
	}
	return r.URL.Query().Get(languageParam)
}

// keepLanguage remembers what was chosen just now.
func keepLanguage(w http.ResponseWriter, r *http.Request) {
	if _, ok := inCatalogues(linked(r)); !ok {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: languageCookie, Value: linked(r), Path: "/", MaxAge: languageAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// rememberingLanguage does so before the page is written.
func rememberingLanguage(next page) page {
	return func(w http.ResponseWriter, r *http.Request) error {
		keepLanguage(w, r)
		return next(w, r)
	}
}

func inCatalogues(lang string) (words, bool) {
	for _, w := range catalogues {
		if w.Lang == lang {
			return w, true
		}
	}
	return words{}, false
}

// maxSwitched bounds the query that is repeated in the links, in bytes.
const maxSwitched = 4 << 10

// inOtherLanguages adds links to the same page in the other languages. They consist of a
// query only: whatever the path is, they lead nowhere else.
func (w words) inOtherLanguages(r *http.Request) words {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > maxSwitched {
		return w
	}
	for _, other := range catalogues {
		if other.Lang != w.Lang {
			query.Set(languageParam, other.Lang)
			w.Languages = append(w.Languages, languageLink{other.Lang, other.text["language.name"], "?" + query.Encode()})
		}
	}
	return w
}

// once is for pages that cannot be shown again: their answer has been given.
func (w words) once() words {
	w.Languages = nil
	return w
}

// forMail is the language in which the person is written to: that of their profile if we
// have it, else that of the page.
func (w words) forMail(u idp.User) words {
	tag, err := language.Parse(u.Profile.Locale)
	if err != nil {
		return w
	}
	if _, i, confidence := matcher.Match(tag); confidence > language.No {
		return catalogues[i]
	}
	return w
}
