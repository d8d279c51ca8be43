package p256_test

import (
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/signet-id/signet/verify/accel/internal/p256"
)

var (
	p = number("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
	n = number("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
	// perR is 1 / 2^256, by which a product is less in the Montgomery form.
	perR = func(m *big.Int) *big.Int { return new(big.Int).ModInverse(new(big.Int).Lsh(big.NewInt(1), 256), m) }
)

func number(hex string) *big.Int {
	x, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		panic(hex)
	}
	return x
}

func toBig(w [4]uint64) *big.Int {
	x := new(big.Int)
	for i := range w {
		x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(w[3-i]))
	}
	return x
}

func toLimbs(x *big.Int) (w [4]uint64) {
	var b [32]byte
	x.FillBytes(b[:])
	for i := range w {
		w[i] = binary.BigEndian.Uint64(b[24-8*i:])
	}
	return w
}

// samples are numbers below m: with limbs at their limits, around m, and at random.
func samples(m *big.Int, random int) (all []*big.Int) {
	limits := []uint64{0, 1, 2, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, ^uint64(0) - 1<<32, ^uint64(0) - 1, ^uint64(0)}
	rnd := rand.New(rand.NewPCG(5, 6))
	for i := range random {
		var w [4]uint64
		for j := range w {
			if w[j] = rnd.Uint64(); i%2 == 0 {
				w[j] = limits[rnd.IntN(len(limits))]
			}
		}
		all = append(all, new(big.Int).Mod(toBig(w), m))
	}
	for d := int64(0); d < 5; d++ {
		all = append(all, big.NewInt(d), new(big.Int).Sub(m, big.NewInt(d+1)))
	}
	return all
}

func TestElement(t *testing.T) {
	t.Parallel()
	all := samples(p, 400)
	for _, x := range all {
		for _, y := range all[:40] {
			checkElement(t, x, y)
			checkElement(t, y, x)
		}
	}
}

func checkElement(t *testing.T, x, y *big.Int) {
	t.Helper()
	a, b := p256.Element(toLimbs(x)), p256.Element(toLimbs(y))
	expect := func(op string, got p256.Element, want *big.Int) {
		t.Helper()
		if want.Mod(want, p); toBig(got).Cmp(want) != 0 {
			t.Fatalf("%x %s %x = %x, want %x", x, op, y, toBig(got), want)
		}
	}
	less := perR(p)
	var z p256.Element
	z.Mul(&a, &b)
	expect("*", z, new(big.Int).Mul(new(big.Int).Mul(x, y), less))
	z.Sqr(&a)
	expect("squared, beside", z, new(big.Int).Mul(new(big.Int).Mul(x, x), less))
	z.Add(&a, &b)
	expect("+", z, new(big.Int).Add(x, y))
	z.Sub(&a, &b)
	expect("-", z, new(big.Int).Sub(x, y))
	z = a // results may replace operands
	z.Mul(&z, &z)
	expect("squared in place, beside", z, new(big.Int).Mul(new(big.Int).Mul(x, x), less))
}

func TestElement_Invert(t *testing.T) {
	t.Parallel()
	r := new(big.Int).Lsh(big.NewInt(1), 256)
	for _, x := range samples(p, 500) {
		a := p256.Element(toLimbs(new(big.Int).Mod(new(big.Int).Mul(x, r), p)))
		ok := a.Invert(&a)
		if x.Sign() == 0 {
			if ok {
				t.Error("0 has an inverse")
			}
			continue
		}
		want := new(big.Int).ModInverse(x, p)
		if want.Mod(want.Mul(want, r), p); !ok || toBig(a).Cmp(want) != 0 {
			t.Errorf("1/%x: %x, %v", x, toBig(a), ok)
		}
	}
}

func TestMulOrder(t *testing.T) {
	t.Parallel()
	hashes := new(big.Int).Lsh(big.NewInt(1), 256) // the first factor is a hash
	ys := samples(n, 150)
	for _, x := range append(samples(hashes, 300), samples(n, 20)...) {
		for _, y := range ys {
			a, b := toLimbs(x), toLimbs(y)
			want := new(big.Int).Mul(x, y)
			want.Mod(want.Mul(want, perR(n)), n)
			if got := p256.MulOrder(&a, &b); toBig(got).Cmp(want) != 0 {
				t.Fatalf("%x * %x = %x, want %x", x, y, toBig(got), want)
			}
		}
	}
}

func TestFactors(t *testing.T) {
	t.Parallel()
	es, rs := samples(new(big.Int).Lsh(big.NewInt(1), 256), 60), samples(n, 60)
	for i, s := range samples(n, 60) {
		e, r := es[i], rs[len(rs)-1-i]
		le, lr, ls := toLimbs(e), toLimbs(r), toLimbs(s)
		u1, u2, ok := p256.Factors(&le, &lr, &ls)
		if s.Sign() == 0 {
			if ok {
				t.Error("0 has an inverse")
			}
			continue
		}
		w := new(big.Int).ModInverse(s, n)
		want1, want2 := new(big.Int).Mul(e, w), new(big.Int).Mul(r, w)
		if !ok || toBig(u1).Cmp(want1.Mod(want1, n)) != 0 || toBig(u2).Cmp(want2.Mod(want2, n)) != 0 {
			t.Errorf("e %x r %x s %x: %x %x %v", e, r, s, toBig(u1), toBig(u2), ok)
		}
	}
}

func FuzzElement(f *testing.F) {
	f.Add([]byte{1}, []byte{2})
	f.Add(new(big.Int).Sub(p, big.NewInt(1)).Bytes(), p.Bytes())
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, y := new(big.Int).SetBytes(a), new(big.Int).SetBytes(b)
		checkElement(t, x.Mod(x, p), y.Mod(y, p))
	})
}
