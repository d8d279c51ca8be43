package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
)

// ErrSealed says that a sealed value does not open: another key, other associated
// data, or altered bytes. It does not say which.
var ErrSealed = errors.New("sealed value does not open")

// Derive makes a key for one purpose from a secret of high entropy: HKDF-SHA256
// (RFC 5869) with "signet:" + purpose as info. Keys of different purposes tell
// nothing about each other or about the secret.
func Derive(from []byte, purpose string) [32]byte {
	key, err := hkdf.Key(sha256.New, from, nil, "signet:"+purpose, 32)
	if err != nil {
		panic("secret: " + err.Error()) // only for keys longer than HKDF can make
	}
	return [32]byte(key)
}

// Seal encrypts and authenticates plaintext with AES-256-GCM under a random nonce,
// which stands first in the result. associated is authenticated, not stored: whoever
// opens must know it, so that a sealed value cannot be moved to another place.
func Seal(key [32]byte, plaintext, associated []byte) []byte {
	return gcm(key).Seal(nil, nil, plaintext, associated)
}

// Open undoes Seal. Every failure is ErrSealed.
func Open(key [32]byte, sealed, associated []byte) ([]byte, error) {
	plaintext, err := gcm(key).Open(nil, nil, sealed, associated)
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

func gcm(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("secret: " + err.Error()) // only for wrong key sizes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("secret: " + err.Error()) // only for foreign ciphers
	}
	return aead
}
