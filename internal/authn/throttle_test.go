package authn_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
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

// LOG-02: all spellings of one login share a counter, known or not.
func TestThrottle_LOG02_Aliases(t *testing.T) {
	t.Parallel()
	for name, aliases := range map[string][]string{
		"known":          {"ann", "ANN", " ann", "ann ", "ａnn"},
		"known e-mail":   {"ann@example.com", "Ann@example.com", " ann@example.com", "ann@EXAMPLE.com", "ann@ｅxample.com"},
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

// LOG-02: all logins of one account share the counter of the account.
func TestThrottle_LOG02_OneAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{Account: authn.Rate{Max: 8, Window: time.Hour}})
	if n := w.guess(net1, "ann", 100) + w.guess(net1, "ann@example.com", 100) + w.guess("192.0.2.9/32", "ann", 100); n != 8 {
		t.Errorf("%d guesses", n)
	}
}

// LOG-01: tries at one login do not tell which other login belongs to the same account.
func TestThrottle_LOG01_NoAliasOracle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{})
	for _, login := range []string{"ann", "nobody"} {
		if n := w.guess(net1, login, 100); n != 5 {
			t.Fatalf("%s: %d guesses", login, n)
		}
		if n := w.guess(net1, login+"@example.com", 100); n != 5 {
			t.Errorf("%s@example.com: %d guesses", login, n)
		}
	}
}

// siblings are networks of one IPv6 /48.
func siblings(n int) []string {
	var all []string
	for i := range n {
		all = append(all, idp.Network(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0, byte(i >> 8), byte(i), 15: 1})))
	}
	return all
}

// LOG-02, LOG-03: a household has thousands of IPv6 networks; together they are a few.
func TestThrottle_LOG03_OneSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{Network: authn.Rate{Max: 10, Window: time.Minute}})
	guesses := 0
	for _, network := range siblings(30) {
		guesses += w.guess(network, "ann", 100)
	}
	if guesses != 24 {
		t.Errorf("%d guesses at ann's password", guesses)
	}
	for i, network := range siblings(60)[30:] {
		guesses += w.guess(network, fmt.Sprint("user", i), 100)
	}
	if guesses != 40 {
		t.Errorf("%d guesses in all", guesses)
	}
	if _, err := w.check("203.0.113.5/32", "ann", right); err != nil {
		t.Errorf("ann is locked out: %v", err)
	}
}

// LOG-02: whoever fills the limits that all share, ann logs in where she did before.
func TestThrottle_LOG02_FamiliarNetworks(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]authn.Limits{
		"account": {Account: authn.Rate{Max: 10, Window: time.Hour}},
		"in all":  {All: authn.Rate{Max: 5, Window: time.Hour}},
		"site":    {FromSite: authn.Rate{Max: 5, Window: time.Hour}},
		"sites":   {Site: authn.Rate{Max: 5, Window: time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, limits)
			const home, cafe = "2001:db8:0:ff::/64", "2001:db8:0:fe::/64"
			if _, err := w.check(home, "ann", right); err != nil {
				t.Fatal(err)
			}
			for i, network := range siblings(20) {
				w.guess(network, "ann", 100)
				w.guess(fmt.Sprintf("198.51.100.%d/32", i), "ann", 100)
			}
			if _, err := w.check(cafe, "ann", right); wait(err) == 0 {
				t.Errorf("the limit is not full: %v", err)
			}
			if _, err := w.check(home, "pat", "wrong"); name != "account" && name != "site" && wait(err) == 0 {
				t.Errorf("her network is familiar to others: %v", err)
			}
			if _, err := w.check(home, "ann@example.com", right); err != nil {
				t.Errorf("ann is locked out at home: %v", err)
			}
			// A familiar network guesses no more than another.
			if n := w.guess(home, "ann", 100); n != 5 {
				t.Errorf("%d guesses from home", n)
			}
			w.now = w.now.Add(31 * 24 * time.Hour)
			if n := w.guess(cafe, "ann", 1); n != 1 {
				t.Errorf("a month later: %d", n)
			}
		})
	}
}

// LOG-02: when those who try often fill the limit in all, others still get in.
func TestThrottle_LOG02_QuietNetworks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, authn.Limits{All: authn.Rate{Max: 40, Window: time.Minute}})
	for i := range 100 {
		w.check(net1, fmt.Sprint("user", i), "wrong")
	}
	if _, err := w.check(net1, "ann", right); wait(err) == 0 {
		t.Errorf("the limit in all is not full: %v", err)
	}
	if _, err := w.check("203.0.113.5/32", "ann", right); err != nil {
		t.Errorf("ann is locked out: %v", err)
	}
	for i := range 100 { // that limit is bounded, too
		w.check(fmt.Sprintf("198.51.100.%d/32", i), fmt.Sprint("user", i), "wrong")
	}
	if _, err := w.check("203.0.113.9/32", "ann", right); wait(err) == 0 {
		t.Errorf("no bound for those who try here and there: %v", err)
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
	for i := range 20 { // many strangers guess: in new places one waits, but not long
		w.guess(fmt.Sprintf("198.51.100.%d/32", i+2), "ann", 100)
	}
	const elsewhere = "203.0.113.6/32"
	_, err := w.check(elsewhere, "ann", right)
	if d := wait(err); d <= 0 || d > time.Hour {
		t.Fatalf("%v", err)
	}
	if _, err := w.check(home, "ann", right); err != nil {
		t.Errorf("where she was before: %v", err)
	}
	w.now = w.now.Add(wait(err))
	if _, err := w.check(elsewhere, "ann", right); err != nil {
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
	for i, want := range []int{20, 20, 19, 3, 3} { // 50, and of each network the first three
		if got := spray(fmt.Sprintf("192.0.2.%d/32", i)); got != want {
			t.Errorf("network %d: %d guesses", i, got)
		}
	}
	w.now = w.now.Add(time.Minute)
	if got := spray("192.0.2.0/32"); got != 20 {
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
