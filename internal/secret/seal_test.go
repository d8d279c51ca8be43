package secret_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/signet-id/signet/internal/secret"
)

// TestOpen_Rejections: another key, place or byte does not open. STO-09
func TestOpen_Rejections(t *testing.T) {
	t.Parallel()
	key, plain, place := secret.Key(), []byte("seed of a key"), []byte("kid\x00EdDSA")
	sealed := secret.Seal(key, plain, place)
	if bytes.Contains(sealed, plain) {
		t.Fatal("not encrypted")
	}
	if got, err := secret.Open(key, sealed, place); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("got %q %v", got, err)
	}
	mustFail := func(name string, key [32]byte, sealed, place []byte) {
		t.Helper()
		if got, err := secret.Open(key, sealed, place); !errors.Is(err, secret.ErrSealed) || got != nil {
			t.Errorf("%s: opened %q %v", name, got, err)
		}
	}
	mustFail("other key", secret.Key(), sealed, place)
	mustFail("other place", key, sealed, []byte("kid\x00ES256"))
	mustFail("no place", key, sealed, nil)
	mustFail("extended", key, append(bytes.Clone(sealed), 0), place)
	for i := range sealed {
		mustFail("truncated", key, sealed[:i], place)
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		mustFail("changed", key, changed, place)
	}
	if bytes.Equal(sealed, secret.Seal(key, plain, place)) {
		t.Error("the nonce repeats")
	}
}

// TestDerive_Purpose: keys of different purposes differ, and so do those of different secrets.
func TestDerive_Purpose(t *testing.T) {
	t.Parallel()
	a, b := secret.Key(), secret.Key()
	key := secret.Derive(a[:], "x")
	if again := secret.Derive(a[:], "x"); again != key {
		t.Error("not deterministic")
	}
	if key == secret.Derive(a[:], "y") || key == secret.Derive(b[:], "x") {
		t.Error("keys repeat")
	}
}
