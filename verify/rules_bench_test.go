package verify_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
)

// manyRules are n rules as they come: mostly grants, sessions and single tokens, named by
// 22 characters. They are over between the first and the last second of an hour.
func manyRules(n int) []verify.Rule {
	kinds := []verify.RuleKind{verify.RuleGrant, verify.RuleGrant, verify.RuleSession, verify.RuleJTI}
	rules := make([]verify.Rule, n)
	for i := range rules {
		rules[i] = verify.Rule{Seq: int64(i + 1), Kind: kinds[i%len(kinds)], ID: fmt.Sprintf("%022d", i), Until: at(int64(i * 3600 / n))}
	}
	if n > 10 {
		rules[7].Kind, rules[8].Kind = verify.RuleKey, verify.RuleClient
		rules[8].Before = at(1)
	}
	return rules
}

// manyClaims are tokens that no rule names.
func manyClaims() []*verify.Claims {
	all := make([]*verify.Claims, 4096)
	for i := range all {
		name := func(part int) string { return fmt.Sprintf("token %06d claim %02d", i, part) }
		all[i] = &verify.Claims{ID: name(1), GrantID: name(2), SessionID: name(3), ClientID: "client", KeyID: "key", IssuedAt: at(100)}
	}
	return all
}

// BenchmarkRules_Lookup asks whether a token is revoked, beside one bare signature check
// in the same run: "/ed25519" is the part of it.
func BenchmarkRules_Lookup(b *testing.B) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	message := make([]byte, 620)
	signature := ed25519.Sign(private, message)
	claims := manyClaims()
	for _, n := range []int{0, 1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := verify.NewRuleSet()
			s.Add(manyRules(n), false)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := s.Check(claims[i%len(claims)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			each := b.Elapsed() / time.Duration(b.N)
			const rounds = 2000
			begun := time.Now()
			for range rounds {
				if !ed25519.Verify(public, message, signature) {
					b.Fatal("signature")
				}
			}
			b.ReportMetric(float64(each)/float64(time.Since(begun)/rounds), "/ed25519")
		})
	}
}

// BenchmarkRules_Memory reports what a rule costs, its name included.
func BenchmarkRules_Memory(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		rules := manyRules(n)
		before := heap()
		names := 22 * n // strings are shared with rules
		s := verify.NewRuleSet()
		s.Add(rules, false)
		b.ReportMetric(float64(heap()-before+int64(names))/n, "B/rule")
		runtime.KeepAlive(rules)
		runtime.KeepAlive(s)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkRules_Forget drops a million rules in the steps that Run takes, one a second.
// Readers wait for none of them, a new rule for a part of one. On a machine with other
// work the longest says more about that; the middle one does not.
func BenchmarkRules_Forget(b *testing.B) {
	const n, steps = 1_000_000, 64
	for b.Loop() {
		s := verify.NewRuleSet()
		s.Add(manyRules(n), false)
		var took []time.Duration
		for over := 0; over <= 3600; over += 300 {
			for step := range steps {
				begun := time.Now()
				s.ForgetPart(step, steps, at(int64(over+1)))
				took = append(took, time.Since(begun))
			}
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)-1])/1e6, "longest-ms")
		b.ReportMetric(float64(took[len(took)/2])/1e6, "middle-ms")
		b.ReportMetric(float64(s.Size()), "left")
	}
}

// A new rule must not copy the others: its cost hardly depends on their number.
func BenchmarkRules_AddToAMillion(b *testing.B) {
	s := verify.NewRuleSet()
	s.Add(manyRules(1_000_000), false)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Add([]verify.Rule{{Seq: int64(1_000_000 + i), Kind: verify.RuleGrant, ID: fmt.Sprint(i), Until: at(1)}}, true)
	}
}
