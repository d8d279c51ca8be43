// Package storetest holds what every engine of package store must do: each verb, who
// may not, what is too late, and races for everything that may happen once.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
)

// RuleLifetime is what open must give to store.Open.
const RuleLifetime = 6 * time.Minute

// Run runs the suite; open returns an empty database that is closed with the test.
func Run(t *testing.T, open func(t *testing.T) *store.DB) {
	for _, group := range [][]test{
		userTests, clientTests, registrationTests, resourceTests, keyTests, settingTests, sessionTests, authRequestTests, pushedTests, codeTests, deviceTests,
		refreshTests, grantTests, logTests, attemptTests, usedTests, eventTests, sweepTests, directoryTests, raceTests, injectionTests,
		backupTests, logoutTests,
	} {
		runGroup(t, group, func(t *testing.T) []*store.DB { return []*store.DB{open(t)} })
	}
}

// RunNodes runs the races on several nodes; open returns the nodes of an empty database.
func RunNodes(t *testing.T, open func(t *testing.T) []*store.DB) {
	runGroup(t, raceTests, open)
}

func runGroup(t *testing.T, group []test, open func(t *testing.T) []*store.DB) {
	for _, tt := range group {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			nodes := open(t)
			tt.run(&world{T: t, DB: nodes[0], nodes: nodes, open: first(open), ctx: t.Context(), now: start})
		})
	}
}

// first opens an empty database and returns its first node.
func first(open func(t *testing.T) []*store.DB) func(t *testing.T) *store.DB {
	return func(t *testing.T) *store.DB { return open(t)[0] }
}

type test struct {
	name string
	run  func(*world)
}

// start is when every test begins.
var start = time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)

// world is a database with a clock and shorthands that cannot fail.
type world struct {
	*testing.T
	*store.DB // the first node
	nodes     []*store.DB
	open      func(t *testing.T) *store.DB // another, empty database
	ctx       context.Context
	now       time.Time
}

// on returns the node that a caller uses.
func (w *world) on(caller int) *store.DB { return w.nodes[caller%len(w.nodes)] }

var operator = idp.Actor{Kind: "operator", ID: "op", IP: "192.0.2.1", UserAgent: "signet/1"}

// must ends the test if a step that is not its subject fails.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// want checks the sentinel that an error wraps; nil stands for success.
func (w *world) want(what string, err, sentinel error) {
	w.Helper()
	if !errors.Is(err, sentinel) {
		w.Errorf("%s: got error %v, want %v", what, err, sentinel)
	}
}

func (w *world) equal(what string, got, want any) {
	w.Helper()
	if d := cmp.Diff(want, got); d != "" {
		w.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// wait lets time pass.
func (w *world) wait(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) user(name string) idp.User {
	w.Helper()
	u := idp.User{ID: secret.ID(), Username: name, Email: name + "@example.com", CreatedAt: w.now, UpdatedAt: w.now}
	w.must(w.CreateUser(w.ctx, operator, u, "hash of "+name, w.now))
	return u
}

func (w *world) client(id string) idp.Client {
	w.Helper()
	c := idp.Client{ID: id, SecretHash: hash("secret of " + id), CreatedAt: w.now, ClientMetadata: idp.ClientMetadata{
		Name: "Client " + id, ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
		RedirectURIs: []string{"https://" + id + ".example/cb"}, GrantTypes: []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken},
		Scopes: []string{"openid", "calendar.read"},
	}}
	w.must(w.PutClient(w.ctx, operator, c, w.now))
	return c
}

func person(u idp.User) idp.Actor {
	return idp.Actor{Kind: "user", ID: u.ID, IP: "192.0.2.7", UserAgent: "Mozilla/5.0"}
}

// session makes a login and returns it with its secret's hash.
func (w *world) session(u idp.User) (idp.Session, [32]byte) {
	w.Helper()
	s := idp.Session{
		ID: secret.ID(), UserID: u.ID, CreatedAt: w.now, AuthTime: w.now, ACR: idp.ACRPassword, AMR: []string{"pwd"}, LastSeenAt: w.now,
		IdleExpiresAt: w.now.Add(12 * time.Hour), ExpiresAt: w.now.Add(30 * 24 * time.Hour), IP: "192.0.2.7", UserAgent: "Mozilla/5.0",
	}
	h := hash("cookie of " + s.ID)
	w.must(w.CreateSession(w.ctx, person(u), s, h))
	return s, h
}

// newGrant makes a grant that is not stored yet; an empty session id makes it an offline one.
func (w *world) newGrant(u idp.User, clientID, sessionID string) (idp.Grant, idp.Code) {
	g := idp.Grant{
		ID: secret.ID(), UserID: u.ID, ClientID: clientID, SessionID: sessionID, Resource: "https://calendar.example",
		Scopes: []string{"openid", "calendar.read"}, Nonce: "n-1", AuthTime: w.now, ACR: idp.ACRPassword, AMR: []string{"pwd"},
		CreatedAt: w.now, LastUsedAt: w.now, ExpiresAt: w.now.Add(90 * 24 * time.Hour),
	}
	return g, idp.Code{
		Hash: hash("code of " + g.ID), GrantID: g.ID, ClientID: clientID, RedirectURI: "https://" + clientID + ".example/cb",
		CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", JKT: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", ExpiresAt: w.now.Add(time.Minute),
	}
}

// grant stores a grant with a refresh token.
func (w *world) grant(u idp.User, clientID, sessionID string) (idp.Grant, idp.RefreshToken) {
	w.Helper()
	g, code := w.newGrant(u, clientID, sessionID)
	w.must(w.IssueCode(w.ctx, person(u), idp.Approval{}, g, code, w.now))
	r := w.newRefresh(g)
	w.must(w.RedeemCode(w.ctx, asClient(clientID), code.Hash, &r, w.now))
	return g, r
}

func (w *world) newRefresh(g idp.Grant) idp.RefreshToken {
	return idp.RefreshToken{
		HandleHash: hash("handle of " + g.ID), CurrentHash: hash("first token of " + g.ID), GrantID: g.ID,
		Generation: 1, ExpiresAt: w.now.Add(90 * 24 * time.Hour),
	}
}

func asClient(id string) idp.Actor { return idp.Actor{Kind: "client", ID: id, IP: "198.51.100.3"} }

// request stores an authorization request.
func (w *world) request(clientID string) idp.AuthRequest {
	w.Helper()
	r := idp.AuthRequest{
		ID: secret.ID(), ClientID: clientID, RedirectURI: "https://" + clientID + ".example/cb", State: "s-1", StateSent: true, Nonce: "n-1",
		Scopes: []string{"openid", "calendar.read"}, Resource: "https://calendar.example", CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", JKT: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
		Prompt: []string{"login"}, MaxAge: -1, LoginHint: "ann", Subject: "u-1", UILocales: []string{"de", "en"}, CreatedAt: w.now, ExpiresAt: w.now.Add(10 * time.Minute),
	}
	r.BrowserHash = hash("browser of " + r.ID)
	w.must(w.CreateAuthRequest(w.ctx, r, "192.0.2.7/32", 100_000, 100_000, w.now))
	return r
}

func hash(s string) [32]byte { return secret.Hash("test", secret.NewText(s)) }

// rules returns the whole log, and fails if its numbers have a gap.
func (w *world) rules() []idp.Rule {
	w.Helper()
	rules, err := w.Rules(w.ctx, 0, 100_000, time.Time{})
	w.must(err)
	_, head, err := w.RevocationHead(w.ctx)
	w.must(err)
	if head != int64(len(rules)) {
		w.Errorf("head is %d with %d rules", head, len(rules))
	}
	for i, r := range rules {
		if r.Seq != int64(i+1) {
			w.Fatalf("rule %d has number %d", i+1, r.Seq)
		}
	}
	return rules
}

// head is how many rules there have been.
func (w *world) head() int {
	w.Helper()
	_, seq, err := w.RevocationHead(w.ctx)
	w.must(err)
	return int(seq)
}

// ruleNames counts what the rules after the first n name.
func (w *world) ruleNames(n int) map[string]int {
	w.Helper()
	names := map[string]int{}
	for _, r := range w.rules()[n:] {
		names[fmt.Sprintf("%s %s", r.Kind, r.ID)]++
	}
	return names
}

// lastEvent returns the newest audit row and how many rows there are.
func (w *world) lastEvent() (last idp.Event, n int) {
	w.Helper()
	events, err := w.Events(w.ctx, "", 0, 100_000)
	w.must(err)
	if len(events) == 0 {
		return idp.Event{}, 0
	}
	return events[0], len(events)
}

// audited runs a verb and checks that it leaves exactly one audit row.
func (w *world) audited(action, userID string, verb func() error) {
	w.Helper()
	_, before := w.lastEvent()
	w.must(verb())
	last, after := w.lastEvent()
	if after != before+1 || last.Action != action || last.UserID != userID {
		w.Errorf("audit: %d rows more, the last one %q of user %q; want one, %q of %q", after-before, last.Action, last.UserID, action, userID)
	}
}

// silent runs a verb that must not leave an audit row.
func (w *world) silent(verb func() error) {
	w.Helper()
	_, before := w.lastEvent()
	w.must(verb())
	if last, after := w.lastEvent(); after != before {
		w.Errorf("audit: row %q was not expected", last.Action)
	}
}

// at runs callers at the same moment and returns their errors.
func at[T any](callers int, call func(i int) T) []T {
	results := make([]T, callers)
	var ready, done sync.WaitGroup
	ready.Add(callers)
	begin := make(chan struct{})
	for i := range callers {
		done.Go(func() {
			ready.Done()
			<-begin
			results[i] = call(i)
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
	return results
}
