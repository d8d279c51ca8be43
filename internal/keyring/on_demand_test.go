package keyring_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/verify/jose"
)

// TestNeed: keys of ML-DSA are made when somebody needs them, live as others do, and stand
// in no set that clients read who may not know them. TOK-07, STO-09
func TestNeed(t *testing.T) {
	t.Parallel()
	for _, alg := range []jose.Algorithm{jose.MLDSA44, jose.MLDSA65, jose.MLDSA87} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			w := newRotating(t)
			common := w.JWKS()
			if _, err := w.Signer(alg); err == nil {
				t.Fatal("a key that nobody needs")
			}
			if !bytes.Equal(w.AllJWKS(), common) {
				t.Error("without such keys the two sets differ")
			}
			w.need(alg)
			w.need(alg)
			w.need(jose.EdDSA)
			w.need("none")
			if got := len(stored(t, w.db)); got != len(algorithms)+1 {
				t.Fatalf("%d keys", got)
			}
			kid, tok := w.signer(alg).Key().ID(), w.sign(alg)
			if _, _, err := w.Keys().Verify(tok, "x"); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(w.JWKS(), common) || !bytes.Contains(w.AllJWKS(), []byte(kid)) || !strings.Contains(string(w.AllJWKS()), `"kty":"AKP"`) {
				t.Errorf("published: %.80s and %.80s", w.JWKS(), w.AllJWKS())
			}
			other := w.node(keyring.Config{KEK: w.kek, Policy: quick()})
			if s, err := other.Signer(alg); err != nil || s.Key().ID() != kid {
				t.Errorf("another node: %v", err)
			}
			row, _ := w.row(kid)
			seed, err := keyring.Unseal(row, w.kek)
			if _, notDER := x509.ParsePKCS8PrivateKey(seed); err != nil || len(seed) != 32 || notDER == nil {
				t.Fatalf("%d bytes are sealed: %v", len(seed), err)
			}
			w.pass(quick().Active + quick().Retiring + 2*quick().Ahead)
			if w.signer(alg).Key().ID() == kid {
				t.Error("it never gets a successor")
			}
			if _, _, err := w.Keys().Verify(tok, "x"); err == nil {
				t.Error("it verifies for ever")
			}
			killed := w.signer(alg).Key().ID()
			if err := w.Kill(t.Context(), operator, killed, w.now); err != nil {
				t.Fatal(err)
			}
			if w.signer(alg).Key().ID() == killed {
				t.Error("the killed key signs")
			}
			if err := w.db.Close(); err != nil {
				t.Fatal(err)
			}
			w.nowhere(map[string][]byte{"seed": seed})
		})
	}
}

func (w *rotating) need(alg jose.Algorithm) {
	w.Helper()
	if err := w.Need(w.Context(), alg, w.now); err != nil {
		w.Fatal(err)
	}
}

// TestSucceed_OnDemand: whoever rotates all keys rotates these too, if they are there.
func TestSucceed_OnDemand(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	for _, want := range []int{len(algorithms), len(algorithms) + 1} {
		next, err := w.Succeed(t.Context(), operator, nil, w.now)
		if err != nil || len(next) != want {
			t.Errorf("%d successors, not %d: %v", len(next), want, err)
		}
		w.need(jose.MLDSA65)
	}
}
