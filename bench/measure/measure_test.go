package measure_test

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/bench/measure"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 1}, 5},
		{[]float64{100, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		before := slices.Clone(c.values)
		if got := measure.Median(c.values); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.values, got, c.want)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("Median changed its argument to %v", c.values)
		}
	}
}

// rounds makes slices of 10 operations from the processor time of each operation.
func rounds(perOp ...time.Duration) (s []measure.Slice) {
	for _, d := range perOp {
		s = append(s, measure.Slice{Ops: 10, CPU: 10 * d, Wall: 10 * d, Bytes: 320, Allocs: 20})
	}
	return s
}

// A round begins elsewhere on the stack than those before it, for one core and for two.
func TestRun_PlacesOnTheStack(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	depths := map[int]bool{}
	op := func(int) error {
		mu.Lock()
		defer mu.Unlock()
		depths[runtime.Callers(0, make([]uintptr, 1000))] = true
		return nil
	}
	const rounds = 20
	for _, cores := range []int{1, 2} {
		clear(depths)
		if _, err := measure.Run([]measure.Case{{Name: "a", Op: op, MaxOps: 20}}, measure.Options{Rounds: rounds, Slice: time.Microsecond, Cores: cores}); err != nil {
			t.Fatal(err)
		}
		if len(depths) < rounds*cores {
			t.Errorf("%d cores: %d depths in %d rounds", cores, len(depths), rounds)
		}
	}
}

// In the second round the machine was ten times slower for everybody: medians of times
// may shift, ratios must not.
func TestSeries_RatiosAreWithinRounds(t *testing.T) {
	t.Parallel()
	base := measure.Series{One: rounds(100, 1000, 110)}
	twice := measure.Series{One: rounds(200, 2000, 220)}
	if got := twice.Ratio(base); got != 2 {
		t.Errorf("ratio %v, want 2", got)
	}
	if got := base.CPU(); got != 110 {
		t.Errorf("median time %v, want 110", got)
	}
	if b, a := base.Bytes(), base.Allocs(); b != 32 || a != 2 {
		t.Errorf("%v bytes and %v allocations per operation, want 32 and 2", b, a)
	}
	odd := measure.Series{One: rounds(100, 4000, 330)} // 1, 4, 3 times as long as base
	if got := odd.Ratio(base); got != 3 {
		t.Errorf("ratio %v, want the middle one of 1, 4 and 3", got)
	}
	if low, high := odd.Spread(); low != 100.0/330 || high != 1 {
		t.Errorf("quartiles %v and %v", low, high)
	}
}

func TestSeries_SpeedUp(t *testing.T) {
	t.Parallel()
	s := measure.Series{One: rounds(100, 1000, 100), TwoWall: rounds(50, 500, 100)}
	if got := s.SpeedUp(); got != 2 {
		t.Errorf("speed-up %v, want 2", got)
	}
	if got := (measure.Series{One: rounds(1)}).SpeedUp(); got != 0 {
		t.Errorf("speed-up %v of nothing", got)
	}
}

// Each operation of a slice is done once, by whichever worker, and each slice is
// prepared for as many as come.
func TestRun_EveryOperationOnce(t *testing.T) {
	var (
		mu       sync.Mutex
		prepared int
		seen     map[int]int
		sink     [][]byte
	)
	check := func() {
		for i := range prepared {
			if seen[i] != 1 {
				t.Errorf("operation %d of %d was done %d times", i, prepared, seen[i])
			}
		}
		if len(seen) != prepared {
			t.Errorf("%d operations, prepared for %d", len(seen), prepared)
		}
	}
	c := measure.Case{
		Name: "counted", MaxOps: 50,
		Prepare: func(n int) error {
			check()
			prepared, seen, sink = n, map[int]int{}, nil
			return nil
		},
		Op: func(i int) error {
			mu.Lock()
			defer mu.Unlock()
			seen[i]++
			sink = append(sink, make([]byte, 1000))
			return nil
		},
	}
	series, err := measure.Run([]measure.Case{c}, measure.Options{Rounds: 3, Slice: time.Second, Cores: 2})
	if err != nil {
		t.Fatal(err)
	}
	check()
	s := series[0]
	if len(s.One) != 3 || len(s.TwoWall) != 3 || s.One[0].Ops != 50 {
		t.Fatalf("%d and %d slices of %d operations, want 3, 3 and 50", len(s.One), len(s.TwoWall), s.One[0].Ops)
	}
	if s.CPU() <= 0 || s.Bytes() < 1000 || s.Allocs() < 1 {
		t.Errorf("%v ns, %v bytes, %v allocations per operation", s.CPU(), s.Bytes(), s.Allocs())
	}
}

func TestRun_StopsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	for _, cores := range []int{1, 2} {
		done := 0
		c := measure.Case{Name: "c", MaxOps: 4, Op: func(int) error { return nil }}
		failing := measure.Case{Name: "f", MaxOps: 4, Prepare: func(int) error { done++; return nil }, Op: func(i int) error {
			if i == 3 && done > 1 {
				return broken
			}
			return nil
		}}
		_, err := measure.Run([]measure.Case{c, failing}, measure.Options{Rounds: 1, Slice: time.Hour, Cores: cores})
		if !errors.Is(err, broken) {
			t.Errorf("%d cores: %v", cores, err)
		}
	}
}
