package oauth_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// OAU-09: a token works once; later use ends the family, the grant and the tokens made
// from it, and is told to the verifiers and the audit log (RFC 9700 §4.14.2).
func TestToken_RFC9700_4_14_2_RefreshReuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.tokensFor("web", ann, "resource", issuer)
	rt1 := first.json("refresh_token")
	second := w.refresh("web", rt1).ok()
	rt2 := second.json("refresh_token")
	rt3 := w.refresh("web", rt2).ok().json("refresh_token")
	if rt1 == rt2 || rt2 == rt3 {
		t.Fatal("not rotated")
	}
	w.pass(31 * time.Second)
	w.refresh("web", rt1).expect(400, "invalid_grant")
	for _, dead := range []string{rt1, rt2, rt3} {
		w.refresh("web", dead).expect(400, "invalid_grant")
	}
	if a := w.userinfo(second.json("access_token")); a.Code != 401 {
		t.Errorf("the access token lives: %d", a.Code)
	}
	rules, err := w.db.Rules(t.Context(), 0, 10, w.clock())
	if err != nil || len(rules) != 1 || rules[0].Kind != idp.RuleGrant {
		t.Errorf("rules %v, %v", rules, err)
	}
	events, err := w.db.Events(t.Context(), ann, 0, 100)
	if err != nil || !slices.ContainsFunc(events, func(e idp.Event) bool { return e.Action == "refresh.reuse" && e.Result == "refused" }) {
		t.Errorf("no audit event: %v %v", events, err)
	}
}

// OAU-09: reuse is noticed whatever else is wrong with the request, and a clock that
// steps back makes no old token good.
func TestToken_RFC9700_4_14_2_RefreshReuseIsAlwaysNoticed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][]string{"scope": {"scope", "cal.write"}, "resource": {"resource", "https://nowhere.example"}} {
		w := newWorld(t)
		rt1 := w.tokensFor("web", ann).json("refresh_token")
		rt2 := w.refresh("web", rt1).ok().json("refresh_token")
		w.pass(31 * time.Second)
		w.refresh("web", rt1, change...).expect(400, "invalid_grant")
		if a := w.refresh("web", rt2); a.Code != 400 {
			t.Errorf("%s: not noticed", name)
		}
	}
	w := newWorld(t)
	rt1 := w.tokensFor("web", ann).json("refresh_token")
	rt2 := w.refresh("web", rt1).ok().json("refresh_token")
	w.pass(-40 * time.Second)
	w.refresh("web", rt1).expect(400, "invalid_grant")
	w.refresh("web", rt2).expect(400, "invalid_grant")
}

// OAU-10: within 30 s a retry gets the same refresh token and fresh access and ID
// tokens, also when the successor was used meanwhile; it does not prolong anything.
func TestToken_RFC6749_6_RefreshRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rt1 := w.tokensFor("web", ann).json("refresh_token")
	a := w.refresh("web", rt1).ok()
	w.pass(29 * time.Second)
	b := w.refresh("web", rt1).ok()
	if a.json("refresh_token") != b.json("refresh_token") || a.json("access_token") == b.json("access_token") || a.json("id_token") == b.json("id_token") {
		t.Errorf("%s\n%s", a.Body, b.Body)
	}
	rt3 := w.refresh("web", a.json("refresh_token")).ok().json("refresh_token")
	if got := w.refresh("web", rt1).ok().json("refresh_token"); got != a.json("refresh_token") {
		t.Error("a retry made a second branch")
	}
	w.refresh("web", rt1, "scope", "openid profile cal.read mail.read").expect(400, "invalid_scope") // checked again
	w.pass(time.Second)                                                                              // 30 s after the first use
	w.refresh("web", rt1).ok()
	w.pass(time.Millisecond)
	w.refresh("web", rt1).expect(400, "invalid_grant")
	w.refresh("web", rt3).expect(400, "invalid_grant")
}

// OAU-10: honest requests race; there is one successor, and nobody is locked out.
func TestToken_RFC6749_6_RefreshRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	current := w.tokensFor("web", ann, "scope", "cal.read").json("refresh_token") // no RSA signature
	for range rounds(t) {
		answers := make([]answer, 8)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = w.refresh("web", current) })
		}
		all.Wait()
		next := answers[0].json("refresh_token")
		for _, a := range answers {
			if a.Code != 200 || a.json("refresh_token") != next || next == current {
				t.Fatalf("%d %s; others got %s", a.Code, a.Body, next)
			}
		}
		current = next
	}
}

// OAU-11: only fewer scopes, only the own client, only resources that the grant covers.
func TestToken_RFC6749_6_ScopeMayOnlyNarrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rt := w.tokensFor("web", ann, "scope", "openid profile cal.read cal.write mail.read", "resource", calendar).json("refresh_token")
	for _, tt := range []struct {
		name   string
		change []string
		aud    string
		scope  string
		err    string
	}{
		{"as before", nil, calendar, "cal.read cal.write", ""},
		{"fewer", []string{"scope", "openid cal.read"}, calendar, "cal.read", ""},
		{"fewer, then all again", nil, calendar, "cal.read cal.write", ""},
		{"issuer", []string{"resource", issuer}, issuer, "openid profile", ""},
		{"issuer, fewer", []string{"resource", issuer, "scope", "openid"}, issuer, "openid", ""},
		{"other resource of the grant", []string{"resource", mail}, mail, "mail.read", ""},
		{"only scopes of another resource", []string{"scope", "mail.read"}, mail, "mail.read", ""},
		{"only scopes of the issuer", []string{"scope", "openid profile"}, issuer, "openid profile", ""},
		{"a slash more", []string{"resource", calendar + "/"}, calendar, "cal.read cal.write", ""},
		{"more", []string{"scope", "openid cal.read email"}, "", "", "invalid_scope"},
		{"unknown", []string{"scope", "no-such"}, "", "", "invalid_scope"},
		{"in other letters", []string{"scope", "CAL.READ"}, "", "", "invalid_scope"},
		{"not the resource's", []string{"resource", mail, "scope", "cal.read"}, "", "", "invalid_target"},
		{"unknown resource", []string{"resource", "https://nowhere.example"}, "", "", "invalid_target"},
		{"no URI", []string{"resource", "calendar"}, "", "", "invalid_target"},
		{"fragment", []string{"resource", calendar + "#x"}, "", "", "invalid_target"},
	} {
		a := w.refresh("web", rt, tt.change...)
		if tt.err != "" {
			if a.Code != 400 || a.json("error") != tt.err {
				t.Errorf("%s: %d %s", tt.name, a.Code, a.Body)
			}
			continue
		}
		access := claims(t, a.ok().json("access_token"))
		if access["aud"] != tt.aud || access["scope"] != tt.scope || a.json("scope") != tt.scope {
			t.Errorf("%s: %v, response says %q", tt.name, access, a.json("scope"))
		}
		rt = a.json("refresh_token")
	}
}

// A login that was for userinfo gets a service's token by the service's scopes alone, as one
// that was for another service does.
func TestToken_RFC6749_6_FromTheIssuerToAService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rt := w.tokensFor("web", ann, "scope", "openid profile cal.read mail.read", "resource", issuer).json("refresh_token")
	for _, tt := range []struct{ ask, aud, scope string }{
		{"", issuer, "openid profile"},
		{"cal.read", calendar, "cal.read"},
		{"openid cal.read", issuer, "openid"},
	} {
		a := w.refresh("web", rt, "scope", tt.ask).ok()
		if access := claims(t, a.json("access_token")); access["aud"] != tt.aud || access["scope"] != tt.scope {
			t.Errorf("%q: %v", tt.ask, access)
		}
		rt = a.json("refresh_token")
	}
	if a := w.refresh("web", rt, "scope", "cal.read mail.read"); a.Code != 400 || a.json("error") != "invalid_target" {
		t.Errorf("two services: %d %s", a.Code, a.Body)
	}
}

// OAU-11: bound to its client; a stranger's try changes nothing.
func TestToken_RFC6749_6_RefreshTokenIsBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rt := w.tokensFor("web", ann).json("refresh_token")
	for _, client := range []string{"other", "spa", "legacy"} {
		w.refresh(client, rt).expect(400, "invalid_grant")
	}
	w.send("POST", "/token", params("grant_type", "refresh_token", "refresh_token", rt, "client_id", "web")).expect(401, "invalid_client")
	next := w.refresh("web", rt).ok().json("refresh_token")
	w.refresh("other", rt).expect(400, "invalid_grant") // a retry by another client is none
	w.refresh("web", next).ok()
}

// OAU-11: an absolute end, however often it is used.
func TestToken_RFC6749_6_RefreshTokenEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rt := w.tokensFor("web", ann, "scope", "openid offline_access").json("refresh_token")
	for range 9 {
		w.pass(9 * 24 * time.Hour)
		rt = w.refresh("web", rt).ok().json("refresh_token")
	}
	w.pass(9*24*time.Hour - time.Second)
	rt = w.refresh("web", rt).ok().json("refresh_token")
	w.pass(time.Second)
	w.refresh("web", rt).expect(400, "invalid_grant")
}

// OpenID Connect Core §12.2: same sub, aud, auth_time; new iat; no nonce.
func TestToken_OIDC_12_2_RefreshedIDToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.tokensFor("web", ann)
	w.pass(10 * time.Minute)
	b := w.refresh("web", a.json("refresh_token")).ok()
	first, again := claims(t, a.json("id_token")), claims(t, b.json("id_token"))
	for _, name := range []string{"iss", "sub", "aud", "auth_time", "sid", "acr"} {
		if first[name] == nil || first[name] != again[name] {
			t.Errorf("%s: %v then %v", name, first[name], again[name])
		}
	}
	if again["iat"] != first["iat"].(float64)+600 || again["nonce"] != nil || again["at_hash"] == first["at_hash"] {
		t.Errorf("%v then %v", first, again)
	}
	if c := w.refresh("web", b.json("refresh_token"), "scope", "cal.read").ok(); c.json("id_token") != "" {
		t.Error("ID token without openid")
	}
}

// OAU-09: what was rotated before a restart is remembered after it.
func TestToken_RFC9700_4_14_2_RefreshReuseAfterRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rt1 := w.tokensFor("web", ann).json("refresh_token")
	rt2 := w.refresh("web", rt1).ok().json("refresh_token")
	w.restart()
	w.pass(31 * time.Second)
	w.refresh("web", rt1).expect(400, "invalid_grant")
	w.refresh("web", rt2).expect(400, "invalid_grant")
}
