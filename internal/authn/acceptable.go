package authn

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/secret"
)

// MinPasswordLength is in characters (NIST SP 800-63B-4 §3.1.1.2: 15 where the password is
// the only factor).
const MinPasswordLength = 15

// Reason says what is wrong with a new password.
type Reason string

// The reasons; pages have a text for each.
const (
	TooShort  Reason = "too_short"
	TooLong   Reason = "too_long"
	Common    Reason = "common"
	Pattern   Reason = "pattern"
	Personal  Reason = "personal"
	Unchanged Reason = "unchanged"
)

// Unacceptable says why a password cannot be chosen, and what to do.
type Unacceptable struct{ Reason Reason }

func (u *Unacceptable) Error() string {
	switch u.Reason {
	case TooShort:
		return "password is shorter than 15 characters; three or four unusual words are easy to remember"
	case TooLong:
		return "password is longer than 1,024 bytes"
	case Common:
		return "password is on the lists that attackers try first; choose one that nobody else would think of"
	case Pattern:
		return "password is a repetition or a run of neighbouring keys; add something that does not follow a pattern"
	case Personal:
		return "password is made of your name, your address or the name of this service; add words that have nothing to do with you"
	case Unchanged:
		return "new password is the old one"
	default:
		return "password cannot be used"
	}
}

// Unwrap makes it an idp.ErrInvalid.
func (*Unacceptable) Unwrap() error { return idp.ErrInvalid }

// Acceptable returns nil or *Unacceptable (NIST SP 800-63B-4 §3.1.1.2): long enough, and
// nothing that is guessed first. There is no rule about kinds of characters, and nothing
// is changed before hashing: comparing alone folds case and signs (LOG-06, LOG-09).
func Acceptable(password secret.Text, user idp.User) error {
	s := password.Reveal()
	switch plain := alphanumerics(s); {
	case len(s) > passhash.MaxPasswordBytes:
		return &Unacceptable{TooLong}
	case utf8.RuneCountInString(s) < MinPasswordLength:
		return &Unacceptable{TooShort}
	case repeats(s) || follows(s):
		return &Unacceptable{Pattern}
	case blocked(plain):
		return &Unacceptable{Common}
	case !enoughWithout(plain, commonWords):
		return &Unacceptable{Common}
	case !enoughWithout(plain, personalWords(user)):
		return &Unacceptable{Personal}
	}
	return nil
}

// repeats reports a short unit written again and again, or hardly any different characters.
func repeats(s string) bool {
	runes := []rune(strings.ToLower(s))
	different := map[rune]bool{}
	for _, r := range runes {
		different[r] = true
	}
	if len(different) < 5 {
		return true
	}
	for unit := 1; unit < MinPasswordLength && unit <= len(runes)/2; unit++ {
		if periodic(runes, unit) {
			return true
		}
	}
	return false
}

func periodic(runes []rune, unit int) bool {
	for i := unit; i < len(runes); i++ {
		if runes[i] != runes[i-unit] {
			return false
		}
	}
	return true
}

// rows are keys that stand beside each other.
var rows = [...]string{"1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "qsdfghjklm", "zxcvbnm", "yxcvbnm", "wxcvbn"}

// follows reports that nearly every character follows from the one before.
func follows(s string) bool {
	surprises := 0
	prev := rune(-1)
	for _, r := range strings.ToLower(s) {
		if prev >= 0 && !neighbours(prev, r) {
			surprises++
		}
		prev = r
	}
	return surprises < 4
}

func neighbours(a, b rune) bool {
	if d := a - b; -1 <= d && d <= 1 {
		return true
	}
	for _, row := range rows {
		i, j := strings.IndexRune(row, a), strings.IndexRune(row, b)
		if i >= 0 && j >= 0 && (i-j == 1 || j-i == 1) {
			return true
		}
	}
	return false
}

//go:embed blocklist.txt
var blocklistText string

// blocklist holds whole passwords in three readings: as they are, without digits at the
// ends, and with digits and signs that stand for letters.
var blocklist = readBlocklist(blocklistText)

func readBlocklist(text string) map[string]bool {
	list := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		plain := alphanumerics(line)
		list[plain] = true
		list[letters(plain)] = true
	}
	delete(list, "")
	return list
}

func blocked(plain string) bool {
	return blocklist[plain] || blocklist[trimDigits(plain)] || blocklist[letters(plain)] || blocklist[letters(trimDigits(plain))]
}

// alphanumerics is the password in lower case without blanks and signs, except the signs
// that are used as letters.
func alphanumerics(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '@':
			return 'a'
		case r == '$':
			return 's'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

var asLetters = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b")

// letters reads digits as the letters they look like and drops the others; empty for a
// password that is mostly digits, which would become a word of no meaning.
func letters(plain string) string {
	if digits := len(plain) - len(strings.Map(notDigit, plain)); 2*digits > len(plain) {
		return ""
	}
	return strings.Map(notDigit, asLetters.Replace(plain))
}

func trimDigits(s string) string { return strings.Trim(s, "0123456789") }

func notDigit(r rune) rune {
	if '0' <= r && r <= '9' {
		return -1
	}
	return r
}

// commonWords are what people add digits to.
var commonWords = []string{
	"password", "passwort", "passw0rd", "p4ssword", "pa55word", "passwd", "kennwort", "motdepasse", "contrasena", "wachtwoord",
	"welcome", "willkommen", "letmein", "changeme", "iloveyou", "qwerty", "qwertz", "azerty", "asdf", "administrator", "admin",
	"login", "secret", "geheim", "default", "123456", "abc123",
}

// enough is what must be left of a password: eight letters, or digits that count half.
const enough = 16

// enoughWithout takes the words out and weighs the rest.
func enoughWithout(plain string, words []string) bool {
	for _, word := range words {
		plain = strings.ReplaceAll(plain, word, "")
	}
	weight := 0
	for _, r := range plain {
		if unicode.IsDigit(r) {
			weight++
		} else {
			weight += 2
		}
	}
	return weight >= enough
}

// personalWords are what is known about the user, and the name of this service. Short ones
// stand inside too many other words.
func personalWords(u idp.User) []string {
	local, domain, _ := strings.Cut(u.Email, "@")
	words := []string{"signet"}
	for _, source := range []string{u.Username, local, domain, u.Profile.Name, u.Profile.GivenName, u.Profile.FamilyName, u.Profile.Nickname} {
		words = append(words, alphanumerics(source))
		for _, part := range strings.FieldsFunc(source, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			words = append(words, alphanumerics(part))
		}
	}
	words = slices.DeleteFunc(words, func(w string) bool { return utf8.RuneCountInString(w) < 3 })
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) }) // the longest reading first
	return words
}
