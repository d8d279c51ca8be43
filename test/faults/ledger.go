//go:build unix

package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ledger is what the harness was told, and what it found to be untrue.
type ledger struct {
	acked   atomic.Int64 // writes that were acknowledged
	doubts  atomic.Int64 // writes of which nobody knows whether they have happened
	refused atomic.Int64 // answers that say that the server is in trouble
	checked atomic.Int64 // promises that were looked at after a fault
	fault   atomic.Int64 // since when no write may be acknowledged (unix nanoseconds); 0: they may

	mu         sync.Mutex // guards all below
	kills      int
	slowest    time.Duration // until a write, or a node, was possible again
	slowestWas string
	lost       int // acknowledged, and not there
	revived    int // ended, and alive
	doubled    int // single-use, and used twice
	strange    int // anything else that must not be
	findings   []string
	rules      []rule // the log of revocations as it was last seen; rule n is at n-1
	epoch      string
	revoked    map[string]bool // grants whose end was acknowledged: each has a rule
}

// finding is a kind of broken promise.
type finding string

const (
	lost    finding = "lost"
	revived finding = "revived"
	doubled finding = "two winners"
	strange finding = "strange"
)

// maxFindings is how many broken promises are told one by one.
const maxFindings = 20

func (l *ledger) find(kind finding, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch kind {
	case lost:
		l.lost++
	case revived:
		l.revived++
	case doubled:
		l.doubled++
	default:
		l.strange++
	}
	if len(l.findings) < maxFindings {
		l.findings = append(l.findings, string(kind)+": "+fmt.Sprintf(format, args...))
	}
}

// ack counts an acknowledged write that was asked for at begun.
func (l *ledger) ack(begun time.Time) {
	l.acked.Add(1)
	if since := l.fault.Load(); since != 0 && begun.UnixNano() > since {
		l.find(strange, "a write was acknowledged while nothing could be written")
	}
}

func (l *ledger) revoke(grant string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revoked[grant] = true
}

func (l *ledger) took(what string, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d > l.slowest {
		l.slowest, l.slowestWas = d, what
	}
}

// broken reports whether any promise was.
func (l *ledger) broken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.findings
}

func (l *ledger) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d acknowledged writes, %d kills, %d lost, %d revived, %d with two winners, %d strange, %d maybe, %d refused, %d promises checked, slowest ready in %s (%s)",
		l.acked.Load(), l.kills, l.lost, l.revived, l.doubled, l.strange, l.doubts.Load(), l.refused.Load(), l.checked.Load(), l.slowest.Round(time.Millisecond), l.slowestWas)
}
