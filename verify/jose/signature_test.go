package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

func decode(t testing.TB, s string) []byte {
	t.Helper()
	b, err := b64.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// JOS-12: signatures are r || s of the same length, 0 < r, s < n (RFC 7518 §3.4).
func TestSignature_JOS12_ECDSAEdges(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		alg   jose.Algorithm
		curve elliptic.Curve
		hash  crypto.Hash
		size  int // of r, and of s
		again int
	}{
		{jose.ES256, elliptic.P256(), crypto.SHA256, 32, 300},
		{jose.ES384, elliptic.P384(), crypto.SHA384, 48, 30},
		{jose.ES512, elliptic.P521(), crypto.SHA512, 66, 30},
	} {
		t.Run(string(tc.alg), func(t *testing.T) {
			t.Parallel()
			private, err := ecdsa.GenerateKey(tc.curve, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			key, err := jose.NewKey(tc.alg, "k", private.Public())
			if err != nil {
				t.Fatal(err)
			}
			message := []byte("signed")
			digest := sum(tc.hash, message)
			der, err := private.Sign(rand.Reader, digest, tc.hash)
			if err != nil {
				t.Fatal(err)
			}
			r, s, err := ecdsa.Sign(rand.Reader, private, digest)
			if err != nil {
				t.Fatal(err)
			}
			n := tc.curve.Params().N
			pair := func(r, s *big.Int) []byte {
				out := make([]byte, 2*tc.size)
				r.FillBytes(out[:tc.size])
				s.FillBytes(out[tc.size:])
				return out
			}
			good := pair(r, s)
			if !jose.VerifyRaw(key, message, good) {
				t.Fatal("the good one is refused")
			}
			zero, one, largest := new(big.Int), big.NewInt(1), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*tc.size)), big.NewInt(1))
			bad := map[string][]byte{
				"empty":     nil,
				"DER":       der,
				"short":     good[:2*tc.size-1],
				"long":      append(good[:2*tc.size:2*tc.size], 0),
				"r only":    good[:tc.size],
				"r = 0":     pair(zero, s),
				"s = 0":     pair(r, zero),
				"both 0":    pair(zero, zero),
				"r = n":     pair(n, s),
				"s = n":     pair(r, n),
				"r = s = n": pair(n, n),
				"r = all 1": pair(largest, s),
				"r = s = 1": pair(one, one),
				"swapped":   pair(s, r),
			}
			if sum := new(big.Int).Add(s, n); sum.BitLen() <= 8*tc.size {
				bad["s + n"] = pair(r, sum) // the same number modulo n
			}
			for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
				if hash == tc.hash {
					continue
				}
				r, s, err := ecdsa.Sign(rand.Reader, private, sum(hash, message))
				if err != nil {
					t.Fatal(err)
				}
				bad["over "+hash.String()] = pair(r, s)
			}
			for name, signature := range bad {
				if jose.VerifyRaw(key, message, signature) {
					t.Errorf("%s: accepted", name)
				}
			}
			// JOS-11: the twin is a valid signature, which is why nothing is keyed on a token's text.
			if !jose.VerifyRaw(key, message, pair(r, new(big.Int).Sub(n, s))) {
				t.Error("n - s: refused")
			}
			// Every length of r and s in DER must come out right: small numbers and high bits.
			for range tc.again {
				r, s, err := ecdsa.Sign(rand.Reader, private, digest)
				if err != nil || !jose.VerifyRaw(key, message, pair(r, s)) {
					t.Fatal("a good signature is refused", r, s, err)
				}
			}
		})
	}
}

// The length is known before anything is computed, so that the wrong one costs nothing.
func TestSignature_LengthOfEachAlgorithm(t *testing.T) {
	t.Parallel()
	sizes := map[jose.Algorithm]int{jose.EdDSA: 64, jose.Ed25519: 64, jose.ES256: 64, jose.ES384: 96, jose.ES512: 132}
	for _, alg := range jose.Algorithms() {
		key, signed, signature := signedBy(t, alg)
		want := sizes[alg]
		if want == 0 {
			want = 256 // RSA, 2048 bits
		}
		if len(signature) != want || !jose.VerifyRaw(key, signed, signature) {
			t.Errorf("%s: %d bytes", alg, len(signature))
		}
		for n := range want + 70 {
			if n != want && jose.VerifyRaw(key, signed, append(signature, make([]byte, 70)...)[:n]) {
				t.Errorf("%s: accepted with %d bytes", alg, n)
			}
		}
	}
}

// ES512's r or s of few bytes: DER in short form beside the usual long one.
func TestSignature_ShortNumbers(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 31, 32, 33, 63, 64, 65, 66} {
		r, s := make([]byte, 66), make([]byte, 66)
		r[66-n], s[65] = 0x01, 0x80
		der := jose.AppendDER(r, s)
		back, err := jose.FixedLength(der, 132)
		if err != nil || string(back) != string(r)+string(s) {
			t.Errorf("%d bytes: %x: %v", n, der, err)
		}
	}
}

// A signer whose hardware returns something else must not make tokens.
func TestSigner_RefusesOddSigners(t *testing.T) {
	t.Parallel()
	for _, alg := range jose.Algorithms() {
		for _, n := range []int{0, 1, 63, 64, 65, 128, 255} {
			if n == 64 && (alg == jose.EdDSA || alg == jose.Ed25519) {
				continue // the right length: only a verifier can tell
			}
			s, err := jose.NewSigner(alg, "k", oddSigner{private(t, alg), n})
			if err != nil {
				t.Fatal(err)
			}
			if token, err := s.Sign("x", []byte("{}")); err == nil {
				t.Errorf("%s with %d bytes: signed %s", alg, n, token)
			}
		}
		if _, err := jose.NewSigner(alg, "k", nil); !errors.Is(err, jose.ErrKey) {
			t.Errorf("nil: %v", err)
		}
	}
	if _, err := jose.NewSigner(jose.RS256, "k", private(t, jose.ES256)); !errors.Is(err, jose.ErrKey) {
		t.Errorf("other kind: %v", err)
	}
}

type oddSigner struct {
	crypto.Signer
	size int
}

func (s oddSigner) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return make([]byte, s.size), nil
}
