package web_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/web"
)

const drawnLogo = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><title>Example</title>` +
	`<defs><linearGradient id="a"><stop offset="0" stop-color="#123"/></linearGradient></defs><rect width="120" height="40" fill="url(#a)" style="opacity:.5"/></svg>`

// An operator's name, logos, colours, note and links are on the pages, from this server.
func TestBrand_IsShown(t *testing.T) {
	t.Parallel()
	png := square(t, 64)["image/png"]
	wd := newWorld(t, func(c *web.Config) {
		c.Brand = web.Brand{
			Name: "Example & Sons", Logo: png, LogoDark: []byte(drawnLogo), Colours: web.Colours{Accent: "#1d4ed8", Background: "#f4f6fb"},
			LoginNote: map[string]string{"en": "Use your <staff> account."}, Support: "help@example.com", Imprint: "https://example.com/imprint", Privacy: "javascript:alert(1)",
		}
	})
	b := wd.browser()
	page := b.get("/login")
	for _, part := range []string{"<title>Sign in · Example &amp; Sons</title>", "Use your &lt;staff&gt; account.", `href="mailto:help@example.com">Help<`, `href="https://example.com/imprint">Imprint<`, "<span>Example &amp; Sons</span>"} {
		if !strings.Contains(page.body, part) {
			t.Errorf("%s is not on the page: %s", part, page.body)
		}
	}
	if strings.Contains(page.body, "javascript:") || strings.Contains(page.body, ">Privacy<") {
		t.Error("a link that runs")
	}
	paths := regexp.MustCompile(`(?:href|src|srcset)="(/assets/(?:logo|theme)[^"]*)"`).FindAllStringSubmatch(page.body, -1)
	served := map[string]string{}
	for _, m := range paths {
		a := b.get(m[1])
		if a.status != http.StatusOK || a.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %v", m[1], a.status, a.header)
		}
		served[a.header.Get("Content-Type")] = a.body
	}
	if len(paths) != 4 || served["image/png"] != string(png) || served["image/svg+xml"] != drawnLogo || // the icon of the tab is the logo
		!strings.Contains(served["text/css; charset=utf-8"], "--accent: #1d4ed8;") || !strings.Contains(served["text/css; charset=utf-8"], "--canvas: #f4f6fb;") {
		t.Errorf("%q", served)
	}
	german := wd.browser()
	german.header.Set("Accept-Language", "de")
	if text := german.get("/login").text(); !strings.Contains(text, "Use your <staff> account.") || !strings.Contains(text, "Hilfe Impressum") {
		t.Errorf("in German: %s", text)
	}
	if body := german.get("/login").body; !strings.Contains(body, `lang="en">Use your`) {
		t.Errorf("the English note is not marked: %s", body)
	}
}

// A logo that is wide has the name in it: it is not said twice, and no icon of a tab.
func TestBrand_WideLogo(t *testing.T) {
	t.Parallel()
	wd := newWorld(t, func(c *web.Config) { c.Brand = web.Brand{Name: "Example", Logo: []byte(drawnLogo)} })
	page := wd.browser().get("/login")
	if strings.Contains(page.body, "<span>Example</span>") || !regexp.MustCompile(`<img src="/assets/logo\.[0-9a-f]+\.svg" alt="Example"`).MatchString(page.body) ||
		!strings.Contains(page.body, `<link rel="icon" type="image/svg&#43;xml" href="/assets/icon.`) {
		t.Error(page.body)
	}
}

// SES-06: a file that is no picture, or a picture that does something, stops the start.
func TestBrand_SES06_LogoIsOnlyAPicture(t *testing.T) {
	t.Parallel()
	in := func(s string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">` + s + `</svg>`
	}
	for name, logo := range map[string]string{
		"text":              "hello",
		"HTML":              "<!doctype html><script>alert(1)</script>",
		"script":            in("<script>alert(1)</script>"),
		"event handler":     in(`<rect onload="alert(1)"/>`),
		"on the root":       `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`,
		"HTML within":       in(`<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>`),
		"other namespace":   `<svg xmlns="http://www.w3.org/1999/xhtml"/>`,
		"no namespace":      "<svg/>",
		"link":              in(`<a href="https://evil.example/">x</a>`),
		"picture elsewhere": in(`<image href="https://evil.example/x.png"/>`),
		"use elsewhere":     in(`<use xlink:href="https://evil.example/x.svg#a"/>`),
		"use a script":      in(`<use href=" java script:alert(1)"/>`),
		"fill elsewhere":    in(`<rect fill="url( https://evil.example/x)"/>`),
		"style elsewhere":   in(`<rect style="fill:u\72l(https://evil.example/)"/>`),
		"style sheet":       in(`<style>@import "https://evil.example/x.css"</style>`),
		"animation":         in(`<use href="#a"><set attributeName="href" to="javascript:alert(1)"/></use>`),
		"entities":          `<!DOCTYPE svg [<!ENTITY a "x">]>` + in("&a;"),
		"style sheet of it": `<?xml-stylesheet href="https://evil.example/x.css"?>` + in(""),
		"cut off":           strings.TrimSuffix(in("<g>"), "</svg>"),
		"too many pixels":   string(square(t, 2000)["image/png"]),
		"too many bytes":    in(strings.Repeat("<g></g>", 40_000)),
		"nothing but XML":   `<?xml version="1.0"?>`,
	} {
		_, err := web.New(web.Config{Issuer: issuer, Brand: web.Brand{Logo: []byte(logo)}})
		if err == nil || !strings.Contains(err.Error(), "brand.logo: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// WCAG 2.2 §1.4.3: colours in which nobody could read stop the start; the error says the
// contrast, the one that is needed, and a colour that would do, which it does.
func TestBrand_WCAG_1_4_3_Contrast(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		colours web.Colours
		want    string
	}{
		"yellow links":         {web.Colours{Accent: "#ffd400"}, `brand.accent: #ffd400 on #f0efe8 has a contrast of 1.2[0-9]? to 1, and text in it needs 4.5 to 1; write a darker colour, like (#[0-9a-f]{6})`},
		"just too light":       {web.Colours{Accent: "#777777"}, `brand.accent: #777777 .* 3.8[0-9]? to 1, .* like (#[0-9a-f]{6})`},
		"dark in the dark":     {web.Colours{AccentDark: "#1d4ed8"}, `brand.accent_dark: .*; write a lighter colour, like (#[0-9a-f]{6})`},
		"grey page":            {web.Colours{Background: "#999999"}, `brand.background: our text #56605a on #969696 has a contrast of .*; write a lighter colour, like (#[0-9a-f]{6})`},
		"light page, dark":     {web.Colours{BackgroundDark: "#ffffff"}, `brand.background_dark: .*; write a darker colour, like (#[0-9a-f]{6})`},
		"accent on background": {web.Colours{Accent: "#2b7a5e", Background: "#d5e3dc"}, `brand.accent: #2b7a5e on #[0-9a-f]{6} .* like (#[0-9a-f]{6})`},
		"no colour":            {web.Colours{Accent: "green"}, `brand.accent: "green" is not a colour like "#1a6b50"`},
	} {
		err := c.colours.Check()
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		m := regexp.MustCompile(c.want).FindStringSubmatch(err.Error())
		if m == nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(m) < 2 {
			continue
		}
		switch field, _, _ := strings.Cut(err.Error(), ":"); field {
		case "brand.accent":
			c.colours.Accent = m[1]
		case "brand.accent_dark":
			c.colours.AccentDark = m[1]
		case "brand.background":
			c.colours.Background = m[1]
		case "brand.background_dark":
			c.colours.BackgroundDark = m[1]
		}
		if err := c.colours.Check(); err != nil {
			t.Errorf("%s: what it advised: %v", name, err)
		}
	}
}

// Whatever accent is taken, everything that is made of it can be read.
func TestBrand_WCAG_1_4_3_WhatIsMadeOfIt(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for range 5000 {
		colours := web.Colours{Accent: web.Hex(random.Uint32() & 0xffffff)}
		if colours.Check() != nil {
			continue
		}
		taken++
		for pair, ratio := range colours.Pairs() {
			if ratio < 4.5 {
				t.Fatalf("%s: %s %.2f", colours.Accent, pair, ratio)
			}
		}
	}
	if taken < 500 {
		t.Errorf("only %d of 5000 were taken", taken)
	}
}

// The grounds and texts of brand_colours.go are those of the style sheet.
func TestBrand_SameColoursAsStyle(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	day, night, ok := strings.Cut(string(css), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("no dark theme")
	}
	for theme, tokens := range web.ThemeTokens() {
		text := day
		if theme == "dark" {
			text, _, _ = strings.Cut(night, "\n}")
		}
		for name, value := range tokens {
			if !strings.Contains(text, "--"+name+": "+value+";") {
				t.Errorf("%s: --%s is not %s", theme, name, value)
			}
		}
	}
}
