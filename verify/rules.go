package verify

import (
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// RuleKind says what a revocation rule names.
type RuleKind string

// The kinds. What the first four name is dead for ever; client and all kill the tokens
// that were issued until Before.
const (
	RuleJTI     RuleKind = "jti"     // one token
	RuleGrant   RuleKind = "grant"   // one authorization and its tokens
	RuleSession RuleKind = "session" // one login and its tokens
	RuleKey     RuleKind = "key"     // all tokens of a signing key
	RuleClient  RuleKind = "client"  // all tokens of a client
	RuleAll     RuleKind = "all"     // all tokens
)

// Rule is one revocation. Its ID is empty for RuleAll.
type Rule struct {
	Seq    int64 // place in the issuer's log
	Kind   RuleKind
	ID     string
	Before time.Time // RuleClient and RuleAll: tokens issued until then, to the second
	At     time.Time // when it was made
	Until  time.Time // no token that it names lives longer
}

// fate says of a token what rules of the kind say, in words for people.
func (k RuleKind) fate() string {
	switch k {
	case RuleJTI:
		return "its token id was revoked"
	case RuleGrant, RuleSession, RuleClient, RuleKey:
		return "its " + string(k) + " was revoked"
	}
	return "all tokens were revoked"
}

// timed reports whether rules of the kind have a Before.
func (k RuleKind) timed() bool { return k == RuleClient || k == RuleAll }

// kinds are the kinds in the order of a ruleSet's counts.
var kinds = [...]RuleKind{RuleAll, RuleKey, RuleClient, RuleSession, RuleGrant, RuleJTI}

// number returns a kind's place in kinds.
func (k RuleKind) number() (int, bool) {
	for n, kind := range kinds {
		if kind == k {
			return n, true
		}
	}
	return 0, false
}

// shardCount is how many maps share the rules: at a million rules a new one copies some
// 250 entries.
const shardCount = 4096

// ruleSet holds the live rules. Readers take no lock: each shard is an immutable map
// behind an atomic pointer, and a change replaces the one map it concerns.
type ruleSet struct {
	seed   maphash.Seed
	counts [len(kinds)]atomic.Int64 // by kind; readers skip kinds that have no rule
	filter atomic.Pointer[ruleFilter]
	shards [shardCount]atomic.Pointer[map[ruleKey]entry]
	mu     sync.Mutex // held by writers only
}

type ruleKey struct {
	kind int // its number
	id   string
}

// entry is a rule without its key. Times are unix: before and until in seconds, the
// others in milliseconds.
type entry struct {
	seq, before, at, until, heard int64
}

func newRuleSet() *ruleSet {
	s := &ruleSet{seed: maphash.MakeSeed()}
	s.filter.Store(newRuleFilter(0))
	return s
}

// hash of a name: one for the shard and the filter.
func (s *ruleSet) hash(kind int, id string) uint64 {
	return maphash.String(s.seed, id) + uint64(kind)*0x9e3779b97f4a7c15
}

func (s *ruleSet) find(kind int, id string) (entry, bool) {
	if s.counts[kind].Load() == 0 {
		return entry{}, false
	}
	h := s.hash(kind, id)
	if !s.filter.Load().has(h) {
		return entry{}, false
	}
	m := s.shards[h%shardCount].Load()
	if m == nil {
		return entry{}, false
	}
	e, ok := (*m)[ruleKey{kind, id}]
	return e, ok
}

// check returns a *RevokedError if a rule names the token. It looks at what the token
// says, never at its text: a signature can be written in more than one way.
func (s *ruleSet) check(c *Claims) error {
	for n, id := range [...]string{"", c.KeyID, c.ClientID, c.SessionID, c.GrantID, c.ID} { // as in kinds
		e, ok := s.find(n, id)
		if !ok || kinds[n].timed() && c.IssuedAt.Unix() > e.before {
			continue
		}
		r := Rule{Seq: e.seq, Kind: kinds[n], ID: id, At: time.UnixMilli(e.at).UTC(), Until: time.Unix(e.until, 0).UTC()}
		if r.Kind.timed() {
			r.Before = time.Unix(e.before, 0).UTC()
		}
		return &RevokedError{Rule: r, At: r.At, HeardAt: time.UnixMilli(e.heard).UTC()}
	}
	return nil
}

// keyRevoked reports whether a rule names the signing key.
func (s *ruleSet) keyRevoked(kid string) bool {
	_, ok := s.find(1, kid)
	return ok
}

// size returns the number of rules.
func (s *ruleSet) size() int {
	n := int64(0)
	for i := range s.counts {
		n += s.counts[i].Load()
	}
	return int(n)
}

// add puts rules in. shared says that readers see the set already; before that the maps
// are filled in place, so that a first snapshot of a million rules copies nothing.
func (s *ruleSet) add(rules []Rule, heard time.Time, shared bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(len(rules))
	byShard, filter := make(map[uint64][]Rule), s.filter.Load()
	for _, r := range rules {
		if kind, ok := r.Kind.number(); ok { // parseBatch lets no other kind through
			h := s.hash(kind, r.ID)
			filter.add(h)
			byShard[h%shardCount] = append(byShard[h%shardCount], r)
		}
	}
	for n, some := range byShard {
		m := make(map[ruleKey]entry, len(some))
		if old := s.shards[n].Load(); old != nil && shared {
			m = maps.Clone(*old)
		} else if old != nil {
			m = *old
		}
		for _, r := range some {
			s.put(m, r, heard)
		}
		s.shards[n].Store(&m)
	}
}

func (s *ruleSet) put(m map[ruleKey]entry, r Rule, heard time.Time) {
	n, _ := r.Kind.number()
	key := ruleKey{n, r.ID}
	e := entry{seq: r.Seq, at: r.At.UnixMilli(), until: r.Until.Unix(), heard: heard.UnixMilli()}
	if r.Kind.timed() {
		e.before = r.Before.Unix()
	}
	old, known := m[key]
	if known {
		e = merge(old, e)
	} else {
		s.counts[key.kind].Add(1) // before readers can see the map
	}
	m[key] = e
}

// merge keeps of two rules with one name what kills more. Its result does not depend on
// the order in which they came.
func merge(a, b entry) entry {
	if b.before > a.before || b.before == a.before && b.seq < a.seq {
		a, b = b, a
	}
	a.until = max(a.until, b.until)
	return a
}

// forget drops what was over before the given time from the shards [first, last). It
// holds the writers' lock for one of them at a time, which is some 250 rules of a million.
func (s *ruleSet) forget(first, last int, over time.Time) {
	for n := first; n < last; n++ {
		s.forgetShard(n, over.Unix())
	}
}

func (s *ruleSet) forgetShard(n int, limit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.shards[n].Load()
	if old == nil {
		return
	}
	dead := 0
	for _, e := range *old {
		if e.until < limit {
			dead++
		}
	}
	if dead == 0 {
		return
	}
	m := make(map[ruleKey]entry, len(*old)-dead) // a map that is only emptied keeps its size
	for key, e := range *old {
		if e.until >= limit {
			m[key] = e
			continue
		}
		s.counts[key.kind].Add(-1)
	}
	s.shards[n].Store(&m)
}
