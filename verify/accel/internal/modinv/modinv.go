// Package modinv inverts numbers modulo an odd prime of 256 bits, after D. J. Bernstein
// and B.-Y. Yang, "Fast constant-time gcd computation and modular inversion" (2019).
// Unlike there, the time depends on the numbers: they must be public.
//
// A caller can check a result with one multiplication, and does.
package modinv

import "math/bits"

// Numbers are held in limbs of 62 bits, the lowest first; the top one has the sign.
const (
	limbBits = 62
	limbs    = 5
	limbMask = 1<<limbBits - 1
)

// maxRounds bounds the rounds of 62 steps: 741 steps are enough for 256 bits (section 11
// of the paper).
const maxRounds = 12

type number [limbs]int64

// Modulus is an odd prime p.
type Modulus struct {
	p       number
	inverse uint64 // of p modulo 2^62
}

// New takes p in limbs of 64 bits, the lowest first.
func New(p [4]uint64) *Modulus {
	m := &Modulus{p: split(&p)}
	inv := p[0] // right in the lowest 3 bits, then in twice as many each time
	for range 5 {
		inv *= 2 - p[0]*inv
	}
	m.inverse = inv & limbMask
	return m
}

// Inverse sets z = 1/x mod p and reports whether it found one. x must be less than p.
func (m *Modulus) Inverse(z, x *[4]uint64) bool {
	f, g := m.p, split(x)
	d, e := number{}, number{1}
	eta := int64(-1)
	for range maxRounds {
		var t matrix
		eta, t = steps(eta, uint64(f[0]), uint64(g[0]))
		m.apply(&d, &e, &t)
		applyExact(&f, &g, &t)
		if g == (number{}) {
			// f is now the greatest common divisor, 1 or -1, and d*x = f.
			return m.finish(z, &d, &f)
		}
	}
	return false
}

// matrix is what some steps do to (f, g), times 2^62.
type matrix struct{ u, v, q, r int64 }

// steps makes 62 division steps, for which the lowest bits of f and g suffice. Runs of
// even g are one shift; up to six bits of g are cleared by one multiple of f.
func steps(eta int64, f, g uint64) (int64, matrix) {
	var u, v, q, r uint64 = 1, 0, 0, 1
	left := limbBits
	for {
		zeros := bits.TrailingZeros64(g | ^uint64(0)<<left)
		g >>= zeros
		u <<= zeros
		v <<= zeros
		eta -= int64(zeros)
		if left -= zeros; left == 0 {
			return eta, matrix{int64(u), int64(v), int64(q), int64(r)}
		}
		if eta < 0 {
			eta = -eta
			f, g = g, -f
			u, q = q, -u
			v, r = r, -v
		}
		// As long as eta stays positive g takes multiples of f, and no more than left bits count.
		limit := min(int(eta)+1, left, 6)
		w := g * f * (f*f - 2) & (1<<limit - 1) // -g/f modulo 2^limit
		g += f * w
		q += u * w
		r += v * w
	}
}

// applyExact replaces (f, g) by t (f, g) / 2^62, which has no remainder.
func applyExact(f, g *number, t *matrix) {
	var cf, cg wide
	cf = cf.add(t.u, f[0])
	cf = cf.add(t.v, g[0])
	cg = cg.add(t.q, f[0])
	cg = cg.add(t.r, g[0])
	_, cf = cf.shift()
	_, cg = cg.shift()
	for i := 1; i < limbs; i++ {
		fi, gi := f[i], g[i]
		cf = cf.add(t.u, fi)
		cf = cf.add(t.v, gi)
		cg = cg.add(t.q, fi)
		cg = cg.add(t.r, gi)
		f[i-1], cf = cf.shift()
		g[i-1], cg = cg.shift()
	}
	f[limbs-1], g[limbs-1] = int64(cf.lo), int64(cg.lo)
}

// apply replaces (d, e) by t (d, e) / 2^62 modulo p. Both stay between -2p and p.
func (m *Modulus) apply(d, e *number, t *matrix) {
	// The multiples of p that are added: one for each negative number, then what makes
	// the lowest limb zero.
	sd, se := d[limbs-1]>>63, e[limbs-1]>>63
	md, me := t.u&sd+t.v&se, t.q&sd+t.r&se
	var cd, ce wide
	cd = cd.add(t.u, d[0])
	cd = cd.add(t.v, e[0])
	ce = ce.add(t.q, d[0])
	ce = ce.add(t.r, e[0])
	md -= int64((m.inverse*cd.lo + uint64(md)) & limbMask)
	me -= int64((m.inverse*ce.lo + uint64(me)) & limbMask)
	cd = cd.add(m.p[0], md)
	ce = ce.add(m.p[0], me)
	_, cd = cd.shift()
	_, ce = ce.shift()
	for i := 1; i < limbs; i++ {
		di, ei, pi := d[i], e[i], m.p[i]
		cd = cd.add(t.u, di)
		cd = cd.add(t.v, ei)
		cd = cd.add(pi, md)
		ce = ce.add(t.q, di)
		ce = ce.add(t.r, ei)
		ce = ce.add(pi, me)
		d[i-1], cd = cd.shift()
		e[i-1], ce = ce.shift()
	}
	d[limbs-1], e[limbs-1] = int64(cd.lo), int64(ce.lo)
}

// finish brings d f, between -2p and 2p, into 0..p-1. It reports whether f is 1 or -1.
func (m *Modulus) finish(z *[4]uint64, d, f *number) bool {
	switch *f {
	case number{1}:
	case number{limbMask, limbMask, limbMask, limbMask, -1}:
		for i := range d {
			d[i] = -d[i]
		}
		d.carry()
	default:
		return false
	}
	for d[limbs-1] < 0 {
		for i := range d {
			d[i] += m.p[i]
		}
		d.carry()
	}
	for !d.less(&m.p) {
		for i := range d {
			d[i] -= m.p[i]
		}
		d.carry()
	}
	*z = d.join()
	return true
}
