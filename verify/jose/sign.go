package jose

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
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

// Sign returns header.payload.signature with the header members alg, typ and kid.
func (s *Signer) Sign(typ string, payload []byte) (string, error) {
	head, err := s.header(typ)
	if err != nil {
		return "", err
	}
	token := make([]byte, 0, len(head)+encoding.EncodedLen(len(payload))+700)
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
	doc, err := json.Marshal(struct {
		Algorithm Algorithm `json:"alg"`
		Type      string    `json:"typ"`
		KeyID     string    `json:"kid"`
	}{s.key.alg, typ, s.key.kid})
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	h := encoding.EncodeToString(doc) + "."
	s.headers.Store(typ, h)
	return h, nil
}

func (s *Signer) sign(message []byte) ([]byte, error) {
	if s.key.ed != nil {
		return s.private.Sign(rand.Reader, message, crypto.Hash(0))
	}
	sum := sha256.Sum256(message)
	if s.key.alg == PS256 {
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
		return s.private.Sign(rand.Reader, sum[:], options)
	}
	signature, err := s.private.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil || s.key.alg != ES256 {
		return signature, err
	}
	return fixedLength(signature)
}
