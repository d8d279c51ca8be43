package jose_test

import (
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// credulous takes every signature that it is asked about.
type credulous struct{}

func (credulous) Use(keys []*jose.Key) []jose.Check {
	checks := make([]jose.Check, len(keys))
	for i := range checks {
		checks[i] = func(_, _ []byte) (valid, decided bool) { return true, true }
	}
	return checks
}

// JOS-12: an accelerator is asked about signatures of the right form only, and about the
// algorithms that it is for; about all others the standard library is.
func TestAccelerator_JOS12_SeesWellFormedOnly(t *testing.T) {
	t.Parallel()
	for _, alg := range jose.Algorithms() {
		own, signed, signature := signedBy(t, alg)
		key, _ := newSet(t, own).Accelerated(credulous{}).Key("k")
		asked := alg == jose.EdDSA || alg == jose.Ed25519 || alg == jose.ES256
		forged := append([]byte(nil), signature...)
		forged[len(forged)-1] ^= 1
		if got := jose.VerifyRaw(key, signed, forged); got != asked {
			t.Errorf("%s: a signature that only it takes: %v", alg, got)
		}
		for _, n := range []int{0, 1, len(signature) - 2, len(signature) - 1} {
			if jose.VerifyRaw(key, signed, signature[:n]) {
				t.Errorf("%s: %d bytes: accepted", alg, n)
			}
		}
		if jose.VerifyRaw(key, signed, append(signature, 0, 0)) {
			t.Errorf("%s: two bytes more: accepted", alg)
		}
		if alg != jose.ES256 {
			continue
		}
		for name, i := range map[string]int{"r": 0, "s": 32} {
			for _, fill := range []byte{0, 0xFF} { // 0, and more than n
				bad := append([]byte(nil), signature...)
				for j := range 32 {
					bad[i+j] = fill
				}
				if jose.VerifyRaw(key, signed, bad) {
					t.Errorf("%s of %x bytes: accepted", name, fill)
				}
			}
		}
	}
}
