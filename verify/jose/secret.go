package jose

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Secret is a symmetric key with one algorithm, HS256, HS384 or HS512 (RFC 7518 §3.2),
// and a name. Whoever can verify with it can sign with it as well: it is for one party
// that talks to itself, or for two that trust each other with everything.
//
// It is no [Key], and a [SecretSet] is no [KeySet], so the text of a public key cannot
// become the secret of a MAC by mistake. It never changes.
type Secret struct {
	alg Algorithm
	kid string
	// mac keeps the secret out of reach of fmt and reflection, which print fields.
	mac func(message []byte) []byte
}

// hashes are the hash functions of the symmetric algorithms.
var hashes = map[Algorithm]func() hash.Hash{HS256: sha256.New, HS384: sha512.New384, HS512: sha512.New}

func isSymmetric(alg Algorithm) bool { return hashes[alg] != nil }

// NewSecret makes a secret key. The secret must be random and at least as long as the
// hash: 32, 48 or 64 bytes. A public key in PEM, DER, JWK, SSH or point form is refused.
func NewSecret(alg Algorithm, kid string, secret []byte) (*Secret, error) {
	newHash := hashes[alg]
	switch {
	case newHash == nil:
		return nil, ErrAlgorithm
	case !goodKeyID(kid):
		return nil, fmt.Errorf("%w: kid must have 1 to %d bytes", ErrKey, maxKeyID)
	case len(secret) < newHash().Size():
		return nil, fmt.Errorf("%w: the secret is shorter than the hash, %d bytes", ErrKey, newHash().Size())
	case looksPublic(secret):
		return nil, fmt.Errorf("%w: the secret is the text of a key", ErrKey)
	}
	own := append([]byte(nil), secret...)
	mac := func(message []byte) []byte {
		h := hmac.New(newHash, own)
		h.Write(message)
		return h.Sum(nil)
	}
	return &Secret{alg: alg, kid: kid, mac: mac}, nil
}

// ID returns the key's "kid".
func (s *Secret) ID() string { return s.kid }

// Algorithm returns the one algorithm of the key.
func (s *Secret) Algorithm() Algorithm { return s.alg }

// Sign returns header.payload.mac with the header members alg, typ and kid.
func (s *Secret) Sign(typ string, payload []byte) (string, error) {
	token, err := encodeHeader(s.alg, typ, s.kid)
	if err != nil {
		return "", err
	}
	token += encoding.EncodeToString(payload)
	return token + "." + encoding.EncodeToString(s.mac([]byte(token))), nil
}

// verify compares in constant time. The length of a MAC is no secret.
func (s *Secret) verify(signed, mac []byte) bool { return hmac.Equal(s.mac(signed), mac) }

// errWritten says why a secret has no JSON.
var errWritten = errors.New("jose: a secret key is not written")

// MarshalJSON refuses: a secret that can be written ends up in a key set or a log.
func (s *Secret) MarshalJSON() ([]byte, error) { return nil, errWritten }

// Format writes no more than that it is a secret.
func (s *Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "[secret key]") }
