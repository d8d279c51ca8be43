package verify

import (
	"sync"
	"sync/atomic"
)

// tally is a number that many processors count up. Those that share a line of the cache
// wait for each other, so each has a part for itself, which the pool keeps for it; who
// comes new, or was forgotten by the pool, takes the next one.
type tally struct {
	parts [64]tallyPart
	next  atomic.Uint32
	own   sync.Pool
}

type tallyPart struct {
	atomic.Uint64
	_ [56]byte
}

func (t *tally) add() {
	part, ok := t.own.Get().(*tallyPart)
	if !ok {
		part = &t.parts[t.next.Add(1)%uint32(len(t.parts))]
	}
	part.Add(1)
	t.own.Put(part)
}

func (t *tally) sum() (n uint64) {
	for i := range t.parts {
		n += t.parts[i].Load()
	}
	return n
}

// count counts an answer.
func (v *Verifier) count(err error) {
	if err != nil {
		v.counters.refused.Add(1)
		return
	}
	v.counters.verified.add()
}
