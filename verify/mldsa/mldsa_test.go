package mldsa_test

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"filippo.io/mldsa"

	"github.com/signet-id/signet/verify/jose"
	_ "github.com/signet-id/signet/verify/mldsa"
)

var (
	b64    = base64.RawURLEncoding
	params = map[jose.Algorithm]mldsa.Parameters{jose.MLDSA44: mldsa.MLDSA44(), jose.MLDSA65: mldsa.MLDSA65(), jose.MLDSA87: mldsa.MLDSA87()}
)

func newPrivate(t testing.TB, alg jose.Algorithm) *mldsa.PrivateKey {
	t.Helper()
	private, err := mldsa.GenerateKey(params[alg])
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func newSet(t testing.TB, s *jose.Signer) *jose.KeySet {
	t.Helper()
	set, err := jose.NewKeySet(s.Key())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestVerify_AcceptsAndRefuses(t *testing.T) {
	t.Parallel()
	for alg := range params {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			s, err := jose.NewSigner(alg, "k", newPrivate(t, alg))
			if err != nil {
				t.Fatal(err)
			}
			doc, err := json.Marshal(newSet(t, s))
			if err != nil {
				t.Fatal(err)
			}
			set, err := jose.ParseKeySet(doc)
			if err != nil {
				t.Fatal(err)
			}
			token, err := s.Sign("JWT", []byte(`{"sub":"u","more":"`+strings.Repeat("m", 4000)+`"}`))
			if err != nil {
				t.Fatal(err)
			}
			if _, key, err := set.Verify(token, "JWT"); err != nil || key.Algorithm() != alg {
				t.Fatalf("a token of %d bytes: %v", len(token), err)
			}
			parts := strings.Split(token, ".")
			other := parts[0] + "." + b64.EncodeToString([]byte(`{"sub":"v"}`)) + "." + parts[2]
			if _, _, err := set.Verify(other, "JWT"); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("other payload: %v", err)
			}
			if _, _, err := set.Verify(parts[0]+"."+parts[1]+"."+parts[2][:len(parts[2])-4], "JWT"); err == nil {
				t.Error("a short signature")
			}
		})
	}
}

// The examples of RFC 9964 appendix A.1: the key of the seed of zeros, its thumbprint, and
// a token that was signed deterministically.
func TestVectors_RFC9964_A_1(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/rfc9964.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Alg           jose.Algorithm
		Kid, Pub, JWS string
	}
	if err := json.Unmarshal(src, &vectors); err != nil || len(vectors) != 3 {
		t.Fatal(err, len(vectors))
	}
	for _, v := range vectors {
		private, err := mldsa.NewPrivateKey(params[v.Alg], make([]byte, mldsa.PrivateKeySize))
		if err != nil {
			t.Fatal(err)
		}
		dot := strings.LastIndex(v.JWS, ".")
		again, err := private.SignDeterministic([]byte(v.JWS[:dot]), nil)
		if err != nil || b64.EncodeToString(again) != v.JWS[dot+1:] || b64.EncodeToString(private.PublicKey().Bytes()) != v.Pub {
			t.Errorf("%s: another key or signature: %v", v.Alg, err)
		}
		if kid, err := jose.Thumbprint(private.Public()); err != nil || kid != v.Kid {
			t.Errorf("%s: thumbprint %s, %v", v.Alg, kid, err)
		}
		set, err := jose.ParseKeySet([]byte(`{"keys":[{"kty":"AKP","alg":"` + string(v.Alg) + `","kid":"` + v.Kid + `","pub":"` + v.Pub + `","use":"sig"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		// The examples have no typ, which is the same as an empty one here.
		payload, _, err := set.Verify(v.JWS, "")
		if err != nil || string(payload) != "It’s a dangerous business, Frodo, going out your door." {
			t.Errorf("%s: %q, %v", v.Alg, payload, err)
		}
	}
}

// JOS-03: a key of the wrong form makes the whole set an error.
func TestParseKeySet_RefusesDefects(t *testing.T) {
	t.Parallel()
	private := newPrivate(t, jose.MLDSA65)
	pub := b64.EncodeToString(private.PublicKey().Bytes())
	good := `{"kty":"AKP","alg":"ML-DSA-65","use":"sig","kid":"k","pub":"` + pub + `"}`
	if _, err := jose.ParseKey([]byte(good)); err != nil {
		t.Fatal("the good one:", err)
	}
	for name, bad := range map[string]string{
		"other kty":      strings.Replace(good, `"AKP"`, `"OKP"`, 1),
		"other alg":      strings.Replace(good, `ML-DSA-65`, `ML-DSA-44`, 1),
		"larger alg":     strings.Replace(good, `ML-DSA-65`, `ML-DSA-87`, 1),
		"no pub":         strings.Replace(good, `"pub"`, `"pup"`, 1),
		"short":          strings.Replace(good, pub, pub[4:], 1),
		"padded":         strings.Replace(good, pub, pub+"=", 1),
		"no kid":         strings.Replace(good, `"kid":"k",`, ``, 1),
		"use enc":        strings.Replace(good, `"sig"`, `"enc"`, 1),
		"private":        strings.Replace(good, `"kid"`, `"priv":"`+b64.EncodeToString(private.Bytes())+`","kid"`, 1),
		"EC with ML-DSA": `{"kty":"EC","crv":"P-256","alg":"ML-DSA-65","use":"sig","kid":"k"}`,
	} {
		if _, err := jose.ParseKeySet([]byte(`{"keys":[` + bad + `]}`)); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewSigner_AlgorithmFitsTheKey(t *testing.T) {
	t.Parallel()
	for alg := range params {
		private := newPrivate(t, alg)
		for other := range params {
			if _, err := jose.NewSigner(other, "k", private); (err == nil) != (other == alg) {
				t.Errorf("%s with a key for %s: %v", other, alg, err)
			}
		}
		if _, err := jose.NewSigner(jose.EdDSA, "k", private); !errors.Is(err, jose.ErrKey) {
			t.Errorf("EdDSA with a key for %s: %v", alg, err)
		}
	}
	if _, err := jose.NewKey(jose.MLDSA44, "k", []byte("pub")); !errors.Is(err, jose.ErrKey) {
		t.Errorf("bytes: %v", err)
	}
}

// RFC 9964 §5: the context is empty.
func TestVerify_RFC9964_5_NoContext(t *testing.T) {
	t.Parallel()
	private := newPrivate(t, jose.MLDSA44)
	s, err := jose.NewSigner(jose.MLDSA44, "k", withContext{private})
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Sign("JWT", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := newSet(t, s).Verify(token, "JWT"); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("signed with a context: %v", err)
	}
}

type withContext struct{ *mldsa.PrivateKey }

func (w withContext) Sign(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	return w.PrivateKey.Sign(nil, message, &mldsa.Options{Context: "other"})
}

func TestAlgorithms_HasThem(t *testing.T) {
	t.Parallel()
	all := jose.Algorithms()
	if got := all[len(all)-3:]; !slices.Equal(got, []jose.Algorithm{jose.MLDSA44, jose.MLDSA65, jose.MLDSA87}) {
		t.Errorf("got %v", all)
	}
}

// Only the three names can be registered, and each once, so that no program gets "none"
// or another Ed25519 from something that it imports.
func TestRegister_RefusesEverythingElse(t *testing.T) {
	t.Parallel()
	open := func([]byte) (crypto.PublicKey, func(_, _ []byte) bool, error) {
		return nil, func(_, _ []byte) bool { return true }, nil
	}
	for _, alg := range []jose.Algorithm{"none", "", "EdDSA", "ES256", "HS256", "ES256K", "ml-dsa-65", jose.MLDSA65} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was registered", alg)
				}
			}()
			jose.Register(jose.External{Algorithm: alg, Open: open})
		}()
	}
}
