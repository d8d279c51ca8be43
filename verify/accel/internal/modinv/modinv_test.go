package modinv_test

import (
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/signet-id/signet/verify/accel/internal/modinv"
)

// The primes that inversions are asked for: those of both curves, and the order of P-256.
var primes = map[string]string{
	"2^255-19": "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
	"p256 p":   "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
	"p256 n":   "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
}

func words(x *big.Int) (w [4]uint64) {
	var b [32]byte
	x.FillBytes(b[:])
	for i := range w {
		w[i] = binary.BigEndian.Uint64(b[24-8*i:])
	}
	return w
}

func TestInverse(t *testing.T) {
	t.Parallel()
	for name, hex := range primes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := new(big.Int).SetString(hex, 16)
			m := modinv.New(words(p))
			for _, x := range samples(p) {
				checkInverse(t, m, p, x)
			}
		})
	}
}

func checkInverse(t *testing.T, m *modinv.Modulus, p, x *big.Int) {
	t.Helper()
	in := words(x)
	var got [4]uint64
	ok := m.Inverse(&got, &in)
	if x.Sign() == 0 {
		if ok {
			t.Errorf("0 has an inverse: %x", got)
		}
		return
	}
	if want := words(new(big.Int).ModInverse(x, p)); !ok || got != want {
		t.Errorf("1/%x = %x, %v; want %x", x, got, ok, want)
	}
}

// samples are numbers below p: around powers of two and multiples of simple fractions of
// p, where carries run long, and others at random.
func samples(p *big.Int) (all []*big.Int) {
	one := big.NewInt(1)
	near := func(x *big.Int) {
		for d := int64(-2); d <= 2; d++ {
			all = append(all, new(big.Int).Mod(new(big.Int).Add(x, big.NewInt(d)), p))
		}
	}
	for bit := range uint(257) {
		near(new(big.Int).Lsh(one, bit))
	}
	for q := int64(1); q < 20; q++ {
		near(new(big.Int).Div(p, big.NewInt(q)))
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		x := new(big.Int)
		for range 4 {
			x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(rnd.Uint64()>>(rnd.IntN(4)*rnd.IntN(17))))
		}
		all = append(all, x.Mod(x, p))
	}
	return all
}

func FuzzInverse(f *testing.F) {
	f.Add([]byte{1})
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, hex := range primes {
			p, _ := new(big.Int).SetString(hex, 16)
			x := new(big.Int).SetBytes(b)
			checkInverse(t, modinv.New(words(p)), p, x.Mod(x, p))
		}
	})
}

func BenchmarkInverse(b *testing.B) {
	p, _ := new(big.Int).SetString(primes["p256 n"], 16)
	m, x := modinv.New(words(p)), words(new(big.Int).Div(p, big.NewInt(7)))
	for b.Loop() {
		m.Inverse(&x, &x)
	}
}
