package jose

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"
)

// looksPublic reports whether a secret is the text or the bytes of a key or a
// certificate: what everybody can read must not be the secret of a MAC. Raw Ed25519 keys
// and moduli cannot be told from random bytes. Random secrets pass.
func looksPublic(secret []byte) bool {
	text := bytes.TrimSpace(secret)
	switch {
	case bytes.Contains(text, []byte("-----BEGIN ")),
		bytes.HasPrefix(text, []byte("ssh-")), bytes.HasPrefix(text, []byte("ecdsa-sha2-")),
		bytes.HasPrefix(text, []byte("{")) && json.Valid(text):
		return true
	}
	return isKeyDER(secret) || isPoint(secret) || isKeyDER(unarmoured(text))
}

// unarmoured decodes the base64 between the lines of a PEM file, or returns nil.
func unarmoured(text []byte) []byte {
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(text), nil)))
	if err != nil {
		return nil
	}
	return der
}

// isKeyDER reports a SubjectPublicKeyInfo (RFC 5280 §4.1), an RSAPublicKey (RFC 8017
// §A.1.1), a certificate or a PKCS #8 private key.
func isKeyDER(der []byte) bool {
	type identifier struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	var spki struct {
		Algorithm identifier
		Key       asn1.BitString
	}
	var pkcs1 struct {
		N *big.Int
		E int
	}
	var certificate struct {
		Body      asn1.RawValue
		Algorithm identifier
		Signature asn1.BitString
	}
	var pkcs8 struct {
		Version   int
		Algorithm identifier
		Key       []byte
	}
	for _, form := range []any{&spki, &pkcs1, &certificate, &pkcs8} {
		if rest, err := asn1.Unmarshal(der, form); err == nil && len(rest) == 0 {
			return true
		}
	}
	return false
}

// isPoint reports an uncompressed point of one of the curves (SEC 1 §2.3.3).
func isPoint(b []byte) bool {
	for i := range specs {
		if specs[i].kind != ecdsaKey {
			continue
		}
		if _, err := ecdsa.ParseUncompressedPublicKey(specs[i].curve, b); err == nil {
			return true
		}
	}
	return false
}
