package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"unicode/utf8"
)

// Limits of RSA keys: weaker ones can be broken, larger ones only cost time.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// Key is a public key with one algorithm and a name. It never changes.
type Key struct {
	alg  Algorithm
	kid  string
	spec *spec
	// One of them, by spec.kind.
	ed  *ed25519.PublicKey
	ec  *ecdsa.PublicKey
	rs  *rsa.PublicKey
	ext *externalKey

	fast Check // nil: no accelerator
}

// NewKey makes a key that verifies signatures of exactly one algorithm. The key is an
// ed25519.PublicKey, *ecdsa.PublicKey, *rsa.PublicKey or *mldsa.PublicKey, and is copied.
func NewKey(alg Algorithm, kid string, pub crypto.PublicKey) (*Key, error) {
	k, err := named(alg, kid)
	if err != nil {
		return nil, err
	}
	if err := k.set(pub); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return k, nil
}

// named returns a key of which only the number itself is missing.
func named(alg Algorithm, kid string) (*Key, error) {
	if !goodKeyID(kid) {
		return nil, fmt.Errorf("%w: kid must have 1 to %d bytes", ErrKey, maxKeyID)
	}
	s := find(alg)
	if s == nil {
		return nil, ErrAlgorithm
	}
	return &Key{alg: alg, kid: kid, spec: s}, nil
}

func goodKeyID(kid string) bool {
	return kid != "" && len(kid) <= maxKeyID && utf8.ValidString(kid)
}

func (k *Key) set(pub crypto.PublicKey) error {
	switch k.spec.kind {
	case edwards:
		return k.setEd25519(pub)
	case ecdsaKey:
		return k.setECDSA(pub)
	case akp:
		return k.setExternal(pub)
	}
	return k.setRSA(pub)
}

func (k *Key) setEd25519(pub crypto.PublicKey) error {
	p, ok := pub.(ed25519.PublicKey)
	if !ok || len(p) != ed25519.PublicKeySize {
		return errors.New("not an Ed25519 key")
	}
	p = slices.Clone(p)
	k.ed = &p
	return nil
}

func (k *Key) setECDSA(pub crypto.PublicKey) error {
	p, ok := pub.(*ecdsa.PublicKey)
	if !ok || p == nil || p.Curve != k.spec.curve {
		return fmt.Errorf("not a %s key", k.spec.crv)
	}
	point, err := p.Bytes() // refuses points that are not on the curve
	if err != nil {
		return fmt.Errorf("not a point of %s", k.spec.crv)
	}
	k.ec, err = ecdsa.ParseUncompressedPublicKey(k.spec.curve, point)
	return err
}

func (k *Key) setRSA(pub crypto.PublicKey) error {
	p, ok := pub.(*rsa.PublicKey)
	if !ok || p == nil || p.N == nil {
		return errors.New("not an RSA key")
	}
	if bits := p.N.BitLen(); p.N.Sign() <= 0 || bits < minRSABits || bits > maxRSABits || p.N.Bit(0) == 0 {
		return fmt.Errorf("RSA modulus must be odd and have %d to %d bits", minRSABits, maxRSABits)
	}
	if p.E < 65537 || p.E > 1<<31-1 || p.E%2 == 0 {
		return errors.New("RSA exponent must be odd and at least 65537")
	}
	if weakROCA(p.N) {
		return errors.New("RSA modulus has the ROCA weakness")
	}
	k.rs = &rsa.PublicKey{N: new(big.Int).Set(p.N), E: p.E}
	return nil
}

// ID returns the key's "kid".
func (k *Key) ID() string { return k.kid }

// Algorithm returns the one algorithm that the key verifies.
func (k *Key) Algorithm() Algorithm { return k.alg }

// Public returns a copy of the key as the standard library knows it: an
// ed25519.PublicKey, *ecdsa.PublicKey or *rsa.PublicKey. A key of ML-DSA is returned as
// its implementation has it: as a *mldsa.PublicKey.
func (k *Key) Public() crypto.PublicKey {
	switch {
	case k.ed != nil:
		return slices.Clone(*k.ed)
	case k.ec != nil:
		return &ecdsa.PublicKey{Curve: k.ec.Curve, X: new(big.Int).Set(k.ec.X), Y: new(big.Int).Set(k.ec.Y)}
	case k.ext != nil:
		return k.ext.public
	}
	return &rsa.PublicKey{N: new(big.Int).Set(k.rs.N), E: k.rs.E}
}

// jwk is the JSON form of a public key (RFC 7517 §4). It has no private member.
type jwk struct {
	Type      string    `json:"kty"`
	Use       string    `json:"use,omitempty"`
	Algorithm Algorithm `json:"alg,omitempty"`
	ID        string    `json:"kid,omitempty"`
	Curve     string    `json:"crv,omitempty"`
	X         string    `json:"x,omitempty"`
	Y         string    `json:"y,omitempty"`
	N         string    `json:"n,omitempty"`
	E         string    `json:"e,omitempty"`
	Pub       string    `json:"pub,omitempty"`
}

// MarshalJSON writes the key as a JSON Web Key (RFC 7517).
func (k *Key) MarshalJSON() ([]byte, error) {
	w := k.numbers()
	w.Use, w.Algorithm, w.ID = "sig", k.alg, k.kid
	return json.Marshal(w)
}

// numbers returns the members that are the key itself. For AKP the algorithm is one of
// them (RFC 9964 §3).
func (k *Key) numbers() jwk {
	switch {
	case k.ed != nil:
		return jwk{Type: "OKP", Curve: "Ed25519", X: encoding.EncodeToString(*k.ed)}
	case k.ec != nil:
		point, err := k.ec.Bytes()
		if err != nil {
			panic("jose: a checked key is not on its curve")
		}
		return jwk{
			Type: "EC", Curve: k.spec.crv,
			X: encoding.EncodeToString(point[1 : 1+len(point)/2]), Y: encoding.EncodeToString(point[1+len(point)/2:]),
		}
	case k.ext != nil:
		return jwk{Type: "AKP", Algorithm: k.alg, Pub: encoding.EncodeToString([]byte(k.ext.pub))}
	}
	return jwk{
		Type: "RSA",
		N:    encoding.EncodeToString(k.rs.N.Bytes()),
		E:    encoding.EncodeToString(big.NewInt(int64(k.rs.E)).Bytes()),
	}
}
