package authn_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// wait returns how long the answer says to wait; zero if it does not.
func wait(err error) time.Duration {
	if w, ok := errors.AsType[*authn.Wait](err); ok && errors.Is(err, idp.ErrLimited) {
		return w.RetryAfter
	}
	return 0
}

// guess tries wrong passwords until it has to wait and returns how many were looked at.
func (w *world) guess(network, login string, most int) int {
	w.t.Helper()
	before := w.hasher.Count()
	for range most {
		_, err := w.check(network, login, "wrong")
		if wait(err) > 0 {
			break
		}
		if !errors.Is(err, idp.ErrDenied) {
			w.t.Fatal(err)
		}
	}
	return int(w.hasher.Count() - before)
}

// LOG-02: all spellings of one account share a counter, known or not.
func TestThrottle_LOG02_Aliases(t *testing.T) {
	t.Parallel()
	for name, aliases := range map[string][]string{
		"known":          {"ann", "ANN", " ann", "Ann@example.com", "ann@EXAMPLE.com"},
		"unknown":        {"nobody", "NOBODY", " nobody", "nobody ", "ｎobody"},
		"unknown e-mail": {"x@example.com", "X@example.com", " x@example.com", "x@EXAMPLE.com", "x@ｅxample.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, authn.Limits{})
			for _, login := range aliases {
				if n := w.guess(net1, login, 1); n != 1 {
					t.Fatalf("%q: %d guesses", login, n)
				}
			}
			for _, login := range aliases {
				if n := w.guess(net1, login, 1); n != 0 {
					t.Errorf("%q is counted apart", login)
				}
			}
		})
	}
}

// LOG-01, LOG-02: known and unknown logins meet the same limits with the same waits.
func TestThrottle_LOG01_KnownLikeUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	for _, login := range []string{"ann", "nobody", "dora", "no\x00login"} {
		start := w.now
		for hour, want := range []int{12, 12} { // 12 in an hour from one network, 5 at a time
			guesses := 0
			for range 6 {
				guesses += w.guess(net1, login, 100)
				_, err := w.check(net1, login, right)
				if d := wait(err); d <= 0 || d > time.Hour {
					t.Errorf("%q: %v", login, err)
				}
				w.now = w.now.Add(10 * time.Minute)
			}
			if guesses != want {
				t.Errorf("%q: %d guesses in hour %d", login, guesses, hour)
			}
		}
		w.now = start
	}
}

// LOG-02: of many guesses at the same time no more are looked at than allowed.
func TestThrottle_LOG02_Parallel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	before := w.hasher.Count()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { w.check(net1, "ann", "wrong") })
	}
	wg.Wait()
	if n := w.hasher.Count() - before; n != 5 {
		t.Errorf("%d guesses were looked at", n)
	}
}

// LOG-02: one stranger cannot keep ann out of her account, and nothing locks for ever.
func TestThrottle_LOG02_NoLockByStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	const evil, home = "198.51.100.1/32", "203.0.113.5/32"
	for range 24 { // a stranger guesses for two hours
		w.guess(evil, "ann", 100)
		if _, err := w.check(home, "ann", right); err != nil {
			t.Fatalf("ann is locked out: %v", err)
		}
		w.now = w.now.Add(5 * time.Minute)
	}
	for i := range 20 { // many strangers guess: everybody waits, but not long
		w.guess(fmt.Sprintf("198.51.100.%d/32", i+2), "ann", 100)
	}
	_, err := w.check(home, "ann", right)
	if d := wait(err); d <= 0 || d > time.Hour {
		t.Fatalf("%v", err)
	}
	w.now = w.now.Add(wait(err))
	if _, err := w.check(home, "ann", right); err != nil {
		t.Error(err)
	}
}

// LOG-02: a success forgets the honest mistakes before it, but not the network's count.
func TestThrottle_SuccessForgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{Network: authn.Rate{Max: 12, Window: time.Hour}})
	for range 2 {
		if n := w.guess(net1, "ann", 4); n != 4 {
			t.Fatal(n)
		}
		if _, err := w.check(net1, "ann", right); err != nil {
			t.Fatal(err)
		}
	}
	// An attacker with an account of his own gains nothing for others.
	if n := w.guess(net1, "nobody", 100); n != 2 {
		t.Errorf("%d more guesses", n)
	}
}

// LOG-02: spraying one password over many accounts is bounded, by network and in all.
func TestThrottle_LOG02_Spraying(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{Network: authn.Rate{Max: 20, Window: time.Minute}, All: authn.Rate{Max: 50, Window: time.Minute}})
	spray := func(network string) (n int) {
		for i := range 30 {
			n += w.guess(network, fmt.Sprint("user", i), 1)
		}
		return n
	}
	for i, want := range []int{20, 20, 10, 0} {
		if got := spray(fmt.Sprintf("2001:db8:0:%d::/64", i)); got != want {
			t.Errorf("network %d: %d guesses", i, got)
		}
	}
	w.now = w.now.Add(time.Minute)
	if got := spray("2001:db8::/64"); got != 20 {
		t.Errorf("a minute later: %d guesses", got)
	}
}

// While it waits even the right password is not looked at; otherwise waiting would mean nothing.
func TestThrottle_RightPasswordWaitsToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	w.guess(net1, "ann", 100)
	before := w.hasher.Count()
	_, err := w.check(net1, "ann", right)
	if wait(err) != 5*time.Minute || w.hasher.Count() != before {
		t.Errorf("%v, %d hashes", err, w.hasher.Count()-before)
	}
	w.now = w.now.Add(5 * time.Minute)
	if _, err := w.check(net1, "ann", right); err != nil {
		t.Error(err)
	}
}

// DOS-03: strangers cause a bounded number of audit rows, and their noise does not
// push out what was tried on an account that exists.
func TestThrottle_DOS03_AuditRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	for i := range 150 {
		w.check(net1, fmt.Sprint("user", i), "wrong")
	}
	if n := len(w.refusals(noUserID)); n != 60 {
		t.Errorf("%d rows of noise from one network", n)
	}
	for range 100 {
		w.check(net1, "ann", "wrong")
	}
	tried, untried := 0, 0
	for _, reason := range w.refusals("ann-id") {
		if reason == "wrong password" {
			tried++
		} else {
			untried++
		}
	}
	if tried != 5 || untried != 20 {
		t.Errorf("%d tried, %d untried", tried, untried)
	}
	w.guess("198.51.100.1/32", "ann", 100)
	if n := len(w.refusals("ann-id")); n != 5+20+5 {
		t.Errorf("%d rows: a try on ann's account was not recorded", n)
	}
}

// LOG-01: a refusal writes as often as any other, also when the audit log's quota is full.
func TestThrottle_LOG01_SameWritesWhenQuotaIsFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	for i := range 61 {
		w.check(net1, fmt.Sprint("user", i), "wrong")
	}
	w.db.calls = nil
	w.check(net1, "one more", "wrong")
	full := len(w.db.calls)
	w.db.calls = nil
	w.check(net1, "user62", "wrong")
	fullValid := len(w.db.calls)
	w.db.calls = nil
	w.check(net1, "ann", "wrong")
	if known := len(w.db.calls); fullValid != known || full != known-1 { // "one more" is no login: not looked up
		t.Errorf("%d and %d calls for unknown logins, %d for a known one", full, fullValid, known)
	}
}

// A client that hangs up as soon as its guess was judged is recorded all the same.
func TestThrottle_HangUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	passwords := authn.New(authn.Config{
		Store: hangUp{w.db, cancel}, Hasher: w.hasher, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
	})
	tooLong := secret.NewText(strings.Repeat("x", 2000)) // refused without a hash, which needs the client
	_, err := passwords.Check(ctx, stranger, net1, "ann", tooLong)
	if !errors.Is(err, idp.ErrDenied) || len(w.refusals("ann-id")) != 1 {
		t.Error(err, w.refusals("ann-id"))
	}
}

// hangUp is a client that goes away right after the look-up.
type hangUp struct {
	*counted
	cancel func()
}

func (h hangUp) UserByLogin(ctx context.Context, login string) (idp.User, string, error) {
	defer h.cancel()
	return h.counted.UserByLogin(ctx, login)
}
