package verify

import (
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// Limits of the memory of verified tokens.
const (
	defaultMemory   = 8192
	maxMemory       = 1 << 22
	longestInMemory = 4 << 10 // bytes of a token
	ways            = 8       // places that one token can have: a line of the processor's cache
)

// tokenMemory remembers tokens whose signature held, so that the next request with the
// same token costs a comparison. A token is known by all its bytes. It is bounded: a
// token that finds no free place takes that of another. The hash has a seed of this
// process, so nobody outside can choose which.
//
// Only what can never change about a token is remembered. Time, audience, revocation and
// proof of a key are decided for each request. Tokens that failed leave no trace.
type tokenMemory struct {
	seed   maphash.Seed
	places []atomic.Pointer[knownToken] // ways of one set next to each other
}

// knownToken is a token that was verified.
type knownToken struct {
	parsed
	hash  uint64
	token string
	keys  *jose.KeySet // that verified it: a key that is gone has verified nothing

	// Between these times, in unix nanoseconds, checkTimes accepts the claims.
	from, until int64

	// cleared is the revision of the revocations in which no rule named the token.
	cleared atomic.Uint64
}

// hold notes the times in which the claims hold for a verifier with this leeway.
func (k *knownToken) hold(leeway time.Duration) {
	k.from = unixNano(k.claims.IssuedAt.Add(-maxLeeway))
	if !k.claims.NotBefore.IsZero() {
		k.from = max(k.from, unixNano(k.claims.NotBefore.Add(-leeway)))
	}
	k.until = unixNano(k.claims.ExpiresAt.Add(leeway))
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
	places := ways
	for places < tokens {
		places *= 2
	}
	return &tokenMemory{maphash.MakeSeed(), make([]atomic.Pointer[knownToken], places)}
}

// find returns what is known of a token that these keys have verified, or nil, and the
// hash to put it under.
func (m *tokenMemory) find(token string, keys *jose.KeySet) (*knownToken, uint64) {
	if m == nil || len(token) > longestInMemory {
		return nil, 0
	}
	hash := maphash.String(m.seed, token)
	set := m.set(hash)
	for i := range set {
		if k := set[i].Load(); k != nil && k.hash == hash && k.keys == keys && k.token == token {
			return k, hash
		}
	}
	return nil, hash
}

// set returns the places that a token can have.
func (m *tokenMemory) set(hash uint64) []atomic.Pointer[knownToken] {
	start := hash & uint64(len(m.places)-ways) // their number is a power of two
	return m.places[start : start+ways]
}

// put remembers a token that was accepted at the given time.
func (m *tokenMemory) put(k *knownToken, now time.Time) {
	if m == nil || len(k.token) > longestInMemory {
		return
	}
	set := m.set(k.hash)
	place := &set[k.hash>>61] // the highest bits: not those that chose the set
	for i := range set {
		old := set[i].Load()
		if old == nil || old.keys != k.keys || !now.Before(old.claims.ExpiresAt) {
			place = &set[i]
			break
		}
	}
	place.Store(k)
}

// sweep forgets the tokens of one of so many parts that are over, or whose keys are.
func (m *tokenMemory) sweep(part, parts int, keys *jose.KeySet, over time.Time) {
	if m == nil {
		return
	}
	for i := part; i < len(m.places); i += parts {
		k := m.places[i].Load()
		if k != nil && (k.keys != keys || k.claims.ExpiresAt.Before(over)) {
			m.places[i].CompareAndSwap(k, nil)
		}
	}
}
