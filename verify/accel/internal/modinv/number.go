package modinv

import "math/bits"

// split cuts 256 bits into limbs of 62.
func split(x *[4]uint64) number {
	return number{
		int64(x[0] & limbMask),
		int64((x[0]>>62 | x[1]<<2) & limbMask),
		int64((x[1]>>60 | x[2]<<4) & limbMask),
		int64((x[2]>>58 | x[3]<<6) & limbMask),
		int64(x[3] >> 56),
	}
}

// join is the reverse of split, for numbers that are not negative.
func (n *number) join() [4]uint64 {
	a, b, c, d, e := uint64(n[0]), uint64(n[1]), uint64(n[2]), uint64(n[3]), uint64(n[4])
	return [4]uint64{a | b<<62, b>>2 | c<<60, c>>4 | d<<58, d>>6 | e<<56}
}

// carry brings all limbs but the top one into 0..2^62-1.
func (n *number) carry() {
	for i := range limbs - 1 {
		n[i+1] += n[i] >> limbBits
		n[i] &= limbMask
	}
}

// less compares numbers whose limbs are carried.
func (n *number) less(m *number) bool {
	for i := limbs - 1; i >= 0; i-- {
		if n[i] != m[i] {
			return n[i] < m[i]
		}
	}
	return false
}

// wide is a signed number of 128 bits.
type wide struct{ hi, lo uint64 }

// add adds a*b, each at most 2^62 in size, up to six times between two shifts.
func (w wide) add(a, b int64) wide {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	hi -= uint64(a>>63&b) + uint64(b>>63&a) // they were multiplied as if not negative
	lo, c := bits.Add64(w.lo, lo, 0)
	hi, _ = bits.Add64(w.hi, hi, c)
	return wide{hi, lo}
}

// shift takes the lowest limb off.
func (w wide) shift() (limb int64, rest wide) {
	return int64(w.lo & limbMask), wide{uint64(int64(w.hi) >> limbBits), w.lo>>limbBits | w.hi<<(64-limbBits)}
}
