package keyring_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// TestNeed: keys of PS256 and ML-DSA are made when somebody needs them, and live as others
// do. Those of ML-DSA stand in no set that clients read who may not know them. TOK-07, STO-09
func TestNeed(t *testing.T) {
	t.Parallel()
	for _, alg := range []jose.Algorithm{jose.PS256, jose.MLDSA44, jose.MLDSA65, jose.MLDSA87} {
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
			if apart := alg != jose.PS256; bytes.Equal(w.JWKS(), common) != apart || bytes.Contains(w.JWKS(), []byte(kid)) == apart ||
				!bytes.Contains(w.AllJWKS(), []byte(kid)) || strings.Contains(string(w.AllJWKS()), `"kty":"AKP"`) != apart {
				t.Errorf("published: %.80s and %.80s", w.JWKS(), w.AllJWKS())
			}
			other := w.node(keyring.Config{KEK: w.kek, Policy: quick()})
			if s, err := other.Signer(alg); err != nil || s.Key().ID() != kid {
				t.Errorf("another node: %v", err)
			}
			row, _ := w.row(kid)
			seed, err := keyring.Unseal(row, w.kek)
			if err != nil {
				t.Fatal(err)
			}
			if alg == jose.PS256 {
				seed = privatePart(t, seed)
			} else if _, notDER := x509.ParsePKCS8PrivateKey(seed); len(seed) != 32 || notDER == nil {
				t.Fatalf("%d bytes are sealed", len(seed))
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

// TestNeed_RFC8725_3_1_KeyOfItsOwn: RS256 and PS256 have different keys, and neither verifies
// what the other algorithm signed. JOS-03
func TestNeed_RFC8725_3_1_KeyOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	w.need(jose.PS256)
	rs, ps := w.signer(jose.RS256), w.signer(jose.PS256)
	if rs.Key().ID() == ps.Key().ID() || rs.Key().Public().(*rsa.PublicKey).Equal(ps.Key().Public()) {
		t.Error("one key has two algorithms")
	}
	var doc struct {
		Keys []struct{ Kid, Alg, Kty string }
	}
	if err := json.Unmarshal(w.JWKS(), &doc); err != nil || doc.Keys[0].Alg != "RS256" {
		t.Errorf("RS256 does not stand first: %v %v", doc, err)
	}
	for _, k := range doc.Keys {
		if (k.Kid == ps.Key().ID()) != (k.Alg == "PS256") {
			t.Errorf("%+v", k)
		}
	}
	for _, s := range []*jose.Signer{rs, ps} {
		other := map[*jose.Signer]*jose.Signer{rs: ps, ps: rs}[s]
		parts := strings.Split(w.sign(s.Key().Algorithm()), ".")
		h := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + string(s.Key().Algorithm()) + `","typ":"x","kid":"` + other.Key().ID() + `"}`))
		if _, _, err := w.Keys().Verify(h+"."+parts[1]+"."+parts[2], "x"); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("the key of %s with %s: %v", other.Key().Algorithm(), s.Key().Algorithm(), err)
		}
	}
}

// counted counts the keys that were made.
type counted struct {
	keyring.Store
	made atomic.Int64
}

func (c *counted) AddSigningKey(ctx context.Context, by idp.Actor, k idp.SigningKey, onlyIfNoneActive bool, now time.Time) error {
	c.made.Add(1)
	return c.Store.AddSigningKey(ctx, by, k, onlyIfNoneActive, now)
}

// TestNeed_DOS03_OneForAll: making an RSA key takes its time; however many clients register at
// one moment, it is made once.
func TestNeed_DOS03_OneForAll(t *testing.T) {
	t.Parallel()
	db := &counted{Store: openStore(t)}
	ring, err := keyring.Open(t.Context(), db, keyring.Config{KEK: secret.Key()}, start)
	if err != nil {
		t.Fatal(err)
	}
	db.made.Store(0)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := ring.Need(t.Context(), jose.PS256, start); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := db.made.Load(); n != 1 {
		t.Errorf("%d keys were made", n)
	}
}

// TestNeedFor: what a client is sent decides which keys there are.
func TestNeedFor(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]idp.ClientMetadata{
		"nothing said": {}, "usual ones": {IDTokenAlg: "ES256", UserinfoAlg: "RS256"},
		"ID tokens": {IDTokenAlg: "PS256"}, "userinfo": {IDTokenAlg: "RS256", UserinfoAlg: "PS256"},
	} {
		w := newRotating(t)
		if err := w.NeedFor(t.Context(), m, w.now); err != nil {
			t.Fatal(err)
		}
		_, err := w.Signer(jose.PS256)
		if want := m.IDTokenAlg == "PS256" || m.UserinfoAlg == "PS256"; (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
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
