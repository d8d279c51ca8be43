package storetest

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var logoutTests = []test{
	{"Back-Channel Logout §2.5 every end of a session queues notices", logoutsQueued},
	{"Back-Channel Logout §2.3 who took part", logoutsParticipants},
	{"NET-02 a claimed notice comes back until it is recorded", logoutsClaimed},
	{"NET-02 what became of an attempt", logoutsRecorded},
	{"NET-02 limits of a claim", logoutsLimits},
	{"STO-06 no notice survives a new epoch", logoutsEpoch},
	{"OAU-20 the login of an offline grant", logoutsOfflineLogin},
	{"OAU-20 a code does not outlive its login, whatever it grants", logoutsEndCodes},
	{"NET-02 clients that no operator added are told last", logoutsStrangersLast},
}

// told makes a client that takes logout tokens.
func (w *world) told(id string) {
	w.Helper()
	w.client(id)
	c, err := w.Client(w.ctx, id)
	w.must(err)
	c.BackchannelLogoutURI = "https://" + id + ".example/logout?x=1&y=2"
	w.must(w.PutClient(w.ctx, operator, c, w.now))
}

// offline stores an offline grant that was made at a session.
func (w *world) offline(u idp.User, clientID, sid string) idp.Grant {
	w.Helper()
	g, code := w.newGrant(u, clientID, "")
	w.must(w.IssueCode(w.ctx, person(u), idp.Approval{SessionID: sid}, g, code, w.now))
	return g
}

// claimAll claims everything that is due and returns "client sid".
func (w *world) claimAll(lease time.Duration) (names []string, notices []idp.LogoutNotice) {
	w.Helper()
	clients, err := w.DueLogouts(w.ctx, "", 100, w.now)
	w.must(err)
	for _, id := range clients {
		claimed, err := w.ClaimLogouts(w.ctx, id, "", 100, w.now.Add(lease), w.now)
		w.must(err)
		notices = append(notices, claimed...)
		for _, n := range claimed {
			names = append(names, n.ClientID+" "+n.SessionID)
		}
	}
	slices.Sort(names)
	return names, notices
}

func logoutsQueued(w *world) {
	for name, end := range map[string]func(u idp.User, s idp.Session) error{
		"session":     func(u idp.User, s idp.Session) error { return w.EndSession(w.ctx, person(u), u.ID, s.ID, w.now) },
		"by operator": func(u idp.User, s idp.Session) error { return w.EndSession(w.ctx, operator, u.ID, s.ID, w.now) },
		"others": func(u idp.User, s idp.Session) error {
			_, err := w.EndOtherSessions(w.ctx, person(u), u.ID, "", w.now)
			return err
		},
		"password": func(u idp.User, s idp.Session) error { return w.SetPassword(w.ctx, person(u), u.ID, "new", w.now) },
		"disabled": func(u idp.User, s idp.Session) error { return w.DisableUser(w.ctx, operator, u.ID, w.now) },
		"deleted":  func(u idp.User, s idp.Session) error { return w.DeleteUser(w.ctx, operator, u.ID, w.now) },
	} {
		id := "app-of-" + map[bool]string{true: "operator", false: name}[name == "by operator"]
		u := w.user(id)
		w.told(id)
		s, _ := w.session(u)
		w.grant(u, id, s.ID)
		w.must(end(u, s))
		names, notices := w.claimAll(time.Minute)
		w.equal(name, names, []string{id + " " + s.ID})
		for _, n := range notices {
			w.equal(name, n, idp.LogoutNotice{ClientID: id, UserID: u.ID, SessionID: s.ID, QueuedAt: w.now, Attempt: 1})
		}
	}
	// A change that does not happen leaves no notice.
	u := w.user("ann")
	w.told("app")
	s, _ := w.session(u)
	w.grant(u, "app", s.ID)
	w.want("a stranger", w.EndSession(w.ctx, operator, "nobody", s.ID, w.now), idp.ErrNotFound)
	names, _ := w.claimAll(time.Minute)
	w.equal("nothing ended", len(names), 0)
}

func logoutsParticipants(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	for _, id := range []string{"one", "offline", "revoked", "disabled", "elsewhere", "bobs"} {
		w.told(id)
	}
	w.client("silent")
	c, err := w.Client(w.ctx, "silent")
	w.must(err)
	c.Name = `"backchannel_logout_uri":"x`
	w.must(w.PutClient(w.ctx, operator, c, w.now))
	here, _ := w.session(ann)
	there, _ := w.session(ann)
	bobs, _ := w.session(bob)
	for _, id := range []string{"one", "one", "silent", "disabled"} { // two grants are one notice
		w.grant(ann, id, here.ID)
	}
	w.offline(ann, "offline", here.ID)
	w.offline(ann, "elsewhere", there.ID)
	g, _ := w.grant(ann, "revoked", here.ID)
	w.must(w.RevokeGrant(w.ctx, person(ann), g.ID, "", w.now)) // its tokens are dead; its own session may live
	w.grant(bob, "bobs", bobs.ID)
	w.must(w.DisableClient(w.ctx, operator, "disabled", w.now))

	w.must(w.EndSession(w.ctx, person(ann), ann.ID, here.ID, w.now))
	names, _ := w.claimAll(time.Minute)
	w.equal("notices", names, []string{"offline " + here.ID, "one " + here.ID, "revoked " + here.ID})
	clients, err := w.SessionClients(w.ctx, ann.ID, here.ID)
	w.must(err)
	ids := []string{}
	for _, c := range clients {
		ids = append(ids, c.ID)
	}
	w.equal("clients of the session", ids, []string{"offline", "one", "revoked", "silent"})
	clients, err = w.SessionClients(w.ctx, bob.ID, here.ID)
	w.must(err)
	w.equal("to somebody else", len(clients), 0)

	// What outlives a logout is told when it ends, whether its login is known or not.
	g, code := w.newGrant(ann, "one", "")
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
	w.wait(time.Hour)
	w.must(w.SetPassword(w.ctx, person(ann), ann.ID, "new", w.now))
	names, notices := w.claimAll(time.Minute)
	w.equal("after a new password", names, []string{"elsewhere " + there.ID, "offline " + here.ID, "one ", "one " + here.ID, "revoked " + here.ID}) // three of them came back
	for _, n := range notices {
		w.must(w.RecordLogout(w.ctx, operator, n, idp.LogoutOutcome{Told: true}, w.now))
	}
	w.wait(time.Second)
	w.must(w.SetPassword(w.ctx, person(ann), ann.ID, "newer", w.now))
	names, _ = w.claimAll(time.Minute)
	w.equal("nothing is told twice", len(names), 0)
}

func logoutsClaimed(w *world) {
	ann := w.user("ann")
	w.told("app")
	s, _ := w.session(ann)
	w.grant(ann, "app", s.ID)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	_, first := w.claimAll(time.Minute)
	names, _ := w.claimAll(time.Minute)
	w.equal("while it is claimed", len(names), 0)
	w.wait(time.Minute) // whoever claimed it is dead
	_, second := w.claimAll(time.Minute)
	if len(first) != 1 || len(second) != 1 || second[0].Attempt != 2 || !second[0].QueuedAt.Equal(first[0].QueuedAt) {
		w.Fatalf("%+v, then %+v", first, second)
	}
	w.want("the first one was too slow", w.RecordLogout(w.ctx, operator, first[0], idp.LogoutOutcome{Told: true}, w.now), idp.ErrConsumed)
	last, _ := w.lastEvent()
	w.equal("its attempt is recorded", last.Action, "logout.notify")
	w.must(w.RecordLogout(w.ctx, operator, second[0], idp.LogoutOutcome{Told: true}, w.now))
	w.wait(time.Hour)
	names, _ = w.claimAll(time.Minute)
	w.equal("told", len(names), 0)
}

func logoutsRecorded(w *world) {
	ann := w.user("ann")
	w.told("app")
	s, _ := w.session(ann)
	w.grant(ann, "app", s.ID)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	record := func(o idp.LogoutOutcome, result string) {
		w.Helper()
		_, notices := w.claimAll(time.Minute)
		if len(notices) != 1 {
			w.Fatalf("%d notices", len(notices))
		}
		w.audited("logout.notify", ann.ID, func() error { return w.RecordLogout(w.ctx, operator, notices[0], o, w.now) })
		e, _ := w.lastEvent()
		w.equal("event", []string{e.Result, e.Reason, e.ClientID, e.Target}, []string{result, o.Reason, "app", s.ID})
	}
	record(idp.LogoutOutcome{Reason: "status 500", RetryAt: w.now.Add(5 * time.Second)}, "refused")
	w.wait(5*time.Second - time.Millisecond)
	names, _ := w.claimAll(time.Minute)
	w.equal("before its time", len(names), 0)
	w.wait(time.Millisecond)
	record(idp.LogoutOutcome{Reason: "status 400"}, "refused")
	w.wait(time.Hour)
	names, _ = w.claimAll(time.Minute)
	w.equal("given up", len(names), 0)
}

func logoutsLimits(w *world) {
	ann := w.user("ann")
	w.told("app")
	w.told("other")
	var sids []string
	for range 5 {
		s, _ := w.session(ann)
		w.grant(ann, "app", s.ID)
		sids = append(sids, s.ID)
		w.wait(time.Millisecond)
		w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	}
	s, _ := w.session(ann)
	w.grant(ann, "other", s.ID)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	claim := func(sid string, limit int) []string {
		w.Helper()
		notices, err := w.ClaimLogouts(w.ctx, "app", sid, limit, w.now.Add(time.Minute), w.now)
		w.must(err)
		got := map[string]bool{}
		for _, n := range notices {
			got[n.SessionID] = true
		}
		return slices.Sorted(maps.Keys(got))
	}
	due := func(sid string, want ...string) {
		w.Helper()
		clients, err := w.DueLogouts(w.ctx, sid, 10, w.now)
		w.must(err)
		w.equal("due", clients, want)
	}
	due("", "app", "other")
	due(s.ID, "other")
	w.equal("of one session", claim(sids[3], 10), []string{sids[3]})
	w.equal("the longest waiting", claim("", 2), slices.Sorted(slices.Values(sids[:2])))
	w.equal("the rest", claim("", 10), slices.Sorted(slices.Values([]string{sids[2], sids[4]})))
	due("", "other")
	w.wait(2 * 24 * time.Hour) // nobody sends
	_, err := w.Sweep(w.ctx, w.now)
	w.must(err)
	clients, err := w.DueLogouts(w.ctx, "", 10, w.now)
	w.must(err)
	w.equal("swept", len(clients), 0)
}

func logoutsEpoch(w *world) {
	ann := w.user("ann")
	w.told("app")
	s, _ := w.session(ann)
	w.grant(ann, "app", s.ID)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	_, err := w.BeginEpoch(w.ctx, operator, w.now)
	w.must(err)
	names, _ := w.claimAll(time.Minute)
	w.equal("notices", len(names), 0)
}

func logoutsOfflineLogin(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	g := w.offline(ann, "app", s.ID)
	login := func(want string) {
		w.Helper()
		st, err := w.Standing(w.ctx, g.ID, w.now)
		w.must(err)
		w.equal("login", st.Grant.LoginSessionID, want)
		w.equal("session", st.Session, idp.Session{})
		w.equal("offline", st.Grant.Offline() && !st.SessionLive, true)
	}
	login(s.ID)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	login("")
	bound, _ := w.newGrant(ann, "app", "")
	bound.ID = ""
	w.want("no id", w.IssueCode(w.ctx, person(ann), idp.Approval{SessionID: s.ID}, bound, idp.Code{}, w.now), idp.ErrInvalid)
}

func logoutsStrangersLast(w *world) {
	ann := w.user("ann")
	leave := func(id string) {
		s, _ := w.session(ann)
		w.grant(ann, id, s.ID)
		w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	}
	for _, id := range []string{"dyn-1", "dyn-2", "dyn-3"} {
		c := w.stranger(id)
		c.BackchannelLogoutURI = "https://" + id + ".example/logout"
		w.must(w.RegisterClient(w.ctx, operator, c, [32]byte{}, 100, w.now))
		leave(id)
		w.wait(time.Second)
	}
	w.told("app")
	leave("app")
	due, err := w.DueLogouts(w.ctx, "", 2, w.now)
	w.must(err)
	w.equal("due", due, []string{"app", "dyn-1"})
}

func logoutsEndCodes(w *world) {
	ann := w.user("ann")
	w.client("app")
	redeem := func(g idp.Grant) error {
		r := w.newRefresh(g)
		return w.RedeemCode(w.ctx, asClient("app"), hash("code of "+g.ID), &r, w.now)
	}
	for name, end := range map[string]func(s idp.Session) error{
		"signed out": func(s idp.Session) error { return w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now) },
		"from elsewhere": func(idp.Session) error {
			_, err := w.EndOtherSessions(w.ctx, person(ann), ann.ID, "", w.now)
			return err
		},
	} {
		s, _ := w.session(ann)
		used, waiting := w.offline(ann, "app", s.ID), w.offline(ann, "app", s.ID)
		w.must(redeem(used))
		w.must(end(s))
		w.want(name+": a code that waits", redeem(waiting), idp.ErrNotFound)
		_, _, err := w.Refresh(w.ctx, w.newRefresh(waiting).HandleHash, w.now)
		w.want(name+": its refresh token", err, idp.ErrNotFound)
		_, _, err = w.Refresh(w.ctx, w.newRefresh(used).HandleHash, w.now)
		w.want(name+": offline access from before", err, nil)
	}
	// Another login is not this one's, and one that ran out by itself did not say no.
	s, _ := w.session(ann)
	g := w.offline(ann, "app", s.ID)
	other, _ := w.session(ann)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, other.ID, w.now))
	w.must(redeem(g))
}

// raceLogoutClaim: a notice is claimed by one of many callers.
func raceLogoutClaim(w *world) {
	ann := w.user("ann")
	w.told("app")
	for round := range rounds() {
		s, _ := w.session(ann)
		w.grant(ann, "app", s.ID)
		w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
		winners := make(chan idp.LogoutNotice, callers)
		w.oneWinner(round, at(callers, func(i int) error {
			notices, err := w.on(i).ClaimLogouts(w.ctx, "app", "", 10, w.now.Add(time.Minute), w.now)
			if err != nil {
				return err
			}
			if len(notices) == 0 {
				return idp.ErrNotFound
			}
			winners <- notices[0]
			if len(notices) > 1 {
				return errors.New("more than there are")
			}
			return nil
		}), idp.ErrNotFound)
		w.must(w.RecordLogout(w.ctx, operator, <-winners, idp.LogoutOutcome{Told: true}, w.now))
	}
}

// raceLogoutGrant: a grant that is made while its session ends either is not made, or
// its client is told.
func raceLogoutGrant(w *world) {
	ann := w.user("ann")
	w.told("app")
	for round := range rounds() {
		s, _ := w.session(ann)
		g, code := w.newGrant(ann, "app", "")
		results := at(2, func(i int) error {
			if i == 0 {
				return w.on(0).IssueCode(w.ctx, person(ann), idp.Approval{SessionID: s.ID}, g, code, w.now)
			}
			return w.on(1).EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now)
		})
		w.must(results[1])
		_, notices := w.claimAll(time.Minute)
		if (results[0] == nil) != (len(notices) == 1) {
			w.Fatalf("round %d: grant: %v, notices: %v", round, results[0], notices)
		}
		for _, n := range notices {
			w.must(w.RecordLogout(w.ctx, operator, n, idp.LogoutOutcome{Told: true}, w.now))
		}
	}
}
