package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/verify/jose"
)

// Keyring is the signing keys as the API uses them.
type Keyring interface {
	List(ctx context.Context) ([]keyring.Status, error)
	Succeed(ctx context.Context, by idp.Actor, algs []jose.Algorithm, now time.Time) ([]keyring.Status, error)
	Need(ctx context.Context, alg jose.Algorithm, now time.Time) error
	NeedFor(ctx context.Context, m idp.ClientMetadata, now time.Time) error
	Kill(ctx context.Context, by idp.Actor, kid string, now time.Time) error
	Rewrap(ctx context.Context, by idp.Actor, now time.Time) (keyring.Rewrapped, error)
}

// Key is a signing key as the API shows it: the public half.
type Key struct {
	ID         string          `json:"kid"`
	Alg        string          `json:"alg"`
	State      string          `json:"state"` // staged, active, retiring or retired
	StagedAt   time.Time       `json:"staged_at"`
	ActiveAt   time.Time       `json:"active_at,omitzero"`
	RetiringAt time.Time       `json:"retiring_at,omitzero"`
	RetiredAt  time.Time       `json:"retired_at,omitzero"`
	Next       string          `json:"next,omitempty"` // what happens to it by itself, and when
	NextAt     time.Time       `json:"next_at,omitzero"`
	Public     json.RawMessage `json:"public_jwk"`
}

// Rotation asks for successors; without an algorithm, of all keys that sign.
type Rotation struct {
	Alg string `json:"alg"`
}

// Retirement says how a key ends: relieved by a successor, or dead at once.
type Retirement struct {
	Now bool `json:"now"`
}

// Rewrapped says what came of sealing the keys again.
type Rewrapped struct {
	Keys     int `json:"keys"`     // with something sealed
	Resealed int `json:"resealed"` // now
	Left     int `json:"left"`     // still under previous_key_file
	Foreign  int `json:"foreign"`  // under neither key: retired ones, which are good for nothing
}

type keys struct {
	ring Keyring
	now  func() time.Time
}

func (e keys) list(w http.ResponseWriter, r *http.Request) error {
	found, err := e.ring.List(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shownKeys(found))
}

// rotate answers with the successors, each with the time from which it signs.
func (e keys) rotate(w http.ResponseWriter, r *http.Request) error {
	var req Rotation
	if err := readJSON(r, &req); err != nil {
		return err
	}
	var algs []jose.Algorithm
	if req.Alg != "" {
		found, err := e.ring.List(r.Context())
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(found, func(k keyring.Status) bool { return k.Alg == req.Alg && k.State == keyring.Active }) {
			return invalid("no key signs with this algorithm; \"signet key list\" shows those that do")
		}
		algs = []jose.Algorithm{jose.Algorithm(req.Alg)}
	}
	return e.succeed(w, r, algs)
}

func (e keys) succeed(w http.ResponseWriter, r *http.Request, algs []jose.Algorithm) error {
	next, err := e.ring.Succeed(r.Context(), operator(r), algs, e.now())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shownKeys(next))
}

// retire answers with the successor, or in an emergency with the key that signs now.
func (e keys) retire(w http.ResponseWriter, r *http.Request) error {
	var req Retirement
	if err := readJSON(r, &req); err != nil {
		return err
	}
	found, err := e.ring.List(r.Context())
	if err != nil {
		return err
	}
	n := slices.IndexFunc(found, func(k keyring.Status) bool { return k.ID == r.PathValue("key") })
	if n < 0 {
		return idp.ErrNotFound
	}
	if req.Now {
		return e.kill(w, r, found[n])
	}
	switch k := found[n]; k.State {
	case keyring.Active:
		return e.succeed(w, r, []jose.Algorithm{jose.Algorithm(k.Alg)})
	case keyring.Staged:
		return invalid("the key does not sign yet; to be rid of it at once, say --now")
	default:
		return invalid("the key does not sign any more; it is %s since %s. To take away at once what it is still good for, say --now",
			k.State, later(k.RetiringAt, k.RetiredAt).UTC().Format(time.RFC3339))
	}
}

func (e keys) kill(w http.ResponseWriter, r *http.Request, k keyring.Status) error {
	if err := e.ring.Kill(r.Context(), operator(r), k.ID, e.now()); err != nil {
		return fmt.Errorf("retire key %s: %w", k.ID, err)
	}
	found, err := e.ring.List(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shownKeys(slices.DeleteFunc(found, func(s keyring.Status) bool {
		return s.Alg != k.Alg || s.State != keyring.Active
	})))
}

func (e keys) rewrap(w http.ResponseWriter, r *http.Request) error {
	done, err := e.ring.Rewrap(r.Context(), operator(r), e.now())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, Rewrapped(done))
}

func shownKeys(found []keyring.Status) []Key {
	shown := make([]Key, 0, len(found))
	for _, k := range found {
		shown = append(shown, Key{
			ID: k.ID, Alg: k.Alg, State: string(k.State), Public: k.PublicJWK, Next: k.Next, NextAt: k.NextAt,
			StagedAt: k.StagedAt, ActiveAt: k.ActiveAt, RetiringAt: k.RetiringAt, RetiredAt: k.RetiredAt,
		})
	}
	return shown
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
