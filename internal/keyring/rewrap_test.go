package keyring_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/verify/jose"
)

// interrupted is a database that is gone after some rows.
type interrupted struct {
	*store.DB
	left int
}

var errInterrupted = errors.New("interrupted")

func (i *interrupted) ResealKey(ctx context.Context, by idp.Actor, kid string, old, sealed []byte, now time.Time) error {
	if i.left == 0 {
		return errInterrupted
	}
	i.left--
	return i.DB.ResealKey(ctx, by, kid, old, sealed, now)
}

// TestRewrap: all that is sealed under the old key is sealed under the new one, in as
// many attempts as it takes; then the old key is not needed any more, and opens nothing. STO-09
func TestRewrap(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	hint := w.sign(jose.EdDSA)
	w.pass(quick().Active + quick().Retiring + time.Hour) // there are retired keys, with a sealed public half
	old, next := w.kek, secret.Key()
	both := keyring.Config{KEK: next, Previous: &old, Policy: quick()}
	jwks := w.JWKS()
	rows := stored(t, w.db)

	for name, cfg := range map[string]keyring.Config{"new alone": {KEK: next}, "two wrong ones": {KEK: next, Previous: &[32]byte{1}}} {
		if _, err := keyring.Open(t.Context(), w.db, cfg, w.now); !errors.Is(err, keyring.ErrKEK) || !strings.Contains(err.Error(), "previous_key_file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := &interrupted{w.db, 2}
	ring, err := keyring.Open(t.Context(), broken, both, w.now)
	if err != nil || !bytes.Equal(ring.JWKS(), jwks) {
		t.Fatalf("both keys: %v", err)
	}
	if done, err := ring.Rewrap(t.Context(), operator, w.now); !errors.Is(err, errInterrupted) || done.Resealed != 2 {
		t.Fatalf("interrupted: %+v, %v", done, err)
	}
	// A node with the keys the other way round opens everything as well, in between.
	if swapped := w.node(keyring.Config{KEK: old, Previous: &next, Policy: quick()}); !bytes.Equal(swapped.JWKS(), jwks) {
		t.Error("the keys the other way round")
	}
	for round, want := range []keyring.Rewrapped{{Keys: len(rows), Resealed: len(rows) - 2}, {Keys: len(rows)}} {
		broken.left = 1000
		done, err := ring.Rewrap(t.Context(), operator, w.now)
		if err != nil || done != want {
			t.Errorf("round %d: %+v, %v; want %+v", round, done, err, want)
		}
	}
	events, err := w.db.Events(t.Context(), "", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	resealed := 0
	for _, e := range events {
		if e.Action == "key.reseal" && e.Actor == operator {
			resealed++
		}
	}
	if resealed != len(rows) {
		t.Errorf("%d audit rows for %d keys", resealed, len(rows))
	}

	alone := w.node(keyring.Config{KEK: next, Policy: quick()})
	if !bytes.Equal(alone.JWKS(), jwks) {
		t.Error("the keys changed")
	}
	if _, _, err := alone.Hints().Verify(hint, "x"); err != nil {
		t.Errorf("hint: %v", err)
	}
	if _, err := keyring.Open(t.Context(), w.db, keyring.Config{KEK: old}, w.now); !errors.Is(err, keyring.ErrKEK) {
		t.Errorf("the old key opens: %v", err)
	}
	// A node that still seals under the old key, and one that lost the race for a row.
	stale := w.node(keyring.Config{KEK: old, Previous: &next, Policy: quick()})
	if _, err := stale.Succeed(t.Context(), operator, []jose.Algorithm{jose.EdDSA}, w.now); err != nil {
		t.Fatal(err)
	}
	if done, err := ring.Rewrap(t.Context(), operator, w.now); err != nil || done.Resealed != 1 || done.Left != 0 {
		t.Errorf("after another node sealed under the old key: %+v, %v", done, err)
	}
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	canaries := map[string][]byte{}
	for _, k := range rows {
		canaries["old seal of "+k.ID] = k.Sealed
	}
	w.nowhere(canaries)
}

// TestRewrap_Counts: what neither key opens is told, and what is left.
func TestRewrap_Counts(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	foreign, err := keyring.Generate(jose.EdDSA, secret.Key(), start)
	if err != nil {
		t.Fatal(err)
	}
	foreign.RetiringAt, foreign.RetiredAt = start, start
	if err := w.db.AddSigningKey(t.Context(), operator, foreign, false, start); err != nil {
		t.Fatal(err)
	}
	if done, err := w.Rewrap(t.Context(), operator, w.now); err != nil || done != (keyring.Rewrapped{Keys: 4, Foreign: 1}) {
		t.Errorf("got %+v, %v", done, err)
	}
}
