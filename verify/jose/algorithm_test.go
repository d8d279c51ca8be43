package jose_test

import (
	"slices"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// The order is what others publish in their metadata, so it does not change.
func TestAlgorithms_Order(t *testing.T) {
	t.Parallel()
	want := []jose.Algorithm{"EdDSA", "Ed25519", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}
	if got := jose.Algorithms(); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	jose.Algorithms()[0] = "none"
	if jose.Algorithms()[0] != "EdDSA" {
		t.Error("the list is no copy")
	}
}

// Each algorithm signs, verifies its own, and refuses every other one's tokens under the same kid.
func TestVerify_RFC8725_3_1_EachAlgorithmAlone(t *testing.T) {
	t.Parallel()
	tokens, sets := map[jose.Algorithm]string{}, map[jose.Algorithm]*jose.KeySet{}
	for _, alg := range jose.Algorithms() {
		s := newSigner(t, alg, "k")
		token, err := s.Sign("at+jwt", []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		tokens[alg], sets[alg] = token, newSet(t, s.Key())
	}
	for signed, token := range tokens {
		for alg, set := range sets {
			if _, _, err := set.Verify(token, "at+jwt"); (err == nil) != (signed == alg) {
				t.Errorf("%s with a key for %s: %v", signed, alg, err)
			}
		}
	}
}

// The hot path of the default algorithm allocates nothing.
func TestSignature_EdDSAAllocatesNothing(t *testing.T) { // not parallel: it counts
	key, signed, signature := signedBy(t, jose.EdDSA)
	if n := testing.AllocsPerRun(100, func() { jose.VerifyRaw(key, signed, signature) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSignature(b *testing.B) {
	for _, alg := range jose.Algorithms() {
		b.Run(string(alg), func(b *testing.B) {
			key, signed, signature := signedBy(b, alg)
			b.ReportAllocs()
			for b.Loop() {
				if !jose.VerifyRaw(key, signed, signature) {
					b.Fatal("refused")
				}
			}
		})
	}
}

// signedBy makes a key and a signature of a message of the usual length.
func signedBy(t testing.TB, alg jose.Algorithm) (key *jose.Key, signed, signature []byte) {
	t.Helper()
	s := newSigner(t, alg, "k")
	token, err := s.Sign("at+jwt", make([]byte, 389))
	if err != nil {
		t.Fatal(err)
	}
	dot := len(token) - 1
	for token[dot] != '.' {
		dot--
	}
	return s.Key(), []byte(token[:dot]), decode(t, token[dot+1:])
}
