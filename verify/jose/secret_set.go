package jose

import (
	"errors"
	"fmt"
	"io"
)

// SecretSet is a set of symmetric keys. No public key is ever in it. It never changes.
type SecretSet struct {
	byID map[string]*Secret
}

// NewSecretSet makes a set. Two secrets with one ID are an error.
func NewSecretSet(secrets ...*Secret) (*SecretSet, error) {
	s := &SecretSet{byID: make(map[string]*Secret, len(secrets))}
	for _, k := range secrets {
		if k == nil {
			return nil, fmt.Errorf("%w: nil", ErrKey)
		}
		if _, known := s.byID[k.kid]; known {
			return nil, fmt.Errorf("%w: two keys with the same kid", ErrKey)
		}
		s.byID[k.kid] = k
	}
	return s, nil
}

// ParseSecretSet reads a JSON Web Key Set of symmetric keys (RFC 7517 §5, RFC 7518 §6.4).
// Keys for algorithms that do not exist here are left out. One key that is not symmetric
// or of unclear purpose, more than 64 keys, or no usable key at all, makes the whole set
// an error. Errors do not quote the document.
func ParseSecretSet(doc []byte) (*SecretSet, error) {
	var secrets []*Secret
	err := eachKey(doc, func(element []byte) error {
		k, err := parseSecret(element)
		if errors.Is(err, errSkip) {
			return nil
		}
		secrets = append(secrets, k)
		return err
	})
	if err == nil && len(secrets) == 0 {
		err = errors.New("no usable key")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: secret set: %w", ErrKey, err)
	}
	return NewSecretSet(secrets...)
}

func parseSecret(doc []byte) (*Secret, error) {
	m, err := anyMembers(doc)
	switch {
	case err != nil:
		return nil, err
	case m.Type != "oct" || m.public():
		return nil, errors.New("a key that is not symmetric")
	case m.private != "" && m.private != "k":
		return nil, errors.New("a private key")
	case m.Algorithm != "" && !isSymmetric(m.Algorithm):
		return nil, errSkip
	}
	if err := m.checkPurpose(); err != nil {
		return nil, err
	}
	if m.Algorithm == "" {
		return nil, errors.New("no alg")
	}
	secret, ok := appendDecoded(nil, m.secret)
	if !ok {
		return nil, errors.New("k is not base64url")
	}
	defer clear(secret)
	return NewSecret(m.Algorithm, m.ID, secret)
}

// Verify checks a compact JWS by the rules of [KeySet.Verify] and returns its payload and
// the secret that made it.
func (s *SecretSet) Verify(token, typ string) (payload []byte, secret *Secret, err error) {
	p, err := split(token, maxToken)
	if err != nil {
		return nil, nil, err
	}
	head, ok := appendDecoded(nil, p.header)
	if !ok {
		return nil, nil, malformed("header is not base64url")
	}
	h, err := parseHeader(head)
	if err != nil {
		return nil, nil, err
	}
	if secret, err = s.choose(h, typ); err != nil {
		return nil, nil, err
	}
	if payload, ok = appendDecoded(nil, p.payload); !ok {
		return nil, nil, malformed("payload is not base64url")
	}
	mac, ok := appendDecoded(nil, p.signature)
	if !ok {
		return nil, nil, malformed("signature is not base64url")
	}
	if !secret.verify([]byte(token[:len(p.header)+1+len(p.payload)]), mac) {
		return nil, nil, ErrSignature
	}
	return payload, secret, nil
}

// choose finds the secret. The algorithm is the key's: what the token says only has to agree.
func (s *SecretSet) choose(h header, typ string) (*Secret, error) {
	if !isSymmetric(Algorithm(h.alg)) {
		return nil, ErrAlgorithm
	}
	if string(h.typ) != typ {
		return nil, ErrType
	}
	if len(h.kid) == 0 || len(h.kid) > maxKeyID {
		return nil, malformed("header: no kid of 1 to 256 bytes")
	}
	secret, ok := s.byID[string(h.kid)]
	if !ok {
		return nil, ErrUnknownKey
	}
	if string(h.alg) != string(secret.alg) {
		return nil, ErrAlgorithm
	}
	return secret, nil
}

// MarshalJSON refuses: see [Secret.MarshalJSON].
func (s *SecretSet) MarshalJSON() ([]byte, error) { return nil, errWritten }

// Format writes no more than that these are secrets.
func (s *SecretSet) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "[secret keys]") }
