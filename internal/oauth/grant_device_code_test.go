package oauth_test

import (
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// TestToken_RFC8628_3_5_Answers: pending, then denied or expired.
func TestToken_RFC8628_3_5_Answers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.enter("tv")
	w.poll("tv", e.code()).expect(400, "authorization_pending")
	e.loginIn(e.flow, ann)
	w.pass(5 * time.Second)
	w.poll("tv", e.code()).expect(400, "authorization_pending") // logged in is not allowed
	e.deny(e.flow)
	w.pass(5 * time.Second)
	w.poll("tv", e.code()).expect(400, "authorization_pending") // the browser has not gone on
	if a := e.proceed(e.flow); a.page() != "device-answered" || a.json("Allowed") != "false" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	for range 2 {
		w.pass(5 * time.Second)
		w.poll("tv", e.code()).expect(400, "access_denied")
	}
	w.pass(10 * time.Minute)
	w.poll("tv", e.code()).expect(400, "expired_token")

	late := w.enter("tv")
	late.loginIn(late.flow, ann)
	late.confirm(late.flow)
	late.agree(late.flow)
	w.pass(10 * time.Minute)
	if a := late.proceed(late.flow); a.Code != 400 || a.page() != "error" {
		t.Errorf("a yes that is late: %d %s", a.Code, a.Body)
	}
	w.poll("tv", late.code()).expect(400, "expired_token")

	soon := w.enter("tv")
	soon.allow(ann)
	w.pass(10 * time.Minute)
	w.poll("tv", soon.code()).expect(400, "expired_token") // approved, but not fetched in time
}

// TestToken_RFC8628_3_5_SlowDown: the interval is enforced and grows with each poll that
// comes too early.
func TestToken_RFC8628_3_5_SlowDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.device("tv").ok().json("device_code")
	w.poll("tv", code).expect(400, "authorization_pending")
	w.pass(2 * time.Second)
	w.poll("tv", code).expect(400, "slow_down")
	w.pass(5 * time.Second)
	w.poll("tv", code).expect(400, "slow_down")
	w.pass(15 * time.Second)
	w.poll("tv", code).expect(400, "authorization_pending")
}

// TestToken_RFC8628_3_4_Bound: a code is good for its client, as what it is; a refusal
// changes nothing. OAU-18
func TestToken_RFC8628_3_4_Bound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.alter("native", func(c *idp.Client) { c.GrantTypes = append(c.GrantTypes, idp.GrantDeviceCode) })
	e := w.enter("tv")
	e.allow(ann)
	code, user := e.code(), e.codes.json("user_code")
	for _, tt := range []struct {
		name, client, code, want string
	}{
		{"another public client", "native", code, "invalid_grant"},
		{"another confidential client", "box", code, "invalid_grant"},
		{"client without the grant", "web", code, "unauthorized_client"},
		{"no code", "tv", "", "invalid_request"},
		{"the person's code", "tv", user, "invalid_grant"},
		{"cut", "tv", code[:len(code)-1], "invalid_grant"},
		{"longer", "tv", code + "0", "invalid_grant"},
		{"random", "tv", secret.New(secret.Device).Reveal(), "invalid_grant"},
		{"a code of the other kind", "tv", secret.New(secret.Code).Reveal(), "invalid_grant"},
	} {
		w.poll(tt.client, tt.code).expect(400, tt.want)
	}
	w.as("web", "/token", params("grant_type", "authorization_code", "code", code, "redirect_uri", webURI, "code_verifier", verifier)).expect(400, "invalid_grant")
	w.refresh("tv", code).expect(400, "invalid_grant")
	w.poll("tv", code).ok()
}

// TestToken_RFC8628_3_5_Tokens: what comes is what a code would have given.
func TestToken_RFC8628_3_5_Tokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.enter("tv", "scope", "openid cal.read offline_access unknown")
	e.allow(bob)
	a := w.poll("tv", e.code()).ok()
	if a.json("token_type") != "Bearer" || a.json("scope") != "cal.read" || a.json("expires_in") != "300" || a.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s", a.Body)
	}
	access, id := claims(t, a.json("access_token")), claims(t, a.json("id_token"))
	if access["sub"] != bob || access["aud"] != calendar || access["client_id"] != "tv" || access["sid"] != nil {
		t.Errorf("access token %v", access)
	}
	if id["sub"] != bob || id["aud"] != "tv" || id["nonce"] != nil || id["auth_time"] == nil || id["acr"] != "aal1" {
		t.Errorf("ID token %v", id)
	}
	// Offline: it outlives the login at the browser that allowed it.
	w.must(w.db.EndSession(t.Context(), idp.Actor{Kind: "user", ID: bob}, bob, e.session().ID, w.clock()))
	w.refresh("tv", a.json("refresh_token")).ok()

	// Without offline_access it dies with that login; another resource can be named.
	e = w.enter("tv", "scope", "cal.read mail.read", "resource", calendar)
	e.allow(ann)
	a = w.poll("tv", e.code(), "resource", mail).ok()
	if access = claims(t, a.json("access_token")); access["aud"] != mail || access["sid"] != e.session().ID || a.json("id_token") != "" {
		t.Errorf("%v %s", access, a.Body)
	}
	w.must(w.db.EndSession(t.Context(), idp.Actor{Kind: "user", ID: ann}, ann, e.session().ID, w.clock()))
	w.refresh("tv", a.json("refresh_token")).expect(400, "invalid_grant")

	// No refresh token for who is not registered for them.
	e = w.enter("box", "scope", "openid offline_access")
	e.allow(ann)
	if a = w.poll("box", e.code()).ok(); a.json("refresh_token") != "" {
		t.Errorf("%s", a.Body)
	}
}

// TestToken_OAU18_CodeWorksOnce: a replay is refused, and ends what came of the first use.
func TestToken_OAU18_CodeWorksOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.enter("tv")
	e.allow(ann)
	a := w.poll("tv", e.code()).ok()
	w.poll("tv", e.code()).expect(400, "slow_down") // at the same moment: no second use
	w.refresh("tv", a.json("refresh_token")).ok()
	w.pass(11 * time.Second)
	w.poll("tv", e.code()).expect(400, "invalid_grant")
	w.refresh("tv", a.json("refresh_token")).expect(400, "invalid_grant")
	rules, err := w.db.Rules(t.Context(), 0, 10, time.Time{})
	w.must(err)
	if len(rules) != 1 || rules[0].ID != claims(t, a.json("access_token"))["grant_id"] {
		t.Errorf("%+v", rules)
	}
}

// TestToken_OAU18_PollRace: of polls at one moment one gets tokens, and they work.
func TestToken_OAU18_PollRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.enter("tv")
	e.allow(ann)
	answers := make([]answer, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = w.poll("tv", e.code()) })
	}
	all.Wait()
	won := 0
	for _, a := range answers {
		if a.Code == 200 {
			won++
			w.refresh("tv", a.json("refresh_token")).ok()
		} else {
			a.expect(400, "slow_down")
		}
	}
	if won != 1 {
		t.Errorf("%d winners", won)
	}
}

// TestToken_TOK10_DeviceStanding: who has gone since they allowed it has allowed nothing.
func TestToken_TOK10_DeviceStanding(t *testing.T) {
	t.Parallel()
	user := idp.Actor{Kind: "user", ID: ann}
	for name, end := range map[string]func(*world, entered) error{
		"user disabled": func(w *world, _ entered) error { return w.db.DisableUser(w.t.Context(), system(), ann, w.clock()) },
		"user deleted":  func(w *world, _ entered) error { return w.db.DeleteUser(w.t.Context(), system(), ann, w.clock()) },
		"new password": func(w *world, _ entered) error {
			return w.db.SetPassword(w.t.Context(), user, ann, "new hash", w.clock())
		},
		"app revoked": func(w *world, _ entered) error {
			_, err := w.db.RevokeApp(w.t.Context(), user, ann, "tv", w.clock())
			return err
		},
		"logged out": func(w *world, e entered) error {
			return w.db.EndSession(w.t.Context(), user, ann, e.session().ID, w.clock())
		},
	} {
		w := newWorld(t)
		e := w.enter("tv")
		e.allow(ann)
		w.must(end(w, e))
		if a := w.poll("tv", e.code()); a.Code != 400 || a.json("error") != "invalid_grant" {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
	// A signer that fails costs nobody the code.
	w := newWorld(t)
	e := w.enter("tv")
	e.allow(ann)
	w.keys.broken = true
	w.poll("tv", e.code()).expect(503, "temporarily_unavailable")
	w.keys.broken = false
	w.pass(5 * time.Second)
	w.poll("tv", e.code()).ok()
}

// TestContinue_OAU18_DeviceIsConfirmed: nothing but a confirmation of this session in this
// request lets a device in, whatever was consented to before and whoever's app it is.
func TestContinue_OAU18_DeviceIsConfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, client := range []string{"tv", "box"} {
		first := w.enter(client)
		first.allow(ann)
		e := w.enter(client)
		e.loginIn(e.flow, ann)
		for range 3 { // also when the page is opened again and again
			if a := e.proceed(e.flow); a.page() != "/device/confirm" || a.query("flow") != e.flow {
				t.Fatalf("%s: %d %s %s", client, a.Code, a.page(), a.Body)
			}
		}
		w.poll(client, e.code()).expect(400, "authorization_pending")
		e.confirm(e.flow)
		if a := e.proceed(e.flow); a.page() != "device-answered" { // the consent from before is enough
			t.Errorf("%s: %s", client, a.page())
		}
		if a := e.proceed(e.flow); a.Code != 400 || a.page() != "error" {
			t.Errorf("%s: again: %d", client, a.Code)
		}
	}
	// Another browser cannot go on, and a third-party app is asked for consent.
	e := w.enter("tv", "scope", "openid email")
	if a := w.signedIn(ann).proceed(e.flow); a.Code != 400 {
		t.Errorf("another browser: %d", a.Code)
	}
	e.loginIn(e.flow, ann)
	e.confirm(e.flow)
	if a := e.proceed(e.flow); a.page() != "/consent" {
		t.Errorf("no consent asked: %s", a.page())
	}
	// The client may not ask any more.
	w.alter("tv", func(c *idp.Client) { c.GrantTypes = []string{idp.GrantAuthorizationCode} })
	if a := e.proceed(e.flow); a.Code != 400 || a.page() != "error" {
		t.Errorf("client changed: %d %s", a.Code, a.page())
	}
}

// TestContinue_OAU18_AnsweredOnce: who comes second is told so, and the device gets the
// first answer.
func TestContinue_OAU18_AnsweredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.enter("box")
	other := w.browser()
	other.authorize(ask("web"))
	theirs := other.typeCode(e.codes.json("user_code"))
	other.loginIn(theirs, bob)
	other.confirm(theirs)
	e.allow(ann)
	if a := other.proceed(theirs); a.Code != 400 || a.page() != "error" {
		t.Errorf("second yes: %d %s", a.Code, a.Body)
	}
	if flow := w.browser().typeCodeSafely(e.codes.json("user_code")); flow != "" {
		t.Error("the code works after the answer")
	}
	if sub := claims(t, w.poll("box", e.code()).ok().json("id_token"))["sub"]; sub != ann {
		t.Errorf("tokens for %v", sub)
	}

	e = w.enter("box")
	theirs = other.typeCode(e.codes.json("user_code"))
	other.confirm(theirs)
	e.loginIn(e.flow, ann)
	e.deny(e.flow)
	e.proceed(e.flow)
	if a := other.proceed(theirs); a.Code != 400 {
		t.Errorf("yes after no: %d", a.Code)
	}
	w.poll("box", e.code()).expect(400, "access_denied")
}

// typeCodeSafely is typeCode in a browser that was nowhere yet.
func (b *browser) typeCodeSafely(code string) string {
	b.w.t.Helper()
	b.authorize(ask("web"))
	return b.typeCode(code)
}
