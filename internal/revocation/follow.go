package revocation

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Follow gives send all events after a position, as they come, until ctx, send or the
// hub ends; it returns why. The first event comes at once: the follower learns where
// the log ends. An event may begin before the position, at one that many share. A
// position of another epoch, or one that the log has not reached, starts again from 0,
// and so does every follower of a log that is set back.
//
// send may be slow. It must not be so for ever, and must not change the event.
func (h *Hub) Follow(ctx context.Context, epoch string, after int64, send func(*Event) error) error {
	f := follower{hub: h}
	if err := f.resume(ctx, epoch, after); err != nil {
		return err
	}
	for {
		e, err := f.next(ctx)
		if err != nil {
			return err
		}
		if err := send(e); err != nil {
			return fmt.Errorf("send revocations: %w", err)
		}
		f.epoch, f.at, f.last = e.Epoch, e.To, e
	}
}

// follower is one call of Follow.
type follower struct {
	hub     *Hub
	epoch   string
	setBack int
	at      int64
	head    int64  // where the log ended when it came: it is not told less than that is all
	last    *Event // nil before the first
}

// resume decides where to begin. It asks the database: this node may be behind the one
// that the follower comes from.
func (f *follower) resume(ctx context.Context, epoch string, after int64) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	f.hub.mu.Lock()
	f.setBack = f.hub.setBack // before the log is asked: what the hub finds later concerns us
	f.hub.mu.Unlock()
	current, head, err := f.hub.log.RevocationHead(ctx)
	if err != nil {
		return fmt.Errorf("revocation head: %w", err)
	}
	f.epoch, f.head = current, head
	if epoch == current && after >= 0 && after <= head {
		f.at = after
	}
	return nil
}

// next waits until there is something to say.
func (f *follower) next(ctx context.Context) (*Event, error) {
	h := f.hub
	for {
		select {
		case <-h.done:
			return nil, ErrClosed
		default:
		}
		h.mu.Lock()
		epoch, setBack, head, beat, changed := h.epoch, h.setBack, h.head, h.beat, h.changed
		h.mu.Unlock()
		switch {
		case epoch == "": // the hub has not read the log yet
		case epoch != f.epoch || setBack != f.setBack:
			f.epoch, f.setBack, f.at, f.head, f.last = epoch, setBack, 0, 0, nil
			continue
		case f.at < head:
			return h.after(ctx, epoch, f.at, f.at+1, f.head)
		case f.last == nil:
			return h.after(ctx, epoch, f.at, f.at, f.head)
		case beat != nil && beat.To == f.at && beat.number > f.last.number:
			return beat, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-h.done:
			return nil, ErrClosed
		}
	}
}

// after returns a batch that continues from a position and reaches another: a shared
// one, or else a new one, made by one follower at a time, so that a crowd of newcomers
// costs no more than one. Positions are made up easily, so batches begin at few of them:
// otherwise each would be made for one follower, and all others would wait for it. A shared
// batch that says it is all there is must go as far as known: somebody who asks after a
// revocation would hear otherwise that there is none.
func (h *Hub) after(ctx context.Context, epoch string, at, reach, known int64) (*Event, error) {
	if e := h.shared(epoch, at, reach, known); e != nil {
		return e, nil
	}
	select {
	case h.building <- struct{}{}:
		defer func() { <-h.building }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-h.done:
		return nil, ErrClosed
	}
	if e := h.shared(epoch, at, reach, known); e != nil {
		return e, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	current, head, err := h.log.RevocationHead(ctx)
	if err != nil {
		return nil, fmt.Errorf("revocation head: %w", err)
	}
	if current != epoch || head < reach {
		return nil, fmt.Errorf("the log was replaced: %w", ErrClosed)
	}
	e, _, err := h.read(ctx, epoch, common(at, head), head)
	if err == nil && e.To < reach { // long names cut it off before the position
		e, _, err = h.read(ctx, epoch, at, head)
	}
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.epoch == epoch {
		h.cache.put(e)
	}
	return e, nil
}

// common is where the batch for a position begins: every thousandth, and each of the
// last hundred, so that who was away for a moment gets little.
func common(at, head int64) int64 {
	if head-at <= nearHead {
		return at
	}
	return at - at%maxRules
}

func (h *Hub) shared(epoch string, at, reach, known int64) *Event {
	now := h.cfg.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.epoch != epoch {
		return nil
	}
	e := h.cache.get(at, reach, now)
	if e == nil && common(at, h.head) != at {
		e = h.cache.around(at, now)
	}
	if e != nil && e.To == e.Head && e.To < known {
		return nil
	}
	return e
}

// cache holds the newest batches by where they begin. It is guarded by Hub.mu.
type cache struct {
	byFrom map[int64]*Event
	order  []*Event // oldest first
	bytes  int
}

// put keeps of two batches with one beginning the one that reaches further.
func (c *cache) put(e *Event) {
	if c.byFrom == nil {
		c.byFrom = make(map[int64]*Event)
	}
	if old := c.byFrom[e.From]; old == nil || old.To <= e.To {
		c.byFrom[e.From] = e
	}
	c.order = append(c.order, e)
	c.bytes += len(e.wire)
	for c.bytes > maxCached {
		c.dropOldest()
	}
}

func (c *cache) get(from, reach int64, now time.Time) *Event {
	if e := c.byFrom[from]; e != nil && e.To >= reach && fresh(e, now) {
		return e
	}
	return nil
}

// around finds a batch that covers a position and the next. Where rules are over, one
// reaches over many positions.
func (c *cache) around(at int64, now time.Time) *Event {
	for _, e := range slices.Backward(c.order) {
		if e.From <= at && e.To > at && fresh(e, now) {
			return e
		}
	}
	return nil
}

func (c *cache) expire(now time.Time) {
	for len(c.order) > 0 && !fresh(c.order[0], now) {
		c.dropOldest()
	}
}

func (c *cache) dropOldest() {
	e := c.order[0]
	c.order[0], c.order = nil, c.order[1:]
	c.bytes -= len(e.wire)
	if c.byFrom[e.From] == e {
		delete(c.byFrom, e.From)
	}
}

// fresh also says no when the clock was set back.
func fresh(e *Event, now time.Time) bool {
	age := now.Sub(e.SignedAt)
	return age >= 0 && age < maxShared
}
