package p256_test

import (
	"bytes"
	"math/big"
	"testing"

	"filippo.io/nistec"

	"github.com/signet-id/signet/verify/accel/internal/p256"
	"github.com/signet-id/signet/verify/accel/internal/window"
)

// times returns k times a point that nistec knows in uncompressed form.
func times(t testing.TB, k *big.Int, point []byte) []byte {
	t.Helper()
	q, err := nistec.NewP256Point().SetBytes(point)
	if err != nil {
		t.Fatal(err)
	}
	r, err := q.ScalarMult(q, new(big.Int).Mod(k, n).FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return r.Bytes()
}

func generator() []byte { return nistec.NewP256Point().SetGenerator().Bytes() }

func newTable(t testing.TB, key []byte) *p256.Table {
	t.Helper()
	table, ok := p256.NewTable(key)
	if !ok {
		t.Fatalf("no table for %x", key)
	}
	return table
}

func TestTable_HoldsAllMultiples(t *testing.T) {
	t.Parallel()
	key := times(t, number("1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef"), generator())
	table := newTable(t, key)
	holdsAll(t, table, true, key, p256.KeyWidth)
	holdsAll(t, table, false, generator(), p256.GeneratorWidth)
}

func holdsAll(t *testing.T, table *p256.Table, ofKey bool, point []byte, width uint) {
	t.Helper()
	for place := range window.Places(256, width) {
		for j := 1; j <= window.Half(width); j++ {
			k := new(big.Int).Lsh(big.NewInt(int64(j)), width*uint(place))
			if got, want := table.Multiples(ofKey, place, j), times(t, k, point); !bytes.Equal(got, want) {
				t.Fatalf("key %v, place %d, %d times: %x, want %x", ofKey, place, j, got, want)
			}
		}
	}
}

func TestNewTable_Refuses(t *testing.T) {
	t.Parallel()
	good := generator()
	spoilt := bytes.Clone(good)
	spoilt[64] ^= 1
	large := bytes.Clone(good) // x + p is another spelling of a small x
	copy(large[1:], new(big.Int).Add(p, big.NewInt(5)).Bytes())
	for name, key := range map[string][]byte{
		"empty": {}, "infinity": {0}, "compressed": append([]byte{2}, good[1:33]...), "short": good[:64], "long": append(bytes.Clone(good), 0),
		"another form": append([]byte{6}, good[1:]...), "off the curve": spoilt, "x too large": large, "zero": append([]byte{4}, make([]byte, 64)...),
	} {
		if _, ok := p256.NewTable(key); ok {
			t.Errorf("%s: a table", name)
		}
	}
}
