package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

var deviceTests = []test{
	{"device requests are read as they were written, in time", devicesRoundTrip},
	{"DOS-03 device requests are limited for each network, each client and in all", devicesLimited},
	{"OAU-18 polls within the interval are refused, and make it longer", devicesPolled},
	{"OAU-18 a device request is answered once, by the session that confirmed", devicesAnsweredOnce},
	{"OAU-18 a confirmation of one session does not count for another", devicesConfirmed},
	{"OAU-18 OAU-16 a no is not overtaken by a yes", devicesDeniedMeanwhile},
	{"OAU-18 an approved device gets its grant once", devicesRedeemed},
	{"TOK-10 a device is not approved by who has gone meanwhile", devicesGone},
	{"DOS-03 device requests are swept, used ones after an hour", devicesSwept},
	{"OAU-18 a grant that no device collected goes with its request", devicesUncollected},
	{"STO-06 device requests are void in a new epoch", devicesRestored},
	{"OAU-18 an attempt that was none is taken back", attemptsForgiven},
}

var deviceQuotas = idp.DeviceQuotas{PerNetwork: 1000, PerClient: 1000, Total: 100_000}

// device stores a device request.
func (w *world) device(clientID string) idp.DeviceRequest {
	w.Helper()
	d := w.newDevice(clientID)
	w.must(w.CreateDeviceRequest(w.ctx, d, "192.0.2.7/32", deviceQuotas, w.now))
	return d
}

func (w *world) newDevice(clientID string) idp.DeviceRequest {
	id := secret.ID()
	return idp.DeviceRequest{
		ID: id, DeviceHash: hash("device code of " + id), UserHash: hash("user code of " + id), SealedCode: []byte("sealed " + id), ClientID: clientID,
		Scopes: []string{"openid", "calendar.read"}, Resource: "https://calendar.example", IP: "192.0.2.7", UserAgent: "desk-clock/1",
		CreatedAt: w.now, ExpiresAt: w.now.Add(10 * time.Minute), Interval: 5 * time.Second,
	}
}

// deviceFlow is the request of a person who entered the device's code, confirmed by the session.
func (w *world) deviceFlow(d idp.DeviceRequest, sessionID string) idp.AuthRequest {
	w.Helper()
	r := idp.AuthRequest{
		ID: secret.ID(), ClientID: d.ClientID, Scopes: d.Scopes, Resource: d.Resource, MaxAge: -1, CreatedAt: w.now, ExpiresAt: d.ExpiresAt, DeviceID: d.ID,
	}
	r.BrowserHash = hash("browser of " + r.ID)
	w.must(w.CreateAuthRequest(w.ctx, r, "192.0.2.8/32", 1_000_000, 1_000_000, w.now))
	if sessionID != "" {
		w.must(w.ConfirmAuthRequest(w.ctx, r.ID, r.BrowserHash, sessionID, w.now))
	}
	return r
}

func (w *world) approve(u idp.User, sessionID string, r idp.AuthRequest, g idp.Grant) error {
	return w.FinishDeviceRequest(w.ctx, person(u), r.ID, r.BrowserHash, idp.Approval{SessionID: sessionID}, g, w.now)
}

func devicesRoundTrip(w *world) {
	d := w.device("app")
	got, err := w.DeviceRequestByUserCode(w.ctx, d.UserHash, w.now)
	w.must(err)
	w.equal("by the person's code", got, d)
	got, err = w.OpenDeviceRequest(w.ctx, d.ID, w.now)
	w.must(err)
	w.equal("by id", got, d)
	got, err = w.PollDevice(w.ctx, d.DeviceHash, "app", w.now)
	w.must(err)
	d.PolledAt = w.now
	w.equal("by its own code", got, d)

	for name, err := range map[string]error{
		"unknown code":        second(w.DeviceRequestByUserCode(w.ctx, hash("other"), w.now)),
		"device's code":       second(w.DeviceRequestByUserCode(w.ctx, d.DeviceHash, w.now)),
		"late":                second(w.DeviceRequestByUserCode(w.ctx, d.UserHash, d.ExpiresAt)),
		"late by id":          second(w.OpenDeviceRequest(w.ctx, d.ID, d.ExpiresAt)),
		"unknown id":          second(w.OpenDeviceRequest(w.ctx, "other", w.now)),
		"another client":      second(w.PollDevice(w.ctx, d.DeviceHash, "web", w.now.Add(time.Minute))),
		"unknown device code": second(w.PollDevice(w.ctx, hash("other"), "app", w.now)),
		"person's code":       second(w.PollDevice(w.ctx, d.UserHash, "app", w.now)),
	} {
		w.want(name, err, idp.ErrNotFound)
	}
	w.want("late poll", second(w.PollDevice(w.ctx, d.DeviceHash, "app", d.ExpiresAt)), idp.ErrExpired)

	for name, change := range map[string]func(*idp.DeviceRequest){
		"same id":          func(o *idp.DeviceRequest) { o.ID = d.ID },
		"same device code": func(o *idp.DeviceRequest) { o.DeviceHash = d.DeviceHash },
		"same user code":   func(o *idp.DeviceRequest) { o.UserHash = d.UserHash },
	} {
		other := w.newDevice("app")
		change(&other)
		w.want(name, w.CreateDeviceRequest(w.ctx, other, "x", deviceQuotas, w.now), idp.ErrExists)
	}
	w.want("no id", w.CreateDeviceRequest(w.ctx, idp.DeviceRequest{ClientID: "app"}, "x", deviceQuotas, w.now), idp.ErrInvalid)
	long := w.newDevice("app")
	long.UserAgent = strings.Repeat("a", 10_000)
	w.must(w.CreateDeviceRequest(w.ctx, long, "x", deviceQuotas, w.now))
	got, err = w.OpenDeviceRequest(w.ctx, long.ID, w.now)
	w.must(err)
	w.equal("length of a User-Agent", len(got.UserAgent), 512)
}

func second[T any](_ T, err error) error { return err }

func devicesLimited(w *world) {
	begin := func(network, client string, q idp.DeviceQuotas) error {
		return w.CreateDeviceRequest(w.ctx, w.newDevice(client), network, q, w.now)
	}
	q := idp.DeviceQuotas{PerNetwork: 2, PerClient: 3, Total: 100}
	for i, tt := range []struct {
		network, client string
		want            error
	}{
		{"a", "app", nil}, {"a", "app", nil}, {"a", "app", idp.ErrLimited}, {"a", "web", idp.ErrLimited},
		{"b", "app", nil}, {"c", "app", idp.ErrLimited}, {"c", "web", nil},
	} {
		w.want("start "+strconv.Itoa(i), begin(tt.network, tt.client, q), tt.want)
	}
	// What was answered counts as well.
	ann := w.user("ann")
	w.client("answered")
	s, _ := w.session(ann)
	d := w.newDevice("answered")
	w.must(w.CreateDeviceRequest(w.ctx, d, "z", q, w.now))
	r := w.deviceFlow(d, s.ID)
	w.must(w.RefuseDeviceRequest(w.ctx, person(ann), r.ID, r.BrowserHash, w.now))
	one := idp.DeviceQuotas{PerNetwork: 1, PerClient: 100, Total: 100}
	w.want("after an answer", begin("z", "app2", one), idp.ErrLimited)

	w.wait(10 * time.Minute) // all are expired, none is swept
	w.want("later", begin("a", "app", q), nil)

	// The networks of an IPv6 site share four networks' worth.
	for i := range 5 {
		want := error(nil)
		if i == 4 {
			want = idp.ErrLimited
		}
		w.want("site "+strconv.Itoa(i), begin("2001:db8:0:"+strconv.Itoa(i)+"::/64", "site", one), want)
	}
	// In all; who has begun nothing still finds a quarter more.
	w.wait(10 * time.Minute)
	all := idp.DeviceQuotas{PerNetwork: 200, PerClient: 100, Total: 4}
	for i, tt := range []struct {
		network string
		want    error
	}{{"f", nil}, {"f", nil}, {"f", nil}, {"f", nil}, {"f", idp.ErrLimited}, {"g", nil}, {"h", idp.ErrLimited}} {
		w.want("full "+strconv.Itoa(i), begin(tt.network, "full", all), tt.want)
	}
}

func devicesPolled(w *world) {
	d := w.device("app")
	poll := func() (time.Duration, error) {
		got, err := w.PollDevice(w.ctx, d.DeviceHash, "app", w.now)
		return got.Interval, err
	}
	for i, tt := range []struct {
		wait     time.Duration
		interval time.Duration // what it is then
		want     error
	}{
		{0, 5 * time.Second, nil}, {5 * time.Second, 5 * time.Second, nil}, {4 * time.Second, 5 * time.Second, nil}, // networks delay
		{3 * time.Second, 0, idp.ErrLimited},  // now 10 s, from this poll on
		{5 * time.Second, 0, idp.ErrLimited},  // now 15 s
		{13 * time.Second, 0, idp.ErrLimited}, // now 20 s
		{19 * time.Second, 20 * time.Second, nil}, {20 * time.Second, 20 * time.Second, nil},
	} {
		w.wait(tt.wait)
		interval, err := poll()
		w.want("poll "+strconv.Itoa(i), err, tt.want)
		w.equal("interval "+strconv.Itoa(i), interval, tt.interval)
	}
	// Another client's polls change nothing.
	for range 3 {
		w.want("foreign poll", second(w.PollDevice(w.ctx, d.DeviceHash, "web", w.now)), idp.ErrNotFound)
	}
	got, err := w.OpenDeviceRequest(w.ctx, d.ID, w.now)
	w.must(err)
	w.equal("interval", got.Interval, 20*time.Second)
	// Who hammers is not written down for ever.
	for range 30 {
		w.want("hammering", second(w.PollDevice(w.ctx, d.DeviceHash, "app", w.now)), idp.ErrLimited)
	}
	got, err = w.OpenDeviceRequest(w.ctx, d.ID, w.now)
	w.must(err)
	w.equal("interval at most", got.Interval, time.Minute)
	w.wait(time.Minute)
	_, err = poll()
	w.want("after a minute", err, nil)
}

func devicesAnsweredOnce(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	w.client("app")
	w.client("web")
	sa, _ := w.session(ann)
	sb, _ := w.session(bob)
	d := w.device("app")
	r, theirs := w.deviceFlow(d, sa.ID), w.deviceFlow(d, sb.ID)
	g, code := w.newGrant(ann, "app", sa.ID)

	other, _ := w.newGrant(ann, "web", sa.ID)
	w.want("other client", w.approve(ann, sa.ID, r, other), idp.ErrNotFound)
	w.want("other browser", w.FinishDeviceRequest(w.ctx, person(ann), r.ID, hash("other"), idp.Approval{SessionID: sa.ID}, g, w.now), idp.ErrNotFound)
	w.want("other session", w.approve(ann, sb.ID, r, g), idp.ErrNotFound)
	w.want("no session", w.approve(ann, "", r, g), idp.ErrNotFound)
	w.want("expired", w.FinishDeviceRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{SessionID: sa.ID}, g, d.ExpiresAt), idp.ErrNotFound)
	w.want("with an authorization code", w.FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{}, g, code, w.now), idp.ErrNotFound)
	unasked := w.deviceFlow(d, "")
	w.want("unconfirmed", w.approve(ann, sa.ID, unasked, g), idp.ErrNotFound)
	plain := w.request("app")
	w.want("of a request without a device", w.approve(ann, sa.ID, plain, g), idp.ErrNotFound)
	w.want("confirming a request without a device", w.ConfirmAuthRequest(w.ctx, plain.ID, plain.BrowserHash, sa.ID, w.now), idp.ErrNotFound)
	w.want("refusing a request without a device", w.RefuseDeviceRequest(w.ctx, person(ann), plain.ID, plain.BrowserHash, w.now), idp.ErrNotFound)

	w.audited2([]string{"grant.create", "device.approve"}, func() error { return w.approve(ann, sa.ID, r, g) })
	got, err := w.PollDevice(w.ctx, d.DeviceHash, "app", w.now)
	w.must(err)
	w.equal("answer", []any{got.UserID, got.GrantID, got.ApprovedAt, got.DeniedAt.IsZero()}, []any{ann.ID, g.ID, w.now.Truncate(time.Millisecond), true})

	again, _ := w.newGrant(ann, "app", sa.ID)
	byBob, _ := w.newGrant(bob, "app", sb.ID)
	w.want("again", w.approve(ann, sa.ID, r, again), idp.ErrConsumed)
	w.want("by somebody else", w.approve(bob, sb.ID, theirs, byBob), idp.ErrConsumed)
	w.want("refusal after it", w.RefuseDeviceRequest(w.ctx, person(bob), theirs.ID, theirs.BrowserHash, w.now), idp.ErrConsumed)
	w.want("grant of somebody else", second(w.Standing(w.ctx, byBob.ID, w.now)), idp.ErrNotFound)
	w.want("by code", second(w.DeviceRequestByUserCode(w.ctx, d.UserHash, w.now)), idp.ErrNotFound)
	w.want("by id", second(w.OpenDeviceRequest(w.ctx, d.ID, w.now)), idp.ErrNotFound)

	d = w.device("app")
	r, theirs = w.deviceFlow(d, sa.ID), w.deviceFlow(d, sb.ID)
	w.audited("device.deny", ann.ID, func() error {
		return w.RefuseDeviceRequest(w.ctx, person(ann), r.ID, r.BrowserHash, w.now)
	})
	got, err = w.PollDevice(w.ctx, d.DeviceHash, "app", w.now)
	w.must(err)
	w.equal("no", []bool{got.DeniedAt.IsZero(), got.ApprovedAt.IsZero()}, []bool{false, true})
	w.want("yes after no", w.approve(bob, sb.ID, theirs, byBob), idp.ErrConsumed)
	w.want("by code after no", second(w.DeviceRequestByUserCode(w.ctx, d.UserHash, w.now)), idp.ErrNotFound)
}

// audited2 runs a verb and checks which audit rows it leaves.
func (w *world) audited2(actions []string, verb func() error) {
	w.Helper()
	_, before := w.lastEvent()
	w.must(verb())
	events, err := w.Events(w.ctx, "", 0, 100_000)
	w.must(err)
	var got []string
	for i := len(events) - before - 1; i >= 0; i-- {
		got = append(got, events[i].Action)
	}
	w.equal("audit", got, actions)
}

func devicesConfirmed(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	w.client("app")
	sa, _ := w.session(ann)
	sb, _ := w.session(bob)
	d := w.device("app")
	r := w.deviceFlow(d, "")
	state := func(what, session, by string, login, consented, denied bool) {
		w.Helper()
		got, err := w.AuthRequest(w.ctx, r.ID, r.BrowserHash, w.now)
		w.must(err)
		w.equal(what, []any{got.DeviceID, got.SessionID, got.ConfirmedBy, !got.LoginAt.IsZero(), !got.ConsentedAt.IsZero(), !got.DeniedAt.IsZero()},
			[]any{d.ID, session, by, login, consented, denied})
	}
	consent := idp.Consent{UserID: ann.ID, ClientID: "app", Scopes: []string{"openid"}}
	w.must(w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, sa.ID, w.now))
	w.must(w.ConsentAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, sa.ID, consent, w.now))
	w.must(w.ConfirmAuthRequest(w.ctx, r.ID, r.BrowserHash, sa.ID, w.now))
	state("confirmed", sa.ID, sa.ID, true, true, false)
	w.must(w.SelectAuthRequest(w.ctx, r.ID, r.BrowserHash, sb.ID, w.now))
	state("another account", sb.ID, sa.ID, false, false, false)
	g, _ := w.newGrant(bob, "app", sb.ID)
	w.want("with a confirmation of somebody else", w.approve(bob, sb.ID, r, g), idp.ErrNotFound)
	g, _ = w.newGrant(ann, "app", sa.ID)
	w.want("by who confirmed, but switched", w.approve(ann, sa.ID, r, g), idp.ErrNotFound)
	w.must(w.DenyAuthRequest(w.ctx, person(bob), r.ID, r.BrowserHash, sb.ID, w.now))
	w.must(w.ConfirmAuthRequest(w.ctx, r.ID, r.BrowserHash, sa.ID, w.now))
	state("confirmed again", sa.ID, sa.ID, false, false, false)
	w.must(w.approve(ann, sa.ID, r, g))
	w.want("after the end", w.ConfirmAuthRequest(w.ctx, r.ID, r.BrowserHash, sa.ID, w.now), idp.ErrConsumed)
	w.want("other browser", w.ConfirmAuthRequest(w.ctx, r.ID, hash("other"), sa.ID, w.now), idp.ErrNotFound)
}

// devicesDeniedMeanwhile: a no that comes while the browser goes on with a yes.
func devicesDeniedMeanwhile(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	d := w.device("app")
	r := w.deviceFlow(d, s.ID)
	g, code := w.newGrant(ann, "app", s.ID)
	w.must(w.DenyAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, s.ID, w.now))
	w.want("device", w.approve(ann, s.ID, r, g), idp.ErrNotFound)
	w.must(w.RefuseDeviceRequest(w.ctx, person(ann), r.ID, r.BrowserHash, w.now))

	r = w.request("app")
	w.must(w.DenyAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, s.ID, w.now))
	w.want("app", w.FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{SessionID: s.ID}, g, code, w.now), idp.ErrNotFound)
	w.must(w.RefuseAuthRequest(w.ctx, r.ID, r.BrowserHash, w.now))
}

func devicesRedeemed(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	redeem := func(d idp.DeviceRequest, g idp.Grant) error {
		r := w.newRefresh(g)
		r.JKT = "key 1"
		return w.RedeemDevice(w.ctx, asClient("app"), d.DeviceHash, &r, w.now)
	}
	approved := func() (idp.DeviceRequest, idp.Grant) {
		d := w.device("app")
		g, _ := w.newGrant(ann, "app", s.ID)
		w.must(w.approve(ann, s.ID, w.deviceFlow(d, s.ID), g))
		return d, g
	}
	d := w.device("app")
	g, _ := w.newGrant(ann, "app", s.ID)
	w.want("not approved", redeem(d, g), idp.ErrNotFound)
	denied := w.deviceFlow(d, s.ID)
	w.must(w.RefuseDeviceRequest(w.ctx, person(ann), denied.ID, denied.BrowserHash, w.now))
	w.want("denied", redeem(d, g), idp.ErrNotFound)

	d, g = approved()
	foreign, _ := w.grant(ann, "app", "")
	w.want("refresh token of another grant", redeem(d, foreign), idp.ErrInvalid)
	w.want("late", w.RedeemDevice(w.ctx, asClient("app"), d.DeviceHash, nil, d.ExpiresAt), idp.ErrNotFound)
	w.audited("device.connect", ann.ID, func() error { return redeem(d, g) })
	family, st, err := w.Refresh(w.ctx, w.newRefresh(g).HandleHash, w.now)
	w.must(err)
	w.equal("grant of the token", []string{family.GrantID, st.Grant.ID, st.User.ID}, []string{g.ID, g.ID, ann.ID})
	w.equal("key of the token", family.JKT, "key 1")

	// A second use: the grant dies with one rule.
	before := w.head()
	w.want("poll after it", second(w.PollDevice(w.ctx, d.DeviceHash, "app", w.now)), idp.ErrConsumed)
	w.audited("device.replay", ann.ID, func() error {
		if err := redeem(d, g); !errors.Is(err, idp.ErrConsumed) {
			return fmt.Errorf("second use: %w", err)
		}
		return nil
	})
	w.silent(func() error {
		w.want("third use", redeem(d, g), idp.ErrConsumed)
		return nil
	})
	w.want("grant", second(w.Standing(w.ctx, g.ID, w.now)), idp.ErrNotFound)
	w.equal("rules", w.ruleNames(before), map[string]int{"grant " + g.ID: 1})
	w.wait(11 * time.Minute) // also when it is expired
	w.want("poll long after it", second(w.PollDevice(w.ctx, d.DeviceHash, "app", w.now)), idp.ErrConsumed)

	d, g = approved() // without a refresh token
	w.must(w.RedeemDevice(w.ctx, asClient("app"), d.DeviceHash, nil, w.now))
	d, g = approved()
	w.must(w.RevokeGrant(w.ctx, operator, g.ID, "test", w.now))
	w.want("revoked meanwhile", redeem(d, g), idp.ErrNotFound)
}

func devicesGone(w *world) {
	w.client("app")
	for i, tt := range []struct {
		name string
		end  func(u idp.User, s idp.Session) error
	}{
		{"session ended", func(u idp.User, s idp.Session) error { return w.EndSession(w.ctx, person(u), u.ID, s.ID, w.now) }},
		{"disabled", func(u idp.User, _ idp.Session) error { return w.DisableUser(w.ctx, operator, u.ID, w.now) }},
		{"deleted", func(u idp.User, _ idp.Session) error { return w.DeleteUser(w.ctx, operator, u.ID, w.now) }},
		{"password", func(u idp.User, _ idp.Session) error { return w.SetPassword(w.ctx, operator, u.ID, "x", w.now) }},
	} {
		for _, offline := range []string{"", "offline"} {
			u := w.user("person" + strconv.Itoa(i) + offline)
			s, _ := w.session(u)
			d := w.device("app")
			r := w.deviceFlow(d, s.ID)
			sid := s.ID
			if offline != "" {
				sid = ""
			}
			g, _ := w.newGrant(u, "app", sid)
			w.must(tt.end(u, s))
			w.want(tt.name, w.approve(u, s.ID, r, g), idp.ErrDenied)
			_, err := w.OpenDeviceRequest(w.ctx, d.ID, w.now) // nothing happened
			w.want(tt.name+": request", err, nil)
		}
	}
	ann := w.user("ann")
	s, _ := w.session(ann)
	r := w.deviceFlow(w.device("app"), s.ID)
	g, _ := w.newGrant(ann, "app", s.ID)
	w.want("consent taken back", w.FinishDeviceRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{SessionID: s.ID, Consent: true}, g, w.now), idp.ErrDenied)
	w.must(w.DisableClient(w.ctx, operator, "app", w.now))
	w.want("client disabled", w.approve(ann, s.ID, r, g), idp.ErrDenied)
}

func attemptsForgiven(w *world) {
	limits := []idp.Limit{{Key: "a", Max: 2, Window: time.Minute}, {Key: "b", Max: 3, Window: time.Minute}}
	try := func() time.Duration {
		wait, err := w.CountAttempt(w.ctx, limits, w.now)
		w.must(err)
		return wait
	}
	w.must(w.ForgiveAttempt(w.ctx, limits, w.now)) // nothing was counted
	for range 5 {
		w.equal("room", try(), time.Duration(0))
		w.must(w.ForgiveAttempt(w.ctx, limits, w.now))
	}
	w.must(w.ForgiveAttempt(w.ctx, limits, w.now)) // no credit
	try()
	try()
	if try() == 0 {
		w.Error("forgiving gave credit")
	}
}

func devicesSwept(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	unused := w.device("app")
	used := w.device("app")
	g, _ := w.newGrant(ann, "app", s.ID)
	flow := w.deviceFlow(used, s.ID)
	w.must(w.approve(ann, s.ID, flow, g))
	w.must(w.RedeemDevice(w.ctx, asClient("app"), used.DeviceHash, nil, w.now))
	w.equal("nothing has ended", w.sweepAll(), 0)
	w.wait(11 * time.Minute)
	w.equal("the flow", w.sweepAll(), 1)
	w.want("its last poll is told why", second(w.PollDevice(w.ctx, unused.DeviceHash, "app", w.now)), idp.ErrExpired)
	w.wait(time.Minute)
	w.equal("the unused one", w.sweepAll(), 1)
	w.want("unused", second(w.PollDevice(w.ctx, unused.DeviceHash, "app", w.now)), idp.ErrNotFound)
	w.wait(57 * time.Minute)
	w.want("a second use is noticed", second(w.PollDevice(w.ctx, used.DeviceHash, "app", w.now)), idp.ErrConsumed)
	w.wait(2 * time.Minute)
	w.equal("the used one", w.sweepAll(), 1)
}

func devicesUncollected(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	collected, forgotten := w.device("app"), w.device("app")
	kept, _ := w.newGrant(ann, "app", "")
	w.must(w.approve(ann, s.ID, w.deviceFlow(collected, s.ID), kept))
	w.must(w.RedeemDevice(w.ctx, asClient("app"), collected.DeviceHash, nil, w.now))
	lost, _ := w.newGrant(ann, "app", "")
	w.must(w.approve(ann, s.ID, w.deviceFlow(forgotten, s.ID), lost))
	w.wait(11 * time.Minute)
	w.equal("the flows", w.sweepAll(), 2)
	w.wait(time.Minute)
	w.equal("the request and its grant", w.sweepAll(), 2)
	w.onlyGrant(ann.ID, kept)
}

func devicesRestored(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	d := w.device("app")
	g, _ := w.newGrant(ann, "app", s.ID)
	w.must(w.approve(ann, s.ID, w.deviceFlow(d, s.ID), g))
	waiting := w.device("app")
	_, err := w.BeginEpoch(w.ctx, operator, w.now)
	w.must(err)
	for name, h := range map[string][32]byte{"approved": d.DeviceHash, "waiting": waiting.DeviceHash} {
		w.want(name, second(w.PollDevice(w.ctx, h, "app", w.now)), idp.ErrNotFound)
	}
	w.want("by the person's code", second(w.DeviceRequestByUserCode(w.ctx, waiting.UserHash, w.now)), idp.ErrNotFound)
}
