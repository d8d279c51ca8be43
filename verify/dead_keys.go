package verify

import (
	"maps"
	"slices"
	"time"
)

// maxDeadKeys is how many retired keys are remembered besides those of the key set that
// is held. An issuer that rotates every month retires so many in 20 years.
const maxDeadKeys = 256

// deadKeys are the keys that a signed rule has retired, by "kid". They never come back.
// A rule is forgotten when no token of the issuer's can live that it names, but whoever
// stole a key writes any "exp", and can keep our old key set alive by cutting the line
// to a new one. Another epoch of the log does not change who has the key.
//
// It is never changed. Beyond the limit the oldest go, of those that verify nothing
// here: the issuer itself would have to publish them again.
type deadKeys map[string]*RevokedError

// check returns a *RevokedError if the key is dead.
func (d *deadKeys) check(kid string) error {
	if d == nil {
		return nil
	}
	if e, dead := (*d)[kid]; dead {
		revoked := *e
		return &revoked
	}
	return nil
}

// bury remembers the keys that rules retire. Only the feed's goroutine calls it.
func (v *Verifier) bury(rules []Rule, heard time.Time) {
	if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Kind == RuleKey }) {
		return
	}
	next := deadKeys{}
	if old := v.dead.Load(); old != nil {
		next = maps.Clone(*old)
	}
	for _, r := range rules {
		if r.Kind == RuleKey {
			next[r.ID] = &RevokedError{Rule: r, At: r.At, HeardAt: heard.UTC()}
		}
	}
	held := v.keys.Load()
	var others []*RevokedError
	for kid, e := range next {
		if _, ours := held.Key(kid); !ours {
			others = append(others, e)
		}
	}
	slices.SortFunc(others, func(a, b *RevokedError) int { return a.At.Compare(b.At) })
	for _, e := range others[:max(0, len(others)-maxDeadKeys)] {
		delete(next, e.Rule.ID)
	}
	v.dead.Store(&next)
	v.revision.Add(1)
}
