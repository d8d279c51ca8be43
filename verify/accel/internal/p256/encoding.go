package p256

import (
	"encoding/binary"
	"math/bits"

	"github.com/signet-id/signet/verify/accel/internal/modinv"
)

// limbs reads 32 bytes, the highest first.
func limbs(b []byte) [4]uint64 {
	return [4]uint64{
		binary.BigEndian.Uint64(b[24:32]),
		binary.BigEndian.Uint64(b[16:24]),
		binary.BigEndian.Uint64(b[8:16]),
		binary.BigEndian.Uint64(b[0:8]),
	}
}

// less reports x < y.
func less(x, y *[4]uint64) bool {
	_, b := bits.Sub64(x[0], y[0], 0)
	_, b = bits.Sub64(x[1], y[1], b)
	_, b = bits.Sub64(x[2], y[2], b)
	_, b = bits.Sub64(x[3], y[3], b)
	return b == 1
}

// minus returns x - y, which must not be negative.
func minus(x, y *[4]uint64) (z [4]uint64) {
	var b uint64
	for i := range z {
		z[i], b = bits.Sub64(x[i], y[i], b)
	}
	return z
}

var (
	prime   = [4]uint64{p0, p1, p2, p3}
	inverse = modinv.New(prime)
)

// setLimbs sets z to a number less than p.
func (z *element) setLimbs(x *[4]uint64) { z.mul((*element)(x), &square) }

// setBytes sets z to a number less than p, of 32 bytes, and reports whether it is one.
func (z *element) setBytes(b []byte) bool {
	x := limbs(b)
	z.setLimbs(&x)
	return less(&x, &prime)
}

// invert sets z = 1/x, and reports whether that was found.
func (z *element) invert(x *element) bool {
	// x stands for a as a 2^256, 1/a is wanted as 2^256/a and found as 1/(a 2^256).
	var found element
	if !inverse.Inverse((*[4]uint64)(&found), (*[4]uint64)(x)) {
		return false
	}
	found.mul(&found, &square)
	found.mul(&found, &square)
	var product element
	product.mul(&found, x)
	*z = found
	return product == one
}
