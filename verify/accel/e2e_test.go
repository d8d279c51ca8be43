package accel_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/accel"
	"github.com/signet-id/signet/verify/jose"
	"github.com/signet-id/signet/verify/verifytest"
)

// rotation publishes another key set once it is told to.
type rotation struct {
	next    []byte // the JSON Web Key Set after it
	rotated atomic.Bool
}

func (r *rotation) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || !r.rotated.Load() || req.URL.Path != "/jwks.json" {
		return res, err
	}
	_ = res.Body.Close()
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(r.next)), int64(len(r.next))
	return res, nil
}

const orders = "https://orders.example.com"

// TestVerifier_JOS23: a verifier with tables accepts and refuses what it should, through
// the life of a key.
func TestVerifier_JOS23(t *testing.T) {
	t.Parallel()
	next, err := jose.NewKeySet(newKey(t, jose.EdDSA, "next", newEd25519(t).Public()))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := next.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	issuer, keys, a := verifytest.NewIssuer(t), &rotation{next: doc}, accel.New()
	v := issuer.Verifier(t, orders, verify.Accelerate(a), verify.HTTPClient(&http.Client{Transport: keys}))

	const tokens = 200
	for range tokens {
		if _, err := v.Verify(t.Context(), issuer.Token(orders)); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, a, "table", tables(1))
	good := issuer.Token(orders)
	for range tokens {
		if _, err := v.Verify(t.Context(), good); err != nil {
			t.Fatal("with a table:", err)
		}
	}
	for _, bad := range tampered(good) {
		if _, err := v.Verify(t.Context(), bad); !errors.Is(err, verify.ErrSignature) {
			t.Errorf("a tampered token: %v", err)
		}
	}
	if s := a.Status(); s.Keys != 1 || s.Tables != 1 {
		t.Errorf("status: %+v", s)
	}

	keys.rotated.Store(true)
	issuer.Revoke(verify.Rule{Kind: verify.RuleKey, ID: "test-eddsa"}) // makes it fetch the keys soon
	waitFor(t, a, "retirement", tables(0))
	if _, err := v.Verify(t.Context(), good); err == nil {
		t.Error("a token of the retired key is accepted")
	}
	if s := a.Status(); s.Keys != 1 {
		t.Errorf("status after the retirement: %+v", s)
	}
}

// TestKeySet_JOS23_ES256: the same for a key set alone, with the other algorithm.
func TestKeySet_JOS23_ES256(t *testing.T) {
	t.Parallel()
	signer, err := jose.NewSigner(jose.ES256, "k", newP256(t))
	if err != nil {
		t.Fatal(err)
	}
	set, err := jose.NewKeySet(signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	a := accel.New()
	set = set.Accelerated(a)
	good, err := signer.Sign("at+jwt", []byte(`{"sub":"user-1","scope":"orders:read"}`))
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		if _, _, err := set.Verify(good, "at+jwt"); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		for _, bad := range tampered(good) {
			if _, _, err := set.Verify(bad, "at+jwt"); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("%s, tampered: %v", when, err)
			}
		}
	}
	check("without a table")
	for range accel.UsesBeforeTable {
		check("on the way")
	}
	waitFor(t, a, "table", tables(1))
	check("with a table")
}

// tampered changes the payload and each part of the signature.
func tampered(token string) (all []string) {
	end := strings.LastIndexByte(token, '.')
	payload := strings.IndexByte(token, '.') + 20
	for _, at := range []int{payload, end + 1, end + 40, end + 50, end + 80} {
		b := []byte(token)
		if b[at]++; b[at] == 'z'+1 || b[at] == 'Z'+1 || b[at] == '9'+1 || b[at] == '-'+1 || b[at] == '_'+1 {
			b[at] = 'a'
		}
		all = append(all, string(b))
	}
	return all
}

// TestCheck_AllocatesNothing: neither with a table nor before.
func TestCheck_AllocatesNothing(t *testing.T) { // not parallel: it counts
	message := bytes.Repeat([]byte("m"), 620)
	ed, p256 := newEd25519(t), newP256(t)
	for name, c := range map[string]struct {
		key       *jose.Key
		signature []byte
	}{
		"Ed25519": {newKey(t, jose.EdDSA, "k", ed.Public()), signEd25519(ed, message)},
		"ES256":   {newKey(t, jose.ES256, "k", &p256.PublicKey), signES256(t, p256, message)},
	} {
		check := tabled(t, c.key)
		before := accel.New().Use([]*jose.Key{c.key})[0]
		bad := bytes.Clone(c.signature)
		bad[40] ^= 1
		for what, run := range map[string]func(){
			"good":   func() { check(message, c.signature) },
			"bad":    func() { check(message, bad) },
			"before": func() { before(message, c.signature) },
		} {
			if n := testing.AllocsPerRun(accel.UsesBeforeTable/2, run); n != 0 {
				t.Errorf("%s, %s: %v allocations", name, what, n)
			}
		}
	}
}
