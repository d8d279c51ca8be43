package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/signet-id/signet/internal/idp"
)

var refreshTests = []test{
	{"OAU-10 a retry within the window gets the same successor", refreshRetry},
	{"OAU-09 a used token outside of the window revokes the family", refreshReuse},
	{"OAU-09 a guess with the family's handle revokes the family", refreshGuess},
	{"OAU-11 a family ends with its expiry, its grant and its session", refreshExpires},
	{"TOK-14 a family is bound to one key", refreshBound},
	{"a token that stays is used while its family lives", refreshStays},
	{"a family remembers eight uses at most", refreshRemembers},
	{"OAU-10 one live branch, whatever happens", refreshModel},
}

const window = 30 * time.Second

// family is a refresh family under test; tokens are numbered by generation.
type family struct {
	*world
	g      idp.Grant
	handle [32]byte
}

func (w *world) family() family {
	w.Helper()
	g, r := w.grant(w.user("ann"), w.client("app").ID, "")
	return family{w, g, r.HandleHash}
}

func (f family) token(n int) [32]byte {
	if n == 0 {
		return hash("first token of " + f.g.ID)
	}
	return hash(fmt.Sprint("token ", n, " of ", f.g.ID))
}

func (f family) sealed(n int) []byte { return fmt.Append(nil, "sealed ", n) }

// present shows token n; its successor is n + 1.
func (f family) present(n int) (idp.Rotation, []byte, error) {
	return f.RotateRefreshToken(f.ctx, asClient("app"), f.handle, f.token(n), f.token(n+1), f.sealed(n+1), window, f.now)
}

func (f family) expect(n int, want idp.Rotation) {
	f.Helper()
	got, sealed, err := f.present(n)
	f.must(err)
	if got != want {
		f.Fatalf("token %d: %s, want %s", n, got, want)
	}
	if want != idp.Reused && !bytes.Equal(sealed, f.sealed(n+1)) {
		f.Errorf("token %d: successor %q, want %q", n, sealed, f.sealed(n+1))
	}
}

func (f family) expectDead() {
	f.Helper()
	for n := range 4 {
		_, _, err := f.present(n)
		f.want("token of a revoked family", err, idp.ErrNotFound)
	}
	_, _, err := f.Refresh(f.ctx, f.handle, f.now)
	f.want("family", err, idp.ErrNotFound)
	f.equal("rules", f.ruleNames(0), map[string]int{"grant " + f.g.ID: 1})
}

func refreshRetry(w *world) {
	f := w.family()
	before, _, err := w.Refresh(w.ctx, f.handle, w.now)
	w.must(err)
	f.silent(func() error { f.expect(0, idp.Rotated); return nil })
	f.expect(0, idp.Retried)
	f.wait(window)
	f.expect(0, idp.Retried) // the window's last moment
	f.expect(1, idp.Rotated)
	f.expect(1, idp.Retried)
	f.wait(-time.Second)     // a node whose clock is behind
	f.expect(0, idp.Retried) // also when the successor was used
	after, st, err := w.Refresh(w.ctx, f.handle, w.now)
	w.must(err)
	w.equal("current", after.CurrentHash, f.token(2))
	w.equal("generation", after.Generation, before.Generation+2)
	w.equal("last used", st.Grant.LastUsedAt, start.Add(window))
	w.equal("rules", len(w.rules()), 0)
}

func refreshReuse(w *world) {
	f := w.family()
	f.expect(0, idp.Rotated)
	f.expect(1, idp.Rotated)
	f.wait(window + time.Millisecond)
	f.audited("refresh.reuse", f.g.UserID, func() error { f.expect(0, idp.Reused); return nil })
	f.expectDead()

	// The clock is set back an hour: a token that was used "in an hour" is not fresh.
	f = w.familyOf("bob")
	f.expect(0, idp.Rotated)
	f.wait(-time.Hour)
	f.expect(0, idp.Reused)
}

func (w *world) familyOf(name string) family {
	w.Helper()
	g, r := w.grant(w.user(name), "app", "")
	return family{w, g, r.HandleHash}
}

func refreshGuess(w *world) {
	f := w.family()
	other := w.familyOf("bob")
	_, _, err := w.RotateRefreshToken(w.ctx, asClient("app"), hash("no handle"), f.token(0), f.token(1), nil, window, w.now)
	w.want("unknown handle", err, idp.ErrNotFound)
	out, _, err := w.RotateRefreshToken(w.ctx, asClient("app"), f.handle, hash("guess"), f.token(1), nil, window, w.now)
	w.must(err)
	w.equal("guess", out, idp.Reused)
	f.expectDead()
	other.expect(0, idp.Rotated)
	_, _, err = w.RotateRefreshToken(w.ctx, asClient("app"), other.handle, other.token(1), other.token(2), make([]byte, 4096), window, w.now)
	w.want("huge successor", err, idp.ErrInvalid)
}

func refreshExpires(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	g, code := w.newGrant(ann, "app", s.ID)
	g.ExpiresAt = w.now.Add(2 * time.Hour)
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
	r := w.newRefresh(g)
	r.ExpiresAt = w.now.Add(time.Hour)
	w.must(w.RedeemCode(w.ctx, asClient("app"), code.Hash, &r, w.now))
	f := family{w, g, r.HandleHash}
	for _, tt := range []struct {
		name string
		at   time.Time
		want error
	}{{"just in time", r.ExpiresAt.Add(-time.Millisecond), nil}, {"family over", r.ExpiresAt, idp.ErrNotFound}, {"grant over", g.ExpiresAt, idp.ErrNotFound}} {
		f.now = tt.at
		_, _, err := w.Refresh(w.ctx, r.HandleHash, tt.at)
		w.want(tt.name, err, tt.want)
		if tt.want != nil {
			_, _, err = f.present(0)
			w.want(tt.name+": rotate", err, tt.want)
		}
	}
	f.now = start
	short, code := w.newGrant(ann, "app", "")
	short.ExpiresAt = w.now.Add(time.Hour)
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, short, code, w.now))
	long := w.newRefresh(short)
	w.must(w.RedeemCode(w.ctx, asClient("app"), code.Hash, &long, w.now))
	f2 := family{&world{w.T, w.DB, w.nodes, w.open, w.ctx, short.ExpiresAt}, short, long.HandleHash}
	_, _, err := f2.present(0)
	w.want("grant over before its family", err, idp.ErrNotFound)
	_, _, err = w.Refresh(w.ctx, long.HandleHash, short.ExpiresAt)
	w.want("grant over before its family", err, idp.ErrNotFound)

	_, st, err := w.Refresh(w.ctx, r.HandleHash, w.now)
	w.must(err)
	w.equal("session lives", st.SessionLive, true)
	_, st, err = w.Refresh(w.ctx, r.HandleHash, w.now.Add(59*time.Minute))
	w.must(err)
	w.equal("session lives", st.SessionLive, true)
	w.must(w.TouchSession(w.ctx, s.ID, w.now.Add(time.Minute), w.now))
	_, st, err = w.Refresh(w.ctx, r.HandleHash, w.now.Add(time.Minute))
	w.must(err)
	w.equal("session is over", st.SessionLive, false)
	w.must(w.EndSession(w.ctx, person(ann), ann.ID, s.ID, w.now))
	_, _, err = f.present(0)
	w.want("after logout", err, idp.ErrNotFound)
}

func refreshRemembers(w *world) {
	f := w.family()
	for n := range 9 {
		f.expect(n, idp.Rotated)
	}
	for n := 1; n < 9; n++ {
		f.expect(n, idp.Retried)
	}
	f.expect(0, idp.Reused)
}

// refreshModel compares the verb with a model under random presentations and waits.
func refreshModel(w *world) {
	w.client("app")
	families := 0
	rapid.Check(w.T, func(t *rapid.T) {
		families++
		f := w.familyOf(fmt.Sprint("person", families))
		f.now = start
		current := 0
		usedAt := map[int]time.Time{} // by generation
		dead := false
		t.Repeat(map[string]func(*rapid.T){
			"wait": func(t *rapid.T) {
				f.wait(time.Duration(rapid.IntRange(1, 45_000).Draw(t, "ms")) * time.Millisecond)
			},
			"present": func(t *rapid.T) {
				n := rapid.IntRange(0, current).Draw(t, "token")
				if rapid.Bool().Draw(t, "newest") {
					n = current
				}
				got, sealed, err := f.present(n)
				if dead {
					if !errors.Is(err, idp.ErrNotFound) {
						t.Fatalf("token %d of a dead family: %q, %v", n, got, err)
					}
					return
				}
				want := idp.Reused
				switch {
				case n == current:
					want = idp.Rotated
				case f.now.Sub(usedAt[n]) <= window && current-n <= 8:
					want = idp.Retried
				}
				if err != nil || got != want {
					t.Fatalf("token %d, current %d: %q, %v, want %q", n, current, got, err, want)
				}
				switch want {
				case idp.Rotated:
					usedAt[current] = f.now
					current++
				case idp.Reused:
					dead = true
				}
				if want != idp.Reused && !bytes.Equal(sealed, f.sealed(n+1)) {
					t.Fatalf("token %d: successor %q", n, sealed)
				}
			},
			"": func(t *rapid.T) { // one live branch: the newest token, or none
				r, _, err := f.Refresh(f.ctx, f.handle, f.now)
				switch {
				case dead && !errors.Is(err, idp.ErrNotFound):
					t.Fatalf("dead family is readable: %v", err)
				case !dead && (err != nil || r.CurrentHash != f.token(current)):
					t.Fatalf("current token is not %d: %v", current, err)
				}
			},
		})
	})
}

// refreshBound: from the beginning, or from the first proof on; then for good.
func refreshBound(w *world) {
	ann := w.user("ann")
	w.client("app")
	g, code := w.newGrant(ann, "app", "")
	w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
	r := w.newRefresh(g)
	r.JKT = "key 1"
	w.must(w.RedeemCode(w.ctx, asClient("app"), code.Hash, &r, w.now))
	got, _, err := w.Refresh(w.ctx, r.HandleHash, w.now)
	w.must(err)
	w.equal("family", got, r)
	w.want("another key", w.BindRefreshToken(w.ctx, r.HandleHash, r.CurrentHash, "key 2", w.now), idp.ErrConsumed)
	w.want("the same key", w.BindRefreshToken(w.ctx, r.HandleHash, r.CurrentHash, "key 1", w.now), nil)

	f := w.familyOf("bob")
	w.want("a token that is none", w.BindRefreshToken(w.ctx, f.handle, f.token(1), "key 1", w.now), idp.ErrConsumed)
	w.want("no such family", w.BindRefreshToken(w.ctx, hash("no handle"), f.token(0), "key 1", w.now), idp.ErrNotFound)
	w.want("bind", w.BindRefreshToken(w.ctx, f.handle, f.token(0), "key 1", w.now), nil)
	f.expect(0, idp.Rotated)
	got, _, err = w.Refresh(w.ctx, f.handle, w.now)
	w.must(err)
	w.equal("key after a rotation", got.JKT, "key 1")
	w.want("a token that was used", w.BindRefreshToken(w.ctx, f.handle, f.token(0), "key 1", w.now), idp.ErrConsumed)
	w.must(w.RevokeGrant(w.ctx, operator, f.g.ID, "test", w.now))
	w.want("revoked", w.BindRefreshToken(w.ctx, f.handle, f.token(1), "key 1", w.now), idp.ErrNotFound)
}

func refreshStays(w *world) {
	f := w.family()
	w.wait(time.Hour)
	w.silent(func() error { return w.UseRefreshToken(w.ctx, f.handle, f.token(0), w.now) })
	after, st, err := w.Refresh(w.ctx, f.handle, w.now)
	w.must(err)
	w.equal("current", after.CurrentHash, f.token(0))
	w.equal("generation", after.Generation, int64(1))
	w.equal("last used", st.Grant.LastUsedAt, w.now)
	w.want("a token that is none", w.UseRefreshToken(w.ctx, f.handle, f.token(1), w.now), idp.ErrConsumed)
	w.want("no such family", w.UseRefreshToken(w.ctx, hash("no handle"), f.token(0), w.now), idp.ErrNotFound)
	f.expect(0, idp.Rotated)
	w.want("a token that was replaced", w.UseRefreshToken(w.ctx, f.handle, f.token(0), w.now), idp.ErrConsumed)
	w.must(w.RevokeGrant(w.ctx, operator, f.g.ID, "test", w.now))
	w.want("revoked", w.UseRefreshToken(w.ctx, f.handle, f.token(1), w.now), idp.ErrNotFound)
}
