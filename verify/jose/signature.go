package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
)

func known(alg Algorithm) bool {
	switch alg {
	case EdDSA, Ed25519, ES256, RS256, PS256:
		return true
	}
	return false
}

// accepts reports whether a token may name its algorithm so (RFC 9864 §2.2: EdDSA with an
// Ed25519 key is Ed25519).
func (k *Key) accepts(alg Algorithm) bool {
	return alg == k.alg || k.ed != nil && (alg == EdDSA || alg == Ed25519)
}

// verify checks a signature. An accelerator may decide it sooner.
func (k *Key) verify(signed, signature []byte) bool {
	switch k.alg {
	case EdDSA, Ed25519:
		if valid, decided := k.ask(signed, signature); decided {
			return valid
		}
		return ed25519.Verify(*k.ed, signed, signature)
	case ES256:
		return k.verifyES256(signed, signature)
	case RS256:
		sum := sha256.Sum256(signed)
		return rsa.VerifyPKCS1v15(k.rs, crypto.SHA256, sum[:], signature) == nil
	case PS256:
		sum := sha256.Sum256(signed)
		// RFC 7518 §3.5: the salt is as long as the hash.
		salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return rsa.VerifyPSS(k.rs, crypto.SHA256, sum[:], signature, salt) == nil
	}
	return false
}

// verifyES256 takes a signature as r || s of 32 bytes each (RFC 7518 §3.4), not as DER.
func (k *Key) verifyES256(signed, signature []byte) bool {
	if len(signature) != 64 {
		return false
	}
	r, s := signature[:32], signature[32:]
	if !inOrder(r) || !inOrder(s) { // the library refuses them too, but need not for ever
		return false
	}
	if valid, decided := k.ask(signed, signature); decided {
		return valid
	}
	sum := sha256.Sum256(signed)
	var der [72]byte
	return ecdsa.VerifyASN1(k.ec, sum[:], appendDER(der[:0], r, s))
}
