package verify

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ReplayStore remembers which DPoP proofs were used. Nodes that share one accept a proof
// once among them (RFC 9449 §11.1).
type ReplayStore interface {
	// Use notes id, which is a hash, until a time, in one step, and reports whether it
	// was not noted before. now is the verifier's clock. With an error the request is
	// refused: a store that cannot tell must not say yes. It may be called by many
	// goroutines at once, and should give up soon, for requests wait for it.
	Use(ctx context.Context, id [32]byte, now, until time.Time) (fresh bool, err error)
}

// defaultReplayMemory is 8,000 proofs a second, for each is remembered for some two
// minutes. It is less than 50 MB when full.
const defaultReplayMemory = 1 << 20

// ReplayMemory is a ReplayStore in this process. Its memory is bounded. When it is full
// it refuses proofs until older ones are over: to forget one would be to accept it twice.
type ReplayMemory struct {
	limit int

	mu      sync.Mutex // held for a microsecond or so; the signature before takes far longer
	size    int
	buckets map[int64]map[replayID]struct{} // by the time at which their proofs are over
	first   int64                           // the buckets before this one are forgotten
}

// replayID is half of the hash: whoever finds two equal ones has two proofs of which he
// can use only one.
type replayID [16]byte

// Seconds of a bucket, and by how much a clock may go back until it is believed again.
const (
	replayBucket  = 30
	replaySetBack = 3600
)

var (
	errReplayFull   = errors.New("full")
	errReplayPassed = errors.New("the clock was set back")
)

// NewReplayMemory makes a store for so many proofs at a time, less than 50 bytes each.
func NewReplayMemory(limit int) *ReplayMemory {
	return &ReplayMemory{limit: limit, buckets: map[int64]map[replayID]struct{}{}}
}

// Use implements ReplayStore.
func (m *ReplayMemory) Use(_ context.Context, id [32]byte, now, until time.Time) (fresh bool, err error) {
	short, bucket := replayID(id[:16]), until.Unix()/replayBucket
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now.Unix() / replayBucket)
	for _, b := range m.buckets {
		if _, used := b[short]; used {
			return false, nil
		}
	}
	switch {
	case bucket < m.first:
		return false, errReplayPassed
	case m.size >= m.limit:
		return false, errReplayFull
	}
	b := m.buckets[bucket]
	if b == nil {
		b = map[replayID]struct{}{}
		m.buckets[bucket] = b
	}
	b[short] = struct{}{}
	m.size++
	return true, nil
}

// forget drops the buckets that are over. A clock that was set back cannot bring one
// again, unless it went so far that it must have been wrong before.
func (m *ReplayMemory) forget(current int64) {
	if current <= m.first {
		if current < m.first-replaySetBack/replayBucket {
			m.first = current
		}
		return
	}
	m.first = current
	for n, b := range m.buckets {
		if n < current {
			m.size -= len(b)
			delete(m.buckets, n)
		}
	}
}
