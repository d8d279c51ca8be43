package revocation

import (
	"maps"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// horizon is the rules that kill tokens by their time of issue, as far as they reach
// into the future. They reach a few seconds, so that no token of a node with a slow
// clock escapes. Whoever signs a new token, after a client was enabled again, must
// date it later than the rule, or it would be dead at birth. It is never changed.
type horizon struct {
	all     time.Time
	clients map[string]time.Time
}

// NotBefore returns the time that a client's token must be issued after, so that no
// rule that was made before it names it. It is zero nearly always.
func (h *Hub) NotBefore(clientID string) time.Time {
	z := h.horizon.Load()
	if t := z.clients[clientID]; t.After(z.all) {
		return t
	}
	return z.all
}

// foresee adds rules to the horizon and forgets what has passed. Only Run calls it.
func (h *Hub) foresee(rules []idp.Rule) {
	now, old := h.cfg.Now(), h.horizon.Load()
	next, news := &horizon{all: old.all, clients: maps.Clone(old.clients)}, false
	for _, r := range rules {
		switch {
		case !timed(r.Kind) || passed(r.Before, now):
			continue
		case r.Kind == idp.RuleAll:
			next.all = later(next.all, r.Before)
		default:
			if next.clients == nil {
				next.clients = make(map[string]time.Time)
			}
			next.clients[r.ID] = later(next.clients[r.ID], r.Before)
		}
		news = true
	}
	if !next.all.IsZero() && passed(next.all, now) {
		next.all, news = time.Time{}, true
	}
	maps.DeleteFunc(next.clients, func(_ string, t time.Time) bool {
		if passed(t, now) {
			news = true
		}
		return passed(t, now)
	})
	if news {
		h.horizon.Store(next)
	}
}

// passed: a token that is issued now, to the second, is later than t.
func passed(t, now time.Time) bool { return now.Unix() > t.Unix() }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
