// Package mldsa lets a program verify and sign tokens with ML-DSA (FIPS 204, RFC 9964).
// Importing it is all there is to do:
//
//	import _ "github.com/signet-id/signet/verify/mldsa"
//
// From then on key sets with keys of ML-DSA-44, ML-DSA-65 and ML-DSA-87 are understood by
// package jose and everything above it; without it such keys are left out. A signer is
// made of a *mldsa.PrivateKey of filippo.io/mldsa, or of crypto/mldsa from Go 1.27 on,
// where both are the same.
//
// It is a module of its own, because the SDK depends on the standard library only. It
// deliberately does not do: pre-hashed ML-DSA (RFC 9964 §7.2), contexts, and expanded
// private keys.
//
// Signatures have 2420, 3309 or 4627 bytes, so that tokens have 3.5 to 7 KB: more than
// many servers accept in a header. They suit ID tokens and what is kept for long.
package mldsa

import (
	"crypto"

	"filippo.io/mldsa"

	"github.com/signet-id/signet/verify/jose"
)

func init() {
	register(jose.MLDSA44, mldsa.MLDSA44())
	register(jose.MLDSA65, mldsa.MLDSA65())
	register(jose.MLDSA87, mldsa.MLDSA87())
}

func register(alg jose.Algorithm, params mldsa.Parameters) {
	jose.Register(jose.External{Algorithm: alg, Open: func(pub []byte) (crypto.PublicKey, func(message, signature []byte) bool, error) {
		key, err := mldsa.NewPublicKey(params, pub)
		if err != nil {
			return nil, nil, err
		}
		verify := func(message, signature []byte) bool {
			return mldsa.Verify(key, message, signature, nil) == nil // nil: an empty context, RFC 9964 §5
		}
		return key, verify, nil
	}})
}
