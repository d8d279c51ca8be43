package p256

import (
	"sync"
	"unsafe"

	"github.com/signet-id/signet/verify/accel/internal/window"
)

// multiples are the points 1 to window.Half times 2^(window.Width i) of one point, for
// each place i of a number. They replace all doublings.
type multiples [window.Digits][window.Half]affine

// Table verifies with one key. It never changes.
type Table struct {
	generator, key *multiples
}

// Bytes is how much memory a table takes. That of the generator is shared.
const Bytes = int(unsafe.Sizeof(multiples{}))

// NewTable takes a key in uncompressed form (SEC 1 §2.3.3). It reports whether that is a
// point of the curve.
func NewTable(key []byte) (*Table, bool) {
	var q affine
	if len(key) != 65 || key[0] != 4 || !q.x.setBytes(key[1:33]) || !q.y.setBytes(key[33:]) {
		return nil, false
	}
	m, ok := newMultiples(&q)
	if !ok {
		return nil, false
	}
	return &Table{generator(), m}, true
}

var generator = sync.OnceValue(func() *multiples {
	m, ok := newMultiples(&base)
	if !ok {
		panic("p256: the generator is not on the curve")
	}
	return m
})

func newMultiples(q *affine) (*multiples, bool) {
	var p point
	p.set(q, false)
	if !p.onCurve() {
		return nil, false
	}
	places := make([]point, window.Digits)
	for i := range places {
		places[i] = p
		for range window.Width {
			p.double()
		}
	}
	units := make([]affine, window.Digits)
	if !flatten(units, places) {
		return nil, false
	}
	m, row := new(multiples), make([]point, window.Half)
	for i := range units {
		row[0].set(&units[i], false)
		row[1] = row[0]
		row[1].double()
		for j := 2; j < len(row); j++ {
			row[j] = row[j-1]
			row[j].add(&units[i], false)
		}
		if !flatten(m[i][:], row) {
			return nil, false
		}
	}
	return m, true
}
