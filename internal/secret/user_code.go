package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
)

// The letters of a user code: no vowels, so that it spells no word, and none that look
// like a digit or stand elsewhere on keyboards (RFC 8628 §6.1).
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

const (
	userCodeLen   = 10 // letters: 43 bits
	userCodeGroup = 5
)

// UserCodes is how many user codes there are.
const UserCodes = 20 * 20 * 20 * 20 * 20 * 20 * 20 * 20 * 20 * 20

// NewUserCode makes the code that a person carries from one device to another
// (RFC 8628 §3.2): "BCDFG-HJKLM". Every code is as likely as any other.
func NewUserCode() Text {
	var code [userCodeLen]byte
	for i := range code {
		code[i] = userCodeLetters[letter()]
	}
	return NewText(group(string(code[:])))
}

// letter returns the index of a random letter.
func letter() int {
	const whole = 256 - 256%len(userCodeLetters) // bytes from here on would favour some letters
	for {
		var b [1]byte
		rand.Read(b[:]) // never fails (crypto/rand)
		if int(b[0]) < whole {
			return int(b[0]) % len(userCodeLetters)
		}
	}
}

// ParseUserCode reads what a person typed: in small letters or capital ones, with or
// without blanks and dashes (RFC 8628 §6.1). It returns the one form of the code.
func ParseUserCode(typed string) (Text, error) {
	var code strings.Builder
	for _, r := range typed {
		switch {
		case strings.ContainsRune(" \t-\u00a0\u2010\u2011\u2012\u2013\u2014\u2212", r): // phones make dashes of two kinds of their own
			continue
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		if !strings.ContainsRune(userCodeLetters, r) || code.Len() == userCodeLen {
			return Text{}, fmt.Errorf("user code: %w", ErrFormat)
		}
		code.WriteRune(r)
	}
	if code.Len() != userCodeLen {
		return Text{}, fmt.Errorf("user code: %w", ErrFormat)
	}
	return NewText(group(code.String())), nil
}

func group(code string) string { return code[:userCodeGroup] + "-" + code[userCodeGroup:] }

// HashKeyed is Hash for secrets that could be found by trying all: HMAC-SHA256 with a
// key that is not where the hash is.
func HashKeyed(key [32]byte, purpose string, t Text) [32]byte {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("signet:" + purpose + "\x00" + t.Reveal()))
	return [32]byte(mac.Sum(nil))
}
