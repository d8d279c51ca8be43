package web

import (
	"strings"
	"unicode"
)

// Lengths of foreign texts on pages, in characters.
const (
	maxName = 80
	maxText = 240
)

// oneLine makes a foreign text fit to be shown: one line, not long, and without the
// characters that change how the text around it reads (CLI-06). Escaping is the
// templates' matter.
func oneLine(s string, maxRunes int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf) || r == unicode.ReplacementChar:
			return -1 // controls, bidirectional overrides, zero-width characters
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxRunes {
		return strings.TrimSpace(string(runes[:maxRunes-1])) + "…"
	}
	return s
}

// initial is the letter of a round picture.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "?"
}
