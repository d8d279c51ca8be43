package secret

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
)

// Prefix is the kind of an opaque token, readable by people and leak scanners.
// Every prefix has four characters.
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
	Invitation   Prefix = "sgi_" // also to register clients: an initial access token (RFC 7591)
	Pushed       Prefix = "sgq_" // the name of a pushed authorization request
	Management   Prefix = "sgm_" // by which a client manages its registration (RFC 7592)
	// Browser values: the login cookie and the cookie that binds a flow to a browser.
	Session Prefix = "sgl_"
	Flow    Prefix = "sgf_"
)

// The parts of a token: prefix, 256 bits in base62, CRC-32 in base62.
const (
	prefixLen = 4
	bodyLen   = 43
	sumLen    = 6
	idLen     = 22
	TokenLen  = prefixLen + bodyLen + sumLen // characters of every opaque token
)

// ErrFormat says that a string is not an opaque token of the wanted kind.
var ErrFormat = errors.New("not a token of this kind")

// New makes a random token: prefix, 43 base62 characters of a 256-bit number, and
// 6 base62 characters of the CRC-32 (IEEE) of all before. The checksum refuses
// typing errors without a look-up and makes leak scanners exact; it is no security.
func New(p Prefix) Text {
	return FromBytes(p, Key())
}

// FromBytes formats a given 256-bit value; New with a random one is the usual way.
func FromBytes(p Prefix, value [32]byte) Text {
	var s [TokenLen]byte
	copy(s[:prefixLen], p)
	n := number{
		binary.BigEndian.Uint64(value[0:]), binary.BigEndian.Uint64(value[8:]),
		binary.BigEndian.Uint64(value[16:]), binary.BigEndian.Uint64(value[24:]),
	}
	n.encode(s[prefixLen : prefixLen+bodyLen])
	checksum(s[:prefixLen+bodyLen], s[prefixLen+bodyLen:])
	return NewText(string(s[:]))
}

// Parse checks that s is a well-formed token of kind p: length, alphabet, range
// and checksum. It says nothing about whether the token exists.
func Parse(p Prefix, s string) (Text, [32]byte, error) {
	var value [32]byte
	if len(s) != TokenLen || !strings.HasPrefix(s, string(p)) {
		return Text{}, value, ErrFormat
	}
	var body [prefixLen + bodyLen]byte
	copy(body[:], s)
	var sum [sumLen]byte
	checksum(body[:], sum[:])
	if s[len(body):] != string(sum[:]) {
		return Text{}, value, ErrFormat
	}
	n, ok := decode(s[prefixLen:len(body)])
	if !ok {
		return Text{}, value, ErrFormat
	}
	for i, limb := range n {
		binary.BigEndian.PutUint64(value[8*i:], limb)
	}
	return NewText(s), value, nil
}

// IsID reports whether s has the form that ID gives: 22 base62 characters of a
// 128-bit number.
func IsID(s string) bool {
	if len(s) != idLen {
		return false
	}
	n, ok := decode(s)
	return ok && n[0] == 0 && n[1] == 0
}

// checksum writes the CRC-32 of body as digits.
func checksum(body, dst []byte) {
	number{3: uint64(crc32.ChecksumIEEE(body))}.encode(dst)
}
