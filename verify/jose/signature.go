package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
)

// accepts reports whether a token may name its algorithm so (RFC 9864 §2.2: EdDSA with an
// Ed25519 key is Ed25519).
func (k *Key) accepts(alg Algorithm) bool {
	return alg == k.alg || k.ed != nil && (alg == EdDSA || alg == Ed25519)
}

// verify checks a signature, whose length is looked at before anything is computed. An
// accelerator may decide it sooner.
func (k *Key) verify(signed, signature []byte) bool {
	if len(signature) != k.signatureSize() {
		return false
	}
	switch k.spec.kind {
	case edwards:
		if valid, decided := k.ask(signed, signature); decided {
			return valid
		}
		return ed25519.Verify(*k.ed, signed, signature)
	case ecdsaKey:
		return k.verifyECDSA(signed, signature)
	case pss:
		return k.verifyPSS(signed, signature)
	case pkcs1:
		return k.verifyPKCS1(signed, signature)
	case akp:
		return k.ext.verify(signed, signature)
	}
	return false
}

func (k *Key) signatureSize() int {
	if k.spec.size == 0 {
		return k.rs.Size()
	}
	return k.spec.size
}

// verifyECDSA takes a signature as r || s of the same length (RFC 7518 §3.4), not as DER.
func (k *Key) verifyECDSA(signed, signature []byte) bool {
	r, s, n := signature[:len(signature)/2], signature[len(signature)/2:], k.spec.order
	if !inOrder(r, n) || !inOrder(s, n) { // the library refuses them too, but need not for ever
		return false
	}
	if k.alg == ES256 {
		if valid, decided := k.ask(signed, signature); decided {
			return valid
		}
	}
	var room [sha512.Size]byte
	der := appendDER(make([]byte, 0, len(signature)+derOverhead), r, s)
	return ecdsa.VerifyASN1(k.ec, digest(k.spec.hash, room[:0], signed), der)
}

func (k *Key) verifyPKCS1(signed, signature []byte) bool {
	var room [sha512.Size]byte
	return rsa.VerifyPKCS1v15(k.rs, k.spec.hash, digest(k.spec.hash, room[:0], signed), signature) == nil
}

// verifyPSS takes a salt as long as the hash and no other (RFC 7518 §3.5).
func (k *Key) verifyPSS(signed, signature []byte) bool {
	var room [sha512.Size]byte
	salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	return rsa.VerifyPSS(k.rs, k.spec.hash, digest(k.spec.hash, room[:0], signed), signature, salt) == nil
}

// digest appends the hash of message.
func digest(hash crypto.Hash, dst, message []byte) []byte {
	switch hash {
	case crypto.SHA384:
		sum := sha512.Sum384(message)
		return append(dst, sum[:]...)
	case crypto.SHA512:
		sum := sha512.Sum512(message)
		return append(dst, sum[:]...)
	}
	sum := sha256.Sum256(message)
	return append(dst, sum[:]...)
}
