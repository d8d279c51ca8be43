package verify

import (
	"io"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// Seams for tests.

// ParseBatch reads the payload of a feed message and returns what it says about the log.
func ParseBatch(payload []byte) (from, to, head int64, rules []Rule, err error) {
	b, err := parseBatch(payload)
	return b.from, b.to, b.head, b.rules, err
}

// ReadEvents returns the events of a stream as "kind:data" and the error at its end.
func ReadEvents(r io.Reader) (events []string, err error) {
	in := newEventReader(r)
	for {
		e, err := in.next()
		if err != nil {
			return events, err
		}
		events = append(events, e.kind+":"+string(e.data))
	}
}

// RuleSet is a set of rules without a feed.
type RuleSet struct{ s *ruleSet }

// NewRuleSet makes an empty set.
func NewRuleSet() RuleSet { return RuleSet{newRuleSet()} }

// Add puts rules in.
func (s RuleSet) Add(rules []Rule, shared bool) { s.s.add(rules, time.Unix(1, 0), shared) }

// Check asks about a token.
func (s RuleSet) Check(c *Claims) error { return s.s.check(c) }

// Forget drops what was over before a time.
func (s RuleSet) Forget(over time.Time) { s.s.forget(0, shardCount, over) }

// ForgetPart is one of the steps that Run takes.
func (s RuleSet) ForgetPart(step, steps int, over time.Time) {
	s.s.forget(step*shardCount/steps, (step+1)*shardCount/steps, over)
}

// Size returns the number of rules.
func (s RuleSet) Size() int { return s.s.size() }

// Dump returns all rules of a verifier by kind and id, as numbers.
func Dump(v *Verifier) map[string][4]int64 {
	out := map[string][4]int64{}
	if s := v.rules.Load(); s != nil {
		for n := range s.shards {
			if m := s.shards[n].Load(); m != nil {
				for k, e := range *m {
					out[string(kinds[k.kind])+" "+k.id] = [4]int64{e.seq, e.before, e.at, e.until}
				}
			}
		}
	}
	return out
}

// DeadKeys returns the keys that a verifier remembers as retired.
func DeadKeys(v *Verifier) map[string]bool {
	out := map[string]bool{}
	if dead := v.dead.Load(); dead != nil {
		for kid := range *dead {
			out[kid] = true
		}
	}
	return out
}

// Remembered returns the number of tokens that a verifier remembers.
func Remembered(v *Verifier) (n int) {
	for i := range v.memory.sets {
		for j := range v.memory.sets[i].tokens {
			if v.memory.sets[i].tokens[j].Load() != nil {
				n++
			}
		}
	}
	return n
}

// Holds says about a time whether a remembered token holds then, and whether its claims do
// when they are looked at.
func Holds(now time.Time, c Claims, leeway time.Duration) (remembered, checked bool) {
	v, k := &Verifier{leeway: leeway}, newKnownToken("", nil, &c, leeway)
	return k.holds(now), v.checkTimes(now, c.IssuedAt, c.NotBefore, c.ExpiresAt) == nil
}

// ParseFlat reads a plain payload, without help from ParseClaims.
func ParseFlat(doc string) (*Claims, bool) {
	var p parsed
	ok := parseFlat(doc, &p)
	return &p.claims, ok
}

// CacheLimit sets how many bytes a cache may have.
func CacheLimit(n int64) Option { return func(v *Verifier) { v.cache.limit = n } }

// WriteCache writes what the file of Cache would hold.
func WriteCache(out io.Writer, s RuleSet, jwks string) error {
	keys, err := jose.ParseKeySet([]byte(jwks))
	if err != nil {
		return err
	}
	v := &Verifier{issuer: "i", cache: cache{limit: cacheBytes}}
	return v.writeCache(out, &checkpoint{epoch: "e", confirmed: 1, set: s.s}, keys)
}

// ReadCache reads what WriteCache wrote, and returns the number of rules.
func ReadCache(in io.Reader) (rules int, err error) {
	c, err := readCache(in, "i", time.Unix(1, 0))
	if c == nil {
		return 0, err
	}
	return c.set.size(), err
}

// ParseBundle reads the payload of a bundle, and returns the number of rules.
func ParseBundle(payload []byte) (rules int, err error) {
	b, err := parseBundle(payload)
	return len(b.rules), err
}

// Misplace puts what is known of one token under the hash of another, as if both had the
// same.
func Misplace(v *Verifier, token, other string) {
	k, _ := v.memory.find(token, v.keys.Load())
	_, hash := v.memory.find(other, v.keys.Load())
	set, tag := v.memory.place(hash)
	set.tokens[0].Store(k)
	set.tags[0].Store(tag)
}

// FlatText reads a string at the beginning of doc, and says where it ended, as a payload is
// read in one pass.
func FlatText(doc string) (s string, end int) { return (&flat{doc: doc}).text(0) }
