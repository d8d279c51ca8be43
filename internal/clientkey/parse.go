// Package clientkey knows the public keys of clients: those that stand in their
// registration (jwks) and those that a client publishes itself (jwks_uri), RFC 7591 §2.
//
// It reads sets as people publish them, and makes of each key one with exactly one
// algorithm. It deliberately decides nothing about what a signature is good for.
package clientkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// Limits of a set that is registered.
const (
	MaxSet  = 64 << 10 // bytes
	maxKeys = 64
)

// privateMembers are those that no public key has (RFC 7518 §6, RFC 9964 §3).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

// Parse reads a JSON Web Key Set of a client (RFC 7517 §5). Keys for encryption are left
// out. A key without "alg" gets the one of rsa if it is an RSA key, else the one that
// belongs to its curve; a key without a purpose is for signatures. One private or
// symmetric key makes the whole set an error: whoever published it has other worries.
func Parse(doc []byte, rsa jose.Algorithm) (*jose.KeySet, error) {
	if err := jose.CheckObject(doc); err != nil {
		return nil, fmt.Errorf("key set: %w: %w", err, idp.ErrInvalid)
	}
	var set map[string]json.RawMessage // a map: names match byte for byte
	var keys []map[string]json.RawMessage
	if err := json.Unmarshal(doc, &set); err != nil {
		return nil, fmt.Errorf("key set: %w", idp.ErrInvalid)
	}
	if err := json.Unmarshal(set["keys"], &keys); err != nil || len(keys) > maxKeys {
		return nil, fmt.Errorf("key set: no list \"keys\" of at most %d keys: %w", maxKeys, idp.ErrInvalid)
	}
	var kept []map[string]json.RawMessage
	for _, key := range keys {
		for _, name := range privateMembers {
			if _, there := key[name]; there {
				return nil, fmt.Errorf("key set: a private or symmetric key is in it: %w", idp.ErrInvalid)
			}
		}
		if bytes.Equal(key["use"], []byte(`"enc"`)) {
			continue
		}
		complete(key, rsa)
		kept = append(kept, key)
	}
	normal, err := json.Marshal(map[string]any{"keys": kept})
	if err != nil {
		return nil, fmt.Errorf("key set: %w", idp.ErrInvalid)
	}
	parsed, err := jose.ParseKeySet(normal)
	if err != nil {
		return nil, fmt.Errorf("key set: %w: %w", err, idp.ErrInvalid)
	}
	return parsed, nil
}

// complete says what a key leaves open, so that no key verifies with two algorithms.
func complete(key map[string]json.RawMessage, rsa jose.Algorithm) {
	if _, there := key["alg"]; !there {
		if alg := usual(key, rsa); alg != "" {
			key["alg"] = json.RawMessage(`"` + string(alg) + `"`)
		}
	}
	if key["use"] == nil && key["key_ops"] == nil {
		key["use"] = json.RawMessage(`"sig"`)
	}
}

func usual(key map[string]json.RawMessage, rsa jose.Algorithm) jose.Algorithm {
	switch string(key["kty"]) + string(key["crv"]) {
	case `"RSA"`:
		return rsa
	case `"EC""P-256"`:
		return jose.ES256
	case `"EC""P-384"`:
		return jose.ES384
	case `"EC""P-521"`:
		return jose.ES512
	case `"OKP""Ed25519"`:
		return jose.EdDSA
	}
	return ""
}

// Algorithms are what clients may sign with, by their profile: FAPI 2.0 §5.4.1 has fewer.
func Algorithms(p idp.SecurityProfile) []jose.Algorithm {
	if p == idp.FAPI2 {
		return []jose.Algorithm{jose.PS256, jose.ES256, jose.EdDSA, jose.Ed25519}
	}
	return []jose.Algorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA, jose.Ed25519,
	}
}

// RSA is the algorithm of a client's RSA keys that name none: the one that is registered for
// what it signs, if that is one of RSA, else the usual one of its profile.
func RSA(p idp.SecurityProfile, registered string) jose.Algorithm {
	switch {
	case strings.HasPrefix(registered, "RS") || strings.HasPrefix(registered, "PS"):
		return jose.Algorithm(registered)
	case p == idp.FAPI2:
		return jose.PS256
	}
	return jose.RS256
}

// errNoKeys is why nothing of a client can be verified.
var errNoKeys = errors.New("the client has no keys")
