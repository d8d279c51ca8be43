package p256_test

import (
	"math/big"
	"testing"

	"filippo.io/nistec"
)

// pointsFrom returns points with the first x at or above start that have one,
// uncompressed, and with either y.
func pointsFrom(t testing.TB, start *big.Int, count int) (points [][]byte) {
	t.Helper()
	for x := new(big.Int).Set(start); len(points) < count; x.Add(x, big.NewInt(1)) {
		for _, form := range []byte{2, 3} {
			compressed := append([]byte{form}, x.FillBytes(make([]byte, 32))...)
			if q, err := nistec.NewP256Point().SetBytes(compressed); err == nil {
				points = append(points, q.Bytes())
			}
		}
	}
	return points
}

// keyFor returns the key Q for which (e/s) G + (r/s) Q is the point.
func keyFor(t testing.TB, point, hash []byte, r, s *big.Int) []byte {
	t.Helper()
	overS, overR := new(big.Int).ModInverse(s, n), new(big.Int).ModInverse(r, n)
	u1 := new(big.Int).SetBytes(hash)
	u1.Mul(u1, overS).Neg(u1)
	q, err := nistec.NewP256Point().SetBytes(point)
	if err != nil {
		t.Fatal(err)
	}
	g, err := nistec.NewP256Point().SetBytes(times(t, u1, generator()))
	if err != nil {
		t.Fatal(err)
	}
	return times(t, new(big.Int).Mul(s, overR), q.Add(q, g).Bytes())
}
