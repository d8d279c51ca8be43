package store_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
)

// bench is a database with a client and its people.
type bench struct {
	testing.TB
	*store.DB
	path string
}

func newBench(tb testing.TB) bench {
	path := filepath.Join(tb.TempDir(), "signet.db")
	b := bench{tb, openAt(tb, path), path}
	b.furnish()
	return b
}

func (b bench) furnish() {
	b.SetGrantBound(1 << 40)
	b.must(b.PutClient(b.Context(), idp.Actor{}, idp.Client{ID: "friendly-scheduler", ClientMetadata: idp.ClientMetadata{
		Name: "Friendly Scheduler", ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
		RedirectURIs: []string{"https://scheduler.example/callback"}, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"openid", "profile", "email", "offline_access", "calendar.freebusy:read"},
	}}, when))
}

func (b bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b bench) user(i int) idp.Actor {
	u := idp.User{ID: secret.ID(), Username: fmt.Sprint("person", i), Email: fmt.Sprint("person", i, "@example.com"), Profile: idp.Profile{Name: "A Person"}}
	b.must(b.CreateUser(b.Context(), idp.Actor{Kind: "operator"}, u, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g", when))
	return idp.Actor{Kind: "user", ID: u.ID, IP: "192.0.2.77", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
}

func (b bench) session(by idp.Actor) (sid string, cookie [32]byte) {
	cookie = secret.Key()
	s := idp.Session{
		ID: secret.ID(), UserID: by.ID, CreatedAt: when, AuthTime: when, ACR: idp.ACRPassword, AMR: []string{"pwd"}, LastSeenAt: when,
		IdleExpiresAt: when.Add(12 * time.Hour), ExpiresAt: when.Add(30 * 24 * time.Hour), IP: by.IP, UserAgent: by.UserAgent,
	}
	b.must(b.CreateSession(b.Context(), by, s, cookie))
	return s.ID, cookie
}

func (b bench) grant(by idp.Actor, sid string) (idp.Grant, idp.Code) {
	g := idp.Grant{
		ID: secret.ID(), UserID: by.ID, ClientID: "friendly-scheduler", SessionID: sid, Resource: "https://calendar.example",
		Scopes: []string{"openid", "profile", "email", "calendar.freebusy:read"}, Nonce: secret.ID(), AuthTime: when,
		ACR: idp.ACRPassword, AMR: []string{"pwd"}, ExpiresAt: when.Add(90 * 24 * time.Hour),
	}
	return g, idp.Code{
		Hash: secret.Key(), GrantID: g.ID, ClientID: g.ClientID, RedirectURI: "https://scheduler.example/callback",
		CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", ExpiresAt: when.Add(time.Minute),
	}
}

func (b bench) family(by idp.Actor) (handle, current [32]byte) {
	g, code := b.grant(by, "")
	b.must(b.IssueCode(b.Context(), by, idp.Approval{}, g, code, when))
	handle, current = secret.Key(), secret.Key()
	b.must(b.RedeemCode(b.Context(), by, code.Hash, &idp.RefreshToken{
		HandleHash: handle, CurrentHash: current, GrantID: g.ID, Generation: 1, ExpiresAt: when.Add(90 * 24 * time.Hour),
	}, when))
	return handle, current
}

// login is all that a complete login with consent and refresh token stores, in five verbs.
func (b bench) login(by idp.Actor) {
	ctx := b.Context()
	r := idp.AuthRequest{
		ID: secret.ID(), BrowserHash: secret.Key(), ClientID: "friendly-scheduler", RedirectURI: "https://scheduler.example/callback", State: secret.ID(), StateSent: true,
		Nonce: secret.ID(), Scopes: []string{"openid", "profile", "email", "calendar.freebusy:read"}, Resource: "https://calendar.example",
		CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", MaxAge: -1, CreatedAt: when, ExpiresAt: when.Add(10 * time.Minute),
	}
	b.must(b.CreateAuthRequest(ctx, r, "192.0.2.77/32", 1<<30, 1<<30, when))
	sid, _ := b.session(by)
	b.must(b.LoginAuthRequest(ctx, r.ID, r.BrowserHash, sid, when))
	g, code := b.grant(by, sid)
	b.must(b.FinishAuthRequest(ctx, by, r.ID, r.BrowserHash, idp.Approval{}, g, code, when))
	b.must(b.RedeemCode(ctx, idp.Actor{Kind: "client", ID: "friendly-scheduler"}, code.Hash, &idp.RefreshToken{
		HandleHash: secret.Key(), CurrentHash: secret.Key(), GrantID: g.ID, Generation: 1, ExpiresAt: when.Add(90 * 24 * time.Hour),
	}, when))
}

// used is how many bytes of the file hold something.
func (b bench) used() int64 {
	b.Helper()
	n, err := b.Int(b.Context(), "SELECT (p.page_count - f.freelist_count) * 4096 FROM pragma_page_count p, pragma_freelist_count f")
	b.must(err)
	return n
}

func (b bench) sweepAll(now time.Time) {
	b.Helper()
	for n := 1; n > 0; {
		var err error
		n, err = b.Sweep(b.Context(), now)
		b.must(err)
	}
}

// TestRowSizes: a rotation updates its row in place, and what a login leaves behind once
// its passing rows are swept is bounded: 1,000 bytes of state, and its audit rows.
func TestRowSizes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	by := b.user(0)
	const logins, families = 400, 50
	for range logins / 4 { // fill the passing rows' pages
		b.login(by)
	}
	b.sweepAll(when.Add(2 * time.Hour))
	before := b.used()
	for range logins {
		b.login(by)
	}
	all := b.used() - before
	b.sweepAll(when.Add(2 * time.Hour))
	perLogin := (b.used() - before) / logins
	perAudit, err := b.Int(t.Context(), "SELECT SUM(pgsize) FROM dbstat WHERE name IN ('events', 'events_by_user')")
	b.must(err)
	perAudit /= logins + logins/4
	t.Logf("%d bytes a login, %d of them audit rows; %d with the rows that are swept after an hour", perLogin, perAudit, all/logins)
	if perLogin-perAudit > 1000 || perAudit > 400 {
		t.Errorf("a login costs %d bytes, %d of them audit rows", perLogin, perAudit)
	}

	handles, current := make([][32]byte, families), make([][32]byte, families)
	for i := range families {
		handles[i], current[i] = b.family(by)
	}
	now := when
	rotate := func() {
		now = now.Add(time.Minute)
		for i := range families {
			next := secret.Key()
			out, _, err := b.RotateRefreshToken(t.Context(), by, handles[i], current[i], next, make([]byte, 44), 30*time.Second, now)
			if err != nil || out != idp.Rotated {
				t.Fatal(out, err)
			}
			current[i] = next
		}
	}
	rotate()
	before = b.used()
	for range 20 {
		rotate()
	}
	if grown := b.used() - before; grown > 0 {
		t.Errorf("%d rotations took %d bytes", 20*families, grown)
	}
}

func BenchmarkRotateRefreshToken(b *testing.B) {
	w := newBench(b)
	const parallel = 16
	var next atomic.Int64
	type family struct{ handle, current [32]byte }
	families := make([]family, parallel*4)
	by := w.user(0)
	for i := range families {
		families[i].handle, families[i].current = w.family(by)
	}
	before := w.Commits()
	b.SetParallelism(parallel)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		f := &families[next.Add(1)-1]
		var n uint64
		now := when
		for pb.Next() {
			n++
			now = now.Add(31 * time.Second)
			successor := f.handle
			binary.BigEndian.PutUint64(successor[:], n)
			out, _, err := w.RotateRefreshToken(b.Context(), by, f.handle, f.current, successor, make([]byte, 44), 30*time.Second, now)
			if err != nil || out != idp.Rotated {
				b.Error(out, err)
				return
			}
			f.current = successor
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rotations/s")
	b.ReportMetric(float64(b.N)/float64(w.Commits()-before), "verbs/commit")
}

// BenchmarkRefresh is what the token endpoint does with the database: read, then rotate.
func BenchmarkRefresh(b *testing.B) {
	w := newBench(b)
	handle, current := w.family(w.user(0))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, _, err := w.Refresh(b.Context(), handle, when)
			if err != nil || r.CurrentHash != current {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkRedeemCode(b *testing.B) {
	w := newBench(b)
	by := w.user(0)
	codes := make([]idp.Code, b.N)
	for i := range codes {
		var g idp.Grant
		g, codes[i] = w.grant(by, "")
		w.must(w.IssueCode(b.Context(), by, idp.Approval{}, g, codes[i], when))
	}
	var next atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			code := codes[next.Add(1)-1]
			r := idp.RefreshToken{HandleHash: code.Hash, CurrentHash: code.Hash, GrantID: code.GrantID, Generation: 1, ExpiresAt: when.Add(time.Hour)}
			if err := w.RedeemCode(b.Context(), by, code.Hash, &r, when); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "codes/s")
}

func BenchmarkSession(b *testing.B) {
	w := newBench(b)
	_, cookie := w.session(w.user(0))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := w.Session(b.Context(), cookie, when); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkLogin(b *testing.B) {
	w := newBench(b)
	by := w.user(0)
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w.login(by)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
}
