package edwards_test

import (
	"bytes"
	"crypto/ed25519"
	"math/big"
	"slices"
	"testing"

	"filippo.io/edwards25519"

	"github.com/signet-id/signet/verify/accel/internal/edwards"
	"github.com/signet-id/signet/verify/accel/internal/window"
)

// l is the order of the base point (RFC 8032 §5.1).
var l, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

func scalar(t testing.TB, x *big.Int) *edwards25519.Scalar {
	t.Helper()
	b := new(big.Int).Mod(x, l).FillBytes(make([]byte, 32))
	slices.Reverse(b)
	s, err := edwards25519.NewScalar().SetCanonicalBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// smallOrder is the eight points whose eightfold is the identity.
func smallOrder(t testing.TB) (all []*edwards25519.Point) {
	t.Helper()
	generator, err := new(edwards25519.Point).SetBytes([]byte{
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := edwards25519.NewIdentityPoint()
	for range 8 {
		all = append(all, new(edwards25519.Point).Set(p))
		p.Add(p, generator)
	}
	if p.Equal(edwards25519.NewIdentityPoint()) != 1 {
		t.Fatal("the point has another order")
	}
	return all
}

func TestTable_HoldsAllMultiples(t *testing.T) {
	t.Parallel()
	key := new(edwards25519.Point).ScalarBaseMult(scalar(t, big.NewInt(987654321)))
	key.Add(key, smallOrder(t)[1])
	table, ok := edwards.NewTable(key.Bytes())
	if !ok {
		t.Fatal("no table")
	}
	holdsAll(t, table, true, key, edwards.KeyWidth)
	holdsAll(t, table, false, edwards25519.NewGeneratorPoint(), edwards.BaseWidth)
}

func holdsAll(t *testing.T, table *edwards.Table, ofKey bool, point *edwards25519.Point, width uint) {
	t.Helper()
	unit := new(edwards25519.Point).Set(point)
	for place := range window.Places(253, width) {
		p := edwards25519.NewIdentityPoint()
		for j := 1; j <= window.Half(width); j++ {
			p.Add(p, unit)
			if got, ok := table.Multiple(ofKey, false, place, j); !ok || !bytes.Equal(got[:], p.Bytes()) {
				t.Fatalf("key %v, place %d, %d times: %x, want %x", ofKey, place, j, got, p.Bytes())
			}
			minus := new(edwards25519.Point).Negate(p)
			if got, ok := table.Multiple(ofKey, true, place, j); !ok || !bytes.Equal(got[:], minus.Bytes()) {
				t.Fatalf("key %v, place %d, -%d times: %x, want %x", ofKey, place, j, got, minus.Bytes())
			}
		}
		unit.Add(p, p)
	}
}

// TestAdd_Complete: additions are right for all points, the same and opposite ones, too.
func TestAdd_Complete(t *testing.T) {
	t.Parallel()
	points := smallOrder(t)
	for _, k := range []*big.Int{big.NewInt(1), new(big.Int).Sub(l, big.NewInt(1)), new(big.Int).Rsh(l, 1)} {
		for _, small := range smallOrder(t) {
			p := new(edwards25519.Point).ScalarBaseMult(scalar(t, k))
			points = append(points, p.Add(p, small))
		}
	}
	for _, p := range points {
		for _, q := range points {
			want := new(edwards25519.Point).Add(p, q)
			want.Add(want, q)
			if got, ok := edwards.SumTwice(p, q); !ok || !bytes.Equal(got[:], want.Bytes()) {
				t.Errorf("%x + 2 %x: %x %v, want %x", p.Bytes(), q.Bytes(), got, ok, want.Bytes())
			}
		}
	}
}

// TestCanonical_JOS23: S must be less than L (RFC 8032 §5.1.7).
func TestCanonical_JOS23(t *testing.T) {
	t.Parallel()
	one := new(big.Int).Lsh(big.NewInt(1), 64)
	for _, limb := range []uint{0, 1, 2, 3} {
		step := new(big.Int).Exp(one, big.NewInt(int64(limb)), nil)
		for sign := int64(-1); sign <= 1; sign++ {
			x := new(big.Int).Add(l, new(big.Int).Mul(step, big.NewInt(sign)))
			var words [4]uint64
			rest := new(big.Int).Set(x)
			for i := range words {
				words[i] = new(big.Int).And(rest, new(big.Int).SetUint64(^uint64(0))).Uint64()
				rest.Rsh(rest, 64)
			}
			if got := edwards.Canonical(&words); got != (x.Cmp(l) < 0) {
				t.Errorf("%x: %v", x, got)
			}
		}
	}
}

// TestVerify_JOS23_Fault: what a table with a fault computes is not on the curve.
func TestVerify_JOS23_Fault(t *testing.T) {
	t.Parallel()
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	message := []byte("message")
	signature := ed25519.Sign(private, message)
	table, ok := edwards.NewTable(private.Public().(ed25519.PublicKey))
	if !ok {
		t.Fatal("no table")
	}
	if valid, decided := table.Verify(message, signature); !valid || !decided {
		t.Fatal("a good signature is refused")
	}
	table.Spoil(5)
	if valid, decided := table.Verify(message, signature); valid || decided {
		t.Errorf("with a fault: valid %v, decided %v", valid, decided)
	}
}
