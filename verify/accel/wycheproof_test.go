package accel_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// vector is a line of a file in testdata/wycheproof.
type vector struct {
	id                      string
	key, message, signature []byte
	valid                   bool
}

func vectors(t testing.TB, name string) (all []vector) {
	t.Helper()
	src, err := os.ReadFile("testdata/wycheproof/" + name)
	if err != nil {
		t.Fatal(err)
	}
	bytes := func(text string) []byte {
		b, err := hex.DecodeString(strings.TrimPrefix(text, "-"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var key []byte
	for line := range strings.Lines(string(src)) {
		f := strings.Fields(line)
		switch {
		case f[0] == "#":
		case f[0] == "key":
			key = bytes(f[1])
		default:
			all = append(all, vector{f[0], key, bytes(f[2]), bytes(f[3]), f[1] == "valid"})
		}
	}
	if len(all) < 100 {
		t.Fatalf("%s: only %d vectors", name, len(all))
	}
	return all
}

func TestEd25519_JOS23_Wycheproof(t *testing.T) {
	t.Parallel()
	checks := map[string]jose.Check{}
	for _, v := range vectors(t, "ed25519.txt") {
		check := checks[string(v.key)]
		if check == nil {
			check = tabled(t, newKey(t, jose.EdDSA, "k", ed25519.PublicKey(v.key)))
			checks[string(v.key)] = check
		}
		if got := sameEd25519(t, check, v.key, v.message, v.signature); got != v.valid {
			t.Errorf("vector %s: the standard library says %v", v.id, got)
		}
	}
}

func TestES256_JOS23_Wycheproof(t *testing.T) {
	t.Parallel()
	checks := map[string]jose.Check{}
	for _, v := range vectors(t, "es256.txt") {
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), v.key)
		if err != nil {
			t.Fatal(err)
		}
		check := checks[string(v.key)]
		if check == nil {
			check = tabled(t, newKey(t, jose.ES256, "k", pub))
			checks[string(v.key)] = check
		}
		if len(v.signature) != 64 { // package jose does not ask about those
			if _, decided := check(v.message, v.signature); decided {
				t.Errorf("vector %s: decided", v.id)
			}
			continue
		}
		if got, _ := sameES256(t, check, pub, v.message, v.signature); got != v.valid {
			t.Errorf("vector %s: the standard library says %v", v.id, got)
		}
	}
}
