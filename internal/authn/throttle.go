package authn

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// AttemptStore is what counting needs of the database. CountAttempt counts under all limits
// or, when one is full, under none, and then says how long to wait.
type AttemptStore interface {
	CountAttempt(ctx context.Context, limits []idp.Limit, now time.Time) (time.Duration, error)
	ForgetAttempts(ctx context.Context, keys ...string) error
	Audit(ctx context.Context, e idp.Event) error
}

// Rate is how many attempts are allowed within a time.
type Rate struct {
	Max    int
	Window time.Duration
}

// Limits are the rates of password attempts (LOG-02). Whoever guesses meets the first two;
// they are far below Account, so that one stranger in one network cannot keep a person
// out. No wait is longer than the longest window: nothing locks for ever.
type Limits struct {
	Burst       Rate // on one account from one network; 0: 5 in 5 minutes
	FromNetwork Rate // on one account from one network; 0: 12 in an hour
	Account     Rate // on one account from everywhere; 0: 60 in an hour
	Network     Rate // from one network on all accounts; 0: 200 in 10 minutes
	All         Rate // on everything; 0: 6,000 in a minute
}

func (l Limits) orDefaults() Limits {
	return Limits{
		Burst:       l.Burst.or(Rate{5, 5 * time.Minute}),
		FromNetwork: l.FromNetwork.or(Rate{12, time.Hour}),
		Account:     l.Account.or(Rate{60, time.Hour}),
		Network:     l.Network.or(Rate{200, 10 * time.Minute}),
		All:         l.All.or(Rate{6000, time.Minute}),
	}
}

func (r Rate) or(other Rate) Rate {
	if r.Max <= 0 || r.Window <= 0 {
		return other
	}
	return r
}

func (r Rate) of(key string) idp.Limit { return idp.Limit{Key: key, Max: r.Max, Window: r.Window} }

// Wait says that there were too many attempts, and when to try again.
type Wait struct{ RetryAfter time.Duration }

func (*Wait) Error() string { return "too many attempts" }

// Unwrap makes it an idp.ErrLimited.
func (*Wait) Unwrap() error { return idp.ErrLimited }

// attempts counts attempts on accounts and records refusals.
type attempts struct {
	store  AttemptStore
	limits Limits
}

// count counts one attempt, or returns *Wait.
func (t attempts) count(ctx context.Context, counter, network string, now time.Time) error {
	burst, fromNetwork, account := accountKeys(counter, network)
	wait, err := t.store.CountAttempt(ctx, []idp.Limit{
		t.limits.Burst.of(burst),
		t.limits.FromNetwork.of(fromNetwork),
		t.limits.Account.of(account),
		t.limits.Network.of("login.network:" + network),
		t.limits.All.of("login.all"),
	}, now)
	if err != nil {
		return fmt.Errorf("count attempt: %w", err)
	}
	if wait > 0 {
		return &Wait{RetryAfter: wait}
	}
	return nil
}

// forget clears what was counted on the account, after a success. The network's count
// stays: an attacker can always log in to an account of his own in between.
func (t attempts) forget(ctx context.Context, counter, network string) error {
	burst, fromNetwork, account := accountKeys(counter, network)
	if err := t.store.ForgetAttempts(context.WithoutCancel(ctx), burst, fromNetwork, account); err != nil {
		return fmt.Errorf("forget attempts: %w", err)
	}
	return nil
}

func accountKeys(counter, network string) (burst, fromNetwork, account string) {
	pair := counter + "@" + network
	return "login.burst:" + pair, "login.pair:" + pair, "login.account:" + counter
}

// Why an attempt was refused, for the audit log only: the person reads one text.
const (
	reasonUnknown    = "unknown login"
	reasonWrong      = "wrong password"
	reasonNoPassword = "user has no password"
	reasonBadHash    = "stored hash cannot be checked"
	reasonDisabled   = "user is disabled"
	reasonLimited    = "too many attempts"
	reasonTooLong    = "password too long"
)

type refusal struct {
	by      idp.Actor
	account account
	network string
	reason  string
	at      time.Time
}

func (r refusal) because(reason string) refusal {
	r.reason = reason
	return r
}

// tried reports whether the password was looked at.
func (r refusal) tried() bool { return r.reason != reasonLimited && r.reason != reasonTooLong }

// Quotas of audit rows (DOS-03): everybody can cause refusals, nobody may fill the disk.
var (
	unbounded        = Rate{math.MaxInt32, time.Hour} // tries on an account are bounded by their limits
	untriedByAccount = Rate{20, time.Hour}
	unknownByNetwork = Rate{60, time.Hour}
	unknownByAll     = Rate{6000, time.Hour}
)

// quota says how many more rows like this one may be written. Strangers' noise on unknown
// logins must not push out what was tried on an account that exists.
func (r refusal) quota() []idp.Limit {
	switch {
	case !r.account.known():
		return []idp.Limit{unknownByNetwork.of("audit.network:" + r.network), unknownByAll.of("audit.unknown")}
	case r.tried():
		return []idp.Limit{unbounded.of("audit.tried:" + r.account.user.ID)}
	default:
		return []idp.Limit{untriedByAccount.of("audit.untried:" + r.account.user.ID)}
	}
}

// refuse records the refusal and returns answer. Whatever the reason, it writes twice: a
// commit more or less would tell by its time what the text does not (LOG-01). A client
// that hangs up is recorded all the same.
func (t attempts) refuse(ctx context.Context, r refusal, answer error) error {
	ctx = context.WithoutCancel(ctx)
	wait, err := t.store.CountAttempt(ctx, r.quota(), r.at)
	if err != nil {
		return fmt.Errorf("count refusal: %w", err)
	}
	if wait > 0 {
		_, err = t.store.CountAttempt(ctx, []idp.Limit{unbounded.of("audit.dropped")}, r.at)
	} else {
		err = t.store.Audit(ctx, idp.Event{
			At: r.at, Actor: r.by, UserID: r.account.user.ID, Action: "password.check", Target: r.account.user.ID,
			Result: "refused", Reason: r.reason,
		})
	}
	if err != nil {
		return fmt.Errorf("record refusal: %w", err)
	}
	return answer
}
