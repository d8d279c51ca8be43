package edwards

import (
	"slices"

	"filippo.io/edwards25519"
)

// Multiple returns what a table holds, encoded: of the base point or of the key.
func (t *Table) Multiple(ofKey, negative bool, place, times int) (out [32]byte, ok bool) {
	m := t.base
	if ofKey {
		m = t.key
	}
	var p point
	p.setIdentity()
	p.add(&m.row(place)[times-1], negative)
	ok = p.onCurve() && p.encode(&out)
	return out, ok
}

// Widths of the digits of the key and of the base point.
const (
	KeyWidth  = keyWidth
	BaseWidth = baseWidth
)

// Spoil changes every point that the key's table holds for a place.
func (t *Table) Spoil(place int) {
	own := &multiples{t.key.width, slices.Clone(t.key.points)}
	for i := range own.row(place) {
		sum := &own.row(place)[i].sum
		sum.Add(sum, fieldOne)
	}
	t.key = own
}

// SumTwice returns p + q + q as additions of stored points make it.
func SumTwice(p, q *edwards25519.Point) (out [32]byte, ok bool) {
	stored := make([]stored, 2)
	store(stored, []edwards25519.Point{*p, *q})
	var sum point
	sum.setIdentity()
	sum.add(&stored[0], false)
	sum.add(&stored[1], false)
	sum.add(&stored[1], false)
	ok = sum.onCurve() && sum.encode(&out)
	return out, ok
}

// Canonical is canonical.
var Canonical = canonical
