package keyring_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/verify/jose"
)

// shared is one key of each algorithm; RSA keys take long to make.
var shared = &sharedKeys{kek: secret.Key()}

type sharedKeys struct {
	kek  [32]byte
	once sync.Once
	keys []idp.SigningKey // in the order of algorithms
}

func (s *sharedKeys) rows(t *testing.T) []idp.SigningKey {
	t.Helper()
	s.once.Do(func() {
		for _, alg := range algorithms {
			s.keys = append(s.keys, s.make(t, alg))
		}
	})
	return slices.Clone(s.keys)
}

func (s *sharedKeys) make(t *testing.T, alg jose.Algorithm) idp.SigningKey {
	t.Helper()
	k, err := keyring.Generate(alg, s.kek, start)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (s *sharedKeys) open(t *testing.T) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(t.Context(), &rowsOnly{keys: s.rows(t)}, keyring.Config{KEK: s.kek}, start)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// errAdd is what rowsOnly answers when a key is to be made.
var errAdd = errors.New("no key may be made")

// rowsOnly holds rows as a database may come to hold them that was tampered with.
type rowsOnly struct {
	keyring.Store // nil: nothing else is asked for
	keys          []idp.SigningKey
	err           error
}

func (r *rowsOnly) SigningKeys(context.Context) ([]idp.SigningKey, error) { return r.keys, r.err }

func (r *rowsOnly) AddSigningKey(context.Context, idp.Actor, idp.SigningKey, bool, time.Time) error {
	return errAdd
}

func openStore(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "signet.db"), store.Options{RuleLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func mustOpen(t *testing.T, db *store.DB, kek [32]byte) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(t.Context(), db, keyring.Config{KEK: kek}, start)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func stored(t *testing.T, db *store.DB) []idp.SigningKey {
	t.Helper()
	keys, err := db.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// privatePart returns bytes that nobody could know from the public half.
func privatePart(t *testing.T, der []byte) []byte {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	var part []byte
	switch k := key.(type) {
	case ed25519.PrivateKey:
		part = k.Seed()
	case *ecdsa.PrivateKey:
		part, err = k.Bytes()
	case *rsa.PrivateKey:
		part = k.Primes[0].Bytes()
	}
	if err != nil || !bytes.Contains(der, part) || len(part) < 32 {
		t.Fatalf("%T: no private part: %v", key, err)
	}
	return part
}

func flipped(k [32]byte) [32]byte {
	k[31] ^= 1
	return k
}
