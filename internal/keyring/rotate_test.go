package keyring_test

import (
	"bytes"
	"context"
	"errors"
	"os"
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

// rotating is a ring on a database of its own, with a clock.
type rotating struct {
	*keyring.Ring
	*testing.T
	db  *store.DB
	dir string
	kek [32]byte
	now time.Time
}

func newRotating(t *testing.T) *rotating {
	t.Helper()
	w := &rotating{T: t, dir: t.TempDir(), kek: secret.Key(), now: start}
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(w.dir, "signet.db"), store.Options{RuleLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w.db = db
	w.Ring = w.node(keyring.Config{KEK: w.kek, Policy: quick()})
	return w
}

func (w *rotating) node(cfg keyring.Config) *keyring.Ring {
	w.Helper()
	ring, err := keyring.Open(w.Context(), w.db, cfg, w.now)
	if err != nil {
		w.Fatal(err)
	}
	return ring
}

// pass lets time pass, with a look at the schedule every hour.
func (w *rotating) pass(d time.Duration) {
	w.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(min(time.Hour, end.Sub(w.now)))
		if err := w.Rotate(w.Context(), w.now); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *rotating) signer(alg jose.Algorithm) *jose.Signer {
	w.Helper()
	s, err := w.Signer(alg)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *rotating) sign(alg jose.Algorithm) string {
	w.Helper()
	tok, err := w.signer(alg).Sign("x", []byte("{}"))
	if err != nil {
		w.Fatal(err)
	}
	return tok
}

func (w *rotating) row(kid string) (idp.SigningKey, bool) {
	w.Helper()
	rows := stored(w.T, w.db)
	n := slices.IndexFunc(rows, func(k idp.SigningKey) bool { return k.ID == kid })
	if n < 0 {
		return idp.SigningKey{}, false
	}
	return rows[n], true
}

// TestRotate_LifeOfAKey: a retired key is out of the key set, its private half is in no
// file any more, and what it signed is still good as a hint, until it is forgotten. TOK-07, STO-09
func TestRotate_LifeOfAKey(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	kid, tok := w.signer(jose.ES256).Key().ID(), w.sign(jose.ES256)
	before, _ := w.row(kid)
	der, err := keyring.Unseal(before, w.kek)
	if err != nil {
		t.Fatal(err)
	}
	w.pass(quick().Active + time.Hour)
	if k, _ := w.row(kid); k.RetiringAt.IsZero() || w.signer(jose.ES256).Key().ID() == kid {
		t.Fatalf("it still signs: %+v", k)
	}
	if _, _, err := w.Keys().Verify(tok, "x"); err != nil {
		t.Errorf("retiring: %v", err)
	}
	w.pass(quick().Retiring)
	if _, _, err := w.Keys().Verify(tok, "x"); err == nil || bytes.Contains(w.JWKS(), []byte(kid)) {
		t.Error("retired, and published")
	}
	if _, _, err := w.Hints().Verify(tok, "x"); err != nil {
		t.Errorf("as a hint: %v", err)
	}
	after, _ := w.row(kid)
	if _, err := keyring.Unseal(after, w.kek); err == nil || len(after.Sealed) == 0 {
		t.Error("the private half is still there")
	}
	again := w.node(keyring.Config{KEK: w.kek, Policy: quick()})
	if _, _, err := again.Hints().Verify(tok, "x"); err != nil {
		t.Errorf("as a hint, after a restart: %v", err)
	}
	w.pass(quick().Hints)
	if _, there := w.row(kid); there {
		t.Error("not forgotten")
	}
	if _, _, err := w.Hints().Verify(tok, "x"); err == nil {
		t.Error("a hint for ever")
	}
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	w.nowhere(map[string][]byte{"private half": privatePart(t, der), "sealed private half": before.Sealed})
}

// nowhere: no file of the database holds any of it.
func (w *rotating) nowhere(canaries map[string][]byte) {
	w.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, "*"))
	if err != nil || len(files) == 0 {
		w.Fatal(files, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			w.Fatal(err)
		}
		for what, canary := range canaries {
			if bytes.Contains(content, canary) {
				w.Errorf("%s holds the %s", filepath.Base(name), what)
			}
		}
	}
}

// TestKill: the key is dead at once and verifies nothing more, not even hints; another
// one signs; the successor that lay beside it is gone as well. TOK-07, STO-09
func TestKill(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	other := w.node(keyring.Config{KEK: w.kek, Policy: quick()})
	w.pass(quick().Active - time.Hour) // a successor is staged
	dead := w.signer(jose.EdDSA).Key().ID()
	list, err := w.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(list, func(s keyring.Status) bool { return s.Alg == "EdDSA" && s.State == keyring.Staged })
	staged, tok := list[n].SigningKey, w.sign(jose.EdDSA)
	before, _ := w.row(dead)
	if err := w.Kill(t.Context(), operator, dead, w.now.Add(-30*time.Minute)); err != nil { // this clock is late
		t.Fatal(err)
	}
	if err := other.Reload(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	for name, ring := range map[string]*keyring.Ring{"here": w.Ring, "other node": other} {
		signer, err := ring.Signer(jose.EdDSA)
		if err != nil || signer.Key().ID() == dead || signer.Key().ID() == staged.ID {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := ring.Hints().Verify(tok, "x"); err == nil || bytes.Contains(ring.JWKS(), []byte(dead)) || bytes.Contains(ring.JWKS(), []byte(staged.ID)) {
			t.Errorf("%s: it lives on", name)
		}
	}
	if !bytes.Equal(w.JWKS(), other.JWKS()) {
		t.Error("the nodes publish different keys")
	}
	if err := w.Kill(t.Context(), operator, "nobody", w.now); !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("a key that is not there: %v", err)
	}
	// One that was retired on schedule, and turns out to be stolen.
	kid, tok := w.signer(jose.RS256).Key().ID(), w.sign(jose.RS256)
	w.pass(quick().Retiring + 3*time.Hour)
	if _, _, err := w.Hints().Verify(tok, "x"); err != nil {
		t.Fatal(err)
	}
	if err := w.Kill(t.Context(), operator, kid, w.now); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Hints().Verify(tok, "x"); err == nil {
		t.Error("a stolen key makes hints")
	}
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	w.nowhere(map[string][]byte{"dead key": before.Sealed, "staged one": staged.Sealed})
}

// TestRotate_TwoNodes: nodes that take the same steps at the same moment stay in step. STO-04
func TestRotate_TwoNodes(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	rings := []*keyring.Ring{w.Ring, w.node(keyring.Config{KEK: w.kek, Policy: quick()}), w.node(keyring.Config{KEK: w.kek, Policy: quick()})}
	seen := map[string]bool{}
	for range 3 * 24 {
		w.now = w.now.Add(time.Hour)
		var all sync.WaitGroup
		for _, ring := range rings {
			all.Go(func() {
				if err := ring.Rotate(t.Context(), w.now); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, ring := range rings {
			if err := ring.Reload(t.Context(), w.now); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(ring.JWKS(), rings[0].JWKS()) {
				t.Fatalf("%s\n%s", ring.JWKS(), rings[0].JWKS())
			}
		}
		seen[w.signer(jose.EdDSA).Key().ID()] = true
		if n := len(w.Keys().Keys()); n > 2*len(algorithms) {
			t.Fatalf("%d keys are published", n)
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d keys signed", len(seen))
	}
}

// TestOpen_AlteredRetiredRows: who can write to the database makes no hints: a retired
// row is believed only if we sealed its public half in this very place. STO-09
func TestOpen_AlteredRetiredRows(t *testing.T) {
	t.Parallel()
	es := shared.rows(t)[1]
	private := shared.make(t, jose.EdDSA)
	public := func(k idp.SigningKey, kek [32]byte) idp.SigningKey {
		k, err := keyring.SealPublic(k, kek)
		if err != nil {
			t.Fatal(err)
		}
		k.RetiringAt, k.RetiredAt = start, start
		return k
	}
	foreignKEK := secret.Key()
	foreign, err := keyring.Generate(jose.EdDSA, foreignKEK, start)
	if err != nil {
		t.Fatal(err)
	}
	good, esGood := public(private, shared.kek), public(es, shared.kek)
	private.RetiringAt, private.RetiredAt = start, start
	tests := map[string]struct {
		row  func(k *idp.SigningKey)
		hint bool
	}{
		"good":                    {func(*idp.SigningKey) {}, true},
		"other public column":     {func(k *idp.SigningKey) { k.PublicJWK = foreign.PublicJWK }, true},
		"foreign":                 {func(k *idp.SigningKey) { *k = public(foreign, foreignKEK) }, false},
		"other name":              {func(k *idp.SigningKey) { k.ID = foreign.ID }, false},
		"other algorithm":         {func(k *idp.SigningKey) { k.Alg = "ES256" }, false},
		"other row's seal":        {func(k *idp.SigningKey) { k.Sealed = esGood.Sealed }, false},
		"private half left there": {func(k *idp.SigningKey) { *k = private }, false},
		"emptied":                 {func(k *idp.SigningKey) { k.Sealed = nil }, false},
		"changed":                 {func(k *idp.SigningKey) { k.Sealed = append(bytes.Clone(k.Sealed[1:]), 0) }, false},
	}
	for name, tt := range tests {
		k := good
		tt.row(&k)
		ring, err := keyring.Open(t.Context(), &rowsOnly{keys: append(shared.rows(t), k)}, keyring.Config{KEK: shared.kek}, start)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, kid := range []string{k.ID, foreign.ID, private.ID} {
			if _, published := ring.Keys().Key(kid); published {
				t.Errorf("%s: published", name)
			}
			if _, hint := ring.Hints().Key(kid); hint != (tt.hint && kid == good.ID) {
				t.Errorf("%s: makes hints: %v", name, hint)
			}
		}
	}
	// What is sealed as public never signs.
	good.RetiringAt, good.RetiredAt = time.Time{}, time.Time{}
	if _, err := keyring.Open(t.Context(), &rowsOnly{keys: append(shared.rows(t), good)}, keyring.Config{KEK: shared.kek}, start); !errors.Is(err, keyring.ErrKEK) {
		t.Errorf("a public half that is to sign: %v", err)
	}
}

// TestRotate_EmptiesOldRows: private halves that an earlier release left in the rows of
// keys that were retired in an emergency are taken out. STO-09
func TestRotate_EmptiesOldRows(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	left, err := keyring.Generate(jose.EdDSA, w.kek, start)
	if err != nil {
		t.Fatal(err)
	}
	left.RetiringAt, left.RetiredAt = start, start
	if err := w.db.AddSigningKey(t.Context(), operator, left, false, start); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	if k, _ := w.row(left.ID); len(k.Sealed) != 0 {
		t.Error("the private half is still there")
	}
}

// TestSucceed: a successor signs an hour later; asking again changes nothing; one that is
// staged for later is taken forward; a key from the future is put right.
func TestSucceed(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	succeed := func(algs ...jose.Algorithm) []keyring.Status {
		t.Helper()
		list, err := w.Succeed(t.Context(), operator, algs, w.now)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	first := succeed(jose.EdDSA)
	if len(first) != 1 || first[0].Alg != "EdDSA" || !first[0].NextAt.Equal(w.now.Add(time.Hour)) {
		t.Fatalf("got %+v", first)
	}
	w.now = w.now.Add(10 * time.Minute)
	if again := succeed(jose.EdDSA); len(again) != 1 || again[0].ID != first[0].ID || !again[0].NextAt.Equal(first[0].NextAt) {
		t.Errorf("again: %+v", again)
	}
	if all := succeed(); len(all) != len(algorithms) {
		t.Errorf("all: %+v", all)
	}
	if _, err := w.Succeed(t.Context(), operator, []jose.Algorithm{"PS384"}, w.now); !errors.Is(err, idp.ErrInvalid) {
		t.Errorf("PS384: %v", err)
	}
	w.pass(50 * time.Minute)
	if w.signer(jose.EdDSA).Key().ID() != first[0].ID {
		t.Error("its time has come, and it does not sign")
	}
	w.pass(quick().Active - quick().Ahead + time.Hour)
	if later := succeed(jose.EdDSA); len(later) != 1 || later[0].NextAt.After(w.now.Add(time.Hour)) {
		t.Errorf("staged by the schedule: %+v", later)
	}
	w.now = w.now.Add(-300 * day) // it was wrong until now
	if put := succeed(jose.EdDSA); len(put) != 1 || !put[0].NextAt.Equal(w.now.Add(time.Hour)) {
		t.Errorf("after a wrong clock: %+v", put)
	}
}

// TestRotate_Unavailable: trouble with the database is told, and the old keys go on.
func TestRotate_Unavailable(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	before := w.JWKS()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Rotate(ctx, w.now.Add(quick().Active)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if !bytes.Equal(w.JWKS(), before) || w.Ready() != nil {
		t.Error("the ring changed")
	}
}

// TestAnnouncer: what verifiers must understand at once is signed by a key that they
// have had the time to fetch, whichever key is new. TOK-07
func TestAnnouncer(t *testing.T) {
	t.Parallel()
	w := newRotating(t)
	announcer := func() jose.Algorithm {
		t.Helper()
		s, err := w.Announcer(w.now)
		if err != nil {
			t.Fatal(err)
		}
		return s.Key().Algorithm()
	}
	kill := func(alg jose.Algorithm) {
		t.Helper()
		w.now = w.now.Add(time.Second)
		if err := w.Kill(t.Context(), operator, w.signer(alg).Key().ID(), w.now); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		what string
		do   func()
		want jose.Algorithm
	}{
		{"first start", func() {}, jose.EdDSA},
		{"a young EdDSA key was killed", func() { kill(jose.EdDSA) }, jose.ES256},
		{"later", func() { w.pass(time.Hour) }, jose.EdDSA},
		{"EdDSA killed", func() { kill(jose.EdDSA) }, jose.ES256},
		{"ES256 killed as well", func() { kill(jose.ES256) }, jose.RS256},
		{"all killed: the first of them", func() { kill(jose.RS256) }, jose.EdDSA},
	} {
		if step.do(); announcer() != step.want {
			t.Errorf("%s: %s", step.what, announcer())
		}
	}
}
