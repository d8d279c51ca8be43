// Package jose signs and verifies compact JSON Web Signatures (RFC 7515) with keys in
// the form of JSON Web Keys (RFC 7517): exactly what signet's tokens need.
//
// It is strict where other readers are lenient. Base64url and JSON have one accepted
// form each; a key has one algorithm and verifies nothing else; a token names its key,
// and a key inside a token is never used, except by VerifyEmbedded
// and VerifyEmbeddedBy.
//
// Algorithms of public keys are those of RFC 7518 §3.3 to §3.5, Ed25519 (RFC 8037,
// RFC 9864) and, in programs that import an implementation, ML-DSA (RFC 9964). HS256,
// HS384 and HS512 have types of their own, [Secret] and [SecretSet]: a secret and a public
// key are never in the same set.
//
// It deliberately does not do: "none", the JSON serialization, detached payloads,
// encryption, certificates (x5c and its like are ignored), reading private keys, Ed448,
// ES256K, and fetching anything.
package jose

import (
	"errors"
	"fmt"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// What can be wrong with a token or a key. They are wrapped with what exactly it is.
var (
	ErrMalformed  = errors.New("malformed token")
	ErrType       = errors.New("wrong type of token")
	ErrAlgorithm  = errors.New("algorithm not allowed")
	ErrUnknownKey = errors.New("unknown key")
	ErrSignature  = errors.New("wrong signature")
	ErrKey        = errors.New("unusable key")
)

// Limits on what is looked at before anything is known about who sent it.
const (
	maxToken  = 16 << 10
	maxHeader = 4 << 10
	maxKeyID  = 256
	maxKeys   = 64
)

// CheckObject reports whether data is one JSON object that every reader understands in
// the same way: no name twice in any object, valid UTF-8, no lone surrogates, no
// number out of range, nothing after the end, at most 32 levels.
func CheckObject(data []byte) error {
	if err := strictjson.Check(data); err != nil {
		return fmt.Errorf("json: %w", err)
	}
	return nil
}
