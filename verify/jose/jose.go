// Package jose signs and verifies compact JSON Web Signatures (RFC 7515) with keys in
// the form of JSON Web Keys (RFC 7517): exactly what signet's tokens need.
//
// It is strict where other readers are lenient. Base64url and JSON have one accepted
// form each; a key has one algorithm and verifies nothing else; a token names its key,
// and a key inside a token is never used.
//
// It deliberately does not do: symmetric algorithms and "none", the JSON serialization,
// detached payloads, encryption, and fetching anything.
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
