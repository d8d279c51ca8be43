package verify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// NonceError says that a proof has no nonce of ours, or an old one, and which the next
// must have (RFC 9449 §9). It matches ErrProofNonce.
type NonceError struct{ Nonce string }

// Error does not name the nonce, which is new each time.
func (e *NonceError) Error() string { return ErrProofNonce.Error() }

// Is reports whether target is ErrProofNonce.
func (e *NonceError) Is(target error) bool { return target == ErrProofNonce }

// nonces makes and knows nonces without storing them: each is the MAC of a stretch of
// time.
type nonces struct {
	// mac keeps the key out of reach of fmt, which prints fields.
	mac func(message []byte) []byte
}

// nonceStretch is how long a nonce is given out, in seconds. It is accepted for one more
// stretch, and one before, which is for nodes whose clocks are ahead.
const nonceStretch = 120

func (n *nonces) init(audience string, key []byte) error {
	if len(key) == 0 {
		key = make([]byte, sha256.Size)
		if _, err := rand.Read(key); err != nil {
			return err
		}
	}
	if len(key) < sha256.Size {
		return errors.New("verify: the key of the nonces must have 32 bytes or more")
	}
	key = slices.Clone(key)
	n.mac = func(message []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(message)
		h.Write([]byte(audience)) // so that services may share a key
		return h.Sum(nil)
	}
	return nil
}

// check reports whether a nonce is one of ours. If it is not the newest, that is returned.
func (n *nonces) check(now time.Time, nonce string) (next string, valid bool) {
	stretch := now.Unix() / nonceStretch
	current := n.of(stretch)
	if hmac.Equal([]byte(current), []byte(nonce)) {
		return "", true
	}
	for _, near := range [...]int64{stretch - 1, stretch + 1} {
		if hmac.Equal([]byte(n.of(near)), []byte(nonce)) {
			return current, true
		}
	}
	return current, false
}

// of makes the nonce of a stretch.
func (n *nonces) of(stretch int64) string {
	mac := n.mac(binary.BigEndian.AppendUint64([]byte("DPoP-Nonce\x00"), uint64(stretch)))
	return base64.RawURLEncoding.EncodeToString(mac[:18])
}
