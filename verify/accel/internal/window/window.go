// Package window cuts numbers into signed digits, for sums of stored multiples.
package window

// MaxPlaces is how many digits a number has at most.
const MaxPlaces = 43

// Digits are those of a number, the lowest first. Places that it does not have are zero.
type Digits [MaxPlaces]int16

// Half is how many multiples a table needs for a place: digits of a width in bits are in
// -Half+1..Half.
func Half(width uint) int { return 1 << (width - 1) }

// Places is how many digits of a width, 6 to 8, a number of so many bits has: its signed
// digits need one bit more.
func Places(bits, width uint) int { return int((bits + width) / width) }

// Cut returns digits whose sum, times 2^(width i) each, is the number x in limbs of 64
// bits, the lowest first.
func Cut(x *[4]uint64, width uint) (digits Digits) {
	carry, half := uint64(0), uint64(Half(width))
	for i := range Places(256, width) {
		bit := uint(i) * width
		limb, shift := bit/64, bit%64
		if limb > 3 {
			digits[i] = int16(carry)
			break
		}
		d := x[limb] >> shift
		if shift > 64-width && limb < 3 {
			d |= x[limb+1] << (64 - shift)
		}
		d = d&(1<<width-1) + carry
		carry = (d + half - 1) >> width
		digits[i] = int16(d) - int16(carry<<width)
	}
	return digits
}
