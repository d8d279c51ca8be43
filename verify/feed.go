package verify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// maxSilence is how long a connection may bring nothing new. The issuer sends a
// heartbeat every 5 seconds, and none when it cannot confirm: another of its nodes may.
const maxSilence = 20 * time.Second

var (
	errEnded  = errors.New("connection ended")
	errSilent = errors.New("nothing confirmed for too long")
	errGap    = errors.New("messages are missing")
	errClock  = errors.New("message is not from now; check the clocks")
	errOver   = errors.New("message of a log that is over")
	errSigner = errors.New("message signed with a revoked key")
	errOther  = errors.New("message of another issuer or for another use")
)

// position is how far the log has been read.
type position struct {
	epoch string
	seq   int64
}

// followFeed keeps one connection to the feed open.
func (v *Verifier) followFeed(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-v.keysHere:
	}
	var wait backoff
	for ctx.Err() == nil {
		progress, err := v.readFeed(ctx)
		if ctx.Err() != nil {
			return
		}
		v.report("revocations", err)
		if progress {
			wait.reset()
		}
		wait.sleep(ctx)
	}
}

// readFeed reads one connection until it ends. progress says that it was of use.
func (v *Verifier) readFeed(ctx context.Context) (progress bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := min(maxSilence, v.maxStaleness)
	watch := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watch.Stop()

	resp, err := v.get(ctx, v.issuer+"/revocations", v.feed.lastEventID(), "text/event-stream")
	if err != nil {
		return false, cause(ctx, err)
	}
	defer resp.Body.Close()
	events := newEventReader(resp.Body)
	for {
		e, err := events.next()
		if err != nil {
			return progress, cause(ctx, fmt.Errorf("%w: %w", errEnded, err))
		}
		if e.kind != "batch" {
			continue
		}
		news, err := v.hear(string(e.data))
		if err != nil {
			return progress, err
		}
		if news {
			progress = true
			watch.Reset(silence)
		}
	}
}

// cause prefers our own reason for ending a connection.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// hear takes one signed message in. news says that it brought rules or confirmed that
// there are no others.
func (v *Verifier) hear(message string) (news bool, err error) {
	now := v.now()
	payload, key, err := v.keys.Load().VerifyLong(message, batchType, maxEvent)
	if err != nil {
		if errors.Is(err, ErrUnknownKey) {
			v.askForKeys()
		}
		return false, err
	}
	b, err := parseBatch(payload)
	if err != nil {
		return false, err
	}
	switch {
	case b.issuer != v.issuer || b.audience != v.issuer+"/revocations":
		return false, errOther
	case v.keyRevoked(key.ID()):
		return false, errSigner
	}
	return v.take(b, now)
}

// keyRevoked: once a key is known to be in wrong hands it must not edit this very list,
// not even by beginning a new one.
func (v *Verifier) keyRevoked(kid string) bool {
	shared, own := v.rules.Load(), v.feed.set
	return v.dead.Load().check(kid) != nil || shared != nil && shared.keyRevoked(kid) || own != nil && own.keyRevoked(kid)
}

// take applies a message that is the issuer's.
func (v *Verifier) take(b batch, now time.Time) (news bool, err error) {
	f := &v.feed
	if err := f.enter(b); err != nil {
		return false, err
	}
	v.position.Store(&position{f.epoch, f.seq})
	if b.from > f.seq {
		return false, errGap
	}
	if b.to > f.seq {
		f.set.add(b.rules, now, f.set == v.rules.Load()) // messages may overlap
		f.seq, news = b.to, true
		v.counters.rulesReceived.Add(uint64(len(b.rules)))
		v.bury(b.rules, now)
		v.revision.Add(1) // they hold for tokens that are remembered, too
		v.noteKilled(b.rules)
	}
	f.signed = max(f.signed, b.now)
	v.position.Store(&position{f.epoch, f.seq})
	if f.seq != b.head || b.to != b.head {
		return news, nil
	}
	v.useRules(f.set) // complete
	if b.issued.Before(now.Add(-maxLeeway)) || b.issued.After(now.Add(maxLeeway)) {
		// Whoever replays old messages must not make us look fresh.
		v.report("revocations", errClock)
		return news, nil
	}
	v.agreed.Store(b.issued.Unix())
	v.confirm(now)
	v.keep(now, b.issued)
	return true, nil
}

// confirm notes when the rules were last known to be complete.
func (v *Verifier) confirm(at time.Time) {
	if v.confirmed.Swap(&at) == nil {
		close(v.ready)
	}
}

// useRules hands a complete set to the readers.
func (v *Verifier) useRules(set *ruleSet) {
	if v.rules.Swap(set) != set {
		v.revision.Add(1) // and tokens that are remembered are held against it
	}
}

// follower is the state of one reader of the log. Only Run's goroutine touches it.
type follower struct {
	epoch  string
	seq    int64    // all rules up to it are in set
	set    *ruleSet // readers have it too, unless it is the beginning of a new epoch's
	signed int64    // the issuer's clock in the latest message
	since  int64    // the same in the first message of a log that was set back
}

// lastEventID says where to go on: "<epoch>.<seq>".
func (f *follower) lastEventID() string {
	if f.epoch == "" {
		return ""
	}
	return f.epoch + "." + strconv.FormatInt(f.seq, 10)
}

// enter finds out which log a message is of.
func (f *follower) enter(b batch) error {
	switch {
	case b.epoch != f.epoch:
		return f.begin(b)
	case b.now < f.since:
		return errOver
	case b.now <= f.signed || b.from >= f.seq && b.head >= f.seq:
		return nil // a message from before, or one that goes on where we are
	case b.head < f.seq:
		// A backup was put back without another epoch, and numbers that we know are
		// given out again. All is read again, and none of what we know forgotten: it was
		// revoked. Nothing is confirmed until the log is here to its end.
		f.seq = 0
	default:
		// The issuer tells again what we know: many share the message, or it did not take
		// up our position, which the log had not reached when we asked, though it has by
		// now. Reading it again costs nothing and is right in both cases.
		f.seq = b.from
	}
	f.since = b.now
	return nil
}

// begin starts a set for another epoch; readers keep the one before until it is
// complete. Only a message that is newer than all before begins an epoch: whoever
// replays the snapshot of one that is over must not take revocations back.
func (f *follower) begin(b batch) error {
	if f.epoch != "" && b.now <= f.signed {
		return errOver
	}
	f.epoch, f.seq, f.since, f.set = b.epoch, 0, 0, newRuleSet()
	return nil
}
