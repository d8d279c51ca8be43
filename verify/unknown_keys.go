package verify

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"
)

// unknownKeys remembers which tokens named a key that nobody knows, so that one that
// comes again and again does not keep the issuer busy: each name asks again after 30
// seconds, then after a minute, and so on up to ten; the regular fetch looks anyway. Any
// fetch that brings the key ends the question.
//
// A name is the hash of the token's header under a seed of this process. There is one
// place for each of 256 hashes and nothing grows: whoever floods us with made-up names
// drives others out, and what is forgotten may only ask again. Then the pause between any
// two fetches is what counts.
type unknownKeys struct {
	seed   maphash.Seed
	places [256]atomic.Pointer[unknownKey]
}

type unknownKey struct {
	header uint64
	again  time.Time // when it may ask again
	pause  time.Duration
}

func newUnknownKeys() *unknownKeys { return &unknownKeys{seed: maphash.MakeSeed()} }

// ask reports whether the key that the token names is worth a fetch.
func (u *unknownKeys) ask(token string, now time.Time) bool {
	header, _, _ := strings.Cut(token, ".")
	h := maphash.String(u.seed, header)
	place, pause := &u.places[h%uint64(len(u.places))], keyPause
	if k := place.Load(); k != nil && k.header == h {
		if left := k.again.Sub(now); left > 0 && left <= k.pause { // more: the clock was set back
			return false
		}
		pause = min(2*k.pause, 2*keyRefresh)
	}
	place.Store(&unknownKey{h, now.Add(pause), pause})
	return true
}

// askForKeyOf wishes for the key that a token names.
func (v *Verifier) askForKeyOf(token string) {
	if v.unknown.ask(token, v.now()) {
		v.askForKeys()
	}
}
