package accel_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"math/big"
	"slices"
	"testing"

	"filippo.io/edwards25519"

	"github.com/signet-id/signet/verify/jose"
)

// sameEd25519 asks both libraries and reports whether they accept.
func sameEd25519(t testing.TB, check jose.Check, pub ed25519.PublicKey, message, signature []byte) bool {
	t.Helper()
	want := ed25519.Verify(pub, message, signature)
	if got, decided := check(message, signature); !decided || got != want {
		t.Errorf("key %x message %x signature %x: valid %v, decided %v; standard library %v", pub, message, signature, got, decided, want)
	}
	return want
}

func TestEd25519_JOS23_EveryByteCorrupted(t *testing.T) {
	t.Parallel()
	for i := range 30 {
		private := newEd25519(t)
		pub := private.Public().(ed25519.PublicKey)
		check := tabled(t, newKey(t, jose.EdDSA, "k", pub))
		message := make([]byte, 13*i)
		rand.Read(message)
		signature := ed25519.Sign(private, message)
		if !sameEd25519(t, check, pub, message, signature) {
			t.Fatal("the standard library refuses its own signature")
		}
		for at := range signature {
			bad := slices.Clone(signature)
			bad[at] ^= 1 << (i % 8)
			sameEd25519(t, check, pub, message, bad)
		}
		sameEd25519(t, check, pub, append(message, 0), signature)
		sameEd25519(t, check, newEd25519(t).Public().(ed25519.PublicKey), message, make([]byte, 64))
	}
}

// fieldPrime and groupOrder are p and L of RFC 8032 §5.1.
var (
	fieldPrime, _ = new(big.Int).SetString("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed", 16)
	groupOrder, _ = new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
)

func littleEndian(x *big.Int) []byte {
	b := x.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

func toScalar(t testing.TB, x *big.Int) *edwards25519.Scalar {
	t.Helper()
	s, err := edwards25519.NewScalar().SetCanonicalBytes(littleEndian(new(big.Int).Mod(x, groupOrder)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// torsion is the eight points of small order.
func torsion(t testing.TB) (all []*edwards25519.Point) {
	t.Helper()
	// L times a point is of small order. One of order 8 shows itself after few tries.
	for y := byte(2); ; y++ {
		p, err := new(edwards25519.Point).SetBytes(append([]byte{y}, make([]byte, 31)...))
		if err != nil {
			continue
		}
		q := new(edwards25519.Point).ScalarMult(toScalar(t, big.NewInt(-1)), p)
		q.Add(q, p) // L p
		all = []*edwards25519.Point{edwards25519.NewIdentityPoint()}
		for range 7 {
			all = append(all, new(edwards25519.Point).Add(all[len(all)-1], q))
		}
		if all[4].Equal(all[0]) == 0 {
			return all
		}
	}
}

// oddEncodings are all spellings of points of small order: with y, with y + p where it
// fits, and with the other sign where x is zero.
func oddEncodings(t testing.TB) (all [][]byte) {
	t.Helper()
	for _, p := range torsion(t) {
		b := p.Bytes()
		other := slices.Clone(b)
		other[31] ^= 0x80
		all = append(all, b, other)
	}
	for y := range int64(19) { // y + p for y = 0..18, points of small order or not
		b := littleEndian(new(big.Int).Add(fieldPrime, big.NewInt(y)))
		other := slices.Clone(b)
		other[31] ^= 0x80
		all = append(all, b, other)
	}
	return all
}

// TestEd25519_JOS23_SmallOrder: keys and R of small order, in all their spellings.
func TestEd25519_JOS23_SmallOrder(t *testing.T) {
	t.Parallel()
	accepted, odd := 0, oddEncodings(t)
	less1 := new(big.Int).Sub(groupOrder, big.NewInt(1))
	messages := map[*big.Int]byte{new(big.Int): 6, big.NewInt(1): 1, less1: 1, groupOrder: 1} // by S
	for _, a := range odd {
		if _, err := new(edwards25519.Point).SetBytes(a); err != nil {
			continue
		}
		check := tabled(t, newKey(t, jose.EdDSA, "k", ed25519.PublicKey(a)))
		for _, r := range odd {
			for s, count := range messages {
				for m := range count {
					if sameEd25519(t, check, a, []byte{m}, slices.Concat(r, littleEndian(s))) {
						accepted++
					}
				}
			}
		}
	}
	if accepted < 20 {
		t.Errorf("only %d accepted: the cases are not what they are called", accepted)
	}
}

// TestEd25519_JOS23_MixedOrder: key and R have a part of small order, so that verifiers
// with and without the cofactor disagree. S is also offered as S + L, S + 2L and so on.
func TestEd25519_JOS23_MixedOrder(t *testing.T) {
	t.Parallel()
	secret, nonce := toScalar(t, big.NewInt(123456789)), toScalar(t, big.NewInt(987654321))
	accepted, refused := 0, 0
	for _, ta := range torsion(t) {
		a := new(edwards25519.Point).ScalarBaseMult(secret)
		pub := ed25519.PublicKey(a.Add(a, ta).Bytes())
		check := tabled(t, newKey(t, jose.EdDSA, "k", pub))
		for _, tr := range torsion(t) {
			r := new(edwards25519.Point).ScalarBaseMult(nonce)
			encoded := r.Add(r, tr).Bytes()
			for m := range byte(8) {
				sum := sha512.Sum512(slices.Concat(encoded, pub, []byte{m}))
				k, err := edwards25519.NewScalar().SetUniformBytes(sum[:])
				if err != nil {
					t.Fatal(err)
				}
				s := k.MultiplyAdd(k, secret, nonce).Bytes()
				if sameEd25519(t, check, pub, []byte{m}, slices.Concat(encoded, s)) {
					accepted++
				} else {
					refused++
				}
				slices.Reverse(s)
				for large := new(big.Int).SetBytes(s); ; {
					if large.Add(large, groupOrder).BitLen() > 256 {
						break
					}
					if sameEd25519(t, check, pub, []byte{m}, slices.Concat(encoded, littleEndian(large))) {
						t.Errorf("S + L is accepted")
					}
				}
			}
		}
	}
	if accepted < 8 || refused < 100 {
		t.Errorf("%d accepted, %d refused: the cases are not what they are called", accepted, refused)
	}
}

// TestEd25519_JOS23_RComparedAsBytes: S fits the point, but R is spelled otherwise, as only
// the holder of the key can make it.
func TestEd25519_JOS23_RComparedAsBytes(t *testing.T) {
	t.Parallel()
	secret, message := toScalar(t, big.NewInt(123456789)), []byte("message")
	pub := ed25519.PublicKey(new(edwards25519.Point).ScalarBaseMult(secret).Bytes())
	check := tabled(t, newKey(t, jose.EdDSA, "k", pub))
	sign := func(r []byte, nonce *edwards25519.Scalar) []byte {
		sum := sha512.Sum512(slices.Concat(r, pub, message))
		k, err := edwards25519.NewScalar().SetUniformBytes(sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return slices.Concat(r, k.MultiplyAdd(k, secret, nonce).Bytes())
	}
	for _, nonce := range []*edwards25519.Scalar{toScalar(t, big.NewInt(987654321)), edwards25519.NewScalar()} {
		r := new(edwards25519.Point).ScalarBaseMult(nonce).Bytes()
		if !sameEd25519(t, check, pub, message, sign(r, nonce)) {
			t.Fatal("the right spelling is refused")
		}
		for bit := range 256 {
			other := slices.Clone(r)
			other[bit/8] ^= 1 << (bit % 8)
			if sameEd25519(t, check, pub, message, sign(other, nonce)) {
				t.Errorf("accepted with bit %d of R changed", bit)
			}
		}
	}
	one := littleEndian(new(big.Int).Add(fieldPrime, big.NewInt(1))) // the identity, not reduced
	if sameEd25519(t, check, pub, message, sign(one, edwards25519.NewScalar())) {
		t.Error("accepted with y + p")
	}
}

// TestEd25519_NoPoint: such a key verifies nothing, and is left to the standard library.
func TestEd25519_NoPoint(t *testing.T) {
	t.Parallel()
	bad := append([]byte{2}, make([]byte, 31)...)
	if _, err := new(edwards25519.Point).SetBytes(bad); err == nil {
		t.Fatal("it is a point")
	}
	neverDecided(t, newKey(t, jose.EdDSA, "k", ed25519.PublicKey(bad)))
}
