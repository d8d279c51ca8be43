package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// demoResult is a line of the report of "signet demo --check".
type demoResult struct {
	Step         string  `json:"step"`
	Expected     string  `json:"expected"`
	Got          string  `json:"got"`
	Milliseconds float64 `json:"ms"`
	OK           bool    `json:"ok"`
}

// runDemoCheck starts a development stack of its own, plays the story of the calendar and
// the scheduler with it over plain HTTP, and reports every step.
func runDemoCheck(ctx context.Context, out io.Writer, asJSON bool, log *slog.Logger) (err error) {
	dir, err := os.MkdirTemp("", "signet-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	results, err := playDemo(ctx, devOptions{dataDir: dir, demo: true, log: log})
	if err != nil {
		return err
	}
	if err := writeDemo(out, results, asJSON); err != nil {
		return err
	}
	differ := 0
	for _, r := range results {
		if !r.OK {
			differ++
		}
	}
	if differ > 0 {
		return fmt.Errorf("%d of %d steps went otherwise than expected", differ, len(results))
	}
	return nil
}

// playDemo plays the story on a fresh stack, whose clock it moves when a step has to wait.
func playDemo(ctx context.Context, o devOptions) (results []demoResult, err error) {
	var ahead atomic.Int64
	o.now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	stack, err := startDevStack(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stack.stop()) }()
	ready, cancel := context.WithTimeout(ctx, devPatience)
	defer cancel()
	if err := stack.at.ready(ready, true); err != nil {
		return nil, err
	}
	s := newStory(stack.at, func(d time.Duration) { ahead.Add(int64(d)) })
	for _, step := range s.steps() {
		results = append(results, play(ctx, s, step))
	}
	return results, nil
}

// stepLimit is how long a step may take before it counts as failed.
const stepLimit = 10 * time.Second

func play(ctx context.Context, s *story, step storyStep) demoResult {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	s.took = 0
	start := time.Now()
	got, err := step.run(ctx)
	took := time.Since(start)
	if s.took > 0 {
		took = s.took
	}
	if err != nil {
		got = "error: " + err.Error()
	}
	return demoResult{
		Step: step.name, Expected: step.want, Got: got, OK: got == step.want,
		Milliseconds: math.Round(float64(took)/float64(time.Millisecond)*10) / 10,
	}
}

func writeDemo(out io.Writer, results []demoResult, asJSON bool) error {
	if asJSON {
		return writeJSON(out, results)
	}
	var rows [][]string
	for _, r := range results {
		mark := "ok"
		if !r.OK {
			mark = "DIFFERS"
		}
		rows = append(rows, []string{mark, r.Step, r.Expected, r.Got, strconv.FormatFloat(r.Milliseconds, 'f', 1, 64)})
	}
	return table(out, []string{" ", "STEP", "EXPECTED", "GOT", "MS"}, rows)
}
