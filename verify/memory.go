package verify

import (
	"hash/maphash"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// Limits of the memory of verified tokens.
const (
	defaultMemory   = 8192
	maxMemory       = 1 << 22
	longestInMemory = 4 << 10 // bytes of a token
	ways            = 8       // places that one token can have
	hashed          = 64      // bytes at the end of a token: of its signature, which no other has
)

// tokenMemory remembers tokens whose signature held, so that the next request with the
// same token costs a comparison. One that is accepted for the first time leaves only its
// hash: many come once, and they must not drive out those that come again. A token is
// known by all its bytes. It is bounded: a
// token that finds no free place takes that of another. The hash has a seed of this
// process, so nobody outside can choose which.
//
// Only what can never change about a token is remembered. Time, audience, revocation and
// proof of a key are decided for each request. Tokens that failed leave no trace.
type tokenMemory struct {
	seed maphash.Seed
	sets []tokenSet // a power of two
}

// tokenSet is the places that tokens can have whose hashes end alike. Of each token it has
// the beginning of its hash, a tag, and all tags stand in one line of the processor's
// cache: to learn that a token is not there, no other is read. A tag may not be that of the
// token beside it, for the two do not change at once; the token itself decides.
type tokenSet struct {
	once   [ways]atomic.Uint32 // tags of tokens that were accepted once; 0: free
	tags   [ways]atomic.Uint32 // of tokens that are remembered; 0: free
	tokens [ways]atomic.Pointer[knownToken]
}

// knownToken is a token that was verified.
type knownToken struct {
	token  string
	keys   *jose.KeySet // that verified it: a key that is gone has verified nothing
	claims *Claims

	// Between these times, in unix nanoseconds, checkTimes accepts the claims.
	from, until int64

	// cleared is the revision of the revocations in which no rule named the token.
	cleared atomic.Uint64
}

// newKnownToken makes a token that was read one that can be recognized. The token may be a
// small part of something large, so it is copied.
func newKnownToken(token string, keys *jose.KeySet, c *Claims, leeway time.Duration) *knownToken {
	k := &knownToken{token: strings.Clone(token), keys: keys, claims: c}
	k.from = unixNano(c.IssuedAt.Add(-maxLeeway))
	if !c.NotBefore.IsZero() {
		k.from = max(k.from, unixNano(c.NotBefore.Add(-leeway)))
	}
	k.until = unixNano(c.ExpiresAt.Add(leeway))
	return k
}

// holds reports whether checkTimes accepts the claims now. It says no, too, where
// nanoseconds do not reach: centuries from today.
func (k *knownToken) holds(now time.Time) bool {
	n := unixNano(now)
	return n >= k.from && n < k.until
}

// unixNano is t.UnixNano, or as near as can be for times that it is not defined for.
func unixNano(t time.Time) int64 {
	switch seconds := t.Unix(); {
	case seconds >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	case seconds <= math.MinInt64/int64(time.Second):
		return math.MinInt64
	}
	return t.UnixNano()
}

// newTokenMemory makes room for at least so many tokens; nil remembers nothing.
func newTokenMemory(tokens int) *tokenMemory {
	if tokens == 0 {
		return nil
	}
	sets := 1
	for sets*ways < tokens {
		sets *= 2
	}
	return &tokenMemory{maphash.MakeSeed(), make([]tokenSet, sets)}
}

// find returns what is known of a token that these keys have verified, or nil, and the
// hash to put it under: 0 if it is never remembered.
func (m *tokenMemory) find(token string, keys *jose.KeySet) (*knownToken, uint64) {
	if m == nil || len(token) > longestInMemory {
		return nil, 0
	}
	hash := max(maphash.String(m.seed, token[max(0, len(token)-hashed):]), 1)
	set, tag := m.place(hash)
	for i := range set.tags {
		if set.tags[i].Load() != tag {
			continue
		}
		if k := set.tokens[i].Load(); k != nil && k.keys == keys && k.token == token {
			return k, hash
		}
	}
	return nil, hash
}

// place is where a token of this hash may be, and by what tag: by its low bits and by its
// high ones.
func (m *tokenMemory) place(hash uint64) (*tokenSet, uint32) {
	return &m.sets[hash&uint64(len(m.sets)-1)], max(uint32(hash>>32), 1)
}

// away is which of the places a token takes if none is free.
func away(tag uint32) int { return int(tag % ways) }

// again reports whether a token of this hash was accepted before, and notes that one was.
func (m *tokenMemory) again(hash uint64) bool {
	if hash == 0 {
		return false
	}
	set, tag := m.place(hash)
	at := away(tag)
	for i := range set.once {
		switch set.once[i].Load() {
		case tag:
			set.once[i].Store(0)
			return true
		case 0:
			at = i
		}
	}
	set.once[at].Store(tag)
	return false
}

// put remembers a token that was accepted.
func (m *tokenMemory) put(k *knownToken, hash uint64) {
	set, tag := m.place(hash)
	at := away(tag)
	for i := range set.tags {
		if t := set.tags[i].Load(); t == 0 || t == tag {
			at = i
			break
		}
	}
	set.tokens[at].Store(k)
	set.tags[at].Store(tag)
}

// sweep forgets the tokens of one of so many parts that are over, or whose keys are.
func (m *tokenMemory) sweep(part, parts int, keys *jose.KeySet, over time.Time) {
	if m == nil {
		return
	}
	for n := part; n < len(m.sets); n += parts {
		for i := range m.sets[n].tokens {
			token := &m.sets[n].tokens[i]
			k := token.Load()
			if k != nil && (k.keys != keys || k.claims.ExpiresAt.Before(over)) && token.CompareAndSwap(k, nil) {
				m.sets[n].tags[i].Store(0)
			}
		}
	}
}
