// Package keyring makes, keeps and publishes the keys that signet signs with: one
// for each algorithm, named by its thumbprint (RFC 7638), published as a JSON Web
// Key Set (RFC 7517).
//
// The database holds the private halves sealed with AES-256-GCM under a key that is
// derived from the key-encryption key (KEK). The KEK is never in the database, so the
// database and its backups alone sign nothing. Sealing also authenticates: who can
// write to the database but lacks the KEK cannot add a key that we would publish.
//
// It deliberately does not decide when keys rotate; it obeys the times in the rows.
package keyring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// Store is what the keyring needs of the database.
type Store interface {
	SigningKeys(ctx context.Context) ([]idp.SigningKey, error)
	AddSigningKey(ctx context.Context, by idp.Actor, k idp.SigningKey, onlyIfNoneActive bool, now time.Time) error
}

// algorithms always have a key. RS256 stands first in the key set: some relying
// parties try the first key only, and RS256 is what every one of them can check.
var algorithms = [...]jose.Algorithm{jose.RS256, jose.ES256, jose.EdDSA}

// Ring is the keys as they were last read. Reading it takes no lock.
type Ring struct {
	store   Store
	sealing [32]byte // derived from the KEK

	reload  sync.Mutex // one Reload at a time
	current atomic.Pointer[snapshot]
}

// snapshot is never changed.
type snapshot struct {
	rows    []idp.SigningKey // what the rest was made from, in order
	signers map[jose.Algorithm]*jose.Signer
	keys    *jose.KeySet
	jwks    []byte
}

// Open reads the keys, and makes those that are missing: at the first start all of
// them. When nodes start at once, the store lets one win and all take its keys. A KEK
// that does not open the stored keys is an error; nothing is replaced then.
func Open(ctx context.Context, store Store, kek [32]byte, now time.Time) (*Ring, error) {
	r := &Ring{store: store, sealing: secret.Derive(kek[:], "signing_keys")}
	if err := r.Reload(ctx, now); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads the keys again, as they stand at now, and makes a new one where the
// last of an algorithm was retired. When it fails, the ring stays as it was.
func (r *Ring) Reload(ctx context.Context, now time.Time) error {
	r.reload.Lock()
	defer r.reload.Unlock()
	s, err := r.read(ctx, now)
	if err != nil {
		return err
	}
	made := false
	for _, alg := range algorithms {
		if s.signers[alg] != nil {
			continue
		}
		if err := r.add(ctx, alg, now); err != nil {
			return err
		}
		made = true
	}
	if made {
		if s, err = r.read(ctx, now); err != nil {
			return err
		}
	}
	r.current.Store(s)
	return r.Ready()
}

// add makes a key. Another node that was faster is as good.
func (r *Ring) add(ctx context.Context, alg jose.Algorithm, now time.Time) error {
	k, err := generate(alg, r.sealing, now)
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	err = r.store.AddSigningKey(ctx, idp.Actor{Kind: "system", ID: "keyring"}, k, true, now)
	if err != nil && !errors.Is(err, idp.ErrExists) {
		return fmt.Errorf("store %s key: %w", alg, err)
	}
	return nil
}

// read makes a snapshot of the stored keys.
func (r *Ring) read(ctx context.Context, now time.Time) (*snapshot, error) {
	stored, err := r.store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	stored = slices.DeleteFunc(slices.Clone(stored), unusable)
	slices.SortFunc(stored, func(a, b idp.SigningKey) int { return order(a, b, now) })
	if s := r.current.Load(); s != nil && slices.EqualFunc(s.rows, stored, sameRow) {
		return s, nil // nearly always; opening keys takes milliseconds
	}

	s := &snapshot{rows: stored, signers: make(map[jose.Algorithm]*jose.Signer)}
	var public []*jose.Key
	for _, k := range stored {
		signer, err := open(k, r.sealing)
		if err != nil {
			return nil, err
		}
		public = append(public, signer.Key())
		alg := jose.Algorithm(k.Alg)
		if s.signers[alg] == nil && !k.ActiveAt.IsZero() && k.RetiringAt.IsZero() {
			s.signers[alg] = signer
		}
	}
	if s.keys, err = jose.NewKeySet(public...); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	if s.jwks, err = json.Marshal(s.keys); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	return s, nil
}

// unusable: retired, or of a kind that only a newer release knows. A time that is set
// has come, whatever this node's clock says: a key that was retired in an emergency
// must not live on where the clock is late.
func unusable(k idp.SigningKey) bool {
	return !k.RetiredAt.IsZero() || !slices.Contains(algorithms[:], jose.Algorithm(k.Alg))
}

// sameRow compares all that a snapshot depends on beside the order.
func sameRow(a, b idp.SigningKey) bool {
	return a.ID == b.ID && a.Alg == b.Alg && bytes.Equal(a.Sealed, b.Sealed) &&
		a.ActiveAt.Equal(b.ActiveAt) && a.RetiringAt.Equal(b.RetiringAt)
}

// order puts the keys of one algorithm together, the one that signs first: the newest
// that is active, or else the next one that will be. (A clock that was set back makes
// active keys look staged; signing a little early harms less than not at all.)
func order(a, b idp.SigningKey, now time.Time) int {
	if a.Alg != b.Alg {
		return slices.Index(algorithms[:], jose.Algorithm(a.Alg)) - slices.Index(algorithms[:], jose.Algorithm(b.Alg))
	}
	aActive, bActive := !a.ActiveAt.After(now), !b.ActiveAt.After(now)
	switch {
	case aActive && !bActive:
		return -1
	case bActive && !aActive:
		return 1
	case aActive && !a.ActiveAt.Equal(b.ActiveAt):
		return b.ActiveAt.Compare(a.ActiveAt)
	case !a.ActiveAt.Equal(b.ActiveAt):
		return a.ActiveAt.Compare(b.ActiveAt)
	}
	return strings.Compare(a.ID, b.ID)
}

// Signer returns the key that signs with the algorithm now.
func (r *Ring) Signer(alg jose.Algorithm) (*jose.Signer, error) {
	s := r.current.Load()
	if s == nil || s.signers[alg] == nil {
		return nil, fmt.Errorf("signing key for %q: %w", alg, idp.ErrNotFound)
	}
	return s.signers[alg], nil
}

// Keys returns all public keys that still verify, retiring ones included.
func (r *Ring) Keys() *jose.KeySet { return r.current.Load().keys }

// JWKS returns Keys as a document (RFC 7517 §5). The caller must not change it.
func (r *Ring) JWKS() []byte { return r.current.Load().jwks }

// Ready reports whether there is a key to sign with for every algorithm.
func (r *Ring) Ready() error {
	for _, alg := range algorithms {
		if _, err := r.Signer(alg); err != nil {
			return err
		}
	}
	return nil
}

// Format keeps the sealing key out of logs: fmt prints unexported fields too.
func (r *Ring) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "[keyring]") }
