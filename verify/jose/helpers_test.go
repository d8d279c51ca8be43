package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

var b64 = base64.RawURLEncoding

// rsaPrivate is shared by all tests: making one takes a while.
var rsaPrivate = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func private(t testing.TB, alg jose.Algorithm) crypto.Signer {
	t.Helper()
	curves := map[jose.Algorithm]elliptic.Curve{jose.ES256: elliptic.P256(), jose.ES384: elliptic.P384(), jose.ES512: elliptic.P521()}
	if curve := curves[alg]; curve != nil {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if strings.HasPrefix(string(alg), "RS") || strings.HasPrefix(string(alg), "PS") {
		return rsaPrivate()
	}
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newSigner(t testing.TB, alg jose.Algorithm, kid string) *jose.Signer {
	t.Helper()
	s, err := jose.NewSigner(alg, kid, private(t, alg))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSet(t testing.TB, keys ...*jose.Key) *jose.KeySet {
	t.Helper()
	s, err := jose.NewKeySet(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// handmade signs a header that jose.Signer would not write.
func handmade(t testing.TB, key ed25519.PrivateKey, header, payload string) string {
	t.Helper()
	signed := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	return signed + "." + b64.EncodeToString(ed25519.Sign(key, []byte(signed)))
}

// edSet is a set with one Ed25519 key of ID "k" and its private half.
func edSet(t testing.TB) (*jose.KeySet, ed25519.PrivateKey) {
	t.Helper()
	k := private(t, jose.EdDSA).(ed25519.PrivateKey)
	key, err := jose.NewKey(jose.EdDSA, "k", k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return newSet(t, key), k
}

func replacePart(token string, n int, f func(string) string) string {
	p := strings.Split(token, ".")
	p[n] = f(p[n])
	return strings.Join(p, ".")
}

// rs256 signs by hand (RFC 7518 §3.3).
func rs256(t testing.TB, key *rsa.PrivateKey, signed string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
