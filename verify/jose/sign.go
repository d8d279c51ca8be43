package jose

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Signer makes compact JWS with one private key and one algorithm. It may be used by
// many goroutines if its crypto.Signer may.
type Signer struct {
	key     *Key
	private crypto.Signer
	headers sync.Map // typ -> encoded header with its dot; the typs of a program are few
}

// NewSigner makes a signer. The algorithm must fit the private key.
func NewSigner(alg Algorithm, kid string, s crypto.Signer) (*Signer, error) {
	if s == nil {
		return nil, fmt.Errorf("%w: no private key", ErrKey)
	}
	key, err := NewKey(alg, kid, s.Public())
	if err != nil {
		return nil, err
	}
	return &Signer{key: key, private: s}, nil
}

// Key returns the public half.
func (s *Signer) Key() *Key { return s.key }

// Format keeps the private key out of logs: fmt prints unexported fields too.
func (s *Signer) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "[signer]") }

// Sign returns header.payload.signature with the header members alg, typ and kid;
// an empty typ is left out.
func (s *Signer) Sign(typ string, payload []byte) (string, error) {
	head, err := s.header(typ)
	if err != nil {
		return "", err
	}
	token := make([]byte, 0, len(head)+encoding.EncodedLen(len(payload))+1+encoding.EncodedLen(s.key.signatureSize()))
	token = append(token, head...)
	token = encoding.AppendEncode(token, payload)
	signature, err := s.sign(token)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", s.key.alg, err)
	}
	token = append(token, '.')
	return string(encoding.AppendEncode(token, signature)), nil
}

func (s *Signer) header(typ string) (string, error) {
	if h, ok := s.headers.Load(typ); ok {
		return h.(string), nil
	}
	h, err := encodeHeader(s.key.alg, typ, s.key.kid)
	if err != nil {
		return "", err
	}
	s.headers.Store(typ, h)
	return h, nil
}

// encodeHeader returns the first part of a token with its dot.
func encodeHeader(alg Algorithm, typ, kid string) (string, error) {
	doc, err := json.Marshal(struct {
		Algorithm Algorithm `json:"alg"`
		Type      string    `json:"typ,omitempty"`
		KeyID     string    `json:"kid"`
	}{alg, typ, kid})
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	return encoding.EncodeToString(doc) + ".", nil
}

func (s *Signer) sign(message []byte) ([]byte, error) {
	signature, err := s.signRaw(message)
	switch {
	case err != nil:
		return nil, err
	case s.key.spec.kind == ecdsaKey:
		return fixedLength(signature, s.key.spec.size)
	case len(signature) != s.key.signatureSize():
		return nil, errors.New("signer returned no signature of the algorithm")
	}
	return signature, nil
}

func (s *Signer) signRaw(message []byte) ([]byte, error) {
	hash := s.key.spec.hash
	switch s.key.spec.kind {
	case edwards, akp: // the message itself; for ML-DSA with an empty context (RFC 9964 §5)
		return s.private.Sign(rand.Reader, message, crypto.Hash(0))
	case pss:
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		return s.private.Sign(rand.Reader, digest(hash, nil, message), options)
	}
	return s.private.Sign(rand.Reader, digest(hash, nil, message), hash)
}
