// Package keyring makes, keeps and publishes the keys that signet signs with: one
// for each algorithm, named by its thumbprint (RFC 7638), published as a JSON Web
// Key Set (RFC 7517).
//
// The database holds the private halves sealed with AES-256-GCM under a key that is
// derived from the key-encryption key (KEK). The KEK is never in the database, so the
// database and its backups alone sign nothing. Sealing also authenticates: who can
// write to the database but lacks the KEK cannot add a key that we would publish.
//
// Keys rotate by themselves: schedule.go says when, from the rows and nothing else, and
// the store decides which of several nodes does it.
//
// It deliberately lets no clock decide which key signs: that stands in the rows, so that
// it is the same on every node.
package keyring

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
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
	StageKey(ctx context.Context, by idp.Actor, k idp.SigningKey, after string, now time.Time) error
	HandOverKey(ctx context.Context, by idp.Actor, from, to string, now time.Time) error
	RedateKey(ctx context.Context, by idp.Actor, was idp.SigningKey, stagedAt, activeAt, now time.Time) error
	FinishKey(ctx context.Context, by idp.Actor, kid string, public []byte, now time.Time) error
	ForgetKey(ctx context.Context, by idp.Actor, kid string, until, now time.Time) error
	RetireKey(ctx context.Context, by idp.Actor, kid string, now time.Time) error
	ResealKey(ctx context.Context, by idp.Actor, kid string, old, sealed []byte, now time.Time) error
}

// algorithms always have a key. RS256 stands first in the key set: some relying
// parties try the first key only, and RS256 is what every one of them can check.
var algorithms = [...]jose.Algorithm{jose.RS256, jose.ES256, jose.EdDSA}

// onDemand are the algorithms that have keys from the moment that a client or a resource
// wants them, so that nobody's key set grows by what nobody there needs.
var onDemand = [...]jose.Algorithm{jose.PS256, jose.MLDSA44, jose.MLDSA65, jose.MLDSA87}

// known is all of them, in the order of the key set.
var known = slices.Concat(algorithms[:], onDemand[:])

// announcers are the algorithms in the order in which they are cheap to verify.
var announcers = [...]jose.Algorithm{jose.EdDSA, jose.ES256, jose.RS256}

// Ring is the keys as they were last read. Reading it takes no lock.
type Ring struct {
	store  Store
	keys   sealings // derived from the KEK, and from the one before it
	policy Policy

	reload  sync.Mutex // one Reload at a time
	needed  sync.Mutex // one key on demand at a time: making one takes its time, and strangers may ask
	current atomic.Pointer[snapshot]
}

// snapshot is never changed.
type snapshot struct {
	rows    []idp.SigningKey // what the rest was made from, in order
	signers map[jose.Algorithm]*jose.Signer
	since   map[jose.Algorithm]time.Time // when the signers were published
	keys    *jose.KeySet
	hints   *jose.KeySet // keys, and those that were retired on schedule
	jwks    []byte       // of keys, without those of ML-DSA
	all     []byte       // of keys
}

// Config is what a ring is told.
type Config struct {
	KEK      [32]byte
	Previous *[32]byte // opens what is still sealed under it; nil: there is none
	Policy   Policy    // zero: NewPolicy for tokens of an hour
}

// Open reads the keys, and makes those that are missing: at the first start all of
// them. When nodes start at once, the store lets one win and all take its keys. A KEK
// that does not open the stored keys is an error; nothing is replaced then.
func Open(ctx context.Context, store Store, cfg Config, now time.Time) (*Ring, error) {
	r := &Ring{store: store, keys: sealings{sealing(cfg.KEK)}, policy: cmp.Or(cfg.Policy, NewPolicy(time.Hour, 0))}
	if cfg.Previous != nil {
		r.keys = append(r.keys, sealing(*cfg.Previous))
	}
	if err := r.Reload(ctx, now); err != nil {
		return nil, err
	}
	return r, nil
}

func sealing(kek [32]byte) [32]byte { return secret.Derive(kek[:], "signing_keys") }

// Reload reads the keys again, as they stand at now, and makes a new one where the
// last of an algorithm was retired. When it fails, the ring stays as it was.
func (r *Ring) Reload(ctx context.Context, now time.Time) error {
	r.reload.Lock()
	defer r.reload.Unlock()
	s, err := r.read(ctx)
	if err != nil {
		return err
	}
	made := false
	for _, alg := range known {
		if s.signers[alg] != nil || !s.wants(alg) {
			continue
		}
		if err := r.add(ctx, alg, now); err != nil {
			return err
		}
		made = true
	}
	if made {
		if s, err = r.read(ctx); err != nil {
			return err
		}
	}
	r.current.Store(s)
	return r.Ready()
}

// wants reports whether there must be a key of the algorithm. One of onDemand that has had
// a key has a client or a resource with tokens of it.
func (s *snapshot) wants(alg jose.Algorithm) bool {
	return slices.Contains(algorithms[:], alg) ||
		slices.ContainsFunc(s.rows, func(k idp.SigningKey) bool { return k.Alg == string(alg) })
}

// Need makes a key of the algorithm if it is one that has keys on demand and has none. It
// signs at once: nobody could have an older key of it, and who asked for it looks again for
// one that it does not know.
func (r *Ring) Need(ctx context.Context, alg jose.Algorithm, now time.Time) error {
	if !slices.Contains(onDemand[:], alg) {
		return nil
	}
	r.needed.Lock()
	defer r.needed.Unlock()
	if _, err := r.Signer(alg); err == nil {
		return nil
	}
	if err := r.add(ctx, alg, now); err != nil {
		return err
	}
	return r.Reload(ctx, now)
}

// NeedFor makes the keys that what a client is sent is signed with: its ID tokens, logout
// tokens and userinfo.
func (r *Ring) NeedFor(ctx context.Context, m idp.ClientMetadata, now time.Time) error {
	for _, alg := range []string{m.IDTokenAlg, m.UserinfoAlg} {
		if err := r.Need(ctx, jose.Algorithm(alg), now); err != nil {
			return err
		}
	}
	return nil
}

// system is who acts when nobody asked for it.
var system = idp.Actor{Kind: "system", ID: "keyring"}

// add makes a key. Another node that was faster is as good.
func (r *Ring) add(ctx context.Context, alg jose.Algorithm, now time.Time) error {
	k, err := generate(alg, r.keys[0], now, now)
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	err = r.store.AddSigningKey(ctx, system, k, true, now)
	if err != nil && !errors.Is(err, idp.ErrExists) {
		return fmt.Errorf("store %s key: %w", alg, err)
	}
	return nil
}

// read makes a snapshot of the stored keys.
func (r *Ring) read(ctx context.Context) (*snapshot, error) {
	stored, err := r.store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	stored = slices.DeleteFunc(slices.Clone(stored), func(k idp.SigningKey) bool { return !knows(k) })
	slices.SortFunc(stored, order)
	if s := r.current.Load(); s != nil && slices.EqualFunc(s.rows, stored, sameRow) {
		return s, nil // nearly always; opening keys takes milliseconds
	}
	s := &snapshot{rows: stored, signers: map[jose.Algorithm]*jose.Signer{}, since: map[jose.Algorithm]time.Time{}}
	var public, hints []*jose.Key
	for _, k := range stored {
		if !k.RetiredAt.IsZero() {
			if key, err := openPublic(k, r.keys); err == nil {
				hints = append(hints, key)
			}
			continue
		}
		signer, err := open(k, r.keys)
		if err != nil {
			return nil, err
		}
		public = append(public, signer.Key())
		if alg := jose.Algorithm(k.Alg); s.signers[alg] == nil && mayLive(k) {
			s.signers[alg], s.since[alg] = signer, k.StagedAt
		}
	}
	return s, s.publish(public, hints)
}

func (s *snapshot) publish(public, hints []*jose.Key) (err error) {
	if s.keys, err = jose.NewKeySet(public...); err != nil {
		return fmt.Errorf("key set: %w", err)
	}
	if s.hints, err = jose.NewKeySet(append(hints, public...)...); err != nil {
		return fmt.Errorf("key set with retired keys: %w", err)
	}
	if s.all, err = json.Marshal(s.keys); err != nil {
		return fmt.Errorf("key set: %w", err)
	}
	common, err := jose.NewKeySet(slices.DeleteFunc(slices.Clone(public), apart)...)
	if err != nil {
		return fmt.Errorf("key set: %w", err)
	}
	if s.jwks, err = json.Marshal(common); err != nil {
		return fmt.Errorf("key set: %w", err)
	}
	return nil
}

// apart: keys of ML-DSA stand in a set of their own, for many clients refuse a set with a
// kind of key that they do not know.
func apart(k *jose.Key) bool {
	_, mldsa := mldsaParameters[k.Algorithm()]
	return mldsa
}

// sameRow compares all that a snapshot depends on.
func sameRow(a, b idp.SigningKey) bool {
	return a.ID == b.ID && a.Alg == b.Alg && bytes.Equal(a.Sealed, b.Sealed) && a.StagedAt.Equal(b.StagedAt) &&
		a.ActiveAt.Equal(b.ActiveAt) && a.RetiringAt.Equal(b.RetiringAt) && a.RetiredAt.IsZero() == b.RetiredAt.IsZero()
}

// order puts the keys of one algorithm together, the one that signs first.
func order(a, b idp.SigningKey) int {
	rank := func(k idp.SigningKey) int {
		if mayLive(k) {
			return 0
		}
		return 1
	}
	return cmp.Or(
		slices.Index(known, jose.Algorithm(a.Alg))-slices.Index(known, jose.Algorithm(b.Alg)),
		rank(a)-rank(b), inTurn(a, b))
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

// Hints returns Keys and the keys that were retired on schedule. They verify ID tokens
// that come back as hints (OpenID Connect Core §3.1.2.1), and nothing else.
func (r *Ring) Hints() *jose.KeySet { return r.current.Load().hints }

// Announcer returns the key that signs what verifiers must understand at once, such as
// the rule that another key is dead: one that they have had the time to fetch. A key that
// was made in an emergency is none for a while.
func (r *Ring) Announcer(now time.Time) (*jose.Signer, error) {
	s := r.current.Load()
	best := announcers[0]
	for _, alg := range announcers {
		if s.signers[alg] != nil && !now.Before(s.since[alg].Add(r.policy.Lead)) {
			return s.signers[alg], nil
		}
		if s.since[alg].Before(s.since[best]) {
			best = alg
		}
	}
	return r.Signer(best)
}

// JWKS returns the keys that every client understands as a document (RFC 7517 §5). The
// caller must not change it.
func (r *Ring) JWKS() []byte { return r.current.Load().jwks }

// AllJWKS returns Keys as a document, those of ML-DSA included (RFC 9964 §3). The caller
// must not change it.
func (r *Ring) AllJWKS() []byte { return r.current.Load().all }

// Ready reports whether there is a key to sign with for every algorithm that always has one.
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
