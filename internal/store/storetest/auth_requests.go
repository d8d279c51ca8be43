package storetest

import (
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

var authRequestTests = []test{
	{"authorization requests are read as they were written, in their browser, in time", requestsRoundTrip},
	{"DOS-03 starts are limited for each network and in all", requestsLimited},
	{"OAU-16 what one session did in a request does not count for another", requestsMarks},
	{"OAU-16 consent is merged, and given by a living session of that person for that client", requestsConsent},
	{"OAU-21 a request ends once", requestsEndOnce},
	{"TOK-10 a request is not finished for who has gone meanwhile", requestsGone},
}

func requestsRoundTrip(w *world) {
	r := w.request("app")
	got, err := w.AuthRequest(w.ctx, r.ID, r.BrowserHash, w.now)
	w.must(err)
	w.equal("request", got, r)
	_, err = w.AuthRequest(w.ctx, r.ID, hash("other"), w.now)
	w.want("other browser", err, idp.ErrNotFound)
	_, err = w.AuthRequest(w.ctx, "other", r.BrowserHash, w.now)
	w.want("other id", err, idp.ErrNotFound)
	_, err = w.AuthRequest(w.ctx, r.ID, r.BrowserHash, r.ExpiresAt)
	w.want("expired", err, idp.ErrNotFound)
	w.want("same id", w.CreateAuthRequest(w.ctx, r, "x", 10, 10, w.now), idp.ErrExists)
	for name, late := range map[string]error{
		"login":  w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, "s", r.ExpiresAt),
		"select": w.SelectAuthRequest(w.ctx, r.ID, r.BrowserHash, "s", r.ExpiresAt),
		"deny":   w.DenyAuthRequest(w.ctx, operator, r.ID, r.BrowserHash, "s", r.ExpiresAt),
		"refuse": w.RefuseAuthRequest(w.ctx, r.ID, r.BrowserHash, r.ExpiresAt),
		"theirs": w.LoginAuthRequest(w.ctx, r.ID, hash("other"), "s", w.now),
	} {
		w.want(name, late, idp.ErrNotFound)
	}
}

func requestsLimited(w *world) {
	begin := func(network string) error {
		id := secret.ID()
		return w.CreateAuthRequest(w.ctx, idp.AuthRequest{ID: id, BrowserHash: hash(id), ClientID: "app", CreatedAt: w.now, ExpiresAt: w.now.Add(time.Minute)}, network, 3, 5, w.now)
	}
	for i, tt := range []struct {
		network string
		want    error
	}{
		{"a", nil}, {"a", nil}, {"a", nil}, {"a", idp.ErrLimited}, {"b", nil}, {"a", idp.ErrLimited}, {"b", nil}, {"b", idp.ErrLimited}, {"c", idp.ErrLimited},
	} {
		w.want("start "+strconv.Itoa(i), begin(tt.network), tt.want)
	}
	w.wait(time.Minute) // all five are expired, none is swept
	for i := range 3 {
		w.want("network a again "+strconv.Itoa(i), begin("a"), nil)
	}
	w.want("network a is full again", begin("a"), idp.ErrLimited)

	// The networks of an IPv6 site share four networks' worth.
	for i := range 5 {
		want := error(nil)
		if i == 4 {
			want = idp.ErrLimited
		}
		id := secret.ID()
		r := idp.AuthRequest{ID: id, BrowserHash: hash(id), ClientID: "app", ExpiresAt: w.now.Add(time.Minute)}
		w.want("site "+strconv.Itoa(i), w.CreateAuthRequest(w.ctx, r, "2001:db8:0:"+strconv.Itoa(i)+"::/64", 1, 1000, w.now), want)
	}

	// When the table is full, who has begun next to nothing still finds room.
	for i, tt := range []struct {
		network           string
		perNetwork, total int
		want              error
	}{
		{"e", 100, 8, nil}, // seven are there, and one more is this network's last of a few
		{"e", 100, 8, idp.ErrLimited}, {"f", 100, 8, nil}, {"g", 99, 8, idp.ErrLimited}, {"h", 100, 8, nil}, {"i", 100, 8, idp.ErrLimited},
	} {
		id := secret.ID()
		r := idp.AuthRequest{ID: id, BrowserHash: hash(id), ClientID: "app", ExpiresAt: w.now.Add(time.Minute)}
		w.want("full "+strconv.Itoa(i), w.CreateAuthRequest(w.ctx, r, tt.network, tt.perNetwork, tt.total, w.now), tt.want)
	}

	// A finished one no longer counts for its network, only for the table.
	id := secret.ID()
	w.must(w.CreateAuthRequest(w.ctx, idp.AuthRequest{ID: id, BrowserHash: hash(id), ClientID: "app", ExpiresAt: w.now.Add(time.Minute)}, "d", 1, 100, w.now))
	w.want("network d is full", w.CreateAuthRequest(w.ctx, idp.AuthRequest{ID: "x", ExpiresAt: w.now.Add(time.Minute)}, "d", 1, 100, w.now), idp.ErrLimited)
	w.must(w.RefuseAuthRequest(w.ctx, id, hash(id), w.now))
	w.want("network d has room", w.CreateAuthRequest(w.ctx, idp.AuthRequest{ID: "x", ExpiresAt: w.now.Add(time.Minute)}, "d", 1, 100, w.now), nil)
}

func requestsMarks(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	w.client("app")
	sa, _ := w.session(ann)
	sb, _ := w.session(bob)
	r := w.request("app")
	marks := func(what string, session string, login, selected, consented, denied bool) {
		w.Helper()
		got, err := w.AuthRequest(w.ctx, r.ID, r.BrowserHash, w.now)
		w.must(err)
		w.equal(what, []any{got.SessionID, !got.LoginAt.IsZero(), !got.SelectedAt.IsZero(), !got.ConsentedAt.IsZero(), !got.DeniedAt.IsZero()},
			[]any{session, login, selected, consented, denied})
	}
	consent := func(u idp.User, sid string) error {
		return w.ConsentAuthRequest(w.ctx, person(u), r.ID, r.BrowserHash, sid, idp.Consent{UserID: u.ID, ClientID: "app", Scopes: []string{"openid"}}, w.now)
	}
	w.must(w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, sa.ID, w.now))
	marks("login", sa.ID, true, false, false, false)
	w.must(w.SelectAuthRequest(w.ctx, r.ID, r.BrowserHash, sa.ID, w.now))
	w.must(consent(ann, sa.ID))
	marks("consent", sa.ID, true, true, true, false)
	w.must(w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, sa.ID, w.now))
	marks("login again", sa.ID, true, true, true, false)
	w.must(w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, sb.ID, w.now))
	marks("login of another", sb.ID, true, true, false, false)
	w.must(consent(bob, sb.ID))
	w.must(w.SelectAuthRequest(w.ctx, r.ID, r.BrowserHash, sa.ID, w.now))
	marks("another account", sa.ID, false, true, false, false)
	w.must(w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, sa.ID, w.now))
	w.must(consent(bob, sb.ID))
	marks("consent of another", sb.ID, false, false, true, false)
	w.must(w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, sb.ID, w.now))
	w.audited("consent.deny", bob.ID, func() error { return w.DenyAuthRequest(w.ctx, person(bob), r.ID, r.BrowserHash, sb.ID, w.now) })
	marks("no", sb.ID, true, false, false, true)
	w.must(w.DenyAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, sa.ID, w.now))
	marks("no of another", sa.ID, false, false, false, true)
	w.must(consent(ann, sa.ID))
	marks("yes after no", sa.ID, false, false, true, false)
}

func requestsConsent(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	w.client("app")
	w.client("web")
	s, _ := w.session(ann)
	r := w.request("app")
	give := func(sid string, c idp.Consent) error {
		return w.ConsentAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, sid, c, w.now)
	}
	c := idp.Consent{UserID: ann.ID, ClientID: "app", Resource: "https://calendar.example", Scopes: []string{"openid", "calendar.read"}, CreatedAt: w.now, UpdatedAt: w.now}
	w.audited("consent.give", ann.ID, func() error { return give(s.ID, c) })
	got, err := w.Consent(w.ctx, ann.ID, "app", c.Resource)
	w.must(err)
	w.equal("consent", got, c)

	for name, bad := range map[string]idp.Consent{
		"for somebody else":    {UserID: bob.ID, ClientID: "app", Scopes: []string{"openid"}},
		"for another client":   {UserID: ann.ID, ClientID: "web", Scopes: []string{"openid"}},
		"for an unknown user":  {UserID: "nobody", ClientID: "app", Scopes: []string{"openid"}},
		"for an empty user id": {ClientID: "app", Scopes: []string{"openid"}},
	} {
		w.want(name, give(s.ID, bad), idp.ErrNotFound)
	}
	w.want("two scopes in one", give(s.ID, idp.Consent{UserID: ann.ID, ClientID: "app", Scopes: []string{"a b"}}), idp.ErrInvalid)

	w.wait(time.Minute)
	w.must(give(s.ID, idp.Consent{UserID: ann.ID, ClientID: "app", Resource: c.Resource, Scopes: []string{"calendar.write", "openid"}}))
	c.Scopes, c.UpdatedAt = append(c.Scopes, "calendar.write"), w.now
	w.must(give(s.ID, idp.Consent{UserID: ann.ID, ClientID: "app", Resource: "https://id.example", Scopes: []string{"email"}}))
	all, err := w.Consents(w.ctx, ann.ID)
	w.must(err)
	w.equal("consents", all, []idp.Consent{c, {UserID: ann.ID, ClientID: "app", Resource: "https://id.example", Scopes: []string{"email"}, CreatedAt: w.now, UpdatedAt: w.now}})
	_, err = w.Consent(w.ctx, bob.ID, "app", c.Resource)
	w.want("of somebody else", err, idp.ErrNotFound)

	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	w.want("ended session", give(s.ID, c), idp.ErrNotFound)
}

func requestsEndOnce(w *world) {
	ann := w.user("ann")
	w.client("app")
	w.client("web")
	s, _ := w.session(ann)
	r := w.request("app")
	g, code := w.newGrant(ann, "app", s.ID)
	other, otherCode := w.newGrant(ann, "web", s.ID)
	w.want("other client", w.FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{}, other, otherCode, w.now), idp.ErrNotFound)
	w.want("other browser", w.FinishAuthRequest(w.ctx, person(ann), r.ID, hash("other"), idp.Approval{}, g, code, w.now), idp.ErrNotFound)
	w.want("expired", w.FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{}, g, code, r.ExpiresAt), idp.ErrNotFound)
	w.want("code of another grant", w.FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{}, g, otherCode, w.now), idp.ErrInvalid)
	w.audited("grant.create", ann.ID, func() error {
		return w.FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{}, g, code, w.now)
	})
	got, st, err := w.Code(w.ctx, code.Hash, w.now)
	w.must(err)
	w.equal("code", got, code)
	w.equal("grant", st.Grant, g)

	again, againCode := w.newGrant(ann, "app", s.ID)
	late := []error{
		w.FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{}, again, againCode, w.now),
		w.RefuseAuthRequest(w.ctx, r.ID, r.BrowserHash, w.now),
		w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, s.ID, w.now),
		w.SelectAuthRequest(w.ctx, r.ID, r.BrowserHash, s.ID, w.now),
		w.DenyAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, s.ID, w.now),
		w.ConsentAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, s.ID, idp.Consent{UserID: ann.ID, ClientID: "app"}, w.now),
	}
	_, err = w.AuthRequest(w.ctx, r.ID, r.BrowserHash, w.now)
	for i, err := range append(late, err) {
		w.want("after the end, "+strconv.Itoa(i), err, idp.ErrConsumed)
	}
	w.want("other browser after the end", w.RefuseAuthRequest(w.ctx, r.ID, hash("other"), w.now), idp.ErrNotFound)
	_, err = w.Standing(w.ctx, again.ID, w.now)
	w.want("second grant", err, idp.ErrNotFound)

	r = w.request("app")
	w.silent(func() error { return w.RefuseAuthRequest(w.ctx, r.ID, r.BrowserHash, w.now) })
	w.want("finish after refusal", w.FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{}, again, againCode, w.now), idp.ErrConsumed)
}

func requestsGone(w *world) {
	w.client("app")
	for i, tt := range []struct {
		name    string
		offline bool
		end     func(u idp.User, s idp.Session) error
	}{
		{"session ended", false, func(u idp.User, s idp.Session) error { return w.EndSession(w.ctx, person(u), u.ID, s.ID, w.now) }},
		{"session-of-offline", true, func(u idp.User, s idp.Session) error { return w.EndSession(w.ctx, person(u), u.ID, s.ID, w.now) }},
		{"disabled", false, func(u idp.User, _ idp.Session) error { return w.DisableUser(w.ctx, operator, u.ID, w.now) }},
		{"offline-disabled", true, func(u idp.User, _ idp.Session) error { return w.DisableUser(w.ctx, operator, u.ID, w.now) }},
		{"deleted", true, func(u idp.User, _ idp.Session) error { return w.DeleteUser(w.ctx, operator, u.ID, w.now) }},
		{"password", true, func(u idp.User, _ idp.Session) error { return w.SetPassword(w.ctx, operator, u.ID, "x", w.now) }},
	} {
		u := w.user("person" + strconv.Itoa(i))
		s, _ := w.session(u)
		r := w.request("app")
		w.must(w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, s.ID, w.now))
		sid := s.ID
		if tt.offline {
			sid = ""
		}
		g, code := w.newGrant(u, "app", sid)
		w.must(tt.end(u, s))
		w.want(tt.name, w.FinishAuthRequest(w.ctx, person(u), r.ID, r.BrowserHash, idp.Approval{}, g, code, w.now), idp.ErrDenied)
		// Nothing happened: the request is still under way.
		_, err := w.AuthRequest(w.ctx, r.ID, r.BrowserHash, w.now)
		w.want(tt.name+": request", err, nil)
	}
	ann, bob, eve := w.user("ann"), w.user("bob"), w.user("eve")
	w.must(w.DisableUser(w.ctx, operator, eve.ID, w.now))
	g, code := w.newGrant(eve, "app", "")
	w.want("disabled, nothing asked", w.IssueCode(w.ctx, person(eve), idp.Approval{}, g, code, w.now), idp.ErrDenied)
	s, _ := w.session(ann)
	g, code = w.newGrant(bob, "app", s.ID)
	w.want("session of somebody else", w.IssueCode(w.ctx, person(bob), idp.Approval{}, g, code, w.now), idp.ErrDenied)
	g, code = w.newGrant(ann, "nobody", s.ID)
	w.want("unknown client", w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now), idp.ErrDenied)
}
