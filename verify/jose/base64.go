package jose

import "encoding/base64"

// encoding writes base64url without padding (RFC 7515 §2).
var encoding = base64.RawURLEncoding

// invalid marks the bytes outside the alphabet in digits.
const invalid = 0xFF

// digits is the value of each byte of the base64url alphabet.
var digits = func() (t [256]byte) {
	for i := range t {
		t[i] = invalid
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		t[c] = byte(i)
	}
	return t
}()

// appendDecoded appends the bytes that s encodes, if s is the one canonical encoding of
// them: alphabet only, no padding, unused bits zero. The standard decoder skips CR and
// LF even in its strict mode, which gives one token many spellings.
func appendDecoded(dst []byte, s string) ([]byte, bool) {
	for len(s) >= 4 {
		a, b, c, d := digits[s[0]], digits[s[1]], digits[s[2]], digits[s[3]]
		if (a|b|c|d)&0xC0 != 0 {
			return dst, false
		}
		dst = append(dst, a<<2|b>>4, b<<4|c>>2, c<<6|d)
		s = s[4:]
	}
	switch len(s) {
	case 0:
		return dst, true
	case 2:
		a, b := digits[s[0]], digits[s[1]]
		return append(dst, a<<2|b>>4), (a|b)&0xC0 == 0 && b&0x0F == 0
	case 3:
		a, b, c := digits[s[0]], digits[s[1]], digits[s[2]]
		return append(dst, a<<2|b>>4, b<<4|c>>2), (a|b|c)&0xC0 == 0 && c&0x03 == 0
	}
	return dst, false
}
