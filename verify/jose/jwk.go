package jose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
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
