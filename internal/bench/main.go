//go:build unix

// Command bench measures the provider's endpoints against bare handlers in the same
// process and the same run, and prints the table of docs/measured.md.
//
//	go run ./internal/bench
//	go run ./internal/bench -start PATH-OF-SIGNET
//
// A child process serves both: signet on one port; on another, handlers that do
// only HTTP, the same signatures and, where signet writes, one commit through the
// same gathering writer. The parent sends requests over loopback, case by case,
// round by round, and asks the child for the processor time that each slice took.
// Wall-clock time would measure the neighbours on a shared machine; the ratio of
// processor times within a round does not. Absolute figures are for this machine only.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	child := flag.Bool("child", false, "serve (started by the command itself)")
	rounds := flag.Int("rounds", 9, "rounds; each runs every case once")
	slice := flag.Int("slice", 640, "requests of a case in a round")
	binary := flag.String("start", "", "measure how fast this signet starts and what it keeps in memory, instead")
	flag.Parse()
	var err error
	switch {
	case *child:
		err = serveChild()
	case *binary != "":
		err = measureStart(*binary, *rounds)
	default:
		err = measure(*rounds, *slice)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// sample is the processor time per request of one case in one round.
type sample struct{ ours, bare time.Duration }

func measure(rounds, slice int) error {
	target, err := startChild()
	if err != nil {
		return err
	}
	defer target.stop()
	cases, err := target.cases()
	if err != nil {
		return err
	}
	samples := make([][]sample, len(cases))
	for round := range rounds + 1 {
		for i, c := range cases {
			s, err := target.slice(c, slice)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 { // the first round warms up
				samples[i] = append(samples[i], s)
			}
		}
	}
	print(cases, samples)
	return nil
}

func print(cases []benchCase, samples [][]sample) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "operation\tsignet µs\tper core and second\tbare µs\tbare/signet (median of ratios)\tbare does")
	for i, c := range cases {
		ours := median(samples[i], func(s sample) float64 { return s.ours.Seconds() * 1e6 })
		bare := median(samples[i], func(s sample) float64 { return s.bare.Seconds() * 1e6 })
		ratio := median(samples[i], func(s sample) float64 { return s.bare.Seconds() / s.ours.Seconds() })
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%.2f\t%s\n", c.name, ours, 1e6/ours, bare, ratio, c.bareDoes)
	}
	w.Flush()
}

func median(samples []sample, f func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = f(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
