package storetest

import (
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var grantTests = []test{
	{"TOK-10 standing tells everything about a grant at its use", grantsStanding},
	{"live grants are listed", grantsList},
	{"a grant is revoked once", grantsRevoke},
	{"revoking an app ends its consents and grants, of that person only", grantsRevokeApp},
}

func grantsStanding(w *world) {
	ann := w.user("ann")
	client := w.client("app")
	s, _ := w.session(ann)
	g, _ := w.grant(ann, "app", s.ID)
	st, err := w.Standing(w.ctx, g.ID, w.now)
	w.must(err)
	w.equal("standing", st, idp.Standing{Grant: g, User: ann, Client: client, Session: s, SessionLive: true})
	_, err = w.Standing(w.ctx, g.ID, g.ExpiresAt)
	w.want("expired", err, idp.ErrNotFound)
	_, err = w.Standing(w.ctx, "nothing", w.now)
	w.want("unknown", err, idp.ErrNotFound)

	ann.EmailVerified, ann.Groups = true, []string{"staff"}
	w.must(w.UpdateUser(w.ctx, operator, ann, w.now))
	st, err = w.Standing(w.ctx, g.ID, s.IdleExpiresAt)
	w.must(err)
	w.equal("idle session", st, idp.Standing{Grant: g, User: ann, Client: client, Session: s})

	offline, _ := w.grant(ann, "app", "")
	st, err = w.Standing(w.ctx, offline.ID, w.now)
	w.must(err)
	w.equal("offline", st, idp.Standing{Grant: offline, User: ann, Client: client})
}

func grantsList(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	w.client("app")
	s, _ := w.session(ann)
	ended, _ := w.session(ann)
	old, _ := w.grant(ann, "app", s.ID)
	w.grant(bob, "app", "")
	w.grant(ann, "app", ended.ID)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, ended.ID, w.now))
	w.wait(time.Minute)
	offline, _ := w.grant(ann, "app", "")
	revoked, _ := w.grant(ann, "app", "")
	w.must(w.RevokeGrant(w.ctx, operator, revoked.ID, "", w.now))
	got, err := w.Grants(w.ctx, ann.ID, w.now)
	w.must(err)
	w.equal("grants", got, []idp.Grant{offline, old})
	got, err = w.Grants(w.ctx, ann.ID, s.IdleExpiresAt)
	w.must(err)
	w.equal("with the session expired", got, []idp.Grant{offline})
	got, err = w.Grants(w.ctx, ann.ID, offline.ExpiresAt)
	w.must(err)
	w.equal("after all", got, []idp.Grant(nil))
}

func grantsRevoke(w *world) {
	ann := w.user("ann")
	w.client("app")
	g, token := w.grant(ann, "app", "")
	w.audited("grant.revoke", ann.ID, func() error { return w.RevokeGrant(w.ctx, asClient("app"), g.ID, "token revoked", w.now) })
	last, _ := w.lastEvent()
	w.equal("reason", last.Reason, "token revoked")
	w.silent(func() error { return w.RevokeGrant(w.ctx, asClient("app"), g.ID, "again", w.now.Add(time.Hour)) })
	w.equal("rules", w.rules(), []idp.Rule{{Seq: 1, Kind: idp.RuleGrant, ID: g.ID, At: w.now, Until: w.now.Add(RuleLifetime)}})
	_, _, err := w.Refresh(w.ctx, token.HandleHash, w.now)
	w.want("refresh token", err, idp.ErrNotFound)
	w.want("unknown", w.RevokeGrant(w.ctx, operator, "nothing", "", w.now), idp.ErrNotFound)
}

func grantsRevokeApp(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	w.client("app")
	w.client("web")
	s, _ := w.session(ann)
	ended, _ := w.session(ann)
	r := w.request("app")
	consent := idp.Consent{UserID: ann.ID, ClientID: "app", Resource: "https://calendar.example", Scopes: []string{"openid"}}
	w.must(w.ConsentAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, s.ID, consent, w.now))
	g1, _ := w.grant(ann, "app", s.ID)
	g2, _ := w.grant(ann, "app", "")
	w.grant(ann, "app", ended.ID)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, ended.ID, w.now))
	other, _ := w.grant(ann, "web", "")
	bobs, _ := w.grant(bob, "app", "")
	before := len(w.rules())

	var n int
	w.audited("app.revoke", ann.ID, func() (err error) {
		n, err = w.RevokeApp(w.ctx, person(ann), ann.ID, "app", w.now)
		return err
	})
	w.equal("revoked", n, 2)
	w.equal("rules", w.ruleNames(before), map[string]int{"grant " + g1.ID: 1, "grant " + g2.ID: 1})
	_, err := w.Consent(w.ctx, ann.ID, "app", consent.Resource)
	w.want("consent", err, idp.ErrNotFound)
	for _, spared := range []idp.Grant{other, bobs} {
		_, err := w.Standing(w.ctx, spared.ID, w.now)
		w.want("another's grant", err, nil)
	}
	n, err = w.RevokeApp(w.ctx, person(ann), ann.ID, "app", w.now)
	w.must(err)
	w.equal("again", n, 0)
	// Tokens of a grant that is long over are dead already.
	n, err = w.RevokeApp(w.ctx, person(bob), bob.ID, "app", bobs.ExpiresAt.Add(RuleLifetime))
	w.must(err)
	w.equal("expired grants", n, 0)
}
