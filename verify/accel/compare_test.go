package accel_test

import (
	"slices"
	"testing"
	"time"
)

// compare runs both in turns and reports the lower tenths: whatever else runs on the
// machine only adds to them. The turns are short, and about equally long, so that they are
// interrupted equally often.
func compare(b *testing.B, standard, table func() bool) {
	b.Helper()
	var std, tab []float64
	measure := func(f func() bool, times int) float64 {
		start := time.Now()
		for range times {
			if !f() {
				b.Fatal("a good signature is refused")
			}
		}
		return float64(time.Since(start).Nanoseconds()) / float64(times)
	}
	for b.Loop() {
		std, tab = append(std, measure(standard, 2)), append(tab, measure(table, 8))
	}
	slices.Sort(std)
	slices.Sort(tab)
	s, t := std[len(std)/10], tab[len(tab)/10]
	b.ReportMetric(0, "ns/op") // of both together: says nothing
	b.ReportMetric(s, "standard-ns")
	b.ReportMetric(t, "table-ns")
	b.ReportMetric(t/s, "ratio")
}
