package web

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Colours are the operator's, as #rrggbb. Accent is that of links and buttons, Background
// that of the page around them. Those of the dark theme may be left out: AccentDark is then
// made of Accent.
type Colours struct {
	Accent, AccentDark, Background, BackgroundDark string
}

// enough is the contrast that text needs (WCAG 2.2 §1.4.3).
const enough = 4.5

// visible is the contrast that the edges of fields need (§1.4.11).
const visible = 3

// A theme is what the colours of one theme must be read on and with. The values are those of
// style.css.
type theme struct {
	canvas, surface, sunken colour  // grounds
	ink, faint              colour  // texts
	edge                    colour  // of fields
	accent, onAccent        colour  // ours, and the text on a button
	dawn, dusk              colour  // the ends to which grounds and texts tend
	lighter, darker         string  // what a ground should be, what a text
	lift                    float64 // from a background towards white: the surface of cards
	tint                    float64
}

var (
	light = theme{
		canvas: 0xf5f4ef, surface: 0xffffff, sunken: 0xf0efe8, ink: 0x1b231f, faint: 0x56605a, edge: 0x7f877f, accent: 0x1a6b50, onAccent: 0xffffff,
		dawn: 0xffffff, dusk: 0x000000, lighter: "lighter", darker: "darker", lift: 1, tint: .1,
	}
	dark = theme{
		canvas: 0x101411, surface: 0x181d1a, sunken: 0x131815, ink: 0xe7ebe7, faint: 0xa4aea8, edge: 0x75807a, accent: 0x7fd1ae, onAccent: 0x0a0f0c,
		dawn: 0x000000, dusk: 0xffffff, lighter: "darker", darker: "lighter", lift: .05, tint: .16,
	}
)

// stylesheet returns the tokens of style.css that the colours change. Colours in which text
// could not be read are refused, with one that could be.
func (c Colours) stylesheet() (string, error) {
	if c.AccentDark == "" && c.Accent != "" {
		if accent, err := parseColour(c.Accent); err == nil {
			c.AccentDark = accent.until(dark.dusk, dark.surface, enough+2).String()
		}
	}
	day, err := light.tokens("", c.Accent, c.Background)
	night, err2 := dark.tokens("_dark", c.AccentDark, c.BackgroundDark)
	return ":root {" + day + "}\n@media (prefers-color-scheme: dark) { :root {" + night + "} }\n", errors.Join(err, err2)
}

func (t theme) tokens(suffix, accent, background string) (string, error) {
	var css strings.Builder
	if background != "" {
		b, err := parseColour(background)
		if err != nil {
			return "", fmt.Errorf("brand.background%s: %w", suffix, err)
		}
		ground := t.on(b).worst()
		for _, text := range [...]colour{t.ink, t.faint} {
			if ratio := contrast(text, ground); ratio < enough {
				return "", fmt.Errorf("brand.background%s: our text %v on %v has a contrast of %s to 1, and needs %v to 1; write a %s colour, like %v",
					suffix, text, ground, rounded(ratio), enough, t.lighter, t.readable(b))
			}
		}
		t = t.on(b)
		fmt.Fprintf(&css, " --canvas: %v; --surface: %v; --sunken: %v; --line: %v; --edge: %v;",
			t.canvas, t.surface, t.sunken, b.towards(t.ink, .12), t.edge.until(t.dusk, t.surface, visible))
	}
	a := t.accent
	if accent != "" {
		var err error
		if a, err = parseColour(accent); err != nil {
			return "", fmt.Errorf("brand.accent%s: %w", suffix, err)
		}
	}
	ground := t.worst()
	if ratio := contrast(a, ground); ratio < enough {
		return "", fmt.Errorf("brand.accent%s: %v on %v has a contrast of %s to 1, and text in it needs %v to 1; write a %s colour, like %v",
			suffix, a, ground, rounded(ratio), enough, t.darker, a.until(t.dusk, ground, enough))
	}
	if accent == "" {
		return css.String(), nil
	}
	tint := t.surface.towards(a, t.tint)
	deep := a.towards(t.dusk, .25).until(t.dusk, tint, enough)
	fmt.Fprintf(&css, " --accent: %v; --accent-deep: %v; --on-accent: %v; --tint: %v; --tint-ink: %v;", a, deep, t.onAccent, tint, deep)
	return css.String(), nil
}

// on returns the theme with the grounds that go with a background.
func (t theme) on(background colour) theme {
	t.canvas, t.surface, t.sunken = background, background.towards(0xffffff, t.lift), background.towards(t.dusk, .02)
	return t
}

// readable goes from a background towards where grounds are, until all texts can be read.
func (t theme) readable(background colour) colour {
	for share := 0.; share < 1; share += .02 {
		b := background.towards(t.dawn, share)
		if ground := t.on(b).worst(); min(contrast(t.ink, ground), contrast(t.faint, ground)) >= enough {
			return b
		}
	}
	return t.dawn
}

// worst is the ground on which an accent is hardest to read.
func (t theme) worst() colour {
	return slices.MinFunc([]colour{t.surface, t.canvas, t.sunken}, func(a, b colour) int {
		return cmp.Compare(contrast(a, t.dusk), contrast(b, t.dusk))
	})
}

// A colour is 0xrrggbb.
type colour uint32

func parseColour(s string) (colour, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if err != nil || len(s) != 7 || s[0] != '#' {
		return 0, fmt.Errorf("%q is not a colour like \"#1a6b50\"", s)
	}
	return colour(n), nil
}

func (c colour) String() string { return fmt.Sprintf("#%06x", uint32(c)) }

func (c colour) parts() [3]float64 {
	return [3]float64{float64(c >> 16 & 0xff), float64(c >> 8 & 0xff), float64(c & 0xff)}
}

// towards mixes: 0 is c, 1 is other.
func (c colour) towards(other colour, share float64) colour {
	var mixed colour
	to := other.parts()
	for i, from := range c.parts() {
		mixed = mixed<<8 | colour(math.Round(from+(to[i]-from)*share))
	}
	return mixed
}

// until goes from c towards the end until it can be read on the ground.
func (c colour) until(end, ground colour, ratio float64) colour {
	for share := 0.; share < 1; share += .02 {
		if mixed := c.towards(end, share); contrast(mixed, ground) >= ratio {
			return mixed
		}
	}
	return end
}

// luminance and contrast: WCAG 2.2, relative luminance and contrast ratio.
func (c colour) luminance() float64 {
	weights := [3]float64{.2126, .7152, .0722}
	sum := 0.
	for i, v := range c.parts() {
		if v /= 255; v <= .04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+.055)/1.055, 2.4)
		}
		sum += weights[i] * v
	}
	return sum
}

func contrast(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + .05) / (min(x, y) + .05)
}

// rounded never says 4.5 of what is less.
func rounded(ratio float64) string {
	return strconv.FormatFloat(math.Floor(ratio*100)/100, 'f', -1, 64)
}
