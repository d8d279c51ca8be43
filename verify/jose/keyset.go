package jose

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// KeySet is the public keys of one issuer. What it verifies never changes.
type KeySet struct {
	keys []*Key
	byID map[string]*Key

	spellings spellings // of headers, learned
}

// NewKeySet makes a set. Two keys with one ID would let a signer choose between them,
// so that is an error.
func NewKeySet(keys ...*Key) (*KeySet, error) {
	s := &KeySet{keys: slices.Clone(keys), byID: make(map[string]*Key, len(keys))}
	for _, k := range keys {
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

// ParseKeySet reads a JSON Web Key Set (RFC 7517 §5). Keys of unknown kinds and
// algorithms are left out, whatever their kid: alternatives of one key may share theirs
// (RFC 7517 §4.5). One private, symmetric or ambiguous key, more than 64 keys, or
// no usable key at all, makes the whole set an error.
func ParseKeySet(doc []byte) (*KeySet, error) {
	var keys []*Key
	err := eachKey(doc, func(element []byte) error {
		k, err := parseKey(element)
		if errors.Is(err, errSkip) {
			return nil
		}
		keys = append(keys, k)
		return err
	})
	if err == nil && len(keys) == 0 {
		err = errors.New("no usable key")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: key set: %w", ErrKey, err)
	}
	return NewKeySet(keys...)
}

// eachKey calls visit for the keys of a set (RFC 7517 §5.1), at most maxKeys.
func eachKey(doc []byte, visit func(key []byte) error) error {
	found, count := false, 0
	err := strictjson.Object(doc, func(name, value []byte) error {
		if string(name) != "keys" {
			return nil
		}
		found = true
		return strictjson.Array(value, func(element []byte) error {
			if count++; count > maxKeys {
				return fmt.Errorf("more than %d keys", maxKeys)
			}
			return visit(element)
		})
	})
	if err == nil && !found {
		err = errors.New("no keys")
	}
	return err
}

// Key returns the key with the ID.
func (s *KeySet) Key(kid string) (*Key, bool) {
	k, ok := s.byID[kid]
	return k, ok
}

// Keys returns all keys in the order of the set.
func (s *KeySet) Keys() []*Key { return slices.Clone(s.keys) }

// Equal reports whether other has the same keys in the same order.
func (s *KeySet) Equal(other *KeySet) bool {
	return slices.EqualFunc(s.keys, other.keys, func(a, b *Key) bool {
		return a.kid == b.kid && a.alg == b.alg && a.numbers() == b.numbers()
	})
}

// MarshalJSON writes the set as a JSON Web Key Set (RFC 7517 §5).
func (s *KeySet) MarshalJSON() ([]byte, error) {
	doc := struct {
		Keys []*Key `json:"keys"`
	}{s.keys}
	if doc.Keys == nil {
		doc.Keys = []*Key{}
	}
	return json.Marshal(doc)
}
