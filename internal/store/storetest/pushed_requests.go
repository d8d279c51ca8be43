package storetest

import (
	"errors"
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

var pushedTests = []test{
	{"pushed requests are read as they were written, by their client, in time", pushedRoundTrip},
	{"OAU-13 a pushed request is answered once, at the end of whichever login comes first", pushedOnce},
	{"DOS-03 pushed requests are limited for each owner and in all", pushedLimited},
	{"a grant keeps which claims were asked for by name, and rests on a consent to them", grantClaims},
}

// push stores a pushed request and returns what a browser makes of it.
func (w *world) push(clientID string) idp.AuthRequest {
	w.Helper()
	r := idp.AuthRequest{
		ClientID: clientID, RedirectURI: "https://" + clientID + ".example/cb", Scopes: []string{"openid"}, MaxAge: time.Minute,
		Claims: idp.ClaimsRequest{Userinfo: []string{"name"}, IDToken: []string{"email"}}, ACR: []string{"aal1"}, ResponseMode: "form_post",
	}
	r.PushedHash = hash("pushed " + secret.ID())
	p := idp.PushedRequest{Hash: r.PushedHash, ClientID: clientID, Request: r, ExpiresAt: w.now.Add(time.Minute)}
	w.must(w.CreatePushedRequest(w.ctx, p, "client:"+clientID, 100_000, 100_000, w.now))
	return r
}

// begin stores the authorization request that a browser begins with a pushed one.
func (w *world) begin(r idp.AuthRequest) idp.AuthRequest {
	w.Helper()
	r.ID = secret.ID()
	r.BrowserHash, r.CreatedAt, r.ExpiresAt = hash("browser of "+r.ID), w.now, w.now.Add(10*time.Minute)
	w.must(w.CreateAuthRequest(w.ctx, r, "192.0.2.7/32", 1_000_000, 1_000_000, w.now))
	return r
}

func pushedRoundTrip(w *world) {
	r := w.push("app")
	got, err := w.PushedRequest(w.ctx, r.PushedHash, "app", w.now)
	w.must(err)
	w.equal("pushed request", got, idp.PushedRequest{Hash: r.PushedHash, ClientID: "app", Request: r, ExpiresAt: w.now.Add(time.Minute)})
	_, err = w.PushedRequest(w.ctx, r.PushedHash, "other", w.now)
	w.want("another client's", err, idp.ErrNotFound)
	_, err = w.PushedRequest(w.ctx, hash("other"), "app", w.now)
	w.want("unknown", err, idp.ErrNotFound)
	_, err = w.PushedRequest(w.ctx, r.PushedHash, "app", w.now.Add(time.Minute))
	w.want("expired", err, idp.ErrNotFound)

	stored := w.begin(r)
	back, err := w.AuthRequest(w.ctx, stored.ID, stored.BrowserHash, w.now)
	w.must(err)
	w.equal("request of a browser", back, stored)
}

func pushedOnce(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	r := w.push("app")
	one, two, three := w.begin(r), w.begin(r), w.begin(r)
	w.wait(5 * time.Minute) // the login takes longer than the request lives for browsers that come
	_, err := w.Sweep(w.ctx, w.now)
	w.must(err)
	g, code := w.newGrant(ann, "app", s.ID)
	w.must(w.FinishAuthRequest(w.ctx, person(ann), one.ID, one.BrowserHash, idp.Approval{}, g, code, w.now))
	g, code = w.newGrant(ann, "app", s.ID)
	w.want("finished again", w.FinishAuthRequest(w.ctx, person(ann), two.ID, two.BrowserHash, idp.Approval{}, g, code, w.now), idp.ErrConsumed)
	w.want("issued again", w.IssueCode(w.ctx, person(ann), idp.Approval{PushedHash: r.PushedHash}, g, code, w.now), idp.ErrConsumed)
	w.want("refused again", w.RefuseAuthRequest(w.ctx, three.ID, three.BrowserHash, w.now), idp.ErrConsumed)
	_, err = w.Standing(w.ctx, g.ID, w.now)
	w.want("grant of the second", err, idp.ErrNotFound)

	// A refusal uses it up as well, and another client's hash is nobody's.
	r = w.push("app")
	one = w.begin(r)
	w.must(w.RefuseAuthRequest(w.ctx, one.ID, one.BrowserHash, w.now))
	_, err = w.PushedRequest(w.ctx, r.PushedHash, "app", w.now)
	w.want("after a refusal", err, idp.ErrNotFound)
	r = w.push("other")
	w.want("another client's", w.IssueCode(w.ctx, person(ann), idp.Approval{PushedHash: r.PushedHash}, g, code, w.now), idp.ErrConsumed)
	_, err = w.PushedRequest(w.ctx, r.PushedHash, "other", w.now)
	w.want("which stays", err, nil)
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
}

func pushedLimited(w *world) {
	push := func(owner string) error {
		p := idp.PushedRequest{Hash: hash(secret.ID()), ClientID: "app", ExpiresAt: w.now.Add(time.Minute)}
		return w.CreatePushedRequest(w.ctx, p, owner, 3, 5, w.now)
	}
	for i, tt := range []struct {
		owner string
		want  error
	}{
		{"a", nil}, {"a", nil}, {"a", nil}, {"a", idp.ErrLimited}, {"b", nil}, {"b", nil}, {"b", idp.ErrLimited}, {"c", idp.ErrLimited},
	} {
		w.want("push "+strconv.Itoa(i), push(tt.owner), tt.want)
	}
	w.wait(time.Minute) // expired for browsers, but logins that they began may be under way
	w.want("in all", push("a"), idp.ErrLimited)
	w.wait(20 * time.Minute)
	for i := range 3 {
		w.want("again "+strconv.Itoa(i), push("a"), nil)
	}
	w.want("full again", push("a"), idp.ErrLimited)
	w.wait(time.Hour)
	n, err := w.Sweep(w.ctx, w.now)
	w.must(err)
	w.equal("swept rows", n, 3)
	same := idp.PushedRequest{Hash: hash("same"), ClientID: "app", ExpiresAt: w.now.Add(time.Minute)}
	w.must(w.CreatePushedRequest(w.ctx, same, "a", 3, 5, w.now))
	w.want("same hash", w.CreatePushedRequest(w.ctx, same, "a", 3, 5, w.now), idp.ErrExists)
}

func grantClaims(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	g, code := w.newGrant(ann, "app", s.ID)
	g.Claims = idp.ClaimsRequest{Userinfo: []string{"name"}, IDToken: []string{"email"}}
	allow := func(scopes ...string) {
		r := w.request("app")
		c := idp.Consent{UserID: ann.ID, ClientID: "app", Resource: g.Resource, Scopes: scopes}
		w.must(w.ConsentAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, s.ID, c, w.now))
	}
	allow(g.Scopes...)
	w.want("consent without the claims", w.IssueCode(w.ctx, person(ann), idp.Approval{Consent: true}, g, code, w.now), idp.ErrDenied)
	allow("profile", "email")
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{Consent: true}, g, code, w.now))
	got, err := w.Standing(w.ctx, g.ID, w.now)
	w.must(err)
	w.equal("claims", got.Grant.Claims, g.Claims)
}

// racePushed: many browsers with one pushed request, in all the ways that one can end.
func racePushed(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	for round := range rounds() {
		r := w.push("app")
		var requests [callers]idp.AuthRequest
		for i := range requests {
			requests[i] = w.begin(r)
		}
		var grants [callers]idp.Grant
		results := at(callers, func(i int) error {
			g, code := w.newGrant(ann, "app", s.ID)
			grants[i] = g
			switch i % 3 {
			case 0:
				return w.on(i).IssueCode(w.ctx, person(ann), idp.Approval{PushedHash: r.PushedHash}, g, code, w.now)
			case 1:
				return w.on(i).RefuseAuthRequest(w.ctx, requests[i].ID, requests[i].BrowserHash, w.now)
			}
			return w.on(i).FinishAuthRequest(w.ctx, person(ann), requests[i].ID, requests[i].BrowserHash, idp.Approval{}, g, code, w.now)
		})
		w.oneWinner(round, results, idp.ErrConsumed)
		for i, g := range grants {
			if _, err := w.Standing(w.ctx, g.ID, w.now); err == nil && results[i] != nil || err != nil && !errors.Is(err, idp.ErrNotFound) {
				w.Fatalf("round %d: grant of caller %d: %v, its answer %v", round, i, err, results[i])
			}
		}
	}
}
