package accel_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"
	"time"

	"github.com/signet-id/signet/verify/accel"
	"github.com/signet-id/signet/verify/jose"
)

func newKey(t testing.TB, alg jose.Algorithm, kid string, pub crypto.PublicKey) *jose.Key {
	t.Helper()
	k, err := jose.NewKey(alg, kid, pub)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newEd25519(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newP256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// signES256 returns r || s.
func signES256(t testing.TB, k *ecdsa.PrivateKey, message []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// standardES256 is what the standard library says.
func standardES256(pub *ecdsa.PublicKey, message, signature []byte) bool {
	sum := sha256.Sum256(message)
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return len(signature) == 64 && ecdsa.Verify(pub, sum[:], r, s)
}

// tabled returns the Check of a key that has its table.
func tabled(t testing.TB, k *jose.Key) jose.Check {
	t.Helper()
	a := accel.New()
	check := a.Use([]*jose.Key{k})[0]
	useUp(t, check)
	waitFor(t, a, "the table", func(s accel.Status) bool { return s.Tables == 1 })
	return check
}

// useUp asks as often as a key is used without a table.
func useUp(t testing.TB, check jose.Check) {
	t.Helper()
	for i := range accel.UsesBeforeTable {
		if _, decided := check([]byte("message"), make([]byte, 64)); decided {
			t.Fatalf("use %d was decided without a table", i+1)
		}
	}
}

// waitFor waits for work in the background.
func waitFor(t testing.TB, a *accel.Accelerator, what string, done func(accel.Status) bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for !done(a.Status()) {
		select {
		case <-limit:
			t.Fatalf("no %s: %+v", what, a.Status())
		case <-time.After(time.Millisecond):
		}
	}
}

// rsaPublic makes an RSA key.
func rsaPublic(t testing.TB) *rsa.PublicKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &k.PublicKey
}

func signEd25519(k ed25519.PrivateKey, message []byte) []byte { return ed25519.Sign(k, message) }
