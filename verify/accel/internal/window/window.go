// Package window cuts numbers into signed digits, for sums of stored multiples.
package window

// A number below 2^257 is the sum of Digits digits times 2^(Width i). Every digit is in
// -Half+1..Half, so a table has Half multiples for each place.
const (
	Width  = 6
	Half   = 1 << (Width - 1)
	Digits = 43
)

// Cut returns the digits of a number in limbs of 64 bits, the lowest first.
func Cut(x *[4]uint64) (digits [Digits]int8) {
	carry := uint64(0)
	for i := range digits {
		bit := i * Width
		limb, shift := bit/64, uint(bit%64)
		d := x[limb] >> shift
		if shift > 64-Width && limb < 3 {
			d |= x[limb+1] << (64 - shift)
		}
		d = d&(1<<Width-1) + carry
		carry = (d + Half - 1) >> Width
		digits[i] = int8(d) - int8(carry<<Width)
	}
	return digits
}
