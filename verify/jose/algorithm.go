package jose

import (
	"crypto"
	"crypto/elliptic"
	"sync/atomic"
)

// Algorithm is a signature algorithm by its registered name: RFC 7518 §3.1, RFC 8037
// §3.1, RFC 9864 §2 and RFC 9964 §5.
type Algorithm string

// The algorithms of public keys. EdDSA and Ed25519 are two names of the same one: an
// Ed25519 key verifies tokens with either. Those of ML-DSA are there when the program
// imports an implementation of them; see [Register].
const (
	EdDSA   Algorithm = "EdDSA"
	Ed25519 Algorithm = "Ed25519"
	ES256   Algorithm = "ES256"
	ES384   Algorithm = "ES384"
	ES512   Algorithm = "ES512"
	PS256   Algorithm = "PS256"
	PS384   Algorithm = "PS384"
	PS512   Algorithm = "PS512"
	RS256   Algorithm = "RS256"
	RS384   Algorithm = "RS384"
	RS512   Algorithm = "RS512"
	MLDSA44 Algorithm = "ML-DSA-44"
	MLDSA65 Algorithm = "ML-DSA-65"
	MLDSA87 Algorithm = "ML-DSA-87"
)

// The algorithms of [Secret]. No [Key] has one of them.
const (
	HS256 Algorithm = "HS256"
	HS384 Algorithm = "HS384"
	HS512 Algorithm = "HS512"
)

// kind is what the keys of an algorithm are.
type kind uint8

const (
	edwards  kind = iota // OKP, RFC 8037
	ecdsaKey             // EC, RFC 7518 §3.4
	pss                  // RSA, RFC 7518 §3.5
	pkcs1                // RSA, RFC 7518 §3.3
	akp                  // AKP, RFC 9964
)

// spec is what is fixed about an algorithm of public keys.
type spec struct {
	name  Algorithm
	kind  kind
	hash  crypto.Hash
	curve elliptic.Curve
	order []byte // n of the curve, big-endian, as long as half a signature
	crv   string // name of the curve in a JWK
	size  int    // bytes of a signature; 0: as many as the RSA modulus
	pub   int    // bytes of a public key of kind akp

	external atomic.Pointer[External] // kind akp; nil: not registered
}

// specs is every algorithm of public keys that exists here, in the order of Algorithms.
var specs = [...]spec{
	{name: EdDSA, kind: edwards, crv: "Ed25519", size: 64},
	{name: Ed25519, kind: edwards, crv: "Ed25519", size: 64},
	{name: ES256, kind: ecdsaKey, hash: crypto.SHA256, curve: elliptic.P256(), order: elliptic.P256().Params().N.Bytes(), crv: "P-256", size: 64},
	{name: ES384, kind: ecdsaKey, hash: crypto.SHA384, curve: elliptic.P384(), order: elliptic.P384().Params().N.Bytes(), crv: "P-384", size: 96},
	{name: ES512, kind: ecdsaKey, hash: crypto.SHA512, curve: elliptic.P521(), order: elliptic.P521().Params().N.Bytes(), crv: "P-521", size: 132},
	{name: PS256, kind: pss, hash: crypto.SHA256},
	{name: PS384, kind: pss, hash: crypto.SHA384},
	{name: PS512, kind: pss, hash: crypto.SHA512},
	{name: RS256, kind: pkcs1, hash: crypto.SHA256},
	{name: RS384, kind: pkcs1, hash: crypto.SHA384},
	{name: RS512, kind: pkcs1, hash: crypto.SHA512},
	{name: MLDSA44, kind: akp, size: 2420, pub: 1312},
	{name: MLDSA65, kind: akp, size: 3309, pub: 1952},
	{name: MLDSA87, kind: akp, size: 4627, pub: 2592},
}

// find returns what is known of an algorithm, or nil.
func find(alg Algorithm) *spec {
	for i := range specs {
		if s := &specs[i]; s.name == alg && s.available() {
			return s
		}
	}
	return nil
}

func (s *spec) available() bool { return s.kind != akp || s.external.Load() != nil }

func known(alg Algorithm) bool { return find(alg) != nil }

// Algorithms returns the algorithms of public keys that this program has, always in the
// same order: EdDSA, Ed25519, ES*, PS*, RS*, and ML-DSA-* as far as they are registered.
func Algorithms() []Algorithm {
	names := make([]Algorithm, 0, len(specs))
	for i := range specs {
		if specs[i].available() {
			names = append(names, specs[i].name)
		}
	}
	return names
}
