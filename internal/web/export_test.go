package web

import (
	"regexp"
	"strings"
	"time"
)

// Routes lists method and path of every page.
func (p *Pages) Routes() []string {
	var list []string
	for _, r := range p.routes {
		list = append(list, r.method+" "+r.path)
	}
	return list
}

// Routes lists method and path of every page that needs the cookie.
func (c *Console) Routes() []string {
	var list []string
	for _, r := range c.table() {
		list = append(list, r.method+" "+c.base+r.path)
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

// Check reports whether the colours would be taken.
func (c Colours) Check() error {
	_, err := c.stylesheet()
	return err
}

// Hex writes a colour.
func Hex(n uint32) string { return colour(n).String() }

// Pairs are the contrasts of what is made of an accent.
func (c Colours) Pairs() map[string]float64 {
	css, err := c.stylesheet()
	if err != nil {
		panic(err)
	}
	day, night, _ := strings.Cut(css, "@media")
	pairs := map[string]float64{}
	for name, text := range map[string]string{"light": day, "dark": night} {
		t := light
		if name == "dark" {
			t = dark
		}
		token := map[string]colour{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			token[m[1]], _ = parseColour(m[2])
		}
		for _, ground := range []colour{t.surface, t.canvas, t.sunken} {
			pairs[name+" accent on "+ground.String()] = contrast(token["accent"], ground)
			pairs[name+" hovered on "+ground.String()] = contrast(token["accent-deep"], ground)
		}
		pairs[name+" button"] = contrast(token["on-accent"], token["accent"])
		pairs[name+" hovered button"] = contrast(token["on-accent"], token["accent-deep"])
		pairs[name+" tint"] = contrast(token["tint-ink"], token["tint"])
	}
	return pairs
}

// ThemeTokens are what both themes take from style.css.
func ThemeTokens() map[string]map[string]string {
	of := func(t theme) map[string]string {
		return map[string]string{
			"canvas": t.canvas.String(), "surface": t.surface.String(), "sunken": t.sunken.String(), "ink": t.ink.String(), "muted": t.faint.String(), "edge": t.edge.String(), "accent": t.accent.String(),
		}
	}
	return map[string]map[string]string{"light": of(light), "dark": of(dark)}
}
