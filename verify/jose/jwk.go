package jose

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// errSkip marks a key that is well formed but of a kind or an algorithm that does not
// exist here: a newer issuer must not break older verifiers.
var errSkip = errors.New("kind of key not known")

// ParseKey reads one public JSON Web Key. It must say what it is for: "alg", "kid" and
// "use" or "key_ops".
func ParseKey(jwk []byte) (*Key, error) {
	k, err := parseKey(jwk)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return k, nil
}

func parseKey(doc []byte) (*Key, error) {
	m, err := keyMembers(doc)
	if err != nil {
		return nil, err
	}
	if err := m.checkPurpose(); err != nil {
		return nil, err
	}
	if m.Algorithm == "" {
		return nil, errors.New("no alg")
	}
	return m.key()
}

// key makes the key of the algorithm.
func (m *members) key() (*Key, error) {
	s := find(m.Algorithm)
	if s == nil {
		return nil, errSkip
	}
	switch s.kind {
	case edwards:
		return m.ed25519Key()
	case ecdsaKey:
		return m.ecdsaKey(s)
	case akp:
		return m.externalKey()
	}
	return m.rsaKey()
}

// members are the members of a key that have a meaning here. A certificate beside the
// key (x5c, x5t, x5u; RFC 7517 §4.6 to §4.9) has none: it is no source of keys, and is
// not compared with the key.
type members struct {
	jwk
	ops     []string
	secret  string // "k"
	private string // the first name of those that no public key has
}

// keyMembers reads a public key.
func keyMembers(doc []byte) (members, error) {
	m, err := anyMembers(doc)
	switch {
	case err != nil:
		return m, err
	case m.private != "":
		// Whoever published it has lost it: nothing in this set can be trusted.
		return m, fmt.Errorf("%s: a private key", m.private)
	case m.Type == "":
		return m, errors.New("no kty")
	case m.Type == "oct" || isSymmetric(m.Algorithm):
		return m, errors.New("a symmetric key")
	}
	return m, nil
}

// anyMembers reads a key of any kind (RFC 7517 §4).
func anyMembers(doc []byte) (m members, err error) {
	text := map[string]*string{
		"kty": &m.Type, "use": &m.Use, "alg": (*string)(&m.Algorithm), "kid": &m.ID, "crv": &m.Curve,
		"x": &m.X, "y": &m.Y, "n": &m.N, "e": &m.E, "pub": &m.Pub, "k": &m.secret,
	}
	err = strictjson.Object(doc, func(name, value []byte) (err error) {
		if dst, ok := text[string(name)]; ok {
			*dst, err = strictjson.String(value)
		}
		switch string(name) {
		case "use":
			if err == nil && m.Use == "" {
				err = errors.New("empty")
			}
		case "key_ops":
			m.ops, err = keyOps(value)
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv":
			if m.private == "" {
				m.private = string(name)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return m, err
}

// keyOps reads "key_ops": no operation may stand there twice (RFC 7517 §4.3).
func keyOps(value []byte) ([]string, error) {
	ops, err := strictjson.Strings(value)
	if err != nil || len(ops) == 0 {
		return nil, cmp.Or(err, errors.New("empty"))
	}
	slices.Sort(ops)
	if n := len(ops); len(slices.Compact(ops)) != n {
		return nil, errors.New("an operation twice")
	}
	return ops, nil
}

// checkPurpose: a key for anything else must not verify signatures, and when both use
// and key_ops are there, they must agree (RFC 7517 §4.2, §4.3).
func (m *members) checkPurpose() error {
	other := func(op string) bool { return op != "sign" && op != "verify" }
	switch {
	case m.Use == "" && m.ops == nil:
		return errors.New("neither use nor key_ops")
	case m.Use != "" && m.Use != "sig":
		return errors.New("use is not sig")
	case m.ops != nil && !slices.Contains(m.ops, "verify"):
		return errors.New("key_ops without verify")
	case slices.ContainsFunc(m.ops, other):
		return errors.New("key_ops with more than sign and verify")
	}
	return nil
}

// ed25519Key reads a key of RFC 8037 §2.
func (m jwk) ed25519Key() (*Key, error) {
	if m.Type != "OKP" || m.Curve != "Ed25519" {
		return nil, errors.New("kty and crv do not fit the algorithm")
	}
	x, ok := appendDecoded(nil, m.X)
	if !ok || len(x) != ed25519.PublicKeySize {
		return nil, errors.New("x is not 32 bytes")
	}
	return NewKey(m.Algorithm, m.ID, ed25519.PublicKey(x))
}

// ecdsaKey reads a key of RFC 7518 §6.2.1: coordinates have the full length.
func (m jwk) ecdsaKey(s *spec) (*Key, error) {
	if m.Type != "EC" || m.Curve != s.crv {
		return nil, errors.New("kty and crv do not fit the algorithm")
	}
	size := s.size / 2
	point, okX := appendDecoded([]byte{4}, m.X)
	if !okX || len(point) != 1+size {
		return nil, fmt.Errorf("x is not %d bytes", size)
	}
	point, okY := appendDecoded(point, m.Y)
	if !okY || len(point) != 1+2*size {
		return nil, fmt.Errorf("y is not %d bytes", size)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(s.curve, point)
	if err != nil {
		return nil, fmt.Errorf("not a point of %s", s.crv)
	}
	return NewKey(m.Algorithm, m.ID, pub)
}

// rsaKey reads a key of RFC 7518 §6.3.1: numbers have no leading zero bytes.
func (m jwk) rsaKey() (*Key, error) {
	if m.Type != "RSA" {
		return nil, errors.New("kty does not fit the algorithm")
	}
	if len(m.N) > encoding.EncodedLen(maxRSABits/8) {
		return nil, errors.New("n is too long")
	}
	n, ok := appendDecoded(nil, m.N)
	if !ok || len(n) == 0 || n[0] == 0 {
		return nil, errors.New("n is not a number")
	}
	e, ok := appendDecoded(nil, m.E)
	if !ok || len(e) == 0 || len(e) > 4 || e[0] == 0 {
		return nil, errors.New("e is not a small number")
	}
	exponent := int64(0)
	for _, b := range e {
		exponent = exponent<<8 | int64(b)
	}
	if exponent > 1<<31-1 {
		return nil, errors.New("e is too large")
	}
	return NewKey(m.Algorithm, m.ID, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent)})
}

// externalKey reads a key of RFC 9964 §3. The algorithm decides what "pub" is.
func (m jwk) externalKey() (*Key, error) {
	if m.Type != "AKP" {
		return nil, errors.New("kty does not fit the algorithm")
	}
	pub, ok := appendDecoded(nil, m.Pub)
	if !ok {
		return nil, errors.New("pub is not base64url")
	}
	k, err := named(m.Algorithm, m.ID)
	if err != nil {
		return nil, err
	}
	if err := k.openExternal(pub); err != nil {
		return nil, err
	}
	return k, nil
}
