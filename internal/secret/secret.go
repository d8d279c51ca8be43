// Package secret makes random values, knows the formats of opaque tokens, hashes
// them for storage, seals what must be read again, and carries secrets in a type
// that cannot be printed by accident.
//
// It is the only package of the server that imports crypto/rand. Randomness is not
// a parameter anywhere: tests that need fixed values use
// testing/cryptotest.SetGlobalRandom.
//
// It deliberately does not hash passwords (package passhash): what it makes has
// 256 bits of entropy, for which one SHA-256 is enough.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// Reader is the source for the few standard calls that take one.
var Reader io.Reader = rand.Reader

// Text holds a secret that cannot be printed, logged or marshalled by accident.
// It holds a pointer because fmt prints unexported fields without asking their
// methods. The zero Text is an empty secret.
type Text struct{ p *string }

// NewText wraps s.
func NewText(s string) Text { return Text{&s} }

// Format writes "[secret]" for every verb; a String method would miss %#v.
func (t Text) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// MarshalText makes encoders of text and JSON write "[secret]".
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal returns the secret. It belongs only where bytes leave the process.
func (t Text) Reveal() string {
	if t.p == nil {
		return ""
	}
	return *t.p
}

// Empty reports whether there is nothing in it.
func (t Text) Empty() bool { return t.Reveal() == "" }

const redacted = "[secret]"

// Hash returns the form in which a high-entropy secret is stored and looked up:
// SHA-256("signet:" + purpose + 0x00 + token). The purpose keeps a value that was
// made for one use from being found as another.
func Hash(purpose string, t Text) [32]byte {
	buf := make([]byte, 0, 128) // room for our tokens without an allocation
	buf = append(buf, "signet:"...)
	buf = append(buf, purpose...)
	buf = append(buf, 0) // no purpose contains NUL: where it ends is certain
	buf = append(buf, t.Reveal()...)
	return sha256.Sum256(buf)
}

// Key returns 32 random bytes for symmetric cryptography.
func Key() [32]byte {
	var k [32]byte
	rand.Read(k[:]) // never fails (crypto/rand)
	return k
}

// ID returns a random 128-bit identifier as 22 base62 characters. It is no secret.
func ID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	var s [idLen]byte
	number{2: binary.BigEndian.Uint64(b[:8]), 3: binary.BigEndian.Uint64(b[8:])}.encode(s[:])
	return string(s[:])
}
