package accel_test

import (
	"slices"
	"testing"
	"time"
)

// compare runs both in turns of a few milliseconds and reports the medians.
func compare(b *testing.B, standard, table func() bool) {
	b.Helper()
	const turn = 50
	var std, tab []float64
	measure := func(f func() bool) float64 {
		start := time.Now()
		for range turn {
			if !f() {
				b.Fatal("a good signature is refused")
			}
		}
		return float64(time.Since(start).Nanoseconds()) / turn
	}
	for b.Loop() {
		std, tab = append(std, measure(standard)), append(tab, measure(table))
	}
	slices.Sort(std)
	slices.Sort(tab)
	s, t := std[len(std)/2], tab[len(tab)/2]
	b.ReportMetric(0, "ns/op") // of both together: says nothing
	b.ReportMetric(s, "standard-ns")
	b.ReportMetric(t, "table-ns")
	b.ReportMetric(t/s, "ratio")
}
