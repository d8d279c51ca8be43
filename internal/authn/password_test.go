package authn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
)

const (
	right    = "a password of ann's"
	net1     = "192.0.2.1/32"
	noUserID = ""
)

// counted is the real store with a count of what was asked of it.
type counted struct {
	*store.DB
	mu    sync.Mutex
	calls []string // guarded by mu
}

func (c *counted) note(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, name)
}

func (c *counted) UserByLogin(ctx context.Context, login string) (idp.User, string, error) {
	c.note("UserByLogin")
	return c.DB.UserByLogin(ctx, login)
}

func (c *counted) CountAttempt(ctx context.Context, l []idp.Limit, now time.Time) (time.Duration, error) {
	c.note("CountAttempt")
	return c.DB.CountAttempt(ctx, l, now)
}

func (c *counted) LimitReached(ctx context.Context, l []idp.Limit, now time.Time) (bool, error) {
	c.note("LimitReached")
	return c.DB.LimitReached(ctx, l, now)
}

func (c *counted) Familiar(ctx context.Context, userID, network string, now time.Time) (bool, error) {
	c.note("Familiar")
	return c.DB.Familiar(ctx, userID, network, now)
}

func (c *counted) MakeFamiliar(ctx context.Context, userID, network string, until time.Time) error {
	c.note("MakeFamiliar")
	return c.DB.MakeFamiliar(ctx, userID, network, until)
}

func (c *counted) Audit(ctx context.Context, e idp.Event) error {
	c.note("Audit")
	return c.DB.Audit(ctx, e)
}

func (c *counted) ForgetAttempts(ctx context.Context, keys ...string) error {
	c.note("ForgetAttempts")
	return c.DB.ForgetAttempts(ctx, keys...)
}

// world has ann (with an e-mail address), dora (disabled) and pat (no password).
type world struct {
	t         *testing.T
	db        *counted
	hasher    *passhash.Hasher
	passwords *authn.Passwords
	log       *bytes.Buffer
	now       time.Time
}

func newWorld(t *testing.T, limits authn.Limits) *world {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "signet.db"), store.Options{RuleLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{
		t: t, db: &counted{DB: db}, log: &bytes.Buffer{}, now: time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC),
		hasher: passhash.New(passhash.Config{InsecureCheap: true, Workers: 1, Queue: 1000, Wait: time.Minute}),
	}
	w.passwords = authn.New(authn.Config{
		Store: w.db, Hasher: w.hasher, Limits: limits, Key: [32]byte{1},
		Now: func() time.Time { return w.now }, Log: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	hash, err := w.hasher.Hash(t.Context(), secret.NewText(right))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []idp.User{
		{ID: "ann-id", Username: "Ann", Email: "Ann@Example.com"}, {ID: "dora-id", Username: "dora"}, {ID: "pat-id", Username: "pat"},
	} {
		h := hash
		if u.Username == "pat" {
			h = ""
		}
		if err := db.CreateUser(t.Context(), idp.Actor{Kind: "system"}, u, h, w.now); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.DisableUser(t.Context(), idp.Actor{Kind: "system"}, "dora-id", w.now); err != nil {
		t.Fatal(err)
	}
	return w
}

var stranger = idp.Actor{Kind: "anonymous", IP: "192.0.2.1"}

func (w *world) check(network, login, password string) (idp.User, error) {
	return w.passwords.Check(w.t.Context(), stranger, network, login, secret.NewText(password))
}

// refusals are the reasons in the audit log, oldest first.
func (w *world) refusals(userID string) []string {
	w.t.Helper()
	events, err := w.db.Events(w.t.Context(), userID, 0, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	var reasons []string
	for i := len(events) - 1; i >= 0; i-- {
		if e := events[i]; e.Action == "password.check" && e.Result == "refused" && e.UserID == userID {
			reasons = append(reasons, e.Reason)
		}
	}
	return reasons
}

func TestCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	for _, login := range []string{"ann", "Ann", " ANN ", "ann@example.com", "ANN@EXAMPLE.COM"} {
		if u, err := w.check(net1, login, right); err != nil || u.ID != "ann-id" {
			t.Errorf("%q: %+v, %v", login, u, err)
		}
	}
	if got := w.refusals("ann-id"); len(got) != 0 {
		t.Error(got)
	}
}

// LOG-01: whatever is wrong, the answer is the same, and so is the work: one argon2id and
// the same calls of the database. Only the audit log knows.
func TestCheck_LOG01_SameAnswerSameWork(t *testing.T) {
	t.Parallel()
	var wantText string
	var wantCalls []string
	for _, tt := range []struct{ login, password, userID, reason string }{
		{"ann", "wrong", "ann-id", "wrong password"},
		{"nobody", "wrong", noUserID, "unknown login"},
		{"nobody@example.com", right, noUserID, "unknown login"},
		{"dora", right, "dora-id", "user is disabled"},
		{"dora", "wrong", "dora-id", "wrong password"},
		{"pat", "wrong", "pat-id", "user has no password"},
		{"pat", "", "pat-id", "user has no password"},
		{"ann", "", "ann-id", "wrong password"},
		{"ann", right + " ", "ann-id", "wrong password"},           // LOG-06
		{"ann", " " + right, "ann-id", "wrong password"},           // LOG-06
		{"ann", right + "\x00", "ann-id", "wrong password"},        // LOG-06
		{"ann", "A password of ann's", "ann-id", "wrong password"}, // LOG-06
	} {
		w := newWorld(t, authn.Limits{})
		before := w.hasher.Count()
		u, err := w.check(net1, tt.login, tt.password)
		if !errors.Is(err, idp.ErrDenied) || u.ID != "" {
			t.Fatalf("%q: %+v, %v", tt, u, err)
		}
		if n := w.hasher.Count() - before; n != 1 {
			t.Errorf("%q: %d hashes", tt, n)
		}
		if wantText == "" {
			wantText, wantCalls = err.Error(), w.db.calls
		}
		if err.Error() != wantText {
			t.Errorf("%q: %q; others read %q", tt, err, wantText)
		}
		if diff := cmp.Diff(wantCalls, w.db.calls); diff != "" {
			t.Errorf("%q: %s", tt, diff)
		}
		if diff := cmp.Diff([]string{tt.reason}, w.refusals(tt.userID)); diff != "" {
			t.Errorf("%q: %s", tt, diff)
		}
	}
}

// LOG-01: what is no login at all costs the same hash.
func TestCheck_LOG01_MalformedLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{Burst: authn.Rate{Max: 100, Window: time.Minute}, FromNetwork: authn.Rate{Max: 100, Window: time.Minute}})
	for _, login := range []string{"", " ", "ann\x00", "a@b@c", strings.Repeat("x", 100_000), "аnn", "ann lee"} {
		before := w.hasher.Count()
		if _, err := w.check(net1, login, right); !errors.Is(err, idp.ErrDenied) || w.hasher.Count()-before != 1 {
			t.Errorf("%.20q: %v, %d hashes", login, err, w.hasher.Count()-before)
		}
	}
}

// LOG-04: a password that is too long is refused before any look at it.
func TestCheck_LOG04_LongPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	before := w.hasher.Count()
	for _, login := range []string{"ann", "nobody"} {
		if _, err := w.check(net1, login, strings.Repeat("x", 1025)); !errors.Is(err, idp.ErrDenied) {
			t.Error(err)
		}
	}
	if w.hasher.Count() != before {
		t.Error("it was hashed")
	}
}

// A damaged row is our fault: logged for us, and for a stranger like a wrong password.
func TestCheck_DamagedHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	if err := w.db.SetPassword(t.Context(), idp.Actor{}, "ann-id", "$argon2id$v=19$m=4194304,t=1,p=1$AAAA$AAAA", w.now); err != nil {
		t.Fatal(err)
	}
	before := w.hasher.Count()
	if _, err := w.check(net1, "ann", right); !errors.Is(err, idp.ErrDenied) || w.hasher.Count()-before != 1 {
		t.Error(err, w.hasher.Count()-before)
	}
	if !strings.Contains(w.log.String(), "level=ERROR") || strings.Contains(w.log.String(), "argon2id$") {
		t.Error(w.log.String())
	}
}

// When the parameters have been raised, the next login stores a better hash.
func TestCheck_Upgrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	raised := passhash.New(passhash.Config{})
	passwords := authn.New(authn.Config{Store: w.db, Hasher: raised, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	if _, err := passwords.Check(t.Context(), stranger, net1, "ann", secret.NewText("wrong")); err == nil {
		t.Fatal("wrong password")
	}
	hash, _ := w.db.PasswordHash(t.Context(), "ann-id")
	if !strings.Contains(hash, "$m=8,") {
		t.Fatal("changed by a wrong password:", hash)
	}
	for range 2 {
		if _, err := passwords.Check(t.Context(), stranger, net1, "ann", secret.NewText(right)); err != nil {
			t.Fatal(err)
		}
	}
	if hash, _ = w.db.PasswordHash(t.Context(), "ann-id"); !strings.Contains(hash, "$m=19456,t=2,p=1$") {
		t.Error(hash)
	}
	if raised.Count() != 6 { // wrong: 2 (old and the rest), right: 2 + new, right again: 1
		t.Errorf("%d computations", raised.Count())
	}
}

// REC-04: the old password counts as an attempt; the new one ends every session.
func TestChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	ann := idp.Actor{Kind: "user", ID: "ann-id", IP: "192.0.2.1"}
	change := func(old, replacement string) error {
		return w.passwords.Change(t.Context(), ann, "ann-id", secret.NewText(old), secret.NewText(replacement))
	}
	cookie := secret.Hash("session", secret.New(secret.Session))
	s := idp.Session{ID: "sid", UserID: "ann-id", CreatedAt: w.now, AuthTime: w.now, LastSeenAt: w.now, IdleExpiresAt: w.now.Add(time.Hour), ExpiresAt: w.now.Add(time.Hour)}
	if err := w.db.CreateSession(t.Context(), ann, s, cookie); err != nil {
		t.Fatal(err)
	}
	const next = "three unusual words here"
	if err := change("wrong", next); !errors.Is(err, idp.ErrDenied) {
		t.Error(err)
	}
	for replacement, reason := range map[string]authn.Reason{"short": authn.TooShort, right: authn.Unchanged} {
		err := change(right, replacement)
		if u, ok := errors.AsType[*authn.Unacceptable](err); !ok || u.Reason != reason || !errors.Is(err, idp.ErrInvalid) {
			t.Errorf("%s: %v", replacement, err)
		}
	}
	if _, _, err := w.db.Session(t.Context(), cookie, w.now); err != nil {
		t.Fatal("ended too early", err)
	}
	if err := change(right, next); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.db.Session(t.Context(), cookie, w.now); !errors.Is(err, idp.ErrNotFound) {
		t.Error("the session lives on", err)
	}
	if _, err := w.check(net1, "ann", right); !errors.Is(err, idp.ErrDenied) {
		t.Error("the old password works", err)
	}
	if _, err := w.check(net1, "ann", next); err != nil {
		t.Error(err)
	}
	if err := w.passwords.Change(t.Context(), ann, "nobody", secret.NewText(right), secret.NewText(next)); !errors.Is(err, idp.ErrNotFound) {
		t.Error(err)
	}
	if err := w.passwords.Change(t.Context(), ann, "dora-id", secret.NewText(right), secret.NewText(next)); !errors.Is(err, idp.ErrDenied) {
		t.Error("disabled:", err)
	}
}

// LOG-02: changing the password is no second way to guess it.
func TestChange_LOG02_Counts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	by := idp.Actor{Kind: "user", ID: "ann-id", IP: "192.0.2.1"}
	for i := range 5 {
		if i%2 == 0 {
			w.check(net1, "ann", "wrong")
		} else if err := w.passwords.Change(t.Context(), by, "ann-id", secret.NewText("wrong"), secret.NewText("three unusual words here")); !errors.Is(err, idp.ErrDenied) {
			t.Fatal(err)
		}
	}
	err := w.passwords.Change(t.Context(), by, "ann-id", secret.NewText(right), secret.NewText("three unusual words here"))
	if !errors.Is(err, idp.ErrLimited) {
		t.Error(err)
	}
}

// OPS-01: whatever happens, neither password nor login is in an error, a log or an event.
func TestCheck_OPS01_Canary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	var errs []string
	for _, login := range []string{"ann", "canary-login", "canary\x00"} {
		for range 7 {
			_, err := w.check(net1, login, "canary-password")
			errs = append(errs, fmt.Sprintf("%v %+v %#v", err, err, err))
		}
	}
	by := idp.Actor{Kind: "user", ID: "ann-id"}
	errs = append(errs, fmt.Sprint(w.passwords.Change(t.Context(), by, "ann-id", secret.NewText("canary-old"), secret.NewText("canary"))))
	events, err := w.db.Events(t.Context(), "", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprint(errs, events, w.log.String()); strings.Contains(all, "canary") {
		t.Error(all)
	}
}
