package verify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// maxSilence is how long a connection may bring nothing new. The issuer sends a
// heartbeat every 5 seconds, and none when it cannot confirm: another of its nodes may.
const maxSilence = 20 * time.Second

var (
	errEnded  = errors.New("connection ended")
	errSilent = errors.New("nothing confirmed for too long")
	errGap    = errors.New("messages are missing")
	errClock  = errors.New("message is not from now; check the clocks")
	errEpoch  = errors.New("message of an epoch that is over")
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
	case v.feed.keyRevoked(key):
		return false, errSigner
	}
	return v.take(b, now)
}

func (v *Verifier) take(b batch, now time.Time) (news bool, err error) {
	recent := !b.issued.Before(now.Add(-maxLeeway)) && !b.issued.After(now.Add(maxLeeway))
	f := &v.feed
	if b.epoch != f.epoch {
		if err := f.begin(b); err != nil {
			return false, err
		}
	}
	if b.from > f.seq {
		return false, errGap
	}
	if b.to > f.seq {
		v.counters.rulesReceived.Add(uint64(f.apply(b, now)))
		news = true
	}
	f.signed = max(f.signed, b.now)
	v.position.Store(&position{f.epoch, f.seq})
	if f.seq != b.head || b.to != b.head {
		return news, nil
	}
	f.building, f.old = false, nil
	v.rules.Store(f.set)
	if !recent { // whoever replays old messages must not make us look fresh
		v.report("revocations", errClock)
		return news, nil
	}
	if v.confirmed.Swap(&now) == nil {
		close(v.ready)
	}
	return true, nil
}

// follower is the state of one reader of the log. Only Run's goroutine touches it.
type follower struct {
	epoch    string
	seq      int64    // all rules up to it are in set
	set      *ruleSet // shared with readers unless building
	building bool     // set is not complete; readers still have the one before
	old      *ruleSet // what readers have while building
	signed   int64    // the issuer's clock in the latest message
}

// lastEventID says where to go on: "<epoch>.<seq>".
func (f *follower) lastEventID() string {
	if f.epoch == "" {
		return ""
	}
	return f.epoch + "." + strconv.FormatInt(f.seq, 10)
}

// begin starts a new set for another epoch. An epoch is only entered at its beginning,
// and only by a message that is newer than all before: whoever replays the snapshot of
// an epoch that is over must not take revocations back.
func (f *follower) begin(b batch) error {
	switch {
	case b.from != 0:
		return fmt.Errorf("new epoch: %w", errGap)
	case f.epoch != "" && b.now <= f.signed:
		return errEpoch
	}
	if !f.building {
		f.old = f.set
	}
	f.epoch, f.seq, f.set, f.building = b.epoch, 0, newRuleSet(), true
	return nil
}

// apply adds the rules that are new and returns their number. Messages may overlap: a
// rule is the same whenever it comes.
func (f *follower) apply(b batch, now time.Time) int {
	fresh := b.rules
	for len(fresh) > 0 && fresh[0].Seq <= f.seq {
		fresh = fresh[1:]
	}
	f.set.add(fresh, now, !f.building)
	f.seq = b.to
	return len(fresh)
}

// keyRevoked: once a key is known to be in wrong hands it must not edit this very list.
func (f *follower) keyRevoked(key *jose.Key) bool {
	return f.set != nil && f.set.keyRevoked(key.ID()) || f.old != nil && f.old.keyRevoked(key.ID())
}

// forgetRules drops rules that are over, a part of them every second.
func (v *Verifier) forgetRules(ctx context.Context) {
	const parts = 64
	for n := 0; ; n = (n + 1) % parts {
		sleep(ctx, time.Second)
		if ctx.Err() != nil {
			return
		}
		if set := v.rules.Load(); set != nil {
			set.forget(n*shardCount/parts, (n+1)*shardCount/parts, v.now().Add(-maxLeeway))
		}
	}
}
