package storetest

import (
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var clientTests = []test{
	{"clients are read as they were written", clientsRoundTrip},
	{"CLI-04 putting a disabled client does not enable it", clientsStayDisabled},
	{"TOK-10 a disabled or deleted client's grants are dead", clientsGone},
	{"TOK-10 a client that is disabled again loses what it got in between", clientsDisabledAgain},
}

func clientsRoundTrip(w *world) {
	app := w.client("app")
	spa := idp.Client{ID: "spa", CreatedAt: w.now, ClientMetadata: idp.ClientMetadata{
		Name: "ÄPP <b>", FirstParty: true, ApplicationType: "native", TokenEndpointAuthMethod: idp.AuthNone, Profile: idp.OIDC,
		RedirectURIs: []string{"https://spa.example/cb?x=1", "com.example:/cb"}, PostLogoutRedirectURIs: []string{"https://spa.example/"},
		GrantTypes: []string{idp.GrantAuthorizationCode}, Scopes: []string{"openid"}, Origins: []string{"https://spa.example"}, ClientURI: "https://spa.example",
		PolicyURI: "https://spa.example/p", TermsURI: "https://spa.example/t", IDTokenAlg: "ES256",
	}}
	w.audited("client.put", "", func() error { return w.PutClient(w.ctx, operator, spa, w.now) })
	for _, want := range []idp.Client{app, spa} {
		got, err := w.Client(w.ctx, want.ID)
		w.must(err)
		w.equal("client", got, want)
	}
	all, err := w.Clients(w.ctx)
	w.must(err)
	w.equal("clients", all, []idp.Client{app, spa})

	created := spa.CreatedAt
	w.wait(time.Hour)
	spa.Name, spa.SecretHash = "other", hash("new secret")
	w.must(w.PutClient(w.ctx, operator, spa, w.now))
	got, err := w.Client(w.ctx, "spa")
	w.must(err)
	w.equal("changed client", got, spa)
	w.equal("created", got.CreatedAt, created)

	_, err = w.Client(w.ctx, "nobody")
	w.want("nobody", err, idp.ErrNotFound)
	w.want("no id", w.PutClient(w.ctx, operator, idp.Client{}, w.now), idp.ErrInvalid)
	w.want("disable nobody", w.DisableClient(w.ctx, operator, "nobody", w.now), idp.ErrNotFound)
	w.want("enable nobody", w.EnableClient(w.ctx, operator, "nobody", w.now), idp.ErrNotFound)
	w.want("delete nobody", w.DeleteClient(w.ctx, operator, "nobody", w.now), idp.ErrNotFound)
}

func clientsStayDisabled(w *world) {
	app := w.client("app")
	w.audited("client.disable", "", func() error { return w.DisableClient(w.ctx, operator, "app", w.now) })
	w.must(w.PutClient(w.ctx, operator, app, w.now.Add(time.Minute)))
	got, err := w.Client(w.ctx, "app")
	w.must(err)
	w.equal("disabled at", got.DisabledAt, w.now)
	w.audited("client.enable", "", func() error { return w.EnableClient(w.ctx, operator, "app", w.now) })
	got, err = w.Client(w.ctx, "app")
	w.must(err)
	w.equal("client", got, app)
}

func clientsGone(w *world) {
	ann := w.user("ann")
	for _, tt := range []struct {
		id, action string
		end        func(id string) error
	}{
		{"one", "client.disable", func(id string) error { return w.DisableClient(w.ctx, operator, id, w.now) }},
		{"two", "client.delete", func(id string) error { return w.DeleteClient(w.ctx, operator, id, w.now) }},
	} {
		w.client(tt.id)
		g, token := w.grant(ann, tt.id, "")
		open, code := w.newGrant(ann, tt.id, "")
		w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, open, code, w.now))
		before := len(w.rules())
		w.audited(tt.action, "", func() error { return tt.end(tt.id) })
		rules := w.rules()[before:]
		until := w.now.Add(2 * time.Second).Truncate(time.Second)
		w.equal("rule", rules, []idp.Rule{{Seq: int64(before + 1), Kind: idp.RuleClient, ID: tt.id, Before: until, At: w.now, Until: until.Add(RuleLifetime)}})
		_, err := w.Standing(w.ctx, g.ID, w.now)
		w.want(tt.action+": standing", err, idp.ErrNotFound)
		_, _, err = w.Refresh(w.ctx, token.HandleHash, w.now)
		w.want(tt.action+": refresh", err, idp.ErrNotFound)
		_, _, err = w.Code(w.ctx, code.Hash, w.now)
		w.want(tt.action+": code", err, idp.ErrNotFound)
		next, code := w.newGrant(ann, tt.id, "")
		w.want(tt.action+": new grant", w.IssueCode(w.ctx, person(ann), idp.Approval{}, next, code, w.now), idp.ErrDenied)
	}
	live, err := w.Grants(w.ctx, ann.ID, w.now)
	w.must(err)
	for _, g := range live {
		if g.ClientID == "two" {
			w.Error("grant of a deleted client is listed")
		}
	}
	w.must(w.EnableClient(w.ctx, operator, "one", w.now))
	w.grant(ann, "one", "")
}

// clientsDisabledAgain: while a rule reaches into the future, new tokens are dated the second
// after it. The next rule must reach them, however soon it comes.
func clientsDisabledAgain(w *world) {
	w.client("app")
	w.client("other")
	between := func() time.Time { return w.rules()[len(w.rules())-1].Before.Add(time.Second) }
	for _, end := range []func() error{
		func() error { return w.DisableClient(w.ctx, operator, "app", w.now) },
		func() error { return w.DisableClient(w.ctx, operator, "app", w.now) },
		func() error { return w.DeleteClient(w.ctx, operator, "app", w.now) },
	} {
		issued := w.now
		if len(w.rules()) > 0 {
			issued = between()
		}
		w.must(end())
		dead, err := w.TokenRevoked(w.ctx, idp.TokenNames{ClientID: "app", IssuedAt: issued}, w.now)
		w.must(err)
		last := w.rules()[len(w.rules())-1]
		w.equal("dead", dead, true)
		w.equal("until", last.Until, last.Before.Add(RuleLifetime))
	}
	w.must(w.DisableClient(w.ctx, operator, "other", w.now))
	w.equal("another client's rule is no further off", between(), w.now.Add(3*time.Second).Truncate(time.Second))

	var newest time.Time
	for _, r := range w.rules() {
		if r.Before.After(newest) {
			newest = r.Before
		}
	}
	_, err := w.BeginEpoch(w.ctx, operator, w.now)
	w.must(err)
	dead, err := w.TokenRevoked(w.ctx, idp.TokenNames{ClientID: "third", IssuedAt: newest.Add(time.Second)}, w.now)
	w.must(err)
	w.equal("a new epoch reaches what any of them had", dead, true)
}
