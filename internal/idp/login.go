package idp

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/secure/precis"
)

const (
	maxNameBytes   = 254 // of a username; RFC 5321 §4.5.3.1.3 gives the same for an address
	maxLocalBytes  = 64  // RFC 5321 §4.5.3.1.1
	maxDomainBytes = 253 // RFC 1035 §2.3.4
	maxLabelBytes  = 63
)

// CanonicalLogin returns the one form of what a person typed to say who they are: an
// e-mail address if there is an '@' in it, else a username. All spellings of one
// account must come out alike, or attempts on them would be counted apart.
// Blanks around it are dropped: phones add one after a completed word.
func CanonicalLogin(s string) (string, error) {
	s = strings.Trim(s, " \t")
	if strings.Contains(s, "@") {
		return CanonicalEmail(s)
	}
	return CanonicalUsername(s)
}

// CanonicalUsername returns the form in which a username is unique and looked up:
// PRECIS UsernameCaseMapped (RFC 8265 §3.3). '@' belongs to addresses, and ':' ends the
// name in HTTP Basic (RFC 7617 §2). Letters of one writing system only: "аdmin" with a
// Cyrillic letter must not stand beside "admin".
func CanonicalUsername(s string) (string, error) {
	if len(s) > maxNameBytes {
		return "", fmt.Errorf("username longer than %d bytes: %w", maxNameBytes, ErrInvalid)
	}
	name, err := caseMapped(s)
	if err != nil {
		return "", fmt.Errorf("username: %w", err)
	}
	name = strings.ReplaceAll(name, "ς", "σ") // one capital letter, one account
	if len(name) > maxNameBytes {
		return "", fmt.Errorf("username longer than %d bytes: %w", maxNameBytes, ErrInvalid)
	}
	if strings.ContainsAny(name, "@:") {
		return "", fmt.Errorf("username contains '@' or ':': %w", ErrInvalid)
	}
	if !oneScript(name) {
		return "", fmt.Errorf("username mixes writing systems: %w", ErrInvalid)
	}
	return name, nil
}

// CanonicalEmail returns the form in which an e-mail address is unique and looked up:
// Mailbox in lower case. Case in the local part has a meaning in the standard
// (RFC 5321 §2.4) and in no mail system that people use.
func CanonicalEmail(s string) (string, error) {
	box, err := Mailbox(s)
	if err != nil {
		return "", err
	}
	return strings.ToLower(box), nil
}

// Mailbox checks that the whole string is one address, dot-atom@domain in ASCII
// (RFC 5321 §4.1.2), and returns it as mail is sent to it: the local part as written,
// the domain in lower case and international labels as xn-- (RFC 5891).
// Quoted local parts, address literals and comments are refused: they serve attacks
// on parsers more often than people.
func Mailbox(s string) (string, error) {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || strings.Contains(domain, "@") {
		return "", fmt.Errorf("e-mail address needs one '@': %w", ErrInvalid)
	}
	if !dotAtom(local) {
		return "", fmt.Errorf("e-mail address: part before '@': %w", ErrInvalid)
	}
	domain, err := canonicalDomain(domain)
	if err != nil {
		return "", fmt.Errorf("e-mail address: %w", err)
	}
	if len(local)+1+len(domain) > maxNameBytes {
		return "", fmt.Errorf("e-mail address longer than %d bytes: %w", maxNameBytes, ErrInvalid)
	}
	return local + "@" + domain, nil
}

// dotAtom reports whether s is an RFC 5322 §3.2.3 dot-atom of a mailbox's length.
func dotAtom(s string) bool {
	if s == "" || len(s) > maxLocalBytes {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if !alphanumeric(atom[i]) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", atom[i]) < 0 {
				return false
			}
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// caseMapped applies UsernameCaseMapped until nothing changes any more: for a few
// strings once is not enough (RFC 8264 §7), and a canonical form must be its own.
func caseMapped(s string) (string, error) {
	for range 4 {
		next, err := precis.UsernameCaseMapped.String(s)
		if err != nil || next == "" {
			return "", ErrInvalid
		}
		if next == s {
			return s, nil
		}
		s = next
	}
	return "", ErrInvalid
}

// oneScript reports whether all letters belong to one script, or to those that are
// written together in Chinese, Japanese or Korean (UTS #39 §5.2 "highly restrictive").
func oneScript(s string) bool {
	found := map[string]bool{}
	for _, r := range s {
		if script := scriptOf(r); script != "" {
			found[script] = true
		}
	}
	if len(found) <= 1 {
		return true
	}
	for _, together := range [...]string{"Latin Han Hiragana Katakana", "Latin Han Hangul", "Latin Han Bopomofo"} {
		rest := len(found)
		for script := range strings.FieldsSeq(together) {
			if found[script] {
				rest--
			}
		}
		if rest == 0 {
			return true
		}
	}
	return false
}

// scriptOf names the script of a letter; empty for digits, marks and signs of all.
func scriptOf(r rune) string {
	if r < unicode.MaxASCII {
		if alphanumeric(byte(r)) && r > '9' {
			return "Latin"
		}
		return ""
	}
	if unicode.In(r, unicode.Common, unicode.Inherited) {
		return ""
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return "unknown"
}
