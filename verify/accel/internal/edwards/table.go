package edwards

import (
	"encoding/hex"
	"sync"
	"unsafe"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"

	"github.com/signet-id/signet/verify/accel/internal/window"
)

// Widths of digits in bits. A bit more saves a seventh of the additions and doubles the
// table; that of the base point is there once.
const (
	keyWidth  = 8
	baseWidth = 8
)

// multiples are the points 1 to window.Half times 2^(width i) of one point, place by
// place. They replace all doublings.
type multiples struct {
	width  uint
	points []stored
}

const scalarBits = 253 // of numbers below L

// row returns the multiples for a place.
func (m *multiples) row(place int) []stored {
	half := window.Half(m.width)
	return m.points[place*half : (place+1)*half]
}

func (m *multiples) bytes() int { return len(m.points) * int(unsafe.Sizeof(stored{})) }

// Table verifies with one key. It never changes.
type Table struct {
	encoded   [32]byte // the key, as it is hashed
	base, key *multiples
}

// NewTable takes a public key as it is published (RFC 8032 §5.1.5). It reports whether
// that is a point; which ones are is decided as crypto/ed25519 does.
func NewTable(key []byte) (*Table, bool) {
	a, err := new(edwards25519.Point).SetBytes(key)
	if err != nil {
		return nil, false
	}
	return &Table{[32]byte(key), base(), newMultiples(a, keyWidth)}, true
}

// Bytes is how much memory the table takes, without what all tables share.
func (t *Table) Bytes() int { return t.key.bytes() }

// SharedBytes is how much memory all tables share.
func SharedBytes() int { return base().bytes() }

var base = sync.OnceValue(func() *multiples { return newMultiples(edwards25519.NewGeneratorPoint(), baseWidth) })

func newMultiples(q *edwards25519.Point, width uint) *multiples {
	half, places := window.Half(width), window.Places(scalarBits, width)
	m := &multiples{width, make([]stored, places*half)}
	unit, row := new(edwards25519.Point).Set(q), make([]edwards25519.Point, half)
	for i := range places {
		row[0].Set(unit)
		for j := 1; j < half; j++ {
			row[j].Add(&row[j-1], unit)
		}
		store(m.row(i), row)
		unit.Double(&row[half-1]) // half is 2^(width-1)
	}
	return m
}

// store sets the affine points to what the others are, with one inversion for all: z is
// never zero.
func store(flat []stored, points []edwards25519.Point) {
	before := make([]field.Element, len(points)) // products of all z before this one
	product := new(field.Element).One()
	for i := range points {
		before[i].Set(product)
		_, _, z, _ := points[i].ExtendedCoordinates()
		product.Multiply(product, z)
	}
	rest := product.Invert(product) // 1 / the product of all z up to this one
	for i := len(points) - 1; i >= 0; i-- {
		var inv field.Element
		x, y, z, _ := points[i].ExtendedCoordinates()
		inv.Multiply(rest, &before[i])
		rest.Multiply(rest, z)
		x.Multiply(x, &inv)
		y.Multiply(y, &inv)
		s := &flat[i]
		s.product.Multiply(x, y)
		s.product.Multiply(&s.product, curveD)
		x.Multiply(x, oneHalf)
		y.Multiply(y, oneHalf)
		s.sum.Add(y, x)
		s.difference.Subtract(y, x)
	}
}

var oneHalf = new(field.Element).Invert(new(field.Element).Add(fieldOne, fieldOne))

func mustElement(text string) *field.Element {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	e, err := new(field.Element).SetBytes(b)
	if err != nil {
		panic(err)
	}
	return e
}
