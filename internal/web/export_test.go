package web

import "time"

// Routes lists method and path of every page.
func (p *Pages) Routes() []string {
	var list []string
	for _, r := range p.routes {
		list = append(list, r.method+" "+r.path)
	}
	return list
}

// Catalogues by language.
var Catalogues = map[string]map[string]string{"en": english, "de": german}

// Texts of a language.
func Texts(lang string) words {
	for _, w := range catalogues {
		if w.Lang == lang {
			return w
		}
	}
	panic(lang)
}

// Ago tells a time in words.
func Ago(lang string, ago time.Duration) string {
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	return Texts(lang).instant(now.Add(-ago), now).Words
}

var (
	OneLine   = oneLine
	LeadingTo = leadingTo
	DeviceOf  = deviceOf
	Templates = templateFiles
)

// Destination says in words where a redirect URI leads.
func Destination(uri string) (kind, name string) {
	d := destinationOf(uri)
	return d.Kind, d.Name
}
