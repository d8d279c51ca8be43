package p256

import (
	"sync"
	"unsafe"

	"github.com/signet-id/signet/verify/accel/internal/window"
)

// Widths of digits in bits. A bit more saves a seventh of the additions and doubles the
// table; that of the generator is there once.
const (
	keyWidth       = 7
	generatorWidth = 8
)

// multiples are the points 1 to window.Half times 2^(width i) of one point, place by
// place. They replace all doublings.
type multiples struct {
	width  uint
	points []affine
}

// row returns the multiples for a place.
func (m *multiples) row(place int) []affine {
	half := window.Half(m.width)
	return m.points[place*half : (place+1)*half]
}

func (m *multiples) bytes() int { return len(m.points) * int(unsafe.Sizeof(affine{})) }

// Table verifies with one key. It never changes.
type Table struct {
	generator, key *multiples
}

// Bytes is how much memory the table takes, without what all tables share.
func (t *Table) Bytes() int { return t.key.bytes() }

// SharedBytes is how much memory all tables share.
func SharedBytes() int { return generator().bytes() }

// NewTable takes a key in uncompressed form (SEC 1 §2.3.3). It reports whether that is a
// point of the curve.
func NewTable(key []byte) (*Table, bool) {
	var q affine
	if len(key) != 65 || key[0] != 4 || !q.x.setBytes(key[1:33]) || !q.y.setBytes(key[33:]) {
		return nil, false
	}
	m, ok := newMultiples(&q, keyWidth)
	if !ok {
		return nil, false
	}
	return &Table{generator(), m}, true
}

var generator = sync.OnceValue(func() *multiples {
	m, ok := newMultiples(&base, generatorWidth)
	if !ok {
		panic("p256: the generator is not on the curve")
	}
	return m
})

func newMultiples(q *affine, width uint) (*multiples, bool) {
	var p point
	p.set(q, false)
	if !p.onCurve() {
		return nil, false
	}
	half, places := window.Half(width), make([]point, window.Places(256, width))
	for i := range places {
		places[i] = p
		for range width {
			p.double()
		}
	}
	units := make([]affine, len(places))
	if !flatten(units, places) {
		return nil, false
	}
	m, row := &multiples{width, make([]affine, len(places)*half)}, make([]point, half)
	for i := range units {
		row[0].set(&units[i], false)
		row[1] = row[0]
		row[1].double()
		for j := 2; j < half; j++ {
			row[j] = row[j-1]
			row[j].add(&units[i], false)
		}
		if !flatten(m.row(i), row) {
			return nil, false
		}
	}
	return m, true
}
