// Package p256 verifies ECDSA signatures on P-256 (FIPS 186-5 §6.4.2) with tables of
// multiples of the generator and of the key.
//
// Everything here is public: running times depend on the numbers. No private key, nonce
// or other secret may ever be given to it.
package p256

// Verify checks a signature r || s, of 32 bytes each, of a SHA-256 hash. When decided is
// false it cannot tell.
func (t *Table) Verify(hash *[32]byte, signature []byte) (valid, decided bool) {
	if len(signature) != 64 {
		return false, false
	}
	e, r, s := limbs(hash[:]), limbs(signature[:32]), limbs(signature[32:])
	if r == (scalar{}) || s == (scalar{}) || !less(&r, &order) || !less(&s, &order) {
		return false, false
	}
	u1, u2, ok := factors(&e, &r, &s)
	if !ok {
		return false, false
	}
	var sum point
	t.sum(&sum, &u1, &u2)
	// Infinity, or an addition that the formula cannot do, or a fault.
	if !sum.onCurve() {
		return false, false
	}
	return sum.hasX(&r), true
}

// hasX reports whether the x of p, modulo n, is r: as n < p < 2n, it is r or r + n. The
// comparison x = r z^2 needs no inversion.
func (p *point) hasX(r *scalar) bool {
	var zz, x element
	zz.sqr(&p.z)
	x.setLimbs(r)
	x.mul(&x, &zz)
	if x == p.x {
		return true
	}
	if !less(r, &primeLessOrder) {
		return false
	}
	var n element
	n.setLimbs(&order)
	n.mul(&n, &zz)
	x.add(&x, &n)
	return x == p.x
}

var primeLessOrder = minus(&prime, &order)
