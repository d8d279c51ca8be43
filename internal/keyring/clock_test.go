package keyring_test

import (
	"testing"
	"time"

	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/verify/jose"
)

// quick is a policy whose lives fit into a test.
func quick() keyring.Policy {
	p := keyring.NewPolicy(time.Hour, 0)
	p.Ahead, p.Active, p.Hints = 6*time.Hour, 2*day, day
	return p
}

// clock is what a node believes the time to be.
type clock func(now time.Time) time.Time

func right(now time.Time) time.Time { return now }

func wrongBy(d time.Duration) clock { return func(now time.Time) time.Time { return now.Add(d) } }

// stepped is wrong by d from a moment on, for a while.
func stepped(after, while, d time.Duration) clock {
	return func(now time.Time) time.Time {
		if age := now.Sub(start); age >= after && age < after+while {
			return now.Add(d)
		}
		return now
	}
}

// frozen stands still from a moment on.
func frozen(after time.Duration) clock {
	return func(now time.Time) time.Time {
		if now.Sub(start) > after {
			return start.Add(after)
		}
		return now
	}
}

// TestRotate_STO05_ClockMatrix: two nodes on one database, with every kind of wrong clock,
// sign with one and the same key of each algorithm, which is published by both; verifiers
// with a key set that is 10 minutes old know it; and it stays published until the last
// token that it signed is over. TOK-07
func TestRotate_STO05_ClockMatrix(t *testing.T) {
	t.Parallel()
	const life, week = 5 * day, 7 * day
	ahead := stepped(day, 4*time.Hour, 365*day)
	tests := []struct {
		name    string
		nodes   [2]clock
		off     [2]time.Duration // nobody runs in between
		signers int              // of each algorithm, at least
		most    int
		jumps   bool // clocks that leap over hours keep no promise of hours
	}{
		{"right clocks", [2]clock{right, right}, [2]time.Duration{}, 3, 3, false},
		{"5 minutes fast and slow", [2]clock{wrongBy(5 * time.Minute), wrongBy(-5 * time.Minute)}, [2]time.Duration{}, 3, 3, false},
		{"slow and fast", [2]clock{wrongBy(-5 * time.Minute), wrongBy(5 * time.Minute)}, [2]time.Duration{}, 3, 3, false},
		{"one frozen", [2]clock{right, frozen(day)}, [2]time.Duration{}, 3, 3, false},
		{"both frozen", [2]clock{frozen(day), frozen(day)}, [2]time.Duration{}, 1, 1, false},
		{"frozen while a key is staged", [2]clock{frozen(2*day - time.Hour), frozen(2*day - time.Hour)}, [2]time.Duration{}, 1, 1, false},
		{"set back for good after staging", [2]clock{stepped(2*day-time.Hour, week, -3*time.Hour), stepped(2*day-time.Hour, week, -3*time.Hour)}, [2]time.Duration{}, 2, 3, false},
		{"set back for good after handing over", [2]clock{stepped(2*day+time.Hour, week, -3*time.Hour), stepped(2*day+time.Hour, week, -3*time.Hour)}, [2]time.Duration{}, 2, 3, false},
		{"one set back by a day", [2]clock{right, stepped(2*day, week, -day)}, [2]time.Duration{}, 3, 3, false},
		{"off for three days", [2]clock{right, right}, [2]time.Duration{day, 4 * day}, 2, 3, false},
		{"a year ahead for 4 hours", [2]clock{ahead, ahead}, [2]time.Duration{}, 2, 3, true},
		{"one a year ahead for 4 hours", [2]clock{right, ahead}, [2]time.Duration{}, 2, 3, true},
		{"a year ahead at first", [2]clock{stepped(0, time.Hour, 365*day), stepped(0, time.Hour, 365*day)}, [2]time.Duration{}, 1, 1, true},
	}
	for i, tt := range tests {
		if testing.Short() && i%3 != 1 {
			continue // a fast and a slow one, both frozen, both set back, both a year ahead
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &nodes{T: t, db: openStore(t), kek: secret.Key(), clocks: tt.nodes, jumps: tt.jumps, last: map[string]time.Time{}, signed: map[jose.Algorithm]map[string]bool{}}
			for n := range w.rings {
				w.open(n, start)
			}
			for now, step := start, 0; now.Before(start.Add(life)); now, step = now.Add(10*time.Minute), step+1 {
				if age := now.Sub(start); age >= tt.off[0] && age < tt.off[1] {
					continue
				}
				if step%40 == 39 {
					w.open(step%2, now) // restarts
				}
				w.step(now)
				if t.Failed() {
					t.Fatalf("after %v", now.Sub(start))
				}
			}
			for alg, kids := range w.signed {
				if len(kids) < tt.signers || len(kids) > tt.most {
					t.Errorf("%s: %d keys signed, want %d to %d", alg, len(kids), tt.signers, tt.most)
				}
			}
		})
	}
}

// nodes are two rings on one database, and what verifiers know of them.
type nodes struct {
	*testing.T
	db     *store.DB
	kek    [32]byte
	clocks [2]clock
	jumps  bool

	rings  [2]*keyring.Ring
	before [2]*jose.KeySet // what was published 10 minutes ago
	last   map[string]time.Time
	signed map[jose.Algorithm]map[string]bool
}

func (w *nodes) open(n int, now time.Time) {
	w.Helper()
	ring, err := keyring.Open(w.Context(), w.db, keyring.Config{KEK: w.kek, Policy: quick()}, w.clocks[n](now))
	if err != nil {
		w.Fatal(err)
	}
	w.rings[n] = ring
}

// step lets 10 minutes pass.
func (w *nodes) step(now time.Time) {
	w.Helper()
	for n, ring := range w.rings {
		if err := ring.Rotate(w.Context(), w.clocks[n](now)); err != nil {
			w.Fatal(err)
		}
	}
	for n, ring := range w.rings { // as the change log makes them do
		if err := ring.Reload(w.Context(), w.clocks[n](now)); err != nil {
			w.Fatal(err)
		}
	}
	for _, alg := range algorithms {
		kid := w.signer(0, alg)
		if other := w.signer(1, alg); other != kid {
			w.Errorf("%s: the nodes sign with %s and %s", alg, kid, other)
		}
		if w.signed[alg] == nil {
			w.signed[alg] = map[string]bool{}
		}
		w.signed[alg][kid] = true
		for n, clock := range w.clocks {
			// A verifier that is 5 minutes slow, and forgives a minute.
			exp := clock(now).Add(time.Hour)
			if w.last[kid].Before(exp) && !w.jumps {
				w.last[kid] = exp.Add(6 * time.Minute)
			}
			if _, known := w.rings[n].Keys().Key(kid); !known {
				w.Errorf("%s: %s signs and is not published", alg, kid)
			}
			if w.before[n] != nil && !w.jumps {
				if _, known := w.before[n].Key(kid); !known {
					w.Errorf("%s: %s signs and was not published 10 minutes ago", alg, kid)
				}
			}
		}
	}
	for kid, until := range w.last {
		if _, published := w.rings[0].Keys().Key(kid); !published && now.Before(until) {
			w.Errorf("%s is gone %v before its last token is over", kid, until.Sub(now))
		}
	}
	w.before = [2]*jose.KeySet{w.rings[0].Keys(), w.rings[1].Keys()}
}

func (w *nodes) signer(n int, alg jose.Algorithm) string {
	w.Helper()
	s, err := w.rings[n].Signer(alg)
	if err != nil {
		w.Fatal(err)
	}
	return s.Key().ID()
}
