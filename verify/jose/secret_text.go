package jose

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"slices"
)

// looksPublic reports whether a secret is the text or the bytes of a key or a
// certificate: what everybody can read must not be the secret of a MAC. Raw Ed25519 keys,
// moduli and compressed points cannot be told from random bytes. Random secrets pass.
func looksPublic(secret []byte) bool {
	text := bytes.Trim(bytes.TrimPrefix(secret, []byte("\xef\xbb\xbf")), " \t\r\n\"'")
	return slices.ContainsFunc([][]byte{secret, text, unarmoured(text), fromHex(text)}, isPublic)
}

// isPublic reports what looksPublic does, of one form.
func isPublic(form []byte) bool {
	switch {
	case bytes.Contains(form, []byte("-----BEGIN ")),
		bytes.HasPrefix(form, []byte("ssh-")), bytes.HasPrefix(form, []byte("ecdsa-sha2-")),
		(bytes.HasPrefix(form, []byte("{")) || bytes.HasPrefix(form, []byte("["))) && json.Valid(form):
		return true
	}
	return isKeyDER(form) || isPoint(form)
}

// unarmoured decodes base64, such as that between the lines of a PEM file, in either
// alphabet and with or without padding, or returns nil.
func unarmoured(text []byte) []byte {
	text = bytes.TrimRight(bytes.Join(bytes.Fields(text), nil), "=")
	for _, e := range [...]*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := e.DecodeString(string(text)); err == nil {
			return b
		}
	}
	return nil
}

func fromHex(text []byte) []byte {
	b, err := hex.DecodeString(string(text))
	if err != nil {
		return nil
	}
	return b
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
		if rest, err := asn1.Unmarshal(der, form); err == nil && len(bytes.TrimSpace(rest)) == 0 {
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
