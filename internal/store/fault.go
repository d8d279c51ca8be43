package store

import "sync"

// Point is a moment of a transaction at which something may go wrong.
type Point string

// The points. An error at one of the first three is a transaction that is lost; at the
// last one everything is durable, and only the answer is lost.
const (
	PointRead         Point = "read"          // before a query outside of a transaction
	PointBegin        Point = "begin"         // before a transaction begins
	PointBeforeCommit Point = "before commit" // all is written, nothing is decided
	PointAfterCommit  Point = "after commit"  // all is durable, nobody has been told
)

// Faults makes transactions fail on purpose. It is for tests: they switch on errors,
// delays and crashes, and see what callers were told and what is in the database then.
// A nil *Faults does nothing.
type Faults struct {
	mu sync.RWMutex // guards at
	at map[Point]func() error
}

// Set has f called whenever a transaction comes to the point; nil takes it away. What f
// returns is what the engine would have said; f may wait, or end the process.
func (f *Faults) Set(at Point, fn func() error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at == nil {
		f.at = map[Point]func() error{}
	}
	f.at[at] = fn
}

func (f *Faults) hit(at Point) error {
	if f == nil {
		return nil
	}
	f.mu.RLock()
	fn := f.at[at]
	f.mu.RUnlock()
	if fn == nil {
		return nil
	}
	return fn()
}
