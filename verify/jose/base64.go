package jose

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

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

// placed is digits where each of four bytes stands in the 24 bits that they encode. What is
// outside the alphabet has bits above those.
var placed = func() (t [4][256]uint32) {
	for at := range t {
		for c, digit := range digits {
			if t[at][c] = uint32(digit) << (18 - 6*at); digit == invalid {
				t[at][c] = invalid << 24
			}
		}
	}
	return t
}()

// decodedLen is how many bytes s decodes to.
func decodedLen(s string) int { return encoding.DecodedLen(len(s)) }

// appendDecoded appends the bytes that s encodes, if s is the one canonical encoding of
// them: alphabet only, no padding, unused bits zero. The standard decoder skips CR and
// LF even in its strict mode, which gives one token many spellings.
func appendDecoded(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst = slices.Grow(dst, decodedLen(s))[:start+decodedLen(s)]
	out, words := dst[start:], uint32(0)
	for len(s) >= 16 && len(out) >= 14 { // writes two bytes more than it decodes
		a := placed[0][s[0]] | placed[1][s[1]] | placed[2][s[2]] | placed[3][s[3]]
		b := placed[0][s[4]] | placed[1][s[5]] | placed[2][s[6]] | placed[3][s[7]]
		c := placed[0][s[8]] | placed[1][s[9]] | placed[2][s[10]] | placed[3][s[11]]
		d := placed[0][s[12]] | placed[1][s[13]] | placed[2][s[14]] | placed[3][s[15]]
		binary.BigEndian.PutUint64(out, uint64(a)<<40|uint64(b)<<16)
		binary.BigEndian.PutUint64(out[6:], uint64(c)<<40|uint64(d)<<16)
		words |= a | b | c | d
		s, out = s[16:], out[12:]
	}
	all := byte(words >> 24)
	for len(s) >= 4 && len(out) >= 3 {
		a, b, c, d := digits[s[0]], digits[s[1]], digits[s[2]], digits[s[3]]
		out[0], out[1], out[2] = a<<2|b>>4, b<<4|c>>2, c<<6|d
		all |= a | b | c | d
		s, out = s[4:], out[3:]
	}
	unused := byte(0)
	switch len(s) {
	case 1:
		return dst, false
	case 2:
		a, b := digits[s[0]], digits[s[1]]
		out[0], unused = a<<2|b>>4, b&0x0F
		all |= a | b
	case 3:
		a, b, c := digits[s[0]], digits[s[1]], digits[s[2]]
		out[0], out[1], unused = a<<2|b>>4, b<<4|c>>2, c&0x03
		all |= a | b | c
	}
	return dst, all&0xC0 == 0 && unused == 0
}
