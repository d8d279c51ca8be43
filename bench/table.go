package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/signet-id/signet/bench/measure"
	"github.com/signet-id/signet/bench/reader"
)

// report is all that was measured.
type report struct {
	plan
	algorithms []algorithm
	rules      []measure.Series
}

// algorithm is what was measured with one algorithm.
type algorithm struct {
	name    string
	length  int              // bytes of a token
	series  []measure.Series // bare first
	missing []string         // libraries that do not have it
}

// find returns the series of a case.
func (a algorithm) find(name string) (measure.Series, bool) {
	n := slices.IndexFunc(a.series, func(s measure.Series) bool { return s.Name == name })
	if n < 0 {
		return measure.Series{}, false
	}
	return a.series[n], true
}

// markdown writes the tables of the documentation.
func (r report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Processor time of one check, median of %d rounds in one process; ratios are medians of ratios within a round. %s, %s/%s.\n",
		r.Rounds, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, a := range r.algorithms {
		fmt.Fprintf(&b, "\n### %s, %d bytes\n\n", a.name, a.length)
		b.WriteString(a.table())
		if _, ours := a.find(reader.Ours.Name); ours && strings.HasPrefix(a.name, "HS") {
			b.WriteString("\nWith a secret, signet verify is `jose.SecretSet` and `verify.ParseClaims`, without revocations.\n")
		}
		if len(a.missing) > 0 {
			fmt.Fprintf(&b, "\nWithout %s: %s.\n", a.name, strings.Join(a.missing, ", "))
		}
	}
	fmt.Fprintf(&b, "\n### Revocation rules, EdDSA\n\n| signet verify with | CPU, µs | ÷ without rules | bytes | allocations |\n|---|---|---|---|---|\n")
	for n, s := range r.rules {
		base := r.rules[n%2] // first sight and seen before take turns
		fmt.Fprintf(&b, "| %s | %s | %.2f | %.0f | %.1f |\n", s.Name, micros(s.CPU()), s.Ratio(base), s.Bytes(), s.Allocs())
	}
	return b.String()
}

func (a algorithm) table() string {
	var b strings.Builder
	b.WriteString("| reader | CPU, µs | half of the rounds | ÷ bare crypto | ÷ signet verify | bytes | allocations | two cores |\n|---|---|---|---|---|---|---|---|\n")
	bare := a.series[0]
	ours, haveOurs := a.find(reader.Ours.Name)
	for _, s := range a.series {
		low, high := s.Spread()
		than := "-"
		if haveOurs {
			than = ratio(s.Ratio(ours))
		}
		fmt.Fprintf(&b, "| %s | %s | %s to %s | %s | %s | %.0f | %.1f | %s |\n", s.Name, micros(s.CPU()),
			micros(low*s.CPU()), micros(high*s.CPU()), ratio(s.Ratio(bare)), than, s.Bytes(), s.Allocs(), speedUp(s))
	}
	return b.String()
}

func speedUp(s measure.Series) string {
	if s.SpeedUp() == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f ×", s.SpeedUp())
}

// ratio keeps the digits that say something.
func ratio(x float64) string {
	if x < 0.1 {
		return fmt.Sprintf("%.4f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// micros writes nanoseconds as microseconds with three digits.
func micros(ns float64) string {
	us := ns / 1000
	switch {
	case us < 10:
		return fmt.Sprintf("%.2f", us)
	case us < 100:
		return fmt.Sprintf("%.1f", us)
	}
	return fmt.Sprintf("%.0f", us)
}
