package storetest

import (
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var sweepTests = []test{
	{"DOS-03 everything that ended is swept, nothing that lives", sweeps},
	{"a used code is remembered for an hour", sweepKeepsCodes},
	{"DOS-03 a sweep is bounded, whatever hangs on one session", sweepIsBounded},
	{"a grant whose code nobody redeemed goes with the code", sweepUncollected},
}

func (w *world) sweepAll() (rows int) {
	w.Helper()
	for {
		n, err := w.Sweep(w.ctx, w.now)
		w.must(err)
		if rows += n; n == 0 {
			return rows
		}
	}
}

func sweeps(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, cookie := w.session(ann)
	withSession, _ := w.grant(ann, "app", s.ID)
	offline, token := w.grant(ann, "app", "")
	w.request("app")
	_, err := w.CountAttempt(w.ctx, []idp.Limit{{Key: "a", Max: 1, Window: time.Minute}}, w.now)
	w.must(err)
	w.must(w.RevokeJTI(w.ctx, operator, "j", w.now.Add(time.Minute), w.now))
	w.equal("nothing has ended", w.sweepAll(), 0)

	w.wait(30 * time.Minute)
	w.equal("request, counter", w.sweepAll(), 2)
	// A clock that is ahead for a while must not forget a revocation (STO-05).
	right := w.now
	w.wait(11 * time.Hour)
	w.equal("two codes while it is ahead", w.sweepAll(), 2)
	dead, err := w.TokenRevoked(w.ctx, idp.TokenNames{JTI: "j"}, right.Add(-30*time.Minute))
	w.must(err)
	w.equal("the rule, when the clock is right again", dead, true)
	w.now = right
	_, _, err = w.Session(w.ctx, cookie, w.now)
	w.want("session", err, nil)

	w.now = s.IdleExpiresAt.Add(2 * time.Hour)
	w.equal("session and its grant", w.sweepAll(), 2)
	_, err = w.Standing(w.ctx, withSession.ID, w.now)
	w.want("grant of the session", err, idp.ErrNotFound)
	_, _, err = w.Refresh(w.ctx, token.HandleHash, w.now)
	w.want("offline grant", err, nil)

	w.now = offline.ExpiresAt.Add(25 * time.Hour)
	_, events := w.lastEvent()
	w.equal("rule, offline grant and the audit log", w.sweepAll(), 2+events)
	w.want("grant", w.RevokeGrant(w.ctx, operator, offline.ID, "", w.now), idp.ErrNotFound)
	_, head, err := w.RevocationHead(w.ctx)
	w.must(err)
	w.equal("the log keeps its position", head, int64(1))

	// More than one batch.
	for i := range 1200 {
		w.must(w.RevokeJTI(w.ctx, operator, fmt.Sprint(i), w.now.Add(time.Minute), w.now))
	}
	w.wait(25 * time.Hour)
	n, err := w.Sweep(w.ctx, w.now)
	w.must(err)
	if n == 0 || n > 1000 {
		w.Errorf("one sweep took %d rows", n)
	}
	w.equal("all", n+w.sweepAll(), 1200)
}

func sweepKeepsCodes(w *world) {
	ann := w.user("ann")
	w.client("app")
	g, code := w.newGrant(ann, "app", "")
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
	w.must(w.RedeemCode(w.ctx, asClient("app"), code.Hash, nil, w.now))
	w.wait(59 * time.Minute)
	w.sweepAll()
	w.want("replay", w.RedeemCode(w.ctx, asClient("app"), code.Hash, nil, w.now), idp.ErrConsumed)
	w.equal("rules", w.ruleNames(0), map[string]int{"grant " + g.ID: 1})
}

// sweepIsBounded: one session may have any number of grants, and still a sweep holds
// nobody up for long.
func sweepIsBounded(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	const grants = 1200
	for range grants {
		g, code := w.newGrant(ann, "app", s.ID)
		w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
	}
	w.now = s.IdleExpiresAt.Add(2 * time.Hour)
	n, err := w.Sweep(w.ctx, w.now)
	w.must(err)
	if n == 0 || n > 1500 { // of codes, of grants by their code, and of grants by their session
		w.Errorf("one sweep took %d rows", n)
	}
	w.equal("codes, grants and the session", n+w.sweepAll(), 2*grants+1)
}

// sweepUncollected: nobody holds a token of such a grant, so no verifier hears of its end.
func sweepUncollected(w *world) {
	ann := w.user("ann")
	w.client("app")
	kept, code := w.newGrant(ann, "app", "")
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, kept, code, w.now))
	w.must(w.RedeemCode(w.ctx, asClient("app"), code.Hash, nil, w.now))
	lost, unused := w.newGrant(ann, "app", "")
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, lost, unused, w.now))
	w.wait(59 * time.Minute)
	w.equal("while the codes are remembered", w.sweepAll(), 0)
	w.wait(2 * time.Minute)
	w.equal("two codes and a grant", w.sweepAll(), 3)
	w.onlyGrant(ann.ID, kept)
}

// onlyGrant: nothing else is left of a person's grants, and no rule was needed for it.
func (w *world) onlyGrant(userID string, g idp.Grant) {
	w.Helper()
	left, err := w.Grants(w.ctx, userID, w.now)
	w.must(err)
	if len(left) != 1 || left[0].ID != g.ID {
		w.Errorf("grants %v, want %s", left, g.ID)
	}
	w.equal("rules", w.ruleNames(0), map[string]int{})
}
