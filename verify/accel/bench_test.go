package accel_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// The benchmarks verify a message as long as the signed part of an access token. Each
// takes turns between the standard library and the table, and reports both and their
// ratio: on a busy machine only that can be compared.

func BenchmarkEd25519(b *testing.B) {
	private := newEd25519(b)
	pub := private.Public().(ed25519.PublicKey)
	var messages, signatures [512][]byte // many, for tables are larger than the nearest memory
	for i := range messages {
		messages[i] = bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 310)
		signatures[i] = ed25519.Sign(private, messages[i])
	}
	check := tabled(b, newKey(b, jose.EdDSA, "k", pub))
	var standard, table int
	compare(b,
		func() bool {
			standard++
			i := standard % len(messages)
			return ed25519.Verify(pub, messages[i], signatures[i])
		},
		func() bool {
			table++
			i := table % len(messages)
			valid, decided := check(messages[i], signatures[i])
			return valid && decided
		})
}

func BenchmarkP256(b *testing.B) {
	message := bytes.Repeat([]byte("m"), 620)
	private := newP256(b)
	sum := sha256.Sum256(message)
	der, err := ecdsa.SignASN1(rand.Reader, private, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	signature := signES256(b, private, message)
	check := tabled(b, newKey(b, jose.ES256, "k", &private.PublicKey))
	compare(b,
		func() bool { sum := sha256.Sum256(message); return ecdsa.VerifyASN1(&private.PublicKey, sum[:], der) },
		func() bool { valid, decided := check(message, signature); return valid && decided })
}
