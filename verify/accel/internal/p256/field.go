package p256

import "math/bits"

// element is a number modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, times 2^256 (the
// Montgomery form), in limbs of 64 bits, the lowest first. It is always less than p, so
// that equal elements have equal limbs.
type element [4]uint64

// The limbs of p.
const (
	p0 = 0xffffffffffffffff
	p1 = 0x00000000ffffffff
	p2 = 0
	p3 = 0xffffffff00000001
)

var (
	one    = element{0x1, 0xffffffff00000000, 0xffffffffffffffff, 0xfffffffe}         // 2^256
	square = element{0x3, 0xfffffffbffffffff, 0xfffffffffffffffe, 0x00000004fffffffd} // 2^512
)

// sqr sets z = x^2 / 2^256.
func (z *element) sqr(x *element) {
	x0, x1, x2, x3 := x[0], x[1], x[2], x[3]

	// The products of different limbs, which count twice.
	t2, t1 := bits.Mul64(x0, x1)
	h, l := bits.Mul64(x0, x2)
	t2, c := bits.Add64(t2, l, 0)
	t4, l := bits.Mul64(x0, x3)
	t3, c := bits.Add64(h, l, c)
	t4 += c
	h, l = bits.Mul64(x1, x2)
	t3, c = bits.Add64(t3, l, 0)
	t4, c = bits.Add64(t4, h, c)
	t5 := c
	h, l = bits.Mul64(x1, x3)
	t4, c = bits.Add64(t4, l, 0)
	t5, c = bits.Add64(t5, h, c)
	t6, l := bits.Mul64(x2, x3)
	t6 += c
	t5, c = bits.Add64(t5, l, 0)
	t6 += c

	t7 := t6 >> 63
	t6 = t6<<1 | t5>>63
	t5 = t5<<1 | t4>>63
	t4 = t4<<1 | t3>>63
	t3 = t3<<1 | t2>>63
	t2 = t2<<1 | t1>>63
	t1 <<= 1

	h, t0 := bits.Mul64(x0, x0)
	t1, c = bits.Add64(t1, h, 0)
	h, l = bits.Mul64(x1, x1)
	t2, c = bits.Add64(t2, l, c)
	t3, c = bits.Add64(t3, h, c)
	h, l = bits.Mul64(x2, x2)
	t4, c = bits.Add64(t4, l, c)
	t5, c = bits.Add64(t5, h, c)
	h, l = bits.Mul64(x3, x3)
	t6, c = bits.Add64(t6, l, c)
	t7 += h + c

	z.reduce(t0, t1, t2, t3, t4, t5, t6, t7)
}

// reduce sets z = t / 2^256 modulo p for t < 2^256 p. Four times it adds the multiple of
// p that clears the lowest limb: p is -1 modulo 2^64, so that limb itself says how often.
// The sum stays below 2 * 2^256 p.
func (z *element) reduce(t0, t1, t2, t3, t4, t5, t6, t7 uint64) {
	h, l := bits.Mul64(t0, p3)
	t1, c := bits.Add64(t1, t0<<32, 0)
	t2, c = bits.Add64(t2, t0>>32, c)
	t3, c = bits.Add64(t3, l, c)
	t4, k := bits.Add64(t4, h, c)

	h, l = bits.Mul64(t1, p3) // h < p3, so h + k does not overflow
	t2, c = bits.Add64(t2, t1<<32, 0)
	t3, c = bits.Add64(t3, t1>>32, c)
	t4, c = bits.Add64(t4, l, c)
	t5, k = bits.Add64(t5, h+k, c)

	h, l = bits.Mul64(t2, p3)
	t3, c = bits.Add64(t3, t2<<32, 0)
	t4, c = bits.Add64(t4, t2>>32, c)
	t5, c = bits.Add64(t5, l, c)
	t6, k = bits.Add64(t6, h+k, c)

	h, l = bits.Mul64(t3, p3)
	t4, c = bits.Add64(t4, t3<<32, 0)
	t5, c = bits.Add64(t5, t3>>32, c)
	t6, c = bits.Add64(t6, l, c)
	t7, k = bits.Add64(t7, h+k, c)

	z.once(t4, t5, t6, t7, k)
}

// once sets z = t modulo p for t < 2p.
func (z *element) once(t0, t1, t2, t3, t4 uint64) {
	s0, b := bits.Sub64(t0, p0, 0)
	s1, b := bits.Sub64(t1, p1, b)
	s2, b := bits.Sub64(t2, p2, b)
	s3, b := bits.Sub64(t3, p3, b)
	_, b = bits.Sub64(t4, 0, b)
	less := -b // all ones if t < p
	z[0] = s0 ^ less&(s0^t0)
	z[1] = s1 ^ less&(s1^t1)
	z[2] = s2 ^ less&(s2^t2)
	z[3] = s3 ^ less&(s3^t3)
}

// add sets z = x + y.
func (z *element) add(x, y *element) {
	t0, c := bits.Add64(x[0], y[0], 0)
	t1, c := bits.Add64(x[1], y[1], c)
	t2, c := bits.Add64(x[2], y[2], c)
	t3, c := bits.Add64(x[3], y[3], c)
	z.once(t0, t1, t2, t3, c)
}

// sub sets z = x - y.
func (z *element) sub(x, y *element) {
	t0, b := bits.Sub64(x[0], y[0], 0)
	t1, b := bits.Sub64(x[1], y[1], b)
	t2, b := bits.Sub64(x[2], y[2], b)
	t3, b := bits.Sub64(x[3], y[3], b)
	less := -b // all ones if x < y
	t0, c := bits.Add64(t0, less&p0, 0)
	t1, c = bits.Add64(t1, less&p1, c)
	t2, c = bits.Add64(t2, less&p2, c)
	t3, _ = bits.Add64(t3, less&p3, c)
	*z = element{t0, t1, t2, t3}
}
