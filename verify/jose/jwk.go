package jose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
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
	m, ops, err := keyMembers(doc)
	if err != nil {
		return nil, err
	}
	switch m.Type {
	case "":
		return nil, errors.New("no kty")
	case "oct":
		return nil, errors.New("a symmetric key")
	}
	if err := checkPurpose(m.Use, ops); err != nil {
		return nil, err
	}
	if m.Algorithm == "" {
		return nil, errors.New("no alg")
	}
	switch m.Algorithm {
	case EdDSA, Ed25519:
		return m.ed25519Key()
	case ES256:
		return m.ecdsaKey()
	case RS256, PS256:
		return m.rsaKey()
	}
	return nil, errSkip
}

// keyMembers reads the members of a key that have a meaning here.
func keyMembers(doc []byte) (m jwk, ops []string, err error) {
	text := func(dst *string, value []byte) (err error) {
		*dst, err = strictjson.String(value)
		return err
	}
	err = strictjson.Object(doc, func(name, value []byte) (err error) {
		switch string(name) {
		case "kty":
			err = text(&m.Type, value)
		case "use":
			if err = text(&m.Use, value); err == nil && m.Use == "" {
				err = errors.New("empty")
			}
		case "key_ops":
			if ops, err = strictjson.Strings(value); err == nil && len(ops) == 0 {
				err = errors.New("empty")
			}
		case "alg":
			err = text((*string)(&m.Algorithm), value)
		case "kid":
			err = text(&m.ID, value)
		case "crv":
			err = text(&m.Curve, value)
		case "x":
			err = text(&m.X, value)
		case "y":
			err = text(&m.Y, value)
		case "n":
			err = text(&m.N, value)
		case "e":
			err = text(&m.E, value)
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv":
			// Whoever published it has lost it: nothing in this set can be trusted.
			err = errors.New("a private key")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return m, ops, err
}

// checkPurpose: a key for encryption must not verify signatures (RFC 7517 §4.2, §4.3).
func checkPurpose(use string, ops []string) error {
	switch {
	case use == "" && ops == nil:
		return errors.New("neither use nor key_ops")
	case use != "" && use != "sig":
		return errors.New("use is not sig")
	case ops != nil && !slices.Contains(ops, "verify"):
		return errors.New("key_ops without verify")
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
func (m jwk) ecdsaKey() (*Key, error) {
	if m.Type != "EC" || m.Curve != "P-256" {
		return nil, errors.New("kty and crv do not fit the algorithm")
	}
	point, okX := appendDecoded([]byte{4}, m.X)
	if !okX || len(point) != 33 {
		return nil, errors.New("x is not 32 bytes")
	}
	point, okY := appendDecoded(point, m.Y)
	if !okY || len(point) != 65 {
		return nil, errors.New("y is not 32 bytes")
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, errors.New("not a point of P-256")
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
