package edwards

import (
	"encoding/binary"

	"filippo.io/edwards25519/field"

	"github.com/signet-id/signet/verify/accel/internal/modinv"
)

// point is the point (x/z, y/z) of -x^2 + y^2 = 1 + d x^2 y^2, with t = x y / z.
type point struct{ x, y, z, t field.Element }

// stored is the affine point (x, y) as additions want it: (y + x)/2, (y - x)/2 and d x y.
type stored struct{ sum, difference, product field.Element }

var (
	curveD  = mustElement("a3785913ca4deb75abd841414d0a700098e879777940c78c73fe6f2bee6c0352")
	inverse = modinv.New([4]uint64{^uint64(18), ^uint64(0), ^uint64(0), ^uint64(0) >> 1})
)

func (p *point) setIdentity() {
	p.x.Zero()
	p.y.One()
	p.z.One()
	p.t.Zero()
}

// set sets p to q, or to its negative.
func (p *point) set(q *stored, negative bool) {
	p.x.Subtract(&q.sum, &q.difference)
	if negative {
		p.x.Negate(&p.x)
	}
	p.y.Add(&q.sum, &q.difference)
	p.z.One()
	p.t.Multiply(&p.x, &p.y)
}

// add adds q, or takes it away. It is right for all points of the curve, those of small
// order too (H. Hisil and others, "Twisted Edwards Curves Revisited", 2008, §3.1; a, b, c
// and d are half of what they are there, which saves doubling z).
func (p *point) add(q *stored, negative bool) {
	sum, difference := &q.sum, &q.difference
	if negative {
		sum, difference = difference, sum
	}
	var a, b, c field.Element
	a.Subtract(&p.y, &p.x)
	a.Multiply(&a, difference)
	b.Add(&p.y, &p.x)
	b.Multiply(&b, sum)
	c.Multiply(&p.t, &q.product)
	var e, f, g, h field.Element
	e.Subtract(&b, &a)
	h.Add(&b, &a)
	if negative { // the product has the other sign
		f.Add(&p.z, &c)
		g.Subtract(&p.z, &c)
	} else {
		f.Subtract(&p.z, &c)
		g.Add(&p.z, &c)
	}
	p.x.Multiply(&e, &f)
	p.y.Multiply(&g, &h)
	p.z.Multiply(&f, &g)
	p.t.Multiply(&e, &h)
}

// onCurve reports whether p is a point of the curve. What is not is the result of a fault.
func (p *point) onCurve() bool {
	var xx, yy, zz, tt, left field.Element
	xx.Square(&p.x)
	yy.Square(&p.y)
	zz.Square(&p.z)
	tt.Square(&p.t)
	left.Subtract(&yy, &xx)
	tt.Multiply(&tt, curveD)
	tt.Add(&tt, &zz)
	xx.Multiply(&p.x, &p.y)
	yy.Multiply(&p.z, &p.t)
	return left.Equal(&tt) == 1 && xx.Equal(&yy) == 1
}

// encode writes p in the one form of RFC 8032 §5.1.2. It reports whether that worked.
func (p *point) encode(out *[32]byte) bool {
	var inv, check field.Element
	if !invert(&inv, &p.z) || check.Multiply(&inv, &p.z).Equal(fieldOne) != 1 {
		return false
	}
	var x, y field.Element
	x.Multiply(&p.x, &inv)
	y.Multiply(&p.y, &inv)
	copy(out[:], y.Bytes())
	out[31] |= byte(x.IsNegative() << 7)
	return true
}

var fieldOne = new(field.Element).One()

// invert sets z = 1/x, and reports whether that was found. Element.Invert is twice as slow,
// because it takes the same time for all numbers.
func invert(z, x *field.Element) bool {
	in := limbs(x.Bytes())
	var out [4]uint64
	if !inverse.Inverse(&out, &in) {
		return false
	}
	var b [32]byte
	for i, limb := range out {
		binary.LittleEndian.PutUint64(b[8*i:], limb)
	}
	_, err := z.SetBytes(b[:])
	return err == nil
}

// limbs reads 32 bytes, the lowest first.
func limbs(b []byte) [4]uint64 {
	return [4]uint64{
		binary.LittleEndian.Uint64(b[0:8]),
		binary.LittleEndian.Uint64(b[8:16]),
		binary.LittleEndian.Uint64(b[16:24]),
		binary.LittleEndian.Uint64(b[24:32]),
	}
}
