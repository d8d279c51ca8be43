package verify_test

import (
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
)

// BenchmarkCache_Write writes the file of Cache with 100,000 rules, without a disk.
func BenchmarkCache_Write(b *testing.B) {
	const n = 100_000
	keys := newWorld(b).jwks(newSigner(b, "key"))
	s := verify.NewRuleSet()
	rules := manyRules(n)
	for i := range rules {
		rules[i].At = time.Unix(1_800_000_000, 0)
	}
	s.Add(rules, false)
	for b.Loop() {
		var size countWriter
		if err := verify.WriteCache(&size, s, keys); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(size)/n, "B/rule")
	}
}

type countWriter int

func (w *countWriter) Write(p []byte) (int, error) {
	*w += countWriter(len(p))
	return len(p), nil
}
