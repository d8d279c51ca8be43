package p256

// affine is the point (x, y) of y^2 = x^3 - 3x + b, not the one at infinity.
type affine struct{ x, y element }

// point is the point (x/z^2, y/z^3), or infinity if z is zero.
type point struct{ x, y, z element }

var (
	curveB = element{0xd89cdf6229c4bddf, 0xacf005cd78843090, 0xe5a220abf7212ed6, 0xdc30061d04874834}
	base   = affine{
		element{0x79e730d418a9143c, 0x75ba95fc5fedb601, 0x79fb732b77622510, 0x18905f76a53755c6},
		element{0xddf25357ce95560a, 0x8b4ab8e4ba19e45c, 0xd2e88688dd21f325, 0x8571ff1825885d85},
	}
)

// set makes p the affine point q, or its negative.
func (p *point) set(q *affine, negative bool) {
	p.x, p.y, p.z = q.x, q.y, one
	if negative {
		p.y.sub(&element{}, &q.y)
	}
}

// add adds q, or takes it away. It does not work if p is infinity, q or -q: then z becomes
// zero, and stays so in all later additions.
func (p *point) add(q *affine, negative bool) {
	var zz, h, r, hh, hhh, v, t element
	zz.sqr(&p.z)
	h.mul(&q.x, &zz)
	h.sub(&h, &p.x) // x of q less x of p, times z^2
	t.mul(&zz, &p.z)
	r.mul(&q.y, &t)
	if negative {
		r.sub(&element{}, &r)
	}
	r.sub(&r, &p.y) // y of q less y of p, times z^3
	hh.sqr(&h)
	hhh.mul(&hh, &h)
	v.mul(&p.x, &hh)
	p.z.mul(&p.z, &h)

	p.x.sqr(&r)
	p.x.sub(&p.x, &hhh)
	p.x.sub(&p.x, &v)
	p.x.sub(&p.x, &v)
	t.mul(&p.y, &hhh)
	v.sub(&v, &p.x)
	p.y.mul(&r, &v)
	p.y.sub(&p.y, &t)
}

// double doubles p.
func (p *point) double() {
	var delta, gamma, beta, alpha, t element
	delta.sqr(&p.z)
	gamma.sqr(&p.y)
	beta.mul(&p.x, &gamma)
	alpha.sub(&p.x, &delta)
	t.add(&p.x, &delta)
	alpha.mul(&alpha, &t)
	t.add(&alpha, &alpha)
	alpha.add(&alpha, &t) // 3 (x - z^2) (x + z^2)

	p.z.mul(&p.y, &p.z)
	p.z.add(&p.z, &p.z)
	beta.add(&beta, &beta)
	beta.add(&beta, &beta) // 4 x y^2
	p.x.sqr(&alpha)
	p.x.sub(&p.x, &beta)
	p.x.sub(&p.x, &beta)
	t.sub(&beta, &p.x)
	p.y.mul(&alpha, &t)
	gamma.sqr(&gamma)
	gamma.add(&gamma, &gamma)
	gamma.add(&gamma, &gamma)
	gamma.add(&gamma, &gamma) // 8 y^4
	p.y.sub(&p.y, &gamma)
}

// onCurve reports whether p is a point of the curve, and not infinity. What is not is the
// result of a fault.
func (p *point) onCurve() bool {
	var zz, z4, left, right, t element
	zz.sqr(&p.z)
	z4.sqr(&zz)
	right.sqr(&p.x)
	t.add(&z4, &z4)
	t.add(&t, &z4)
	right.sub(&right, &t)
	right.mul(&right, &p.x) // x^3 - 3 x z^4
	t.mul(&z4, &zz)
	t.mul(&t, &curveB)
	right.add(&right, &t)
	left.sqr(&p.y)
	return left == right && p.z != element{}
}

// flatten sets the affine points to what the others are, with one inversion for all. It
// reports whether that worked, for which none may be infinity.
func flatten(flat []affine, points []point) bool {
	before := make([]element, len(points)) // products of all z before this one
	product := one
	for i := range points {
		before[i] = product
		product.mul(&product, &points[i].z)
	}
	var rest element // 1 / the product of all z up to this one
	if !rest.invert(&product) {
		return false
	}
	for i := len(points) - 1; i >= 0; i-- {
		var inv, square element
		inv.mul(&rest, &before[i])
		rest.mul(&rest, &points[i].z)
		square.sqr(&inv)
		flat[i].x.mul(&points[i].x, &square)
		square.mul(&square, &inv)
		flat[i].y.mul(&points[i].y, &square)
	}
	return true
}
