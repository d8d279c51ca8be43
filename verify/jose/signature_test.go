package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
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

// JOS-12: ES256 signatures are r || s of 32 bytes, 0 < r, s < n (RFC 7518 §3.4).
func TestSignature_JOS12_ES256Edges(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := jose.NewKey(jose.ES256, "k", private.Public())
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("signed")
	sum := sha256.Sum256(message)
	der, err := private.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	pair := func(r, s *big.Int) []byte {
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out
	}
	good := pair(r, s)
	if !jose.VerifyRaw(key, message, good) {
		t.Fatal("the good one is refused")
	}
	zero, one, largest := new(big.Int), big.NewInt(1), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	for name, bad := range map[string][]byte{
		"empty":       nil,
		"DER":         der,
		"short":       good[:63],
		"long":        append(good[:64:64], 0),
		"r = 0":       pair(zero, s),
		"s = 0":       pair(r, zero),
		"both 0":      pair(zero, zero),
		"r = n":       pair(n, s),
		"s = n":       pair(r, n),
		"r = s = n":   pair(n, n),
		"r = 2^256-1": pair(largest, s),
		"r = s = 1":   pair(one, one),
		"swapped":     pair(s, r),
	} {
		if jose.VerifyRaw(key, message, bad) {
			t.Errorf("%s: accepted", name)
		}
	}
	// JOS-11: the twin is a valid signature, which is why nothing is keyed on a token's text.
	if !jose.VerifyRaw(key, message, pair(r, new(big.Int).Sub(n, s))) {
		t.Error("n - s: refused")
	}
	// Every length of r and s in DER must come out right: small numbers and high bits.
	for range 300 {
		r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
		if err != nil || !jose.VerifyRaw(key, message, pair(r, s)) {
			t.Fatal("a good signature is refused", r, s, err)
		}
	}
}

// JOS-13: the salt of PS256 is as long as the hash, and RS256 is padded in one way.
func TestSignature_JOS13_RSAPadding(t *testing.T) {
	t.Parallel()
	private := rsaPrivate()
	pss, err := jose.NewKey(jose.PS256, "k", private.Public())
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := jose.NewKey(jose.RS256, "k", private.Public())
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("signed")
	sum := sha256.Sum256(message)
	for _, salt := range []int{0, 1, 20, 31, 32, 33, 64} {
		sig, err := emptySaltPSS(private, sum[:])
		if salt > 0 {
			sig, err = rsa.SignPSS(rand.Reader, private, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: salt})
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := jose.VerifyRaw(pss, message, sig); got != (salt == 32) {
			t.Errorf("PS256 with a salt of %d bytes: %v", salt, got)
		}
		if jose.VerifyRaw(pkcs, message, sig) {
			t.Errorf("PSS as RS256: accepted")
		}
	}
	good, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	if !jose.VerifyRaw(pkcs, message, good) || jose.VerifyRaw(pss, message, good) {
		t.Error("RS256")
	}
	other, err := rsa.SignPKCS1v15(rand.Reader, private, 0, sum[:]) // no hash name inside
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"no DigestInfo": other, "short": good[1:], "long": append([]byte{0}, good...), "zero": make([]byte, len(good)), "modulus": private.N.Bytes(),
	} {
		if jose.VerifyRaw(pkcs, message, bad) {
			t.Errorf("%s: accepted", name)
		}
	}
}

// emptySaltPSS encodes by hand (RFC 8017 §9.1.1): the standard library reads 0 as "auto".
func emptySaltPSS(private *rsa.PrivateKey, sum []byte) ([]byte, error) {
	emLen := (private.N.BitLen() - 1 + 7) / 8
	h := sha256.Sum256(append(make([]byte, 8), sum...))
	em := make([]byte, emLen)
	db := em[:emLen-33]
	db[len(db)-1] = 1
	var counter [4]byte
	for i := 0; i*32 < len(db); i++ {
		counter[3] = byte(i)
		mask := sha256.Sum256(append(h[:], counter[:]...))
		for j := 0; j < 32 && i*32+j < len(db); j++ {
			db[i*32+j] ^= mask[j]
		}
	}
	em[0] &= 0xFF >> (8*emLen - (private.N.BitLen() - 1))
	copy(em[emLen-33:], h[:])
	em[emLen-1] = 0xBC
	m := new(big.Int).SetBytes(em)
	if m.Cmp(private.N) >= 0 {
		return nil, errors.New("bad encoding")
	}
	return m.Exp(m, private.D, private.N).FillBytes(make([]byte, private.Size())), nil
}

// A signer whose hardware returns something else must not make tokens.
func TestSigner_RefusesOddSigners(t *testing.T) {
	t.Parallel()
	s, err := jose.NewSigner(jose.ES256, "k", oddSigner{private(t, jose.ES256)})
	if err != nil {
		t.Fatal(err)
	}
	if token, err := s.Sign("x", []byte("{}")); err == nil {
		t.Errorf("signed %s", token)
	}
	if _, err := jose.NewSigner(jose.ES256, "k", nil); !errors.Is(err, jose.ErrKey) {
		t.Errorf("nil: %v", err)
	}
	if _, err := jose.NewSigner(jose.RS256, "k", private(t, jose.ES256)); !errors.Is(err, jose.ErrKey) {
		t.Errorf("other kind: %v", err)
	}
}

type oddSigner struct{ crypto.Signer }

func (oddSigner) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return make([]byte, 64), nil
}
