package keyring

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// Policy says how long each part of a key's life is.
type Policy struct {
	Lead     time.Duration // published before it signs, at least
	Ahead    time.Duration // published before it signs if there is no hurry
	Active   time.Duration // signs
	Retiring time.Duration // still published after it has signed for the last time
	Hints    time.Duration // the public half is kept after that, for old ID tokens
}

const (
	// jwksMaxAge is how long a key set may lie in a cache, verifierRefresh how often
	// verifiers ask for it, leeway what they forgive a clock.
	jwksMaxAge      = 5 * time.Minute
	verifierRefresh = 5 * time.Minute
	leeway          = time.Minute

	minLead = time.Hour
	day     = 24 * time.Hour

	// clockMargin: the clock of the node that noted when a key signed last, of the one
	// that signed then, of the one that retires it and of a verifier may each be 5
	// minutes off, all in the worst direction.
	clockMargin = 20 * time.Minute
)

// NewPolicy fits the schedule to the longest life of a token, and to how long a login
// or a grant may last: as old can an ID token be that comes back as a hint.
func NewPolicy(token, login time.Duration) Policy {
	return Policy{
		Lead:     max(minLead, jwksMaxAge+verifierRefresh+leeway),
		Ahead:    day, // also for those who read key sets once a day
		Active:   30 * day,
		Retiring: token + 2*leeway + clockMargin,
		Hints:    max(90*day, login),
	}
}

// Do is a step in the life of a key.
type Do string

// The steps. Each is done by one conditional update.
const (
	Stage    Do = "stage"     // make the successor of Key, to sign from ActiveAt
	HandOver Do = "hand over" // Next signs instead of Key
	Finish   Do = "finish"    // Key is retired
	Forget   Do = "forget"    // Key's row goes
)

// Action is what is to be done now.
type Action struct {
	Do       Do
	Key      idp.SigningKey
	Next     string
	ActiveAt time.Time
}

// Plan says what is due at now. It knows nothing but the rows: a node may have been off,
// its clock may have been set back or stand still, and another node may do the same work.
// No step leaves an algorithm without a key that is published and signs.
//
// Times that lie ahead are left alone: whether they are wrong or this clock is, a node
// cannot know. The key then signs for longer, until an operator says rotate.
func Plan(rows []idp.SigningKey, now time.Time, p Policy) []Action {
	var due []Action
	for _, alg := range known {
		due = append(due, p.advance(live(rows, alg), now)...)
	}
	for _, k := range rows {
		switch {
		case !knows(k):
		case !k.RetiredAt.IsZero():
			if !now.Before(k.RetiredAt.Add(p.Hints)) {
				due = append(due, Action{Do: Forget, Key: k})
			}
		case !k.RetiringAt.IsZero() && !now.Before(k.RetiringAt.Add(p.Retiring)):
			due = append(due, Action{Do: Finish, Key: k})
		}
	}
	return due
}

// advance plans for the keys of one algorithm that sign or will, in order. One step of an
// algorithm at a time: the next one is planned from what is stored then.
func (p Policy) advance(keys []idp.SigningKey, now time.Time) []Action {
	if len(keys) == 0 {
		return nil // Reload makes one: that cannot wait for a schedule
	}
	signs := keys[0]
	if len(keys) == 1 {
		due := signs.ActiveAt.Add(p.Active)
		if now.Before(due.Add(-p.Ahead)) {
			return nil
		}
		return []Action{{Do: Stage, Key: signs, ActiveAt: later(due, now.Add(p.Lead))}}
	}
	if now.Before(p.signsAt(keys[1])) {
		return nil
	}
	return []Action{{Do: HandOver, Key: signs, Next: keys[1].ID}}
}

// signsAt is when a staged key may sign: when it is planned, but only if everybody could
// have fetched it.
func (p Policy) signsAt(staged idp.SigningKey) time.Time {
	return later(staged.ActiveAt, staged.StagedAt.Add(p.Lead))
}

// live returns the keys of an algorithm that sign or will, in the order of their times.
// The first one signs. Which that is depends on no clock: a successor becomes the first
// when the row of the one before it says that it retires, for all nodes at once.
func live(rows []idp.SigningKey, alg jose.Algorithm) []idp.SigningKey {
	var keys []idp.SigningKey
	for _, k := range rows {
		if k.Alg == string(alg) && mayLive(k) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, inTurn)
	return keys
}

// mayLive: a time that is set has come, whatever this node's clock says.
func mayLive(k idp.SigningKey) bool {
	return !k.ActiveAt.IsZero() && k.RetiringAt.IsZero() && k.RetiredAt.IsZero()
}

func inTurn(a, b idp.SigningKey) int {
	return cmp.Or(a.ActiveAt.Compare(b.ActiveAt), strings.Compare(a.ID, b.ID))
}

// knows: keys of other algorithms belong to a newer release.
func knows(k idp.SigningKey) bool {
	return slices.Contains(known, jose.Algorithm(k.Alg))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
