package edwards

import (
	"encoding/hex"
	"sync"
	"unsafe"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
	"github.com/signet-id/signet/verify/accel/internal/window"
)

// multiples are the points 1 to window.Half times 2^(window.Width i) of one point, for
// each place i of a number. They replace all doublings.
type multiples [window.Digits][window.Half]stored

// Table verifies with one key. It never changes.
type Table struct {
	encoded   [32]byte // the key, as it is hashed
	base, key *multiples
}

// Bytes is how much memory a table takes. That of the base point is shared.
const Bytes = int(unsafe.Sizeof(multiples{}))

// NewTable takes a public key as it is published (RFC 8032 §5.1.5). It reports whether
// that is a point; which ones are is decided as crypto/ed25519 does.
func NewTable(key []byte) (*Table, bool) {
	a, err := new(edwards25519.Point).SetBytes(key)
	if err != nil {
		return nil, false
	}
	return &Table{[32]byte(key), base(), newMultiples(a)}, true
}

var base = sync.OnceValue(func() *multiples { return newMultiples(edwards25519.NewGeneratorPoint()) })

func newMultiples(q *edwards25519.Point) *multiples {
	m := new(multiples)
	unit := new(edwards25519.Point).Set(q)
	for i := range m {
		row := make([]edwards25519.Point, window.Half)
		row[0].Set(unit)
		for j := 1; j < len(row); j++ {
			row[j].Add(&row[j-1], unit)
		}
		store(m[i][:], row)
		unit.Double(&row[len(row)-1]) // Half = 2^(Width-1)
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
		s.sum.Add(y, x)
		s.difference.Subtract(y, x)
		s.product.Multiply(x, y)
		s.product.Multiply(&s.product, twiceD)
	}
}

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
