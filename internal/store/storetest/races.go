package storetest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// STO-04, OAU-04, OAU-10: whatever may happen once has one winner among callers that
// begin at the same moment, round after round.
var raceTests = []test{
	{"STO-04 race to finish an authorization request", raceFinish},
	{"STO-04 race to refuse or finish an authorization request", raceRefuse},
	{"OAU-04 race to redeem a code", raceRedeem},
	{"OAU-18 race to answer a device request", raceDeviceAnswer},
	{"OAU-18 race to poll for a device's tokens", raceDevicePoll},
	{"OAU-18 race to redeem a device code", raceDeviceRedeem},
	{"OAU-10 race to rotate a refresh token", raceRotate},
	{"TOK-14 race to bind a refresh token to a key", raceBind},
	{"STO-04 race to renew a session", raceRenew},
	{"STO-04 race to add the first signing key", raceKey},
	{"STO-04 race to take the steps in the life of a signing key", raceStage},
	{"STO-04 race to store a setting once", raceSetting},
	{"STO-04 race to take the last place under a limit", raceLimit},
	{"STO-04 race to create one username", raceUsername},
	{"CLI-01 race to use an id once", raceUseOnce},
	{"STO-04 OAU-13 race to answer a pushed request", racePushed},
	{"STO-04 race of a password change and new grants", racePassword},
	{"STO-04 race of a password change and new offline grants", racePasswordOffline},
	{"STO-04 race of taking a consent back and new grants", raceConsent},
	{"STO-04 race of the end of a session and new grants", raceEndSession},
	{"STO-04 NET-02 race to claim a logout notice", raceLogoutClaim},
	{"OAU-20 race of the end of a session and new offline grants", raceLogoutGrant},
}

const callers = 8

// rounds is how often each race is run:
// SIGNET_RACE_ROUNDS=10000 go test -run '(TestSQLite|TestPostgres_TwoNodes)/.*race' -timeout 1h
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("SIGNET_RACE_ROUNDS")); err == nil {
		return n
	}
	if testing.Short() {
		return 25
	}
	return 200
}

// oneWinner checks that one caller got nil and all others the sentinel.
func (w *world) oneWinner(round int, results []error, loser error) {
	w.Helper()
	winners := 0
	for _, err := range results {
		switch {
		case err == nil:
			winners++
		case !errors.Is(err, loser):
			w.Fatalf("round %d: %v, want %v", round, err, loser)
		}
	}
	if winners != 1 {
		w.Fatalf("round %d: %d winners", round, winners)
	}
}

func raceFinish(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	for round := range rounds() {
		r := w.request("app")
		var grants [callers]idp.Grant
		results := at(callers, func(i int) error {
			g, code := w.newGrant(ann, "app", s.ID)
			grants[i] = g
			return w.on(i).FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{}, g, code, w.now)
		})
		w.oneWinner(round, results, idp.ErrConsumed)
		for i, g := range grants {
			if _, err := w.Standing(w.ctx, g.ID, w.now); (err == nil) != (results[i] == nil) {
				w.Fatalf("round %d: grant of caller %d: %v, its answer %v", round, i, err, results[i])
			}
		}
	}
}

func raceRefuse(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	for round := range rounds() {
		r := w.request("app")
		w.oneWinner(round, at(callers, func(i int) error {
			if i%2 == 0 {
				return w.on(i/2).RefuseAuthRequest(w.ctx, r.ID, r.BrowserHash, w.now)
			}
			g, code := w.newGrant(ann, "app", s.ID)
			return w.on(i/2).FinishAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, idp.Approval{}, g, code, w.now)
		}), idp.ErrConsumed)
	}
}

func raceRedeem(w *world) {
	ann := w.user("ann")
	w.client("app")
	for round := range rounds() {
		g, code := w.newGrant(ann, "app", "")
		w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
		before := w.head()
		w.oneWinner(round, at(callers, func(i int) error {
			r := w.newRefresh(g)
			return w.on(i).RedeemCode(w.ctx, asClient("app"), code.Hash, &r, w.now)
		}), idp.ErrConsumed)
		// The losers' replay took from the winner what it got, with one rule.
		if _, err := w.Standing(w.ctx, g.ID, w.now); !errors.Is(err, idp.ErrNotFound) {
			w.Fatalf("round %d: the grant is alive: %v", round, err)
		}
		if n := w.head() - before; n != 1 {
			w.Fatalf("round %d: %d rules", round, n)
		}
	}
}

func raceRotate(w *world) {
	w.client("app")
	f := w.familyOf("ann")
	for round := range rounds() {
		type answer struct {
			out    idp.Rotation
			sealed string
			err    error
		}
		rotated, branch := 0, ""
		answers := at(callers, func(i int) answer {
			successor := fmt.Sprint(round, " by ", i)
			current := hash("first token of " + f.g.ID)
			if round > 0 {
				current = hash(fmt.Sprint("round ", round))
			}
			// Each honest retry derives the same next token; what is sealed may differ.
			out, sealed, err := w.on(i).RotateRefreshToken(w.ctx, asClient("app"), f.handle, current, hash(fmt.Sprint("round ", round+1)), []byte(successor), window, w.now)
			return answer{out, string(sealed), err}
		})
		for _, a := range answers {
			w.must(a.err)
			if a.out == idp.Rotated {
				rotated++
				branch = a.sealed
			}
		}
		for _, a := range answers {
			if a.out == idp.Reused || a.sealed != branch {
				w.Fatalf("round %d: %+v beside %q", round, a, branch)
			}
		}
		if rotated != 1 {
			w.Fatalf("round %d: %d rotations", round, rotated)
		}
		w.wait(window + time.Second)
	}
	r, _, err := w.Refresh(w.ctx, f.handle, w.now)
	w.must(err)
	w.equal("generation", r.Generation, int64(1+rounds()))
}

// raceBind: of two keys one is the family's, whoever comes first.
func raceBind(w *world) {
	w.client("app")
	ann := w.user("ann")
	for round := range rounds() {
		g, r := w.grant(ann, "app", "")
		results := at(callers, func(i int) error {
			return w.on(i).BindRefreshToken(w.ctx, r.HandleHash, r.CurrentHash, fmt.Sprint("key ", i), w.now)
		})
		w.oneWinner(round, results, idp.ErrConsumed)
		got, _, err := w.Refresh(w.ctx, r.HandleHash, w.now)
		w.must(err)
		for i, err := range results {
			if (err == nil) != (got.JKT == fmt.Sprint("key ", i)) {
				w.Fatalf("round %d: caller %d got %v, the family's key is %q", round, i, err, got.JKT)
			}
		}
		w.must(w.RevokeGrant(w.ctx, operator, g.ID, "test", w.now))
	}
}

func raceRenew(w *world) {
	ann := w.user("ann")
	s, current := w.session(ann)
	for round := range rounds() {
		results := at(callers, func(i int) error {
			return w.on(i).RenewSession(w.ctx, person(ann), s, current, hash(fmt.Sprint("cookie ", round, i)), w.now)
		})
		w.oneWinner(round, results, idp.ErrNotFound)
		for i, err := range results {
			next := hash(fmt.Sprint("cookie ", round, i))
			if _, _, readErr := w.Session(w.ctx, next, w.now); (readErr == nil) != (err == nil) {
				w.Fatalf("round %d: cookie of caller %d works: %v, its answer %v", round, i, readErr == nil, err)
			}
			if err == nil {
				current = next
			}
		}
	}
}

func raceKey(w *world) {
	for round := range rounds() {
		alg := fmt.Sprint("alg ", round)
		w.oneWinner(round, at(callers, func(i int) error {
			k := idp.SigningKey{ID: fmt.Sprint(alg, i), Alg: alg, StagedAt: w.now, ActiveAt: w.now}
			return w.on(i).AddSigningKey(w.ctx, operator, k, true, w.now)
		}), idp.ErrExists)
	}
}

func raceSetting(w *world) {
	for round := range rounds() {
		name := fmt.Sprint("setting ", round)
		values := at(callers, func(i int) string {
			stored, err := w.on(i).PutSettingOnce(w.ctx, name, fmt.Append(nil, i))
			if err != nil {
				return err.Error()
			}
			return string(stored)
		})
		stored, err := w.Setting(w.ctx, name)
		w.must(err)
		for _, v := range values {
			if v != string(stored) {
				w.Fatalf("round %d: %q beside %q", round, v, stored)
			}
		}
	}
}

func raceLimit(w *world) {
	for round := range rounds() {
		limit := []idp.Limit{{Key: fmt.Sprint("key ", round), Max: 3, Window: time.Minute}}
		counted := 0
		for _, wait := range at(callers, func(i int) time.Duration {
			wait, err := w.on(i).CountAttempt(w.ctx, limit, w.now)
			if err != nil {
				w.Error(err)
			}
			return wait
		}) {
			if wait == 0 {
				counted++
			}
		}
		if counted != 3 {
			w.Fatalf("round %d: %d attempts under a limit of 3", round, counted)
		}
	}
}

func raceUsername(w *world) {
	for round := range rounds() {
		w.oneWinner(round, at(callers, func(i int) error {
			return w.on(i).CreateUser(w.ctx, operator, idp.User{ID: fmt.Sprint("id ", round, i), Username: fmt.Sprint("name", round)}, "", w.now)
		}), idp.ErrExists)
	}
}

// racePassword: a grant made at the moment of a password change is either ended by it
// or refused; none survives.
func racePassword(w *world) {
	w.client("app")
	for round := range rounds() {
		u := w.user(fmt.Sprint("person", round))
		s, _ := w.session(u)
		before := w.head()
		grants := at(callers, func(i int) idp.Grant {
			if i == 0 {
				w.must(w.SetPassword(w.ctx, operator, u.ID, "new", w.now))
				return idp.Grant{}
			}
			g, code := w.newGrant(u, "app", s.ID)
			if err := w.on(i).IssueCode(w.ctx, person(u), idp.Approval{}, g, code, w.now); err != nil && !errors.Is(err, idp.ErrDenied) {
				w.Error(err)
			}
			return g
		})
		for _, g := range grants[1:] {
			if _, err := w.Standing(w.ctx, g.ID, w.now); !errors.Is(err, idp.ErrNotFound) {
				w.Fatalf("round %d: a grant survived: %v", round, err)
			}
		}
		if n := w.head() - before; n != 1 {
			w.Fatalf("round %d: %d rules, want the session's", round, n)
		}
	}
}

// racePasswordOffline: the same for grants that outlive the session they are made at.
func racePasswordOffline(w *world) {
	w.client("app")
	for round := range rounds() {
		u := w.user(fmt.Sprint("person", round))
		s, _ := w.session(u)
		w.noneSurvives(round, u, func() { w.must(w.on(round).SetPassword(w.ctx, operator, u.ID, "new", w.now)) }, idp.Approval{SessionID: s.ID})
	}
}

// raceConsent: an app that asks at the moment at which it is revoked is not connected.
func raceConsent(w *world) {
	w.client("app")
	for round := range rounds() {
		u := w.user(fmt.Sprint("person", round))
		s, _ := w.session(u)
		r := w.request("app")
		c := idp.Consent{UserID: u.ID, ClientID: "app", Resource: "https://calendar.example", Scopes: []string{"openid", "calendar.read"}}
		w.must(w.ConsentAuthRequest(w.ctx, person(u), r.ID, r.BrowserHash, s.ID, c, w.now))
		w.noneSurvives(round, u, func() {
			_, err := w.on(round).RevokeApp(w.ctx, person(u), u.ID, "app", w.now)
			w.must(err)
		}, idp.Approval{SessionID: s.ID, Consent: true})
	}
}

// raceEndSession: a grant of a login is refused, or ends with it.
func raceEndSession(w *world) {
	w.client("app")
	ann := w.user("ann")
	for round := range rounds() {
		s, _ := w.session(ann)
		grants := at(callers, func(i int) idp.Grant {
			if i == 0 {
				w.must(w.on(round).EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
				return idp.Grant{}
			}
			g, code := w.newGrant(ann, "app", s.ID)
			if err := w.on(i).IssueCode(w.ctx, person(ann), idp.Approval{SessionID: s.ID}, g, code, w.now); err != nil && !errors.Is(err, idp.ErrDenied) {
				w.Error(err)
			}
			return g
		})
		for _, g := range grants[1:] {
			if _, err := w.Standing(w.ctx, g.ID, w.now); !errors.Is(err, idp.ErrNotFound) {
				w.Fatalf("round %d: a grant survived: %v", round, err)
			}
		}
	}
}

// noneSurvives runs end beside callers that make offline grants, none of which may live then.
func (w *world) noneSurvives(round int, u idp.User, end func(), a idp.Approval) {
	w.Helper()
	grants := at(callers, func(i int) idp.Grant {
		if i == 0 {
			end()
			return idp.Grant{}
		}
		g, code := w.newGrant(u, "app", "")
		if err := w.on(i).IssueCode(w.ctx, person(u), a, g, code, w.now); err != nil && !errors.Is(err, idp.ErrDenied) {
			w.Error(err)
		}
		return g
	})
	for _, g := range grants[1:] {
		if _, err := w.Standing(w.ctx, g.ID, w.now); !errors.Is(err, idp.ErrNotFound) {
			w.Fatalf("round %d: a grant survived: %v", round, err)
		}
	}
}
