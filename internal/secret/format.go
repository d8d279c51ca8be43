package secret

import (
	"errors"

	"hash/crc32"
	"math/big"
	"strings"
)

// Prefix is the kind of an opaque token, readable by people and leak scanners.
type Prefix string

// The opaque tokens that signet makes.
const (
	Access       Prefix = "sgt_"
	Refresh      Prefix = "sgr_"
	Code         Prefix = "sgc_"
	Personal     Prefix = "sgp_"
	ServiceKey   Prefix = "sgk_"
	ClientSecret Prefix = "sgs_"
	Device       Prefix = "sgd_"
	Invitation   Prefix = "sgi_"
	// Browser values: the login cookie and the cookie that binds a flow to a browser.
	Session Prefix = "sgl_"
	Flow    Prefix = "sgf_"
)

// The parts of a token: prefix, 256 bits in base62, CRC-32 in base62.
const (
	bodyLen  = 43
	sumLen   = 6
	idLen    = 22
	TokenLen = 4 + bodyLen + sumLen // characters of every opaque token
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// ErrFormat says that a string is not an opaque token of the wanted kind.
var ErrFormat = errors.New("not a token of this kind")

// New makes a random token: prefix, 43 base62 characters of a 256-bit number, and
// 6 base62 characters of the CRC-32 (IEEE) of all before. The checksum refuses
// typing errors without a look-up and makes leak scanners exact; it is no security.
func New(p Prefix) Text {
	k := Key()
	return FromBytes(p, k)
}

// FromBytes formats a given 256-bit value; New with a random one is the usual way.
func FromBytes(p Prefix, value [32]byte) Text {
	s := string(p) + encode62(value[:], bodyLen)
	return NewText(s + checksum(s))
}

// Parse checks that s is a well-formed token of kind p: length, alphabet, range
// and checksum. It says nothing about whether the token exists.
func Parse(p Prefix, s string) (Text, [32]byte, error) {
	if len(s) != TokenLen || !strings.HasPrefix(s, string(p)) {
		return Text{}, [32]byte{}, ErrFormat
	}
	body := s[:4+bodyLen]
	if s[4+bodyLen:] != checksum(body) {
		return Text{}, [32]byte{}, ErrFormat
	}
	value, ok := decode62(body[4:])
	if !ok {
		return Text{}, [32]byte{}, ErrFormat
	}
	return NewText(s), value, nil
}

func checksum(s string) string {
	sum := crc32.ChecksumIEEE([]byte(s))
	return encode62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, sumLen)
}

// encode62 writes the big-endian number b with exactly n digits.
func encode62(b []byte, n int) string {
	num, base, digit := new(big.Int).SetBytes(b), big.NewInt(62), new(big.Int)
	out := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		num.DivMod(num, base, digit)
		out[i] = alphabet[digit.Int64()]
	}
	return string(out)
}

func decode62(s string) ([32]byte, bool) {
	num, base := new(big.Int), big.NewInt(62)
	for i := range len(s) {
		d := strings.IndexByte(alphabet, s[i])
		if d < 0 {
			return [32]byte{}, false
		}
		num.Mul(num, base).Add(num, big.NewInt(int64(d)))
	}
	var out [32]byte
	if num.BitLen() > 256 {
		return out, false
	}
	num.FillBytes(out[:])
	return out, true
}
