package storetest

import (
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var sessionTests = []test{
	{"sessions are read as they were written", sessionsRoundTrip},
	{"SES-03 idle and absolute limits are in the query", sessionsExpire},
	{"SES-01 a renewed session keeps its sid and loses its old secret", sessionsRenew},
	{"STO-08 a session is ended by its owner only", sessionsOwner},
	{"OAU-20 ending a session appends one rule and revokes its grants but no offline one", sessionsEnd},
	{"ending all other sessions spares one and other people", sessionsEndOthers},
	{"SES-03 live sessions are listed", sessionsList},
}

func sessionsRoundTrip(w *world) {
	ann := w.user("ann")
	s := idp.Session{
		ID: "s-1", UserID: ann.ID, CreatedAt: w.now, AuthTime: w.now.Add(-time.Second), ACR: idp.ACRMulti, AMR: []string{"pwd", "otp"},
		LastSeenAt: w.now, IdleExpiresAt: w.now.Add(time.Hour), ExpiresAt: w.now.Add(2 * time.Hour), IP: "2001:db8::1", UserAgent: "Mozilla/5.0 \"x\"",
	}
	w.audited("session.start", ann.ID, func() error { return w.CreateSession(w.ctx, person(ann), s, hash("a")) })
	got, u, err := w.Session(w.ctx, hash("a"), w.now)
	w.must(err)
	w.equal("session", got, s)
	w.equal("user", u, ann)
	_, _, err = w.Session(w.ctx, hash("b"), w.now)
	w.want("other secret", err, idp.ErrNotFound)
	_, _, err = w.Session(w.ctx, [32]byte{}, w.now)
	w.want("no secret", err, idp.ErrNotFound)

	again := s
	w.want("same id", w.CreateSession(w.ctx, person(ann), again, hash("b")), idp.ErrExists)
	again.ID = "s-2"
	w.want("same secret", w.CreateSession(w.ctx, person(ann), again, hash("a")), idp.ErrExists)
	again.UserID = "nobody"
	w.want("nobody", w.CreateSession(w.ctx, person(ann), again, hash("b")), idp.ErrNotFound)
	again.UserID, again.AMR = ann.ID, []string{"pwd otp"}
	w.want("amr with a space", w.CreateSession(w.ctx, person(ann), again, hash("b")), idp.ErrInvalid)
	again.ID, again.AMR = "", nil
	w.want("no id", w.CreateSession(w.ctx, person(ann), again, hash("b")), idp.ErrInvalid)
}

func sessionsExpire(w *world) {
	ann := w.user("ann")
	s, cookie := w.session(ann)
	lives := func(name string, at time.Time, want error) {
		w.Helper()
		_, _, err := w.Session(w.ctx, cookie, at)
		w.want(name, err, want)
	}
	lives("just before idle", s.IdleExpiresAt.Add(-time.Millisecond), nil)
	lives("idle", s.IdleExpiresAt, idp.ErrNotFound)
	w.want("touch too late", w.TouchSession(w.ctx, s.ID, s.ExpiresAt, s.IdleExpiresAt), idp.ErrNotFound)
	w.want("renew too late", w.RenewSession(w.ctx, person(ann), s, cookie, hash("x"), s.IdleExpiresAt), idp.ErrNotFound)

	w.wait(time.Hour)
	w.silent(func() error { return w.TouchSession(w.ctx, s.ID, w.now.Add(12*time.Hour), w.now) })
	lives("touched", s.IdleExpiresAt, nil)
	got, _, err := w.Session(w.ctx, cookie, w.now)
	w.must(err)
	w.equal("last seen", got.LastSeenAt, w.now)
	w.must(w.TouchSession(w.ctx, s.ID, s.ExpiresAt.Add(time.Hour), w.now))
	got, _, err = w.Session(w.ctx, cookie, w.now)
	w.must(err)
	w.equal("idle end is not after the absolute one", got.IdleExpiresAt, s.ExpiresAt)
	lives("just before the end", s.ExpiresAt.Add(-time.Millisecond), nil)
	lives("absolute end", s.ExpiresAt, idp.ErrNotFound)
	w.want("touch nobody", w.TouchSession(w.ctx, "nobody", w.now.Add(time.Hour), w.now), idp.ErrNotFound)
}

func sessionsRenew(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	s, cookie := w.session(ann)
	w.wait(time.Hour)
	s.AuthTime, s.LastSeenAt, s.ACR, s.AMR, s.IP = w.now, w.now, idp.ACRMulti, []string{"pwd", "otp"}, "192.0.2.99"
	s.IdleExpiresAt, s.ExpiresAt = w.now.Add(time.Hour), w.now.Add(24*time.Hour)
	w.audited("session.renew", ann.ID, func() error { return w.RenewSession(w.ctx, person(ann), s, cookie, hash("new"), w.now) })
	_, _, err := w.Session(w.ctx, cookie, w.now)
	w.want("old secret", err, idp.ErrNotFound)
	got, _, err := w.Session(w.ctx, hash("new"), w.now)
	w.must(err)
	w.equal("session", got, s)
	w.want("old secret again", w.RenewSession(w.ctx, person(ann), s, cookie, hash("newer"), w.now), idp.ErrNotFound)
	s.UserID = bob.ID
	w.want("somebody else", w.RenewSession(w.ctx, person(bob), s, hash("new"), hash("newer"), w.now), idp.ErrNotFound)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	s.UserID = ann.ID
	w.want("ended", w.RenewSession(w.ctx, person(ann), s, hash("new"), hash("newer"), w.now), idp.ErrNotFound)
	w.want("touch ended", w.TouchSession(w.ctx, s.ID, w.now.Add(time.Hour), w.now), idp.ErrNotFound)
}

func sessionsOwner(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	s, cookie := w.session(ann)
	w.want("somebody else's", w.EndSession(w.ctx, person(bob), bob.ID, s.ID, w.now), idp.ErrNotFound)
	n, err := w.EndOtherSessions(w.ctx, person(bob), bob.ID, "", w.now)
	w.want("others", err, nil)
	w.equal("ended", n, 0)
	if _, _, err := w.Session(w.ctx, cookie, w.now); err != nil || len(w.rules()) != 0 {
		w.Error("a stranger ended the session:", err)
	}
	w.want("nobody's", w.EndSession(w.ctx, person(ann), ann.ID, "nothing", w.now), idp.ErrNotFound)
}

func sessionsEnd(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, cookie := w.session(ann)
	g, token := w.grant(ann, "app", s.ID)
	_, offline := w.grant(ann, "app", "")
	w.audited("session.end", ann.ID, func() error { return w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now) })
	w.silent(func() error { return w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now.Add(time.Minute)) })
	w.equal("rules", w.rules(), []idp.Rule{{Seq: 1, Kind: idp.RuleSession, ID: s.ID, At: w.now, Until: w.now.Add(RuleLifetime)}})
	_, _, err := w.Session(w.ctx, cookie, w.now)
	w.want("cookie", err, idp.ErrNotFound)
	_, err = w.Standing(w.ctx, g.ID, w.now)
	w.want("grant", err, idp.ErrNotFound)
	_, _, err = w.RotateRefreshToken(w.ctx, asClient("app"), token.HandleHash, token.CurrentHash, hash("n"), nil, time.Minute, w.now)
	w.want("refresh token", err, idp.ErrNotFound)
	out, _, err := w.RotateRefreshToken(w.ctx, asClient("app"), offline.HandleHash, offline.CurrentHash, hash("n"), nil, time.Minute, w.now)
	w.want("offline refresh token", err, nil)
	w.equal("offline refresh token", out, idp.Rotated)
	next, code := w.newGrant(ann, "app", s.ID)
	w.want("new grant", w.IssueCode(w.ctx, person(ann), idp.Approval{}, next, code, w.now), idp.ErrDenied)
}

func sessionsEndOthers(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	w.client("app")
	keep, kept := w.session(ann)
	s1, _ := w.session(ann)
	s2, _ := w.session(ann)
	_, bobs := w.session(bob)
	g, _ := w.grant(ann, "app", s1.ID)
	n, err := w.EndOtherSessions(w.ctx, person(ann), ann.ID, keep.ID, w.now)
	w.must(err)
	w.equal("ended", n, 2)
	w.equal("rules", w.ruleNames(0), map[string]int{"session " + s1.ID: 1, "session " + s2.ID: 1})
	for _, cookie := range [][32]byte{kept, bobs} {
		if _, _, err := w.Session(w.ctx, cookie, w.now); err != nil {
			w.Error("session to be spared:", err)
		}
	}
	_, err = w.Standing(w.ctx, g.ID, w.now)
	w.want("grant of an ended session", err, idp.ErrNotFound)
	n, err = w.EndOtherSessions(w.ctx, person(ann), ann.ID, keep.ID, w.now)
	w.must(err)
	w.equal("again", n, 0)
}

func sessionsList(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	old, _ := w.session(ann)
	w.session(bob)
	w.wait(time.Hour)
	recent, _ := w.session(ann)
	gone, _ := w.session(ann)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, gone.ID, w.now))
	got, err := w.Sessions(w.ctx, ann.ID, w.now)
	w.must(err)
	w.equal("sessions", got, []idp.Session{recent, old})
	got, err = w.Sessions(w.ctx, ann.ID, old.IdleExpiresAt)
	w.must(err)
	w.equal("after one expired", got, []idp.Session{recent})
}
