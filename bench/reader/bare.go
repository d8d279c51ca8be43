package reader

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"

	"github.com/signet-id/signet/bench/issuer"
)

var errSignature = errors.New("wrong signature")

// Bare is the call of the standard library that no reader can do without, hash included,
// and nothing else: no key is looked up and no claim read. What it is given is decoded
// before it is measured; see Split.
var Bare = Library{"bare crypto", openBare}

func openBare(i *issuer.Issuer, alg string) (*Reader, error) {
	check := BareCheck(i.Key(alg))
	return &Reader{Verify: func(token string) error {
		message, signature, err := Split(alg, token)
		if err != nil {
			return err
		}
		return check(message, signature)
	}}, nil
}

// Split returns the bytes that are signed and the signature, as the standard library
// wants it: ECDSA in DER.
func Split(alg, token string) (message, signature []byte, err error) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return nil, nil, errSignature
	}
	signature, err = base64.RawURLEncoding.Strict().DecodeString(token[dot+1:])
	if err == nil && strings.HasPrefix(alg, "ES") {
		half := len(signature) / 2
		signature, err = asn1.Marshal(struct{ R, S *big.Int }{
			new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]),
		})
	}
	return []byte(token[:dot]), signature, err
}

// BareCheck returns the bare check with a key.
func BareCheck(k issuer.Key) func(message, signature []byte) error {
	hash := issuer.Hash(k.Alg)
	digest := sum(hash)
	is := func(valid bool) error {
		if !valid {
			return errSignature
		}
		return nil
	}
	switch p := k.Public.(type) {
	case ed25519.PublicKey:
		return func(m, s []byte) error { return is(ed25519.Verify(p, m, s)) }
	case *ecdsa.PublicKey:
		return func(m, s []byte) error { return is(ecdsa.VerifyASN1(p, digest(m), s)) }
	case []byte:
		return func(m, s []byte) error {
			h := hmac.New(hash.New, p)
			h.Write(m)
			return is(hmac.Equal(h.Sum(nil), s))
		}
	case *rsa.PublicKey:
		if strings.HasPrefix(k.Alg, "PS") {
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return func(m, s []byte) error { return rsa.VerifyPSS(p, hash, digest(m), s, options) }
		}
		return func(m, s []byte) error { return rsa.VerifyPKCS1v15(p, hash, digest(m), s) }
	}
	panic("no bare check for " + k.Alg)
}

// sum returns a hash as one call, the cheapest way that the standard library has.
func sum(hash crypto.Hash) func([]byte) []byte {
	switch hash {
	case crypto.SHA256:
		return func(m []byte) []byte { h := sha256.Sum256(m); return h[:] }
	case crypto.SHA384:
		return func(m []byte) []byte { h := sha512.Sum384(m); return h[:] }
	}
	return func(m []byte) []byte { h := sha512.Sum512(m); return h[:] }
}
