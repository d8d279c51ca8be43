package storetest

import (
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var codeTests = []test{
	{"OAU-16 OAU-20 a grant is stored only while its session and its consent stand", approvals},
	{"OAU-03 a code is read with all that it is bound to", codesRoundTrip},
	{"OAU-04 a code's second use revokes what the first one got", codesReplay},
	{"OAU-03 a code brings a refresh token of its own grant only", codesRefresh},
	{"a code lives for its minute", codesExpire},
}

func codesRoundTrip(w *world) {
	ann := w.user("ann")
	client := w.client("app")
	s, _ := w.session(ann)
	g, code := w.newGrant(ann, "app", s.ID)
	w.audited("grant.create", ann.ID, func() error { return w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now) })
	got, st, err := w.Code(w.ctx, code.Hash, w.now)
	w.must(err)
	w.equal("code", got, code)
	w.equal("standing", st, idp.Standing{Grant: g, User: ann, Client: client, Session: s, SessionLive: true})

	offline, code := w.newGrant(ann, "app", "")
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, offline, code, w.now))
	_, st, err = w.Code(w.ctx, code.Hash, w.now)
	w.must(err)
	w.equal("standing", st, idp.Standing{Grant: offline, User: ann, Client: client})

	w.want("same code", w.IssueCode(w.ctx, person(ann), idp.Approval{}, offline, code, w.now), idp.ErrExists)
	_, _, err = w.Code(w.ctx, hash("other"), w.now)
	w.want("other code", err, idp.ErrNotFound)
	bad, badCode := w.newGrant(ann, "app", "")
	bad.Scopes = []string{"openid calendar.write"}
	w.want("two scopes in one", w.IssueCode(w.ctx, person(ann), idp.Approval{}, bad, badCode, w.now), idp.ErrInvalid)
	badCode.ClientID = "web"
	w.want("code of another client", w.IssueCode(w.ctx, person(ann), idp.Approval{}, bad, badCode, w.now), idp.ErrInvalid)
	w.want("no id", w.IssueCode(w.ctx, person(ann), idp.Approval{}, idp.Grant{UserID: ann.ID, ClientID: "app"}, idp.Code{ClientID: "app"}, w.now), idp.ErrInvalid)
}

func codesReplay(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	g, code := w.newGrant(ann, "app", s.ID)
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
	r := w.newRefresh(g)
	w.silent(func() error { return w.RedeemCode(w.ctx, asClient("app"), code.Hash, &r, w.now) })
	got, _, err := w.Code(w.ctx, code.Hash, w.now)
	w.must(err)
	w.equal("redeemed at", got.RedeemedAt, w.now)

	// The thief comes late: the code has expired, what it got has not.
	w.wait(10 * time.Minute)
	_, _, err = w.Code(w.ctx, code.Hash, w.now)
	w.want("redeemed code is known", err, nil)
	_, before := w.lastEvent()
	for range 3 {
		w.want("second use", w.RedeemCode(w.ctx, asClient("app"), code.Hash, &r, w.now), idp.ErrConsumed)
	}
	last, after := w.lastEvent()
	w.equal("audit", []any{after - before, last.Action, last.UserID, last.ClientID, last.Target, last.Result}, []any{1, "code.replay", ann.ID, "app", g.ID, "refused"})
	w.equal("rules", w.rules(), []idp.Rule{{Seq: 1, Kind: idp.RuleGrant, ID: g.ID, At: w.now, Until: w.now.Add(RuleLifetime)}})
	_, _, err = w.Refresh(w.ctx, r.HandleHash, w.now)
	w.want("refresh token", err, idp.ErrNotFound)
	_, err = w.Standing(w.ctx, g.ID, w.now)
	w.want("standing", err, idp.ErrNotFound)
}

func codesRefresh(w *world) {
	ann := w.user("ann")
	w.client("app")
	g, code := w.newGrant(ann, "app", "")
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
	other, otherCode := w.newGrant(ann, "app", "")
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, other, otherCode, w.now))
	theirs := w.newRefresh(other)
	w.want("refresh token of another grant", w.RedeemCode(w.ctx, asClient("app"), code.Hash, &theirs, w.now), idp.ErrInvalid)
	w.want("nothing happened", w.RedeemCode(w.ctx, asClient("app"), code.Hash, nil, w.now), nil)
	_, _, err := w.Refresh(w.ctx, theirs.HandleHash, w.now)
	w.want("no refresh token", err, idp.ErrNotFound)
	w.must(w.RedeemCode(w.ctx, asClient("app"), otherCode.Hash, &theirs, w.now))
	got, st, err := w.Refresh(w.ctx, theirs.HandleHash, w.now)
	w.must(err)
	w.equal("refresh token", got, theirs)
	w.equal("grant", st.Grant, other)
}

func codesExpire(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	g, code := w.newGrant(ann, "app", s.ID)
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
	_, _, err := w.Code(w.ctx, code.Hash, code.ExpiresAt.Add(-time.Millisecond))
	w.want("just in time", err, nil)
	_, _, err = w.Code(w.ctx, code.Hash, code.ExpiresAt)
	w.want("expired", err, idp.ErrNotFound)
	w.want("redeem expired", w.RedeemCode(w.ctx, asClient("app"), code.Hash, nil, code.ExpiresAt), idp.ErrNotFound)
	w.want("redeem unknown", w.RedeemCode(w.ctx, asClient("app"), hash("x"), nil, w.now), idp.ErrNotFound)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	w.want("redeem after logout", w.RedeemCode(w.ctx, asClient("app"), code.Hash, nil, w.now), idp.ErrNotFound)
	w.equal("rules", len(w.rules()), 1)
}

// approvals: what a grant rests on must stand when it is stored, also if the grant itself
// outlives it.
func approvals(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	w.client("app")
	s, _ := w.session(ann)
	foreign, _ := w.session(bob)
	issue := func(a idp.Approval, scopes ...string) error {
		g, code := w.newGrant(ann, "app", "") // offline
		g.Scopes = scopes
		return w.IssueCode(w.ctx, person(ann), a, g, code, w.now)
	}
	finish := func(a idp.Approval, scopes ...string) error {
		r := w.request("app")
		g, code := w.newGrant(ann, "app", "")
		g.Scopes = scopes
		return w.FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, a, g, code, w.now)
	}
	for name, verb := range map[string]func(idp.Approval, ...string) error{"issue": issue, "finish": finish} {
		w.want(name+": live session", verb(idp.Approval{SessionID: s.ID}, "calendar.read"), nil)
		w.want(name+": session of somebody else", verb(idp.Approval{SessionID: foreign.ID}, "calendar.read"), idp.ErrDenied)
		w.want(name+": no such session", verb(idp.Approval{SessionID: "x"}, "calendar.read"), idp.ErrDenied)
		w.want(name+": no consent", verb(idp.Approval{Consent: true}, "calendar.read"), idp.ErrDenied)
	}
	r := w.request("app")
	c := idp.Consent{UserID: ann.ID, ClientID: "app", Resource: "https://calendar.example", Scopes: []string{"calendar.read"}}
	w.must(w.ConsentAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, s.ID, c, w.now))
	for name, verb := range map[string]func(idp.Approval, ...string) error{"issue": issue, "finish": finish} {
		w.want(name+": consent", verb(idp.Approval{SessionID: s.ID, Consent: true}, "calendar.read"), nil)
		w.want(name+": more than the consent", verb(idp.Approval{Consent: true}, "calendar.read", "calendar.write"), idp.ErrDenied)
	}
	_, err := w.RevokeApp(w.ctx, person(ann), ann.ID, "app", w.now)
	w.must(err)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	for name, verb := range map[string]func(idp.Approval, ...string) error{"issue": issue, "finish": finish} {
		w.want(name+": consent taken back", verb(idp.Approval{Consent: true}, "calendar.read"), idp.ErrDenied)
		w.want(name+": session ended", verb(idp.Approval{SessionID: s.ID}, "calendar.read"), idp.ErrDenied)
	}
}
