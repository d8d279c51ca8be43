package verify_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
)

func at(n int64) time.Time { return time.Unix(n, 0).UTC() }

// TOK-13: the result does not depend on order, repetition or how the rules are grouped.
func TestRuleSet_OrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rules := []verify.Rule{
		{Seq: 1, Kind: verify.RuleClient, ID: "c", Before: at(100), At: at(1), Until: at(500)},
		{Seq: 2, Kind: verify.RuleClient, ID: "c", Before: at(50), At: at(2), Until: at(900)},
		{Seq: 3, Kind: verify.RuleClient, ID: "c", Before: at(100), At: at(3), Until: at(100)},
		{Seq: 4, Kind: verify.RuleGrant, ID: "c", At: at(4), Until: at(100)},
		{Seq: 5, Kind: verify.RuleGrant, ID: "c", At: at(5), Until: at(200)},
		{Seq: 6, Kind: verify.RuleAll, Before: at(10), At: at(6), Until: at(100)},
	}
	for range 50 {
		s := verify.NewRuleSet()
		for range 3 {
			rand.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
			for _, r := range rules {
				s.Add([]verify.Rule{r}, rand.IntN(2) == 0)
			}
		}
		if s.Size() != 3 {
			t.Fatalf("%d rules", s.Size())
		}
		for name, tc := range map[string]struct {
			claims verify.Claims
			seq    int64 // of the rule; 0: none
		}{
			"client, at before": {verify.Claims{ClientID: "c", IssuedAt: at(100)}, 1},
			"client, after":     {verify.Claims{ClientID: "c", IssuedAt: at(101)}, 0},
			"grant":             {verify.Claims{GrantID: "c", IssuedAt: at(101)}, 4},
			"other kind":        {verify.Claims{SessionID: "c", ID: "c", KeyID: "c", IssuedAt: at(101)}, 0},
			"all":               {verify.Claims{IssuedAt: at(10)}, 6},
			"all, after":        {verify.Claims{IssuedAt: at(11)}, 0},
		} {
			var revoked *verify.RevokedError
			err := s.Check(&tc.claims)
			if errors.As(err, &revoked) && revoked.Rule.Seq != tc.seq || (err == nil) != (tc.seq == 0) {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	s := verify.NewRuleSet()
	s.Add(rules, true)
	s.Forget(at(501))
	if s.Size() != 1 || s.Check(&verify.Claims{GrantID: "c", IssuedAt: at(1000)}) != nil || s.Check(&verify.Claims{ClientID: "c", IssuedAt: at(100)}) == nil {
		t.Errorf("after forgetting: %d rules", s.Size())
	}
}

// Readers see every rule from the moment that add returns, while others are added.
func TestRuleSet_ReadersBesideAWriter(t *testing.T) {
	t.Parallel()
	s := verify.NewRuleSet()
	const n = 5000
	added := make(chan int, n)
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for i := range added {
				if s.Check(&verify.Claims{ID: fmt.Sprint(i)}) == nil {
					t.Errorf("rule %d is missing", i)
				}
				_ = s.Check(&verify.Claims{ID: fmt.Sprint(i + 1), GrantID: "g", KeyID: "k"})
			}
		})
	}
	for i := range n {
		s.Add([]verify.Rule{{Seq: int64(i + 1), Kind: verify.RuleJTI, ID: fmt.Sprint(i), Until: at(int64(i))}}, true)
		added <- i
	}
	close(added)
	readers.Wait()
	for i := range n {
		if s.Check(&verify.Claims{ID: fmt.Sprint(i)}) == nil {
			t.Fatalf("rule %d is gone", i)
		}
	}
	s.Forget(at(n))
	if s.Size() != 0 {
		t.Errorf("%d rules left", s.Size())
	}
}
