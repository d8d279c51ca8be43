package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var when = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// DOS-03: a flood of names fills a bounded table, and does not clear the counter of a
// name under attack.
func TestCountAttempt_BoundedRows(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	db.SetBounds(300, 300)
	victim := idp.Limit{Key: "victim", Max: 5, Window: time.Hour}
	for range 5 {
		if wait, err := db.CountAttempt(t.Context(), []idp.Limit{victim}, when); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
	}
	for i := range 900 {
		flood := idp.Limit{Key: fmt.Sprint("flood ", i), Max: 5, Window: time.Hour}
		if wait, err := db.CountAttempt(t.Context(), []idp.Limit{flood}, when.Add(time.Duration(i)*time.Millisecond)); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
	}
	rows, err := db.Int(t.Context(), "SELECT COUNT(*) FROM attempts")
	if err != nil || rows > 300 {
		t.Errorf("%d counters, %v", rows, err)
	}
	tally, err := db.Int(t.Context(), "SELECT seq FROM heads WHERE name = 'attempts'")
	if err != nil || tally != rows {
		t.Errorf("tally says %d of %d rows, %v", tally, rows, err)
	}
	if wait, err := db.CountAttempt(t.Context(), []idp.Limit{victim}, when.Add(time.Minute)); wait == 0 || err != nil {
		t.Errorf("the flood cleared the victim's counter: %v", err)
	}
}

// DOS-03: expired counters make room before any living one goes.
func TestCountAttempt_ExpiredGoFirst(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	db.SetBounds(100, 100)
	for i := range 100 {
		l := idp.Limit{Key: fmt.Sprint(i), Max: 1, Window: time.Minute}
		if i >= 50 {
			l.Window = time.Hour
		}
		if _, err := db.CountAttempt(t.Context(), []idp.Limit{l}, when); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		l := idp.Limit{Key: fmt.Sprint("new ", i), Max: 1, Window: time.Hour}
		if _, err := db.CountAttempt(t.Context(), []idp.Limit{l}, when.Add(2*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	for i := 50; i < 100; i++ {
		l := idp.Limit{Key: fmt.Sprint(i), Max: 1, Window: time.Hour}
		if wait, err := db.CountAttempt(t.Context(), []idp.Limit{l}, when.Add(2*time.Minute)); wait == 0 || err != nil {
			t.Errorf("living counter %d is gone: %v", i, err)
		}
	}
}

// DOS-03: of what strangers were refused, the newest rows are kept; all else stays.
func TestAudit_BoundedRefusals(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	db.SetBounds(100, 100)
	stranger := idp.Actor{Kind: "anonymous", IP: "203.0.113.9"}
	other := idp.Event{At: when, Actor: idp.Actor{Kind: "operator", ID: "op"}, Action: "login", Result: "refused"}
	if err := db.Audit(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for i := range 350 {
		if err := db.Audit(t.Context(), idp.Event{At: when, Actor: stranger, Action: "login", Target: fmt.Sprint(i), Result: "refused"}); err != nil {
			t.Fatal(err)
		}
	}
	events, err := db.Events(t.Context(), "", 0, 1000)
	if err != nil || len(events) != 101 {
		t.Fatalf("%d rows, %v", len(events), err)
	}
	for i, e := range events[:100] {
		if e.Target != fmt.Sprint(349-i) {
			t.Fatalf("row %d is refusal %s", i, e.Target)
		}
	}
	if events[100].Actor.Kind != "operator" {
		t.Error("somebody else's row is gone")
	}
	for swept := 1; swept > 0; {
		if swept, err = db.Sweep(t.Context(), when.Add(91*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if tally, err := db.Int(t.Context(), "SELECT seq FROM heads WHERE name = 'refusals'"); err != nil || tally != 0 {
		t.Errorf("tally is %d with no row left, %v", tally, err)
	}
}

// DOS-03: noise that concerns nobody does not wipe out what was tried on an account.
func TestAudit_NoiseSparesAccounts(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	db.SetBounds(100, 100)
	refuse := func(userID string, n int) {
		for i := range n {
			e := idp.Event{At: when, Actor: idp.Actor{Kind: "anonymous"}, UserID: userID, Action: "x", Target: fmt.Sprint(i), Result: "refused"}
			if err := db.Audit(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(what string, anns, all int) {
		t.Helper()
		hers, err := db.Events(t.Context(), "ann", 0, 1000)
		if err != nil || len(hers) != anns {
			t.Errorf("%s: %d rows of ann's, %v", what, len(hers), err)
		}
		rows, err := db.Events(t.Context(), "", 0, 1000)
		if err != nil || len(rows) != all {
			t.Errorf("%s: %d rows, %v", what, len(rows), err)
		}
	}
	refuse("ann", 30)
	refuse("", 350)
	check("after noise", 30, 100)
	refuse("ann", 90) // then the oldest of hers go
	check("after more tries", 100, 100)
	refuse("", 5)
	check("after more noise", 100, 100)
}

// TOK-10: reads and new grants look at the user themselves. That disabling has ended
// everything already is the first line; this is the second.
func TestDisabled_IsAskedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	by := b.user(0)
	sid, cookie := b.session(by)
	handle, _ := b.family(by)
	standing, code := b.grant(by, sid)
	b.must(b.IssueCode(t.Context(), by, idp.Approval{}, standing, code, when))
	if err := b.Verb(t.Context(), func(exec execFunc) error { return exec("UPDATE users SET disabled_at = 1 WHERE id = $1", by.ID) }); err != nil {
		t.Fatal(err)
	}
	_, _, session := b.Session(t.Context(), cookie, when)
	_, grant := b.Standing(t.Context(), standing.ID, when)
	_, _, refresh := b.Refresh(t.Context(), handle, when)
	_, _, redeem := b.Code(t.Context(), code.Hash, when)
	for name, err := range map[string]error{"session": session, "standing": grant, "refresh": refresh, "code": redeem} {
		if !errors.Is(err, idp.ErrNotFound) {
			t.Errorf("%s of a disabled user: %v", name, err)
		}
	}
}

// DOS-03: a loop of authorizations leaves a bounded number of live grants, so a bounded
// number of rules when the app is revoked; the newest ones stay.
func TestIssueCode_BoundedGrants(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	db.SetGrantBound(10)
	ctx, by := t.Context(), idp.Actor{Kind: "user", ID: "u"}
	if err := errors.Join(
		db.CreateUser(ctx, by, idp.User{ID: "u", Username: "ann"}, "", when),
		db.PutClient(ctx, by, idp.Client{ID: "app"}, when), db.PutClient(ctx, by, idp.Client{ID: "web"}, when),
	); err != nil {
		t.Fatal(err)
	}
	issue := func(client string, i int) string {
		t.Helper()
		id, now := fmt.Sprint(client, i), when.Add(time.Duration(i)*time.Second)
		g := idp.Grant{ID: id, UserID: "u", ClientID: client, ExpiresAt: when.Add(time.Hour)}
		code := idp.Code{Hash: [32]byte{client[0], byte(i)}, GrantID: id, ClientID: client, ExpiresAt: when.Add(time.Hour)}
		if err := db.IssueCode(ctx, by, idp.Approval{}, g, code, now); err != nil {
			t.Fatal(err)
		}
		return id
	}
	other := issue("web", 0)
	for i := range 50 {
		issue("app", i)
	}
	live := func(id string) bool { _, err := db.Standing(ctx, id, when.Add(time.Minute)); return err == nil }
	for i := range 50 {
		if id := fmt.Sprint("app", i); live(id) != (i >= 40) {
			t.Errorf("%s lives: %v", id, live(id))
		}
	}
	if !live(other) {
		t.Error("the grant of another app is gone")
	}
	_, before, err := db.RevocationHead(ctx)
	if err != nil || before != 40 {
		t.Errorf("%d rules for 40 grants that made room, %v", before, err)
	}
	if n, err := db.RevokeApp(ctx, by, "u", "app", when.Add(time.Minute)); n != 10 || err != nil {
		t.Errorf("revoking the app: %d grants, %v", n, err)
	}
}
