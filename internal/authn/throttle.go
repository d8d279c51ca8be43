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
	LimitReached(ctx context.Context, limits []idp.Limit, now time.Time) (bool, error)
	ForgetAttempts(ctx context.Context, keys ...string) error
	// Familiar networks are those that a person has logged in from.
	Familiar(ctx context.Context, userID, network string, now time.Time) (bool, error)
	MakeFamiliar(ctx context.Context, userID, network string, until time.Time) error
	Audit(ctx context.Context, e idp.Event) error
}

// Rate is how many attempts are allowed within a time.
type Rate struct {
	Max    int
	Window time.Duration
}

// Limits are the rates of password attempts (LOG-02). Whoever guesses meets the first
// ones; they are far below Account, so that one stranger in one place cannot fill it. No
// wait is longer than the longest window: nothing locks for ever.
//
// A network that this person has logged in from lately meets only those that nobody but
// the network itself fills: Burst, FromNetwork and Network. Thus strangers with many
// networks lock nobody out of the places where they usually are.
type Limits struct {
	Burst       Rate // with one name from one network; 0: 5 in 5 minutes
	FromNetwork Rate // with one name from one network; 0: 12 in an hour
	FromSite    Rate // with one name from one IPv6 /48; 0: 24 in an hour
	Account     Rate // on one account from everywhere; 0: 60 in an hour
	Network     Rate // from one network on all accounts; 0: 200 in 10 minutes
	Site        Rate // from one IPv6 /48 on all accounts; 0: idp.SiteFactor times Network
	All         Rate // on everything, twice: for those who try often and for those who do not; 0: 6,000 in a minute
}

func (l Limits) orDefaults() Limits {
	network := l.Network.or(Rate{200, 10 * time.Minute})
	return Limits{
		Burst:       l.Burst.or(Rate{5, 5 * time.Minute}),
		FromNetwork: l.FromNetwork.or(Rate{12, time.Hour}),
		FromSite:    l.FromSite.or(Rate{24, time.Hour}),
		Account:     l.Account.or(Rate{60, time.Hour}),
		Network:     network,
		Site:        l.Site.or(Rate{idp.SiteFactor * network.Max, network.Window}),
		All:         l.All.or(Rate{6000, time.Minute}),
	}
}

// quiet is how often a network tries at most, within the window of Limits.Network, to be
// one of those that do not try often.
const quiet = 3

// familiarTime is how long a network stays familiar after a login.
const familiarTime = 30 * 24 * time.Hour

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

// count counts one attempt, or returns *Wait. Known and unknown accounts cost the same.
func (t attempts) count(ctx context.Context, a account, network string, now time.Time) error {
	familiar, err := t.store.Familiar(ctx, a.counter, network, now)
	if err != nil {
		return fmt.Errorf("look for network: %w", err)
	}
	all, err := t.all(ctx, network, now)
	if err != nil {
		return fmt.Errorf("read limits: %w", err)
	}
	keys := a.keys(network)
	limits := []idp.Limit{
		t.limits.Burst.of(keys.burst), t.limits.FromNetwork.of(keys.fromNetwork), t.limits.Network.of("login.network:" + network),
	}
	if !familiar {
		if site := idp.Site(network); site != "" {
			limits = append(limits, t.limits.FromSite.of(keys.fromSite), t.limits.Site.of("login.site:"+site))
		}
		limits = append(limits, t.limits.Account.of(keys.account), all)
	}
	wait, err := t.store.CountAttempt(ctx, limits, now)
	if err != nil {
		return fmt.Errorf("count attempt: %w", err)
	}
	if wait > 0 {
		return &Wait{RetryAfter: wait}
	}
	return nil
}

// all is the limit in all. When strangers fill it, those who try here and there still
// have one of their own.
func (t attempts) all(ctx context.Context, network string, now time.Time) (idp.Limit, error) {
	often := []idp.Limit{Rate{quiet, t.limits.Network.Window}.of("login.network:" + network)}
	if site := idp.Site(network); site != "" {
		often = append(often, Rate{idp.SiteFactor * quiet, t.limits.Site.Window}.of("login.site:"+site))
	}
	loud, err := t.store.LimitReached(ctx, often, now)
	if loud {
		return t.limits.All.of("login.all"), err
	}
	return t.limits.All.of("login.all.quiet"), err
}

// succeeded clears what was counted on the account, and makes the network familiar. The
// network's count stays: an attacker can always log in to an account of his own in between.
func (t attempts) succeeded(ctx context.Context, a account, network string, now time.Time) error {
	ctx = context.WithoutCancel(ctx)
	keys := a.keys(network)
	if err := t.store.ForgetAttempts(ctx, keys.burst, keys.fromNetwork, keys.fromSite, keys.account); err != nil {
		return fmt.Errorf("forget attempts: %w", err)
	}
	if err := t.store.MakeFamiliar(ctx, a.counter, network, now.Add(familiarTime)); err != nil {
		return fmt.Errorf("make network familiar: %w", err)
	}
	return nil
}

// accountKeys name the counters of an account. Only the one from everywhere is shared by
// all its names: otherwise who has tried one name would learn by the next which other
// name belongs to it.
type accountKeys struct{ burst, fromNetwork, fromSite, account string }

func (a account) keys(network string) accountKeys {
	pair := a.name + "@" + network
	return accountKeys{
		burst: "login.burst:" + pair, fromNetwork: "login.pair:" + pair,
		fromSite: "login.pair:" + a.name + "@" + idp.Site(network), account: "login.account:" + a.counter,
	}
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
