package verify_test

import (
	"crypto/sha256"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
)

func replayID(n int) [32]byte { return sha256.Sum256([]byte(strconv.Itoa(n))) }

// TOK-14: who is first is decided in the store; all others lose.
func TestReplayMemory_TOK14_OneWinner(t *testing.T) {
	t.Parallel()
	m, now := verify.NewReplayMemory(1000), time.Unix(1_700_000_000, 0)
	for n := range 200 {
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if fresh, err := m.Use(background, replayID(n), now, now.Add(time.Minute)); fresh && err == nil {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d winners", won.Load())
		}
	}
}

// TOK-14, DOS-03: the store is bounded, says so when it is full, forgets nothing that could
// be used again, and has room again when time has passed.
func TestReplayMemory_TOK14_Bounded(t *testing.T) {
	t.Parallel()
	const limit = 500
	m, now := verify.NewReplayMemory(limit), time.Unix(1_700_000_000, 0)
	refused := 0
	for n := range 3 * limit {
		fresh, err := m.Use(background, replayID(n), now, now.Add(time.Duration(n%120)*time.Second))
		if fresh != (n < limit) || (err != nil) != (n >= limit) {
			t.Fatalf("%d: %t %v", n, fresh, err)
		}
		if err != nil {
			refused++
		}
	}
	if size, buckets := verify.ReplaySize(m); size != limit || buckets > 5 || refused != 2*limit {
		t.Errorf("%d proofs in %d buckets, %d refused", size, buckets, refused)
	}
	if fresh, err := m.Use(background, replayID(119), now, now.Add(119*time.Second)); fresh || err != nil {
		t.Errorf("used, when full: %t %v", fresh, err)
	}
	now = now.Add(60 * time.Second)
	for n := range limit {
		if fresh, _ := m.Use(background, replayID(n), now, now.Add(time.Minute)); fresh && n%120 >= 60 {
			t.Fatalf("%d was forgotten too soon", n)
		}
	}
	now = now.Add(10 * time.Minute)
	if fresh, err := m.Use(background, replayID(-1), now, now.Add(time.Minute)); !fresh || err != nil {
		t.Errorf("after all are over: %t %v", fresh, err)
	}
	if size, buckets := verify.ReplaySize(m); size != 1 || buckets != 1 {
		t.Errorf("after all are over: %d proofs in %d buckets", size, buckets)
	}
}

// TOK-14, DOS-03: a store that is full takes less than 50 bytes for each proof.
func TestReplayMemory_TOK14_Memory(t *testing.T) {
	const limit = 1 << 16
	heap := func() int64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return int64(s.HeapAlloc)
	}
	before, now := heap(), time.Unix(1_700_000_000, 0)
	m := verify.NewReplayMemory(limit)
	var id [32]byte
	for n := range limit + 1000 {
		id[0], id[1], id[2] = byte(n), byte(n>>8), byte(n>>16)
		_, _ = m.Use(background, id, now, now.Add(time.Duration(n%180)*time.Second))
	}
	each := (heap() - before) / limit
	t.Logf("%d bytes each", each)
	if each >= 50 {
		t.Errorf("%d bytes each", each)
	}
	if size, _ := verify.ReplaySize(m); size != limit {
		t.Errorf("%d proofs", size)
	}
}

// STO-05: a clock that is set back brings no forgotten proof again; one that was far ahead
// does not stop the service for ever.
func TestReplayMemory_STO05_ClockSetBack(t *testing.T) {
	t.Parallel()
	m, now := verify.NewReplayMemory(10), time.Unix(1_700_000_000, 0)
	use := func(n int, now, until time.Time) (bool, error) { return m.Use(background, replayID(n), now, until) }
	if fresh, err := use(1, now, now.Add(time.Minute)); !fresh || err != nil {
		t.Fatal(fresh, err)
	}
	if fresh, err := use(2, now.Add(10*time.Minute), now.Add(11*time.Minute)); !fresh || err != nil {
		t.Fatal(fresh, err)
	}
	if fresh, err := use(1, now, now.Add(time.Minute)); fresh || err == nil {
		t.Errorf("set back: %t %v", fresh, err)
	}
	if fresh, err := use(3, now.Add(time.Hour*24*365), now.Add(time.Hour*24*365+time.Minute)); !fresh || err != nil {
		t.Fatal(fresh, err)
	}
	if fresh, err := use(4, now, now.Add(time.Minute)); !fresh || err != nil {
		t.Errorf("after a clock far ahead: %t %v", fresh, err)
	}
}
