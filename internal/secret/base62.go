package secret

import "math/bits"

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// A 64-bit limb holds ten digits: 62^10 < 2^64. Working on ten digits at a time
// replaces one long division per digit by one per ten.
const (
	limbDigits = 10
	limbBase   = 839299365868340224 // 62^10
)

// notDigit marks the bytes of values that are no digit.
const notDigit = 0xff

// values maps a byte to its digit. It is never written after its initialisation.
var values = func() (v [256]byte) {
	for i := range v {
		v[i] = notDigit
	}
	for i := range len(alphabet) {
		v[alphabet[i]] = byte(i)
	}
	return v
}()

// number is a 256-bit integer, the most significant limb first.
type number [4]uint64

// encode writes n into all of dst, most significant digit first. What does not fit is
// lost: callers choose a dst that holds every value they pass.
func (n number) encode(dst []byte) {
	for end := len(dst); end > 0; end -= limbDigits {
		var rem uint64
		for i := range n {
			n[i], rem = bits.Div64(rem, n[i], limbBase)
		}
		for i := end - 1; i >= max(0, end-limbDigits); i-- {
			dst[i] = alphabet[rem%62]
			rem /= 62
		}
	}
}

// decode reads the digits of s. It refuses other bytes, and values of more than 256
// bits, so that a value has exactly one form of a given length.
func decode(s string) (n number, ok bool) {
	for len(s) > 0 {
		k := min(limbDigits, len(s))
		chunk, base := uint64(0), uint64(1)
		for i := range k {
			d := values[s[i]]
			if d == notDigit {
				return number{}, false
			}
			chunk, base = chunk*62+uint64(d), base*62
		}
		if !n.mulAdd(base, chunk) {
			return number{}, false
		}
		s = s[k:]
	}
	return n, true
}

// mulAdd sets n to n*m + a and reports whether that fits.
func (n *number) mulAdd(m, a uint64) bool {
	carry := a
	for i := len(n) - 1; i >= 0; i-- {
		hi, lo := bits.Mul64(n[i], m)
		var c uint64
		n[i], c = bits.Add64(lo, carry, 0)
		carry = hi + c // the product and the carry fit in 128 bits
	}
	return carry == 0
}
