package oauth_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/internal/store"
)

// between lets something happen after an endpoint has read what it decides by, and before
// the verb that acts.
type between struct {
	*store.DB
	happens func()
}

func (s *between) once() {
	if f := s.happens; f != nil {
		s.happens = nil
		f()
	}
}

func (s *between) IssueCode(ctx context.Context, by idp.Actor, a idp.Approval, g idp.Grant, c idp.Code, now time.Time) error {
	s.once()
	return s.DB.IssueCode(ctx, by, a, g, c, now)
}

func (s *between) FinishAuthRequest(ctx context.Context, by idp.Actor, id string, h [32]byte, a idp.Approval, g idp.Grant, c idp.Code, now time.Time) error {
	s.once()
	return s.DB.FinishAuthRequest(ctx, by, id, h, a, g, c, now)
}

// meanwhile plays an authorization in both of its forms, during which something happens,
// and returns the codes that came out of it.
func meanwhile(t *testing.T, client, scope string, prepare func(*world, *browser), happens func(*world)) (codes []string) {
	t.Helper()
	for _, post := range []bool{false, true} {
		s := &between{}
		w := newWorld(t, func(c *oauth.Config) { s.DB = c.Store.(*store.DB); c.Store = s })
		b := w.signedIn(ann)
		prepare(w, b)
		s.happens = func() { happens(w) }
		a := answer{}
		if post {
			a = b.follow(b.send("POST", "/authorize", ask(client, "scope", scope)))
		} else {
			a = b.authorize(ask(client, "scope", scope))
		}
		if s.happens != nil {
			t.Fatalf("nothing was to be stored: %d %s", a.Code, a.Header().Get("Location"))
		}
		if code := a.query("code"); code != "" {
			codes = append(codes, code)
		}
	}
	return codes
}

// OAU-20: a login that ends while its request is under way leaves nothing behind, also no
// grant that would have outlived it.
func TestAuthorize_OAU20_LoginEndsMeanwhile(t *testing.T) {
	t.Parallel()
	for _, scope := range []string{"openid cal.read", "openid cal.read offline_access"} {
		for name, end := range map[string]func(*world){
			"password": func(w *world) { w.must(w.db.SetPassword(w.t.Context(), system(), ann, "new hash", w.clock())) },
			"disabled": func(w *world) { w.must(w.db.DisableUser(w.t.Context(), system(), ann, w.clock())) },
		} {
			if codes := meanwhile(t, "own", scope, func(*world, *browser) {}, end); len(codes) != 0 {
				t.Errorf("%s, %s: %d codes", name, scope, len(codes))
			}
		}
		if codes := meanwhile(t, "own", scope, func(*world, *browser) {}, func(*world) {}); len(codes) != 2 {
			t.Errorf("%s, nothing happens: %d codes", scope, len(codes))
		}
	}
}

// OAU-16: an app that is revoked while its request is under way is not connected again.
func TestAuthorize_OAU16_ConsentEndsMeanwhile(t *testing.T) {
	t.Parallel()
	consent := func(_ *world, b *browser) { b.code(ask("web", "scope", "openid cal.read"), ann) }
	revoke := func(w *world) {
		_, err := w.db.RevokeApp(w.t.Context(), system(), ann, "web", w.clock())
		w.must(err)
	}
	if codes := meanwhile(t, "web", "openid cal.read", consent, revoke); len(codes) != 0 {
		t.Errorf("%d codes without a consent", len(codes))
	}
	if codes := meanwhile(t, "web", "openid cal.read", consent, func(*world) {}); len(codes) != 2 {
		t.Errorf("nothing happens: %d codes", len(codes))
	}
}

// slowDirectory lets something happen right after a client was looked up.
type slowDirectory struct {
	*store.Directory
	happens func()
}

func (d *slowDirectory) Client(ctx context.Context, id string) (idp.Client, error) {
	c, err := d.Directory.Client(ctx, id)
	if f := d.happens; f != nil {
		d.happens = nil
		f()
	}
	return c, err
}

// TOK-12: a client that is disabled while it is being answered gets a token that the rule
// names: the token is not dated past a rule that nobody knew when the client was proven.
func TestToken_TOK12_DisabledMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &slowDirectory{}
		var hub *revocation.Hub
		w := newWorld(t, func(c *oauth.Config) { d.Directory = c.Directory.(*store.Directory); c.Directory, hub = d, c.Hub })
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = hub.Run(ctx) }()
		synctest.Wait()
		d.happens = func() {
			w.must(w.db.DisableClient(t.Context(), system(), "robot", w.clock()))
			for hub.NotBefore("robot").IsZero() {
				<-time.After(10 * time.Millisecond)
			}
		}
		a := w.as("robot", "/token", params("grant_type", idp.GrantClientCredentials))
		if a.Code != 200 {
			return // as good
		}
		c, err := w.tokens.Inspect(a.json("access_token"), w.clock())
		w.must(err)
		if rule := w.rules()[0]; c.IssuedAt.After(rule.Before) {
			t.Errorf("iat %v is after the rule's before %v: nobody refuses this token", c.IssuedAt, rule.Before)
		}
		stop()
		synctest.Wait()
		w.must(w.db.Close())
	})
}

// staleDirectory still has a client as it was.
type staleDirectory struct {
	*store.Directory
	client idp.Client
}

func (d *staleDirectory) Client(context.Context, string) (idp.Client, error) { return d.client, nil }

// TOK-12: where a rule about a client is fresh, memory is not asked about it: another node
// has just disabled it.
func TestToken_TOK12_FreshRuleAsksTheDatabase(t *testing.T) {
	t.Parallel()
	d := &staleDirectory{}
	var hub *revocation.Hub
	w := newWorld(t, func(c *oauth.Config) { d.Directory = c.Directory.(*store.Directory); c.Directory, hub = d, c.Hub })
	var err error
	d.client, err = w.db.Client(t.Context(), "robot")
	w.must(err)
	if a := w.as("robot", "/token", params("grant_type", idp.GrantClientCredentials)); a.Code != 200 {
		t.Fatal(a.Code)
	}
	w.must(w.db.DisableClient(t.Context(), system(), "robot", w.clock()))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(ctx) }()
	defer func() { stop(); <-ended }()
	deadline := time.After(10 * time.Second)
	for hub.NotBefore("robot").IsZero() {
		select {
		case <-deadline:
			t.Fatal("the hub does not hear of the rule")
		case <-time.After(time.Millisecond):
		}
	}
	if a := w.as("robot", "/token", params("grant_type", idp.GrantClientCredentials)); a.Code != 401 {
		t.Errorf("a disabled client got %d", a.Code)
	}
}

// TOK-12: userinfo refuses what the feed calls dead, also when the client may ask again.
func TestUserinfo_TOK12_ClientRule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.tokensFor("web", ann, "scope", "openid email").json("access_token")
	if a := w.userinfo(token); a.Code != 200 {
		t.Fatal(a.Code)
	}
	w.must(w.db.DisableClient(t.Context(), system(), "web", w.clock()))
	w.pass(5 * time.Second)
	w.must(w.db.EnableClient(t.Context(), system(), "web", w.clock()))
	if a := w.userinfo(token); a.Code != 401 {
		t.Errorf("a token from before the client was disabled: %d", a.Code)
	}
}

// DOS-03: revoking one token again and again leaves one rule, for each goes to every verifier.
func TestRevoke_RFC7009_2_OneRuleForOneToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.tokensFor("spa", ann, "scope", "cal.read").json("access_token")
	for range 10 {
		if a := w.as("spa", "/revoke", params("token", token)); a.Code != 200 {
			t.Fatal(a.Code)
		}
	}
	rules := w.rules()
	if len(rules) != 1 {
		t.Fatalf("%d rules", len(rules))
	}
	// A verifier whose clock is late, and forgives as much, must still know it.
	c, err := w.tokens.Inspect(token, w.clock())
	w.must(err)
	if d := rules[0].Until.Sub(c.ExpiresAt); d < 2*time.Minute {
		t.Errorf("the rule is forgotten %v after the token's end", d)
	}
}
