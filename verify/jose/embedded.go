package jose

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// VerifyEmbedded checks a compact JWS that brings its own public key in the header
// member "jwk" (RFC 7515 §4.1.3), as a DPoP proof does (RFC 9449 §4.2). It says that the
// signer holds the private half and nothing about who that is: the caller must compare
// the key with one that is known, by its ID, which is the thumbprint (RFC 7638).
//
// The header's "typ" must equal typ byte for byte and its "alg" be one of algs; empty
// allows all of this package. Limits of tokens and keys are those of Verify. The key needs
// no members besides itself; "alg", "use" and "key_ops" must fit if they are there, and
// its "kid" means nothing.
func VerifyEmbedded(token, typ string, algs []Algorithm) (payload []byte, key *Key, err error) {
	return verifyEmbedded(token, typ, algs, nil)
}

// VerifyEmbeddedBy is VerifyEmbedded for those who know already whose key it must be: the
// one with the thumbprint. Any other is ErrUnknownKey, and no signature is computed with
// it. Strangers choose what that costs: with RSA of 8192 bits some forty times ES256.
func VerifyEmbeddedBy(thumbprint, token, typ string, algs []Algorithm) (payload []byte, err error) {
	payload, _, err = verifyEmbedded(token, typ, algs, &thumbprint)
	return payload, err
}

func verifyEmbedded(token, typ string, algs []Algorithm, thumbprint *string) (payload []byte, key *Key, err error) {
	p, err := split(token, maxToken)
	if err != nil {
		return nil, nil, err
	}
	head, ok := appendDecoded(nil, p.header)
	if !ok {
		return nil, nil, malformed("header is not base64url")
	}
	if key, err = embeddedKey(head, typ, algs); err != nil {
		return nil, nil, err
	}
	if thumbprint != nil && key.kid != *thumbprint {
		return nil, nil, ErrUnknownKey
	}
	payload, ok = appendDecoded(nil, p.payload)
	if !ok {
		return nil, nil, malformed("payload is not base64url")
	}
	signature, ok := appendDecoded(nil, p.signature)
	if !ok {
		return nil, nil, malformed("signature is not base64url")
	}
	if !key.verify([]byte(token[:len(p.header)+1+len(p.payload)]), signature) {
		return nil, nil, ErrSignature
	}
	return payload, key, nil
}

// embeddedKey reads the header and the key in it.
func embeddedKey(head []byte, typ string, algs []Algorithm) (*Key, error) {
	h, err := parseHeader(head)
	if err != nil {
		return nil, err
	}
	alg := Algorithm(h.alg)
	switch {
	case !known(alg) || len(algs) > 0 && !slices.Contains(algs, alg):
		return nil, ErrAlgorithm
	case string(h.typ) != typ:
		return nil, ErrType
	}
	var doc []byte
	err = strictjson.Object(head, func(name, value []byte) error {
		if string(name) == "jwk" {
			doc = value
		}
		return nil
	})
	if err != nil || doc == nil {
		return nil, malformed("header: no jwk")
	}
	key, err := parseEmbedded(doc, alg)
	if err != nil {
		return nil, malformed("header: jwk: " + err.Error())
	}
	return key, nil
}

// parseEmbedded makes the key that the header's algorithm asks for.
func parseEmbedded(doc []byte, alg Algorithm) (*Key, error) {
	m, err := keyMembers(doc)
	if err != nil {
		return nil, err
	}
	if m.Use != "" || m.ops != nil {
		if err := m.checkPurpose(); err != nil {
			return nil, err
		}
	}
	stated := m.Algorithm
	m.Algorithm, m.ID = alg, "-"
	key, err := m.key()
	switch {
	case err != nil:
		return nil, err
	case stated != "" && !key.accepts(stated):
		return nil, errors.New("alg is not the header's")
	}
	key.kid = key.thumbprint()
	return key, nil
}

// SignEmbedded returns header.payload.signature with the header members alg, typ and
// jwk, the public key itself: what VerifyEmbedded reads.
func (s *Signer) SignEmbedded(typ string, payload []byte) (string, error) {
	doc, err := json.Marshal(struct {
		Algorithm Algorithm `json:"alg"`
		Type      string    `json:"typ"`
		Key       jwk       `json:"jwk"`
	}{s.key.alg, typ, s.key.numbers()})
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	signed := encoding.EncodeToString(doc) + "." + encoding.EncodeToString(payload)
	signature, err := s.sign([]byte(signed))
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", s.key.alg, err)
	}
	return signed + "." + encoding.EncodeToString(signature), nil
}
