// Package measure compares things on a machine that others use too. It runs all cases
// round by round in one process, reads the processor time of each slice instead of the
// clock on the wall, and takes ratios within one round, where both sides had the same
// neighbours.
package measure

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Case is one thing to measure.
type Case struct {
	Name string
	// Prepare gets ready for n operations; what it does is not measured. May be nil.
	Prepare func(n int) error
	// Op does operation number i of a slice, from 0 on. Several goroutines call it at
	// once, each with numbers of its own.
	Op func(i int) error
	// MaxOps bounds a slice; 0 is no bound.
	MaxOps int

	depth int // of the stack where Op is called
}

// Slice is what one case took in one round. All but Ops are of the whole slice.
type Slice struct {
	Ops           int
	CPU, Wall     time.Duration
	Bytes, Allocs uint64
}

// PerOp returns the processor time of one operation in nanoseconds.
func (s Slice) PerOp() float64 { return float64(s.CPU) / float64(s.Ops) }

// Options say how long to measure.
type Options struct {
	Rounds int
	Slice  time.Duration // processor time of one slice, about
	Cores  int           // with 2, each round has a second slice for the clock on the wall
}

// Series is the rounds of one case.
type Series struct {
	Name    string
	One     []Slice // with one core
	TwoWall []Slice // with two cores and two goroutines
}

// The operations of a round begin at one of so many places on the stack, a frame of deeper
// apart, which together are some kilobytes, and those of the next round far from there. Where
// addresses of the stack end like those of other memory, the processor waits: RSA takes up to
// 3 % longer from one place than from the next, and a whole process would measure its luck.
const (
	depths = 128
	stride = 17 // has no divisor in common with depths
)

// Run measures the cases. Each round begins with another one, and from another place on the
// stack.
func Run(cases []Case, o Options) ([]Series, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	cases = slices.Clone(cases)
	series := make([]Series, len(cases))
	ops := make([]int, len(cases))
	for n, c := range cases {
		series[n].Name = c.Name
		var err error
		if ops[n], err = c.calibrate(o.Slice); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	for round := range o.Rounds {
		for k := range cases {
			n := (k + round) % len(cases)
			cases[n].depth = round * stride % depths
			one, err := cases[n].slice(ops[n], 1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", cases[n].Name, err)
			}
			series[n].One = append(series[n].One, one)
			if o.Cores < 2 {
				continue
			}
			two, err := cases[n].slice(ops[n], 2)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", cases[n].Name, err)
			}
			series[n].TwoWall = append(series[n].TwoWall, two)
		}
	}
	return series, nil
}

// calibrate finds how many operations fill a slice.
func (c Case) calibrate(target time.Duration) (int, error) {
	n := 16
	for {
		s, err := c.slice(n, 1)
		if err != nil {
			return 0, err
		}
		if c.MaxOps > 0 && n == c.MaxOps {
			return n, nil
		}
		if s.CPU > target/4 || n >= 1<<24 {
			n = max(1, int(float64(target)/s.PerOp()))
			if c.MaxOps > 0 {
				n = min(n, c.MaxOps)
			}
			return n, nil
		}
		n *= 4
		if c.MaxOps > 0 {
			n = min(n, c.MaxOps)
		}
	}
}

// slice runs n operations on so many cores. Garbage of the case before is gone when it
// begins; its own is collected as it falls.
func (c Case) slice(n, cores int) (Slice, error) {
	if c.Prepare != nil {
		if err := c.Prepare(n); err != nil {
			return Slice{}, err
		}
	}
	runtime.GOMAXPROCS(cores)
	defer runtime.GOMAXPROCS(1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	wall, cpu := time.Now(), CPU()
	err := c.run(n, cores)
	s := Slice{Ops: n, CPU: CPU() - cpu, Wall: time.Since(wall)}
	runtime.ReadMemStats(&after)
	s.Bytes, s.Allocs = after.TotalAlloc-before.TotalAlloc, after.Mallocs-before.Mallocs
	return s, err
}

func (c Case) run(n, workers int) error {
	if workers == 1 {
		return deeper(c.depth, func() error { return c.span(0, n) })
	}
	var wait sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		wait.Go(func() { errs[w] = deeper(c.depth, func() error { return c.span(n*w/workers, n*(w+1)/workers) }) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// deeper calls f from so many frames further down the stack.
//
//go:noinline
func deeper(frames int, f func() error) error {
	if frames == 0 {
		return f()
	}
	return deeper(frames-1, f)
}

func (c Case) span(from, to int) error {
	for i := from; i < to; i++ {
		if err := c.Op(i); err != nil {
			return err
		}
	}
	return nil
}
