// Package revocation tells verifiers what is revoked: it follows the log of rules in
// the database, signs each part of it once, and gives it to everyone who follows.
//
// A follower has a position in the log and pulls from there. There is no queue per
// follower, so a slow one costs no memory: when it comes back for more, it gets all
// that happened meanwhile in one batch.
//
// A batch says where the log ended when the database was last asked. When the database
// cannot be asked, nothing is said: silence makes verifiers stale, which is safe; a
// heartbeat that nobody has confirmed would make them believe that nothing happened.
//
// It deliberately knows nothing of HTTP beyond the form of an event, and revokes
// nothing itself: rules are appended by the store, with the change that caused them.
package revocation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// Log is what the hub needs of the database.
type Log interface {
	// Watch returns a channel that is poked after commits. It may miss those of
	// other nodes: the hub also looks by itself.
	Watch() (events <-chan struct{}, stop func())
	RevocationHead(ctx context.Context) (epoch string, seq int64, err error)
	Rules(ctx context.Context, after int64, limit int, now time.Time) ([]idp.Rule, error)
}

// Config is what the hub is told.
type Config struct {
	Issuer    string
	Heartbeat time.Duration // 5 seconds if zero
	Now       func() time.Time
	Log       *slog.Logger // nil: discard
}

const (
	defaultHeartbeat = 5 * time.Second
	pollEvery        = time.Second // how late a rule of another node may come at worst
	maxUnconfirmed   = 5 * time.Second
	retryEvery       = 100 * time.Millisecond
	readTimeout      = 5 * time.Second
	maxShared        = time.Second // how old a batch may be that is given to another follower
	maxCached        = 32 << 20    // bytes of batches that are kept for others: 190,000 rules
	nearHead         = 100         // positions before the log's end that have batches of their own
)

// ErrClosed says that the hub has ended, so nothing more will be heard of it.
var ErrClosed = errors.New("revocation hub closed")

// Hub shares the log with its followers.
type Hub struct {
	log    Log
	signer func() (*jose.Signer, error)
	cfg    Config

	building  chan struct{} // held while a batch is made for a follower that is behind
	made      atomic.Uint64 // events so far: says which of two is newer
	horizon   atomic.Pointer[horizon]
	confirmed atomic.Pointer[time.Time] // when the log was last read to its end
	done      chan struct{}             // closed when Run has ended

	mu      sync.Mutex    // guards all below
	changed chan struct{} // closed and replaced when epoch, setBack, head or beat changes
	epoch   string        // empty until the log was read
	setBack int           // how often the log was found shorter than before, in one epoch
	head    int64         // followers before it have something to read
	beat    *Event        // last confirmation that the log ends at head
	cache   cache
}

// NewHub makes a hub. signer gives the key that signs at the moment.
func NewHub(log Log, signer func() (*jose.Signer, error), cfg Config) *Hub {
	cfg.Heartbeat = cmp.Or(cfg.Heartbeat, defaultHeartbeat)
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	h := &Hub{
		log: log, signer: signer, cfg: cfg,
		building: make(chan struct{}, 1), done: make(chan struct{}), changed: make(chan struct{}),
	}
	h.horizon.Store(&horizon{})
	return h
}

// Open reads where the log ends, before Run does: a token that is signed in the first
// moment after a start must be dated later than a rule that was made just before it.
func (h *Hub) Open(ctx context.Context) error {
	epoch, head, err := h.log.RevocationHead(ctx)
	if err != nil {
		return fmt.Errorf("where revocations end: %w", err)
	}
	_, err = h.enter(ctx, epoch, head)
	return err
}

// Ready reports whether the log was read to its end lately, so that followers hear of
// what is revoked.
func (h *Hub) Ready(now time.Time) error {
	at := h.confirmed.Load()
	if at == nil {
		return errors.New("the revocation log was not read yet")
	}
	if age := now.Sub(*at); age > maxUnconfirmed {
		return fmt.Errorf("the revocation log was last read %s ago", age.Round(time.Second))
	}
	return nil
}

// Position says where the log ended when it was last read, and when that was; zero if it
// was not read yet.
func (h *Hub) Position() (epoch string, head int64, confirmed time.Time) {
	if at := h.confirmed.Load(); at != nil {
		confirmed = *at
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.epoch, h.head, confirmed
}

// Run follows the log until ctx ends, and returns ctx.Err(). It is called once.
// Followers end with it.
func (h *Hub) Run(ctx context.Context) error {
	events, stop := h.log.Watch()
	defer stop()
	defer close(h.done)
	poll := time.NewTicker(min(pollEvery, h.cfg.Heartbeat))
	defer poll.Stop()
	beat := time.NewTicker(h.cfg.Heartbeat)
	defer beat.Stop()
	retry := time.NewTimer(0) // the first look
	defer retry.Stop()

	beatDue, failing := true, false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-events:
		case <-poll.C:
		case <-retry.C:
		case <-beat.C:
			beatDue = true
		}
		err := h.advance(ctx, beatDue)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			retry.Reset(retryEvery)
		default:
			beatDue = false
		}
		h.report(ctx, err, &failing)
	}
}

// report logs the first failure of a row of them, and its end.
func (h *Hub) report(ctx context.Context, err error, failing *bool) {
	switch {
	case err != nil && !*failing:
		h.cfg.Log.WarnContext(ctx, "revocations cannot be confirmed; verifiers will become stale", "cause", err)
	case err == nil && *failing:
		h.cfg.Log.InfoContext(ctx, "revocations are confirmed again")
	}
	*failing = err != nil
}

// advance reads what is new in the log and publishes it. A heartbeat that is due is
// only made here, right after the database has said where the log ends.
func (h *Hub) advance(ctx context.Context, beatDue bool) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	asked := h.cfg.Now()
	epoch, head, err := h.log.RevocationHead(ctx)
	if err != nil {
		return fmt.Errorf("revocation head: %w", err)
	}
	at, err := h.enter(ctx, epoch, head)
	if err != nil {
		return err
	}
	for at < head {
		e, rules, err := h.read(ctx, epoch, at, head)
		if err != nil {
			return err
		}
		h.foresee(rules)
		if len(rules) > 0 {
			e.Since = rules[0].At
		}
		h.publish(e)
		at, beatDue = e.To, beatDue && e.To != e.Head // a batch that reaches the head confirms it
	}
	h.foresee(nil)
	if beatDue {
		e, err := h.batch(epoch, at, at, at, nil, h.cfg.Now())
		if err != nil {
			return err
		}
		h.publish(e)
	}
	h.confirmed.Store(&asked)
	return nil
}

// enter returns how far the log is known here. At the start, and when the log is
// another one than before (a restored database), that is its end: there is nobody
// yet who would have read until then.
func (h *Hub) enter(ctx context.Context, epoch string, head int64) (at int64, err error) {
	h.mu.Lock()
	known, at := h.epoch, h.head // only this goroutine changes them
	h.cache.expire(h.cfg.Now())
	h.mu.Unlock()
	if epoch == known && head >= at {
		return at, nil
	}
	recent, err := h.log.Rules(ctx, max(0, head-maxRules), maxRules, h.cfg.Now())
	if err != nil {
		return 0, fmt.Errorf("recent revocation rules: %w", err)
	}
	h.foresee(recent)
	h.mu.Lock()
	defer h.mu.Unlock()
	if epoch == known {
		h.setBack++ // a backup without a new epoch; no position is worth anything now
	}
	h.epoch, h.head, h.beat, h.cache = epoch, head, nil, cache{}
	h.wake()
	return head, nil
}

// publish makes an event that continues what is known the newest.
func (h *Hub) publish(e *Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.From == e.To {
		h.beat = e
	} else {
		h.cache.put(e)
	}
	h.head = e.To
	h.wake()
}

// wake is called with mu held.
func (h *Hub) wake() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// read makes the batch that continues from a position. The log may have grown since
// head was read; what is read now was certainly there.
func (h *Hub) read(ctx context.Context, epoch string, from, head int64) (*Event, []idp.Rule, error) {
	now := h.cfg.Now()
	rules, err := h.log.Rules(ctx, from, maxRules, now)
	if err != nil {
		return nil, nil, fmt.Errorf("revocation rules: %w", err)
	}
	to := head
	if n := len(rules); n == maxRules {
		// There may be more. The next batch begins where others begin, too: see common.
		to = rules[n-1].Seq - rules[n-1].Seq%maxRules
		for rules[len(rules)-1].Seq > to {
			rules = rules[:len(rules)-1]
		}
	} else if n > 0 {
		to = max(head, rules[n-1].Seq)
	}
	e, err := h.batch(epoch, from, to, max(head, to), rules, now)
	return e, rules, err
}
