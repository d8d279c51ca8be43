// Package issuer makes the tokens that are measured and compared. It signs any header
// and any payload, also such as no issuer would, with real keys of all algorithms of RFC
// 7518 §3.1, and answers a verifier of package verify without a network.
package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/signet-id/signet/verify/jose"
)

// The names in the tokens.
const (
	URL      = "https://id.example.com"
	Audience = "https://orders.example.com"
)

// Key is a signing key. Its ID has 43 bytes, as a thumbprint has.
type Key struct {
	Alg     string
	ID      string
	Public  any // ed25519.PublicKey, *ecdsa.PublicKey, *rsa.PublicKey; []byte with HS*
	private any
}

// Issuer has one key for each algorithm. Algorithms of one family share the key's
// numbers, so that only the key's own algorithm keeps them apart.
type Issuer struct {
	Keys []Key
	feed *jose.Signer
}

// New makes an issuer with fresh keys.
func New(algs ...string) (*Issuer, error) {
	i := &Issuer{}
	pairs := map[string]any{}
	for _, alg := range algs {
		family := family(alg)
		if pairs[family] == nil {
			private, err := generate(family)
			if err != nil {
				return nil, err
			}
			pairs[family] = private
		}
		k := Key{Alg: alg, Public: pairs[family], private: pairs[family]}
		if s, ok := pairs[family].(crypto.Signer); ok {
			k.Public = s.Public()
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %v", alg, k.Public))
		k.ID = base64.RawURLEncoding.EncodeToString(sum[:])
		i.Keys = append(i.Keys, k)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	i.feed, err = jose.NewSigner(jose.EdDSA, "feed", private)
	return i, err
}

// family names the key that an algorithm needs.
func family(alg string) string {
	switch {
	case alg == "EdDSA" || alg == "Ed25519":
		return "OKP"
	case strings.HasPrefix(alg, "ES"):
		return alg
	case strings.HasPrefix(alg, "HS"):
		return "oct"
	}
	return "RSA"
}

func generate(family string) (any, error) {
	switch family {
	case "OKP":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "oct":
		secret := make([]byte, 64)
		_, err := rand.Read(secret)
		return secret, err
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

// Key returns the key of an algorithm. It panics if there is none.
func (i *Issuer) Key(alg string) Key {
	return i.Keys[slices.IndexFunc(i.Keys, func(k Key) bool { return k.Alg == alg })]
}

// Find returns the key with an ID.
func (i *Issuer) Find(id string) (Key, bool) {
	n := slices.IndexFunc(i.Keys, func(k Key) bool { return k.ID == id })
	if n < 0 {
		return Key{}, false
	}
	return i.Keys[n], true
}

// Algorithms returns the names of the algorithms that there are keys for.
func (i *Issuer) Algorithms() []string {
	var algs []string
	for _, k := range i.Keys {
		algs = append(algs, k.Alg)
	}
	return algs
}

// KeySet returns the key set (RFC 7517 §5). With HS* it has the secrets in it, as a
// reader's own configuration would.
func (i *Issuer) KeySet() []byte {
	var keys []map[string]string
	for _, k := range i.Keys {
		keys = append(keys, k.JWK())
	}
	return mustJSON(map[string]any{"keys": keys})
}

// published is what the verifier of package verify is told: no secrets, and the key of
// the revocation feed.
func (i *Issuer) published() []byte {
	keys := []any{i.feed.Key()}
	for _, k := range i.Keys {
		if family(k.Alg) != "oct" {
			keys = append(keys, k.JWK())
		}
	}
	return mustJSON(map[string]any{"keys": keys})
}

// JWK returns the members of the key (RFC 7518 §6, RFC 8037 §2).
func (k Key) JWK() map[string]string {
	m := map[string]string{"use": "sig", "alg": k.Alg, "kid": k.ID}
	encode := base64.RawURLEncoding.EncodeToString
	switch p := k.Public.(type) {
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", encode(p)
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		if err != nil {
			panic(err) // the key was made here
		}
		half := len(point) / 2
		m["kty"], m["crv"] = "EC", p.Params().Name
		m["x"], m["y"] = encode(point[1:1+half]), encode(point[1+half:])
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", encode(p.N.Bytes()), encode(big.NewInt(int64(p.E)).Bytes())
	case []byte:
		m["kty"], m["k"] = "oct", encode(p)
	}
	return m
}

func mustJSON(v any) []byte {
	doc, err := json.Marshal(v)
	if err != nil {
		panic(err) // nothing here has a value that JSON has not
	}
	return doc
}
