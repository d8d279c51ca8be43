package p256

import (
	"encoding/binary"
	"slices"
)

// Element and Scalar are seams for tests of the arithmetic.
type (
	Element = element
	Scalar  = scalar
)

func (z *element) Mul(x, y *element) { z.mul(x, y) }
func (z *element) Sqr(x *element)    { z.sqr(x) }
func (z *element) Add(x, y *element) { z.add(x, y) }
func (z *element) Sub(x, y *element) { z.sub(x, y) }

// Invert is invert.
func (z *element) Invert(x *element) bool { return z.invert(x) }

var (
	MulOrder = mulOrder
	Factors  = factors
)

// Multiples returns what a table holds, uncompressed: of the generator or of the key.
func (t *Table) Multiples(ofKey bool, place, times int) []byte {
	m := t.generator
	if ofKey {
		m = t.key
	}
	a := &m.row(place)[times-1]
	out := []byte{4}
	for _, e := range []*element{&a.x, &a.y} {
		var plain element
		plain.mul(e, &element{1})
		for i := range plain {
			out = binary.BigEndian.AppendUint64(out, plain[3-i])
		}
	}
	return out
}

// Spoil flips a bit of every point that the key's table holds for a place.
func (t *Table) Spoil(place int) {
	own := &multiples{t.key.width, slices.Clone(t.key.points)}
	for i := range own.row(place) {
		own.row(place)[i].y[0] ^= 1
	}
	t.key = own
}

// Widths of the digits of the key and of the generator.
const (
	KeyWidth       = keyWidth
	GeneratorWidth = generatorWidth
)
