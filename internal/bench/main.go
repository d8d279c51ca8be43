//go:build unix

// Command bench measures the provider's endpoints against bare handlers in the same
// process and the same run, and prints the table of docs/measured.md.
//
//	go run ./internal/bench
//	go run ./internal/bench -postgres
//	go run ./internal/bench -start PATH-OF-SIGNET
//	go run ./internal/bench -ways
//
// A child process serves both: signet on one port; on another, handlers that do
// only HTTP, the same signatures and, where signet writes, one commit through the
// same gathering writer. The parent sends requests over loopback, case by case,
// round by round, and asks the child for the processor time that each slice took.
// Wall-clock time would measure the neighbours on a shared machine; the ratio of
// processor times within a round does not. With -postgres both sides use a PostgreSQL
// server of their own, whose processor time stands in columns of its own. Absolute figures are for this machine only.
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
	ways := flag.Bool("ways", false, "measure what a request costs a service: Basic, introspection, JWT, instead")
	postgres := flag.Bool("postgres", false, "on PostgreSQL instead of SQLite")
	flag.Parse()
	var err error
	switch {
	case *child:
		err = serveChild(*postgres)
	case *ways:
		err = measureWays(*rounds)
	case *binary != "":
		err = measureStart(*binary, *rounds)
	default:
		err = measure(*rounds, *slice, *postgres)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// used is processor time: that of the child, and that of PostgreSQL.
type used struct{ child, database time.Duration }

// sample is what a request of one case took in one round.
type sample struct{ ours, bare used }

func measure(rounds, slice int, postgres bool) error {
	target, err := startChild(postgres)
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
	fmt.Fprintln(w, "operation\tsignet µs\t+ database\tper core and second\tbare µs\t+ database\tbare/signet (median of ratios)\tbare does")
	micros := func(d time.Duration) float64 { return d.Seconds() * 1e6 }
	for i, c := range cases {
		ours := median(samples[i], func(s sample) float64 { return micros(s.ours.child) })
		oursDB := median(samples[i], func(s sample) float64 { return micros(s.ours.database) })
		bare := median(samples[i], func(s sample) float64 { return micros(s.bare.child) })
		bareDB := median(samples[i], func(s sample) float64 { return micros(s.bare.database) })
		ratio := median(samples[i], func(s sample) float64 { return s.bare.child.Seconds() / s.ours.child.Seconds() })
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.2f\t%s\n", c.name, ours, oursDB, 1e6/(ours+oursDB), bare, bareDB, ratio, c.bareDoes)
	}
	w.Flush()
}

func median(samples []sample, f func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = f(s)
	}
	return medianOf(values)
}

func medianOf(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
