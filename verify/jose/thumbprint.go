package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
)

// Thumbprint returns the base64url SHA-256 of a public key's required members in the
// order of their names (RFC 7638 §3, RFC 8037 §2, RFC 9964 §6). It does not depend on
// what the key is called or used for; only keys of ML-DSA have their algorithm in it.
func Thumbprint(pub crypto.PublicKey) (string, error) {
	k, err := anyKey(pub)
	if err != nil {
		return "", err
	}
	return k.thumbprint(), nil
}

func (k *Key) thumbprint() string {
	w, text := k.numbers(), ""
	switch w.Type {
	case "OKP":
		text = `{"crv":"` + w.Curve + `","kty":"OKP","x":"` + w.X + `"}`
	case "EC":
		text = `{"crv":"` + w.Curve + `","kty":"EC","x":"` + w.X + `","y":"` + w.Y + `"}`
	case "RSA":
		text = `{"e":"` + w.E + `","kty":"RSA","n":"` + w.N + `"}`
	case "AKP":
		text = `{"alg":"` + string(k.alg) + `","kty":"AKP","pub":"` + w.Pub + `"}`
	}
	sum := sha256.Sum256([]byte(text))
	return encoding.EncodeToString(sum[:])
}

// IsThumbprint reports whether s has the form that Thumbprint returns: the canonical
// base64url of 32 bytes.
func IsThumbprint(s string) bool {
	var room [32]byte
	hash, ok := appendDecoded(room[:0], s)
	return ok && len(hash) == sha256.Size
}

// anyKey makes a key with one of the algorithms that fit it.
func anyKey(pub crypto.PublicKey) (*Key, error) {
	switch p := pub.(type) {
	case ed25519.PublicKey:
		return NewKey(EdDSA, "-", p)
	case *rsa.PublicKey:
		return NewKey(RS256, "-", p)
	case *ecdsa.PublicKey:
		for i := range specs {
			if p != nil && specs[i].kind == ecdsaKey && specs[i].curve == p.Curve {
				return NewKey(specs[i].name, "-", p)
			}
		}
	case encoded:
		if alg := bySize(p); known(alg) {
			return NewKey(alg, "-", p)
		}
	}
	return nil, fmt.Errorf("%w: of a kind that is not known", ErrKey)
}
