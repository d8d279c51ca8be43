package accel_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"slices"
	"testing"

	"filippo.io/nistec"

	"github.com/signet-id/signet/verify/jose"
)

// sameES256 asks both libraries and reports whether they accept, and whether the table
// could tell.
func sameES256(t testing.TB, check jose.Check, pub *ecdsa.PublicKey, message, signature []byte) (accepted, decided bool) {
	t.Helper()
	want := standardES256(pub, message, signature)
	got, decided := check(message, signature)
	if decided && got != want {
		t.Errorf("key %x %x message %x signature %x: valid %v; standard library %v", pub.X, pub.Y, message, signature, got, want)
	}
	return want, decided
}

func TestES256_JOS23_EveryByteCorrupted(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		private := newP256(t)
		pub := &private.PublicKey
		check := tabled(t, newKey(t, jose.ES256, "k", pub))
		message := make([]byte, 13*i)
		rand.Read(message)
		signature := signES256(t, private, message)
		if accepted, decided := sameES256(t, check, pub, message, signature); !accepted || !decided {
			t.Fatalf("a good signature: standard library %v, decided %v", accepted, decided)
		}
		for at := range signature {
			bad := slices.Clone(signature)
			bad[at] ^= 1 << (i % 8)
			sameES256(t, check, pub, message, bad)
		}
		if _, decided := sameES256(t, check, pub, append(message, 0), signature); !decided {
			t.Error("another message: not decided")
		}
		// The twin (r, n - s) of a signature is as good as the signature.
		s := new(big.Int).Sub(order(), new(big.Int).SetBytes(signature[32:]))
		twin := append(slices.Clone(signature[:32]), s.FillBytes(make([]byte, 32))...)
		if accepted, decided := sameES256(t, check, pub, message, twin); !accepted || !decided {
			t.Errorf("the twin: standard library %v, decided %v", accepted, decided)
		}
	}
}

func order() *big.Int { return elliptic.P256().Params().N }

// TestES256_JOS23_Edges: numbers at their limits, in all pairs.
func TestES256_JOS23_Edges(t *testing.T) {
	t.Parallel()
	private := newP256(t)
	check := tabled(t, newKey(t, jose.ES256, "k", &private.PublicKey))
	n, prime := order(), elliptic.P256().Params().P
	edges := []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(2), new(big.Int).Rsh(n, 1), n, prime, new(big.Int).Sub(prime, n)}
	for bit := uint(31); bit <= 255; bit += 32 {
		edges = append(edges, new(big.Int).Lsh(big.NewInt(1), bit))
	}
	for _, x := range slices.Clone(edges)[3:] {
		edges = append(edges, new(big.Int).Add(x, big.NewInt(1)), new(big.Int).Sub(x, big.NewInt(1)))
	}
	for _, r := range edges {
		for _, s := range edges {
			signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
			_, decided := sameES256(t, check, &private.PublicKey, []byte("message"), signature)
			if fits := inOrder(r) && inOrder(s); decided != fits {
				t.Errorf("r %x s %x: decided %v", r, s, decided)
			}
		}
	}
}

func inOrder(x *big.Int) bool { return x.Sign() > 0 && x.Cmp(order()) < 0 }

// TestES256_JOS23_Exceptional: whoever makes the key can make points collide for a given
// message. The standard library decides then.
func TestES256_JOS23_Exceptional(t *testing.T) {
	t.Parallel()
	n, message := order(), []byte("message")
	sum := sha256.Sum256(message)
	e, r, s := new(big.Int).SetBytes(sum[:]), big.NewInt(7654321), big.NewInt(1234567)
	over := func(x, y *big.Int) *big.Int {
		z := new(big.Int).ModInverse(y, n)
		return z.Mod(z.Mul(z, x), n)
	}
	u1, u2 := over(e, s), over(r, s)
	last := new(big.Int).Rsh(u2, 252)
	if u2.Bit(251) == 1 && new(big.Int).Rsh(u2, 246).Int64()&63 > 32 {
		last.Add(last, big.NewInt(1)) // the carry of signed digits
	}
	last.Lsh(last, 252)
	// u1 + (u2 - last) d = last d, so the last addition doubles.
	doubles := over(u1, new(big.Int).Sub(new(big.Int).Lsh(last, 1), u2))
	for name, d := range map[string]*big.Int{
		"the sum is infinity":           over(new(big.Int).Neg(e), r),
		"the last addition is doubling": doubles,
	} {
		point, err := nistec.NewP256Point().ScalarBaseMult(d.FillBytes(make([]byte, 32)))
		if err != nil {
			t.Fatal(err)
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		check := tabled(t, newKey(t, jose.ES256, "k", pub))
		signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		if _, decided := sameES256(t, check, pub, message, signature); decided {
			t.Errorf("%s: decided", name)
		}
	}
}
