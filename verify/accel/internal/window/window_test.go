package window_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/signet-id/signet/verify/accel/internal/window"
)

func TestCut(t *testing.T) {
	t.Parallel()
	all := ^uint64(0)
	numbers := [][4]uint64{{}, {1}, {31}, {32}, {33}, {63}, {64}, {all}, {all, all, all, all}, {0, 0, 0, 1 << 63}}
	for bit := range 256 {
		var x [4]uint64
		x[bit/64] = 1 << (bit % 64)
		numbers = append(numbers, x)
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		numbers = append(numbers, [4]uint64{rnd.Uint64(), rnd.Uint64(), rnd.Uint64(), rnd.Uint64()})
	}
	for width := uint(6); width <= 8; width++ {
		for _, x := range numbers {
			checkDigits(t, x, width)
		}
	}
}

func checkDigits(t *testing.T, x [4]uint64, width uint) {
	t.Helper()
	want := new(big.Int)
	for i := range x {
		want.Lsh(want, 64).Or(want, new(big.Int).SetUint64(x[3-i]))
	}
	got := new(big.Int)
	digits := window.Cut(&x, width)
	for i := range digits {
		place := len(digits) - 1 - i
		d, half := int(digits[place]), window.Half(width)
		if d <= -half || d > half || d != 0 && place >= window.Places(uint(want.BitLen()), width) {
			t.Errorf("%x in %d bits: place %d has digit %d", want, width, place, d)
		}
		got.Lsh(got, width).Add(got, big.NewInt(int64(d)))
	}
	if got.Cmp(want) != 0 {
		t.Errorf("%x in %d bits: digits add up to %x", want, width, got)
	}
}
