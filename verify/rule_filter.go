package verify

import "sync/atomic"

// Nearly every token is named by no rule, so that is what must be cheap to find out: one
// look at a word of a flat table, and the maps only when two bits of it are set. With 16
// bits for each rule, that happens for one name of about 70 that no rule has.
const (
	filterBits = 16   // for each rule, at least
	minWords   = 1024 // of 64 bits
)

// ruleFilter says "no" only of names that no rule has. Bits are set before readers can see
// the rule, and never cleared: a set with many rules that are gone is replaced.
type ruleFilter struct {
	words []atomic.Uint64 // a power of two
	room  int             // rules that may still be added
}

func newRuleFilter(rules int) *ruleFilter {
	n := minWords
	for n*64 < 2*rules*filterBits { // half of it is for those to come
		n *= 2
	}
	return &ruleFilter{words: make([]atomic.Uint64, n), room: n * 64 / filterBits}
}

// place returns where the bits of a hash are. The low bits choose the shard.
func (f *ruleFilter) place(hash uint64) (word *atomic.Uint64, bits uint64) {
	return &f.words[hash>>12&uint64(len(f.words)-1)], 1<<(hash>>58) | 1<<(hash>>52&63)
}

func (f *ruleFilter) add(hash uint64) {
	word, bits := f.place(hash)
	word.Or(bits)
	f.room--
}

func (f *ruleFilter) has(hash uint64) bool {
	word, bits := f.place(hash)
	return word.Load()&bits == bits
}

// makeRoom replaces the filter if so many rules more do not fit. The caller holds mu.
func (s *ruleSet) makeRoom(more int) {
	if s.filter.Load().room >= more {
		return
	}
	f := newRuleFilter(s.size() + more)
	for n := range s.shards {
		if m := s.shards[n].Load(); m != nil {
			for key := range *m {
				f.add(s.hash(key.kind, key.id))
			}
		}
	}
	s.filter.Store(f)
}
