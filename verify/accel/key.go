package accel

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"sync/atomic"

	"github.com/signet-id/signet/verify/accel/internal/edwards"
	"github.com/signet-id/signet/verify/accel/internal/p256"
	"github.com/signet-id/signet/verify/jose"
)

// kind is an algorithm with tables.
type kind byte

const (
	none kind = iota
	ed25519Kind
	p256Kind
)

// key is one public key in use, under however many key IDs.
type key struct {
	accelerator *Accelerator
	kind        kind
	name        string // the kind, then the encoded key

	uses atomic.Int64 // without a table, up to usesBeforeTable

	// At most one of them, by kind. Stored with the accelerator's mutex held.
	edwards atomic.Pointer[edwards.Table]
	p256    atomic.Pointer[p256.Table]

	counted bool // among the accelerator's tables; its mutex guards it
	failed  bool // no table can be made; guarded likewise
}

// identify returns what makes a key the same as another.
func identify(k *jose.Key) (name string, kind kind) {
	switch pub := k.Public().(type) {
	case ed25519.PublicKey:
		return "ed25519 " + string(pub), ed25519Kind
	case *ecdsa.PublicKey: // of any curve
		if point, err := pub.Bytes(); err == nil && k.Algorithm() == jose.ES256 {
			return "p256 " + string(point), p256Kind
		}
	}
	return "", none
}

func (k *key) encoded() []byte {
	if k.kind == ed25519Kind {
		return []byte(k.name[len("ed25519 "):])
	}
	return []byte(k.name[len("p256 "):])
}

func (k *key) check() jose.Check {
	if k.kind == ed25519Kind {
		return k.checkEd25519
	}
	return k.checkES256
}

func (k *key) checkEd25519(signed, signature []byte) (valid, decided bool) {
	t := k.edwards.Load()
	if t == nil {
		k.used()
		return false, false
	}
	return t.Verify(signed, signature)
}

func (k *key) checkES256(signed, signature []byte) (valid, decided bool) {
	t := k.p256.Load()
	if t == nil {
		k.used()
		return false, false
	}
	hash := sha256.Sum256(signed)
	return t.Verify(&hash, signature)
}

// used counts up to the use that asks for a table, and then writes nothing any more.
func (k *key) used() {
	if k.uses.Load() < usesBeforeTable && k.uses.Add(1) == usesBeforeTable {
		go k.accelerator.buildFor(k)
	}
}

// bytes is how much memory the key's table takes; 0: it has none.
func (k *key) bytes() int {
	if t := k.edwards.Load(); t != nil {
		return t.Bytes()
	}
	if t := k.p256.Load(); t != nil {
		return t.Bytes()
	}
	return 0
}
