// Package edwards verifies Ed25519 signatures (RFC 8032 §5.1.7) with tables of multiples
// of the base point and of the key.
//
// It accepts what crypto/ed25519 accepts: S less than L, no multiplication by the
// cofactor, and R compared as bytes with the one encoding of [S]B - [k]A, so that other
// encodings of R are refused.
//
// Everything here is public: running times depend on the numbers. No private key, nonce
// or other secret may ever be given to it.
package edwards

import (
	"bytes"
	"crypto/sha512"
	"math/bits"

	"filippo.io/edwards25519"

	"github.com/signet-id/signet/verify/accel/internal/window"
)

// Verify checks a signature R || S of a message. When decided is false it cannot tell.
func (t *Table) Verify(message, signature []byte) (valid, decided bool) {
	if len(signature) != 64 {
		return false, true
	}
	s := limbs(signature[32:])
	if !canonical(&s) {
		return false, true
	}
	k, ok := t.challenge(signature[:32], message)
	if !ok {
		return false, false
	}
	var r point
	t.difference(&r, &s, &k)
	var encoded [32]byte
	if !r.onCurve() || !r.encode(&encoded) { // a fault
		return false, false
	}
	return bytes.Equal(encoded[:], signature[:32]), true
}

// order is L of RFC 8032 §5.1, in limbs of 64 bits, the lowest first.
var order = [4]uint64{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000}

// canonical reports s < L.
func canonical(s *[4]uint64) bool {
	_, b := bits.Sub64(s[0], order[0], 0)
	_, b = bits.Sub64(s[1], order[1], b)
	_, b = bits.Sub64(s[2], order[2], b)
	_, b = bits.Sub64(s[3], order[3], b)
	return b == 1
}

// challenge returns k = SHA-512(R || A || M) modulo L.
func (t *Table) challenge(r, message []byte) (k [4]uint64, ok bool) {
	h := sha512.New()
	h.Write(r)
	h.Write(t.encoded[:])
	h.Write(message)
	var sum [sha512.Size]byte
	var reduced edwards25519.Scalar
	if _, err := reduced.SetUniformBytes(h.Sum(sum[:0])); err != nil {
		return k, false
	}
	return limbs(reduced.Bytes()), true
}

// difference sets p = [s]B - [k]A.
func (t *Table) difference(p *point, s, k *[4]uint64) {
	var terms terms
	terms.take(t.base, s, false)
	terms.take(t.key, k, true)
	terms.sum(p)
}

// terms are copies of multiples that will be added or taken away. Tables are larger than a
// processor's nearest memory: fetched one after the other, with nothing that depends on
// them in between, all are waited for together.
type terms struct {
	n     int
	minus [2 * window.MaxPlaces]bool
	of    [2 * window.MaxPlaces]stored
}

// take adds k times the point that m belongs to, or takes it away.
func (t *terms) take(m *multiples, k *[4]uint64, negative bool) {
	digits := window.Cut(k, m.width)
	for i, d := range digits {
		if d == 0 {
			continue
		}
		t.minus[t.n] = (d < 0) != negative
		t.of[t.n] = m.row(i)[max(d, -d)-1]
		t.n++
	}
}

// sum sets p to the sum of the terms.
func (t *terms) sum(p *point) {
	if t.n == 0 {
		p.setIdentity()
		return
	}
	p.set(&t.of[0], t.minus[0])
	for i := 1; i < t.n; i++ {
		p.add(&t.of[i], t.minus[i])
	}
}
