package p256

import (
	"math/bits"

	"github.com/signet-id/signet/verify/accel/internal/modinv"
)

// scalar is a number modulo n, the order of the curve, in limbs of 64 bits, the lowest
// first, and less than n.
type scalar = [4]uint64

const orderInverse = 0xccd1c8aaee00bc4f // -1/n modulo 2^64

var (
	order       = scalar{0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000}
	orderSquare = scalar{0x83244c95be79eea2, 0x4699799c49bd6fa6, 0x2845b2392b6bec59, 0x66e12d94f3d95620} // 2^512
	inverseN    = modinv.New(order)
)

// mulOrder returns x y / 2^256 modulo n. x may be any number of 256 bits: the sum below
// is less than 2^256 n + 2^256 n before it is divided.
func mulOrder(x, y *scalar) (z scalar) {
	var t [5]uint64
	var over uint64 // the limb above t
	for i := range x {
		over = addRow(&t, x[i], y)
		over += addRow(&t, t[0]*orderInverse, &order)
		t = [5]uint64{t[1], t[2], t[3], t[4], over}
	}
	s0, b := bits.Sub64(t[0], order[0], 0)
	s1, b := bits.Sub64(t[1], order[1], b)
	s2, b := bits.Sub64(t[2], order[2], b)
	s3, b := bits.Sub64(t[3], order[3], b)
	if t[4] == 0 && b == 1 {
		return scalar{t[0], t[1], t[2], t[3]}
	}
	return scalar{s0, s1, s2, s3}
}

// addRow adds a y to t and returns the carry.
func addRow(t *[5]uint64, a uint64, y *scalar) uint64 {
	h0, l0 := bits.Mul64(a, y[0])
	h1, l1 := bits.Mul64(a, y[1])
	h2, l2 := bits.Mul64(a, y[2])
	h3, l3 := bits.Mul64(a, y[3])
	l1, c := bits.Add64(l1, h0, 0)
	l2, c = bits.Add64(l2, h1, c)
	l3, c = bits.Add64(l3, h2, c)
	h3 += c
	t[0], c = bits.Add64(t[0], l0, 0)
	t[1], c = bits.Add64(t[1], l1, c)
	t[2], c = bits.Add64(t[2], l2, c)
	t[3], c = bits.Add64(t[3], l3, c)
	t[4], c = bits.Add64(t[4], h3, c)
	return c
}

// factors returns e/s and r/s modulo n. r and s are less than n, e any number of 256
// bits. It reports whether s has an inverse.
func factors(e, r, s *scalar) (u1, u2 scalar, ok bool) {
	var w scalar
	if !inverseN.Inverse(&w, s) {
		return u1, u2, false
	}
	w = mulOrder(&w, &orderSquare) // 2^256/s
	ok = mulOrder(s, &w) == scalar{1}
	return mulOrder(e, &w), mulOrder(r, &w), ok
}
