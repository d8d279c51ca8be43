package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/revocation"
)

// TestFollow_Resume: a position is taken up again without a gap; one that this log
// cannot have given starts from 0. TOK-12, TOK-13
func TestFollow_Resume(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		epoch string
		after int64
		from  int64
	}{
		{"newcomer", "", 0, 0},
		{"newcomer with a position", "", 7, 0},
		{"beginning", "e1", 0, 0},
		{"middle", "e1", 7, 7},
		{"end", "e1", 10, 10},
		{"beyond the end", "e1", 11, 0},
		{"far beyond the end", "e1", 1 << 62, 0},
		{"negative", "e1", -1, 0},
		{"other epoch", "e0", 7, 0},
		{"epoch in other case", "E1", 7, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, s := newMemLog(), newSigning(t, "k1")
				l.append(false, grants(10, time.Now())...)
				h := newHub(l, s)
				start(t, h)
				b := open(t, s, <-follow(t, h, tt.epoch, tt.after))
				if b.From != tt.from || b.To != 10 || b.Head != 10 || len(b.Rules) != 10-int(tt.from) {
					t.Errorf("got %+v", b)
				}
			})
		})
	}
}

// TestFollow_Snapshot: a newcomer gets everything, at most 1,000 rules at a time, and
// what may be forgotten leaves no gap in the positions.
func TestFollow_Snapshot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		rules := grants(3500, time.Now())
		for i := range rules {
			if i%5 == 0 || i > 3400 { // 2,721 are alive
				rules[i].Until = time.Now()
			}
		}
		l.append(false, rules...)
		h := newHub(l, s)
		start(t, h)
		events := follow(t, h, "", 0)
		at, live, batches := int64(0), 0, 0
		for at < 3500 {
			b := open(t, s, <-events)
			if b.From != at || b.To <= at || b.Head != 3500 || len(b.Rules) > 1000 {
				t.Fatalf("at %d: from %d to %d head %d, %d rules", at, b.From, b.To, b.Head, len(b.Rules))
			}
			for _, r := range b.Rules {
				if r.Seq <= b.From || r.Seq > b.To || r.ID != fmt.Sprint("g", r.Seq-1) {
					t.Fatalf("batch from %d to %d has rule %d", b.From, b.To, r.Seq)
				}
			}
			at, live, batches = b.To, live+len(b.Rules), batches+1
		}
		if live != 2720 || batches != 4 {
			t.Errorf("%d rules in %d batches", live, batches)
		}
	})
}

// TestFollow_LongNames: a batch is cut where it would be longer than a follower reads.
func TestFollow_LongNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		rules := grants(999, time.Now())
		for i := range rules {
			rules[i].ID = strings.Repeat("x", 2000) + rules[i].ID
		}
		l.append(false, rules...)
		h := newHub(l, s)
		start(t, h)
		events := follow(t, h, "", 0)
		for at, n := int64(0), 0; at < 999; n++ {
			e := <-events
			if len(e.Token) > 1<<20-100 || e.From != at || n > 8 {
				t.Fatalf("%d bytes from %d", len(e.Token), e.From)
			}
			at = e.To
		}
	})
}

// TestFollow_SharedSnapshot: a crowd of newcomers costs the database and the key what
// one costs. DOS-03
func TestFollow_SharedSnapshot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		l.append(false, grants(2500, time.Now())...)
		h := newHub(l, s)
		start(t, h)
		synctest.Wait()
		reads, signatures := l.ruleReads(), s.count()
		var crowd sync.WaitGroup
		for range 200 {
			events := follow(t, h, "", 0)
			crowd.Go(func() {
				for e := range events {
					if e.To == 2500 {
						return
					}
				}
			})
		}
		crowd.Wait()
		if r, n := l.ruleReads()-reads, s.count()-signatures; r != 3 || n != 3 {
			t.Errorf("%d reads, %d signatures", r, n)
		}
	})
}

// TestFollow_MadeUpPositions: a crowd at positions of its own costs what the snapshot
// costs, and misses nothing. DOS-03
func TestFollow_MadeUpPositions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		over := grants(60_000, time.Now())
		for i := range over {
			over[i].Until = time.Now()
		}
		l.append(false, append(over, grants(5500, time.Now())...)...)
		h := newHub(l, s)
		start(t, h)
		synctest.Wait()
		for e := range follow(t, h, "", 0) { // somebody reads the snapshot
			if e.To == 65_500 {
				break
			}
		}
		signatures := s.count()
		var crowd sync.WaitGroup
		for i := range 300 {
			after := int64(i*218 + 7)
			events := follow(t, h, "e1", after)
			crowd.Go(func() {
				for at := after; at < 65_500; {
					e := <-events
					if e.From > at || e.To <= at {
						t.Errorf("at %d: from %d to %d", at, e.From, e.To)
						return
					}
					at = e.To
				}
			})
		}
		crowd.Wait()
		if n := s.count() - signatures; n > 1 {
			t.Errorf("%d signatures", n)
		}
	})
}

// TestFollow_NearTheEnd: who missed little gets little.
func TestFollow_NearTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		l.append(false, grants(5500, time.Now())...)
		h := newHub(l, s)
		start(t, h)
		if b := open(t, s, <-follow(t, h, "e1", 5490)); b.From != 5490 || len(b.Rules) != 10 {
			t.Errorf("from %d, %d rules", b.From, len(b.Rules))
		}
	})
}

// TestFollow_LongNamesFromTheMiddle: a batch that is cut off before the position asked
// for leads nowhere.
func TestFollow_LongNamesFromTheMiddle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		rules := grants(1999, time.Now())
		for i := range rules {
			rules[i].ID = strings.Repeat("x", 2000) + rules[i].ID
		}
		l.append(false, rules...)
		h := newHub(l, s)
		start(t, h)
		events := follow(t, h, "e1", 900)
		for at := int64(900); at < 1999; {
			e := <-events
			if e.From > at || e.To <= at {
				t.Fatalf("at %d: from %d to %d", at, e.From, e.To)
			}
			at = e.To
		}
	})
}

// TestFollow_Slow: a follower that does not read holds up nobody and no memory; when it
// reads again it gets all that happened in few batches. TOK-13, DOS-01
func TestFollow_Slow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		h := newHub(l, s)
		start(t, h)
		slow, quick := follow(t, h, "", 0), follow(t, h, "", 0)
		<-slow
		for at := (<-quick).To; at < 1000; {
			if at%10 == 0 {
				time.Sleep(10 * time.Millisecond) // time is not real here
			}
			l.append(true, grants(1, time.Now())...)
			e := <-quick
			for e.To == at {
				e = <-quick
			}
			if at++; e.To != at {
				t.Fatalf("quick is at %d, not at %d", e.To, at)
			}
		}
		time.Sleep(time.Minute)
		batches := 0
		for at := int64(0); at < 1000; batches++ {
			e := <-slow
			if e.From > at {
				t.Fatalf("gap from %d to %d", at, e.From)
			}
			at = e.To
		}
		if batches > 5 {
			t.Errorf("%d batches", batches)
		}
	})
}

// lateLog gives out what it has read only after a while, once.
type lateLog struct {
	*memLog
	late chan struct{} // closed: answer
	held atomic.Bool
}

func (l *lateLog) Rules(ctx context.Context, after int64, limit int, now time.Time) ([]idp.Rule, error) {
	rules, err := l.memLog.Rules(ctx, after, limit, now)
	if after == 1 && l.held.CompareAndSwap(false, true) {
		<-l.late
	}
	return rules, err
}

// TestFollow_LateConfirmation: a confirmation that was read before a rule came, and is
// ready after it, does not hide the rule from anybody. TOK-12
func TestFollow_LateConfirmation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := &lateLog{memLog: newMemLog(), late: make(chan struct{})}, newSigning(t, "k1")
		l.append(false, grants(1, time.Now())...)
		h := newHub(l, s)
		start(t, h)
		synctest.Wait()
		events := follow(t, h, "e1", 1) // reads that there is nothing after 1
		synctest.Wait()
		l.append(true, grants(1, time.Now())...)
		synctest.Wait()
		signatures := s.count()
		close(l.late)
		if e := <-events; e.From != 1 || e.To != 1 {
			t.Fatalf("got %+v", e)
		}
		if e := <-events; e.From != 1 || e.To != 2 {
			t.Errorf("got %+v", e)
		}
		if e := <-follow(t, h, "e1", 1); e.To != 2 {
			t.Errorf("another follower got %+v", e)
		}
		if n := s.count() - signatures; n != 1 {
			t.Errorf("%d signatures", n)
		}
	})
}

// TestFollow_SendFails: the end of a connection ends its follower, with the cause.
func TestFollow_SendFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		h := newHub(l, s)
		start(t, h)
		broken := errors.New("broken pipe")
		if err := h.Follow(t.Context(), "", 0, func(*revocation.Event) error { return broken }); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.Follow(ctx, "", 0, func(*revocation.Event) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestFollow_OldBatchesAreNotShared: nobody is told the log's end of a second ago as
// if it were now's, however quiet the log is. TOK-12
func TestFollow_OldBatchesAreNotShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		l.append(false, grants(10, time.Now())...)
		h := newHub(l, s)
		start(t, h)
		for range 50 {
			time.Sleep(700 * time.Millisecond)
			for _, after := range []int64{0, 5, 10} {
				e := <-follow(t, h, "e1", after)
				if age := time.Since(e.SignedAt); age >= time.Second {
					t.Fatalf("position %d: %v old", after, age)
				}
			}
		}
	})
}

// TestFollow_AllIsAll: who comes after a revocation is not told by a batch from before it that
// there is no more: a crowd still shares one. TOK-12
func TestFollow_AllIsAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		l.append(false, grants(10, time.Now())...)
		h := newHub(l, s)
		start(t, h)
		synctest.Wait()
		for i := range int64(5) {
			l.append(i%2 == 0, grants(1, time.Now())...) // the hub need not have heard of it
			signatures := s.count()
			for _, after := range []int64{0, 3, 0, 10 + i, 10 + i} {
				if e := <-follow(t, h, "e1", after); e.To == e.Head && e.To != 11+i {
					t.Errorf("from %d: all is said to end at %d of %d", after, e.To, 11+i)
				}
			}
			if n := s.count() - signatures; n > 4 {
				t.Errorf("%d signatures", n)
			}
		}
	})
}

// TestHub_NotBefore: a client's new token is dated later than every live rule that
// would name it, and only as long as that matters.
func TestHub_NotBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		rule := func(kind idp.RuleKind, id string, before time.Duration) idp.Rule {
			now := time.Now()
			return idp.Rule{Kind: kind, ID: id, Before: now.Add(before), At: now, Until: now.Add(time.Hour)}
		}
		began := time.Now()
		l.append(false, rule(idp.RuleClient, "a", 2*time.Second), rule(idp.RuleClient, "old", -time.Second))
		h := newHub(l, s)
		start(t, h)
		synctest.Wait()
		l.append(true, rule(idp.RuleClient, "b", 4*time.Second), rule(idp.RuleClient, "b", time.Second), rule(idp.RuleGrant, "c", 9*time.Second))
		synctest.Wait()
		check := func(clientID string, want time.Time) {
			t.Helper()
			if got := h.NotBefore(clientID); !got.Equal(want) {
				t.Errorf("%s after %v: %v, want %v", clientID, time.Since(began), got, want)
			}
		}
		check("a", began.Add(2*time.Second)) // was in the log before the hub
		check("b", began.Add(4*time.Second))
		check("c", time.Time{})
		check("old", time.Time{})
		l.append(true, rule(idp.RuleAll, "", 3*time.Second))
		synctest.Wait()
		check("a", began.Add(3*time.Second))
		check("b", began.Add(4*time.Second))
		check("c", began.Add(3*time.Second))
		time.Sleep(10 * time.Second)
		for _, id := range []string{"a", "b", "c"} {
			check(id, time.Time{})
		}
	})
}
