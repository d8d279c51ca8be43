package verify

import "time"

// Status is what a verifier knows about itself, for health checks and metrics.
type Status struct {
	// Accepting is what a health page should look at: a good token would be accepted now. A
	// key that is not retired and the revocations are here, and they are not stale, or
	// InsecureAcceptStale was chosen. The ReplayStore is not asked.
	Accepting bool

	Ready       bool          // keys and all revocations were here at least once
	Stale       bool          // nothing was confirmed for longer than the limit
	Keys        []string      // "kid" of each key that is not retired
	Epoch       string        // of the revocation log
	Position    int64         // how far it has been read
	Rules       int           // revocations that are remembered
	ConfirmedAt time.Time     // when the rules were last known to be complete
	Staleness   time.Duration // since then; 0 if never
	LastTrouble string        // the last failure of the background work, or of the ReplayStore; it may be over
	TroubleAt   time.Time     // when that was, by the verifier's clock; zero if never

	Verified, Refused         uint64 // tokens
	KeyFetches, RulesReceived uint64
}

// Status returns the present state.
func (v *Verifier) Status() Status {
	s := Status{
		Verified: v.counters.verified.sum(), Refused: v.counters.refused.Load(),
		KeyFetches: v.counters.keyFetches.Load(), RulesReceived: v.counters.rulesReceived.Load(),
	}
	if keys := v.keys.Load(); keys != nil {
		for _, k := range keys.Keys() {
			if v.dead.Load().check(k.ID()) == nil {
				s.Keys = append(s.Keys, k.ID())
			}
		}
	}
	if p := v.position.Load(); p != nil {
		s.Epoch, s.Position = p.epoch, p.seq
	}
	if rules := v.rules.Load(); rules != nil {
		s.Rules = rules.size()
	}
	if heard := v.confirmed.Load(); heard != nil {
		now := v.now()
		s.Ready, s.Stale = true, v.stale(now, *heard)
		s.Accepting = len(s.Keys) > 0 && (!s.Stale || v.acceptStale)
		if s.ConfirmedAt = *heard; !heard.IsZero() {
			s.Staleness = max(0, now.Sub(*heard))
		}
	}
	if t := v.trouble.Load(); t != nil {
		s.LastTrouble, s.TroubleAt = t.text, t.at
	}
	return s
}

// trouble is a failure that no caller is told of.
type trouble struct {
	text string
	at   time.Time
}

func (v *Verifier) noteTrouble(text string) { v.trouble.Store(&trouble{text, v.now()}) }
