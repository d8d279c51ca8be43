package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
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
	alg Algorithm
	kid string
	// One of them, by alg.
	ed *ed25519.PublicKey
	ec *ecdsa.PublicKey
	rs *rsa.PublicKey

	fast Check // nil: no accelerator
}

// NewKey makes a key that verifies signatures of exactly one algorithm.
func NewKey(alg Algorithm, kid string, pub crypto.PublicKey) (*Key, error) {
	if kid == "" || len(kid) > maxKeyID || !utf8.ValidString(kid) {
		return nil, fmt.Errorf("%w: kid must have 1 to %d bytes", ErrKey, maxKeyID)
	}
	k := &Key{alg: alg, kid: kid}
	var err error
	switch alg {
	case EdDSA, Ed25519:
		err = k.setEd25519(pub)
	case ES256:
		err = k.setECDSA(pub)
	case RS256, PS256:
		err = k.setRSA(pub)
	default:
		return nil, ErrAlgorithm
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return k, nil
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
	if !ok || p == nil || p.Curve != elliptic.P256() {
		return errors.New("not a P-256 key")
	}
	point, err := p.Bytes() // refuses points that are not on the curve
	if err != nil {
		return errors.New("not a point of P-256")
	}
	k.ec, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
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

// Public returns a copy of the key as the standard library knows it:
// ed25519.PublicKey, *ecdsa.PublicKey or *rsa.PublicKey.
func (k *Key) Public() crypto.PublicKey {
	switch {
	case k.ed != nil:
		return slices.Clone(*k.ed)
	case k.ec != nil:
		p := *k.ec
		return &p
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
}

// MarshalJSON writes the key as a JSON Web Key (RFC 7517).
func (k *Key) MarshalJSON() ([]byte, error) {
	w := k.numbers()
	w.Use, w.Algorithm, w.ID = "sig", k.alg, k.kid
	return json.Marshal(w)
}

// numbers returns the members that are the key itself.
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
			Type: "EC", Curve: "P-256",
			X: encoding.EncodeToString(point[1:33]), Y: encoding.EncodeToString(point[33:]),
		}
	}
	return jwk{
		Type: "RSA",
		N:    encoding.EncodeToString(k.rs.N.Bytes()),
		E:    encoding.EncodeToString(big.NewInt(int64(k.rs.E)).Bytes()),
	}
}

// Thumbprint returns the base64url SHA-256 of a public key's required members in the
// order of their names (RFC 7638 §3, RFC 8037 §2). Every key of one kind has the same.
func Thumbprint(pub crypto.PublicKey) (string, error) {
	k, err := anyKey(pub)
	if err != nil {
		return "", err
	}
	w, text := k.numbers(), ""
	switch w.Type {
	case "OKP":
		text = `{"crv":"` + w.Curve + `","kty":"OKP","x":"` + w.X + `"}`
	case "EC":
		text = `{"crv":"` + w.Curve + `","kty":"EC","x":"` + w.X + `","y":"` + w.Y + `"}`
	case "RSA":
		text = `{"e":"` + w.E + `","kty":"RSA","n":"` + w.N + `"}`
	}
	sum := sha256.Sum256([]byte(text))
	return encoding.EncodeToString(sum[:]), nil
}

// IsThumbprint reports whether s has the form that Thumbprint returns: the canonical
// base64url of 32 bytes.
func IsThumbprint(s string) bool {
	var room [32]byte
	hash, ok := appendDecoded(room[:0], s)
	return ok && len(hash) == sha256.Size
}

func anyKey(pub crypto.PublicKey) (*Key, error) {
	switch pub.(type) {
	case ed25519.PublicKey:
		return NewKey(EdDSA, "-", pub)
	case *ecdsa.PublicKey:
		return NewKey(ES256, "-", pub)
	case *rsa.PublicKey:
		return NewKey(RS256, "-", pub)
	}
	return nil, fmt.Errorf("%w: neither Ed25519 nor P-256 nor RSA", ErrKey)
}
