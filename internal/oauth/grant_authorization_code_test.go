package oauth_test

import (
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// OAU-03: the code is good for what it was made for, and nothing else. A refusal
// changes nothing: afterwards the right client still gets its tokens.
func TestToken_RFC6749_4_1_3_CodeIsBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code(ask("web"), ann)
	foreign := w.browser().code(ask("other", "redirect_uri", webURI), bob)
	for _, tt := range []struct {
		name, client string
		change       []string
		code         string
	}{
		{"another client, same redirect_uri", "other", []string{"redirect_uri", webURI}, "invalid_grant"},
		{"another public client", "spa", []string{"redirect_uri", webURI}, "invalid_grant"},
		{"another code", "web", []string{"code", foreign}, "invalid_grant"},
		{"another registered redirect_uri", "web", []string{"redirect_uri", "https://app.example/two"}, "invalid_grant"},
		{"redirect_uri with a slash", "web", []string{"redirect_uri", webURI + "/"}, "invalid_grant"},
		{"no redirect_uri", "web", []string{"redirect_uri", ""}, "invalid_request"},
		{"no verifier", "web", []string{"code_verifier", ""}, "invalid_grant"},
		{"another verifier", "web", []string{"code_verifier", verifier[1:] + "x"}, "invalid_grant"},
		{"the challenge as verifier", "web", []string{"code_verifier", challenge}, "invalid_grant"},
		{"another resource", "web", []string{"resource", mail}, "invalid_target"},
		{"unknown resource", "web", []string{"resource", "https://nowhere.example"}, "invalid_target"},
		{"cut code", "web", []string{"code", code[:len(code)-1]}, "invalid_grant"},
		{"long code", "web", []string{"code", code + "0"}, "invalid_grant"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := w.in(t)
			w.redeem(tt.client, code, tt.change...).expect(400, tt.code)
		})
	}
	id := claims(t, w.redeem("web", code).ok().json("id_token"))
	if id["sub"] != ann || id["nonce"] != "n-1" || id["aud"] != "web" {
		t.Errorf("%v", id)
	}
	id = claims(t, w.redeem("other", foreign, "redirect_uri", webURI).ok().json("id_token"))
	if id["sub"] != bob || id["aud"] != "other" {
		t.Errorf("%v", id)
	}
}

// OAU-04: the second use fails and everything from the first one dies, also the access
// token that was handed out.
func TestToken_RFC6749_4_1_2_CodeReplay(t *testing.T) {
	t.Parallel()
	for name, second := range map[string][]string{
		"exactly again": nil, "without a verifier": {"code_verifier", ""}, "with another redirect_uri": {"redirect_uri", "https://app.example/two"},
	} {
		w := newWorld(t)
		code := w.browser().code(ask("web", "resource", issuer), ann)
		first := w.redeem("web", code).ok()
		w.userinfo(first.json("access_token")).ok()
		w.pass(30 * time.Second)
		w.redeem("web", code, second...).expect(400, "invalid_grant")
		if a := w.userinfo(first.json("access_token")); a.Code != 401 {
			t.Errorf("%s: the access token lives: %d", name, a.Code)
		}
		w.refresh("web", first.json("refresh_token")).expect(400, "invalid_grant")
		if rules, err := w.db.Rules(t.Context(), 0, 10, w.clock()); err != nil || len(rules) != 1 || rules[0].Kind != idp.RuleGrant {
			t.Errorf("%s: verifiers are not told: %v %v", name, rules, err)
		}
	}
}

// A stranger who shows somebody's code ends nothing.
func TestToken_RFC6749_4_1_2_ReplayByAnotherClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code(ask("web"), ann)
	first := w.redeem("web", code).ok()
	w.redeem("other", code, "redirect_uri", webURI).expect(400, "invalid_grant")
	w.redeem("spa", code, "redirect_uri", webURI).expect(400, "invalid_grant")
	w.refresh("web", first.json("refresh_token")).ok()
}

// OAU-04: of many at once, at most one gets tokens, and those are dead.
func TestToken_RFC6749_4_1_2_CodeRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range rounds(t) / 10 {
		code := w.browser().code(ask("web", "resource", issuer), ann)
		answers := make([]answer, 16)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = w.redeem("web", code) })
		}
		all.Wait()
		sets := 0
		for _, a := range answers {
			if a.Code == 200 {
				sets++
				if got := w.userinfo(a.json("access_token")); got.Code != 401 {
					t.Fatalf("the winner's token lives although the code was used twice: %d", got.Code)
				}
			}
		}
		if sets != 1 {
			t.Fatalf("%d token sets", sets)
		}
	}
}

// RFC 6749 §4.1.2, RFC 9700: codes are short-lived.
func TestToken_RFC6749_4_1_2_CodeExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late, early := w.browser().code(ask("web"), ann), w.browser().code(ask("web"), ann)
	w.pass(59 * time.Second)
	w.redeem("web", early).ok()
	w.pass(time.Second)
	w.redeem("web", late).expect(400, "invalid_grant")
}

// No refresh token for a client that is not registered for it.
func TestToken_RFC6749_5_1_RefreshTokenIsOptional(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.tokensFor("codeonly", ann, "scope", "openid offline_access")
	if a.json("refresh_token") != "" || a.json("scope") != "openid" {
		t.Errorf("%s", a.Body)
	}
	a = w.tokensFor("web", ann, "scope", "cal.read")
	if a.json("id_token") != "" || a.json("refresh_token") == "" {
		t.Errorf("without openid: %s", a.Body)
	}
}

// OpenID Connect Core §3.1.3.3, §3.1.3.6.
func TestToken_OIDC_3_1_3_3_IDToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pass(1500 * time.Millisecond)
	b := w.signedIn(ann)
	authTime := w.clock().Unix()
	w.pass(time.Minute)
	id := claims(t, w.redeem("web", b.code(ask("web"), ann)).ok().json("id_token"))
	if id["iss"] != issuer || id["aud"] != "web" || id["sub"] != ann || id["acr"] != "aal1" || id["at_hash"] == nil ||
		id["auth_time"] != float64(authTime) || id["nonce"] != "n-1" || id["sid"] != b.session().ID {
		t.Errorf("%v", id)
	}
	if _, there := id["name"]; there {
		t.Error("claims about the person belong to userinfo (§5.4)")
	}
	if id = claims(t, w.redeem("web", b.code(ask("web", "nonce", ""), ann)).ok().json("id_token")); id["nonce"] != nil {
		t.Errorf("nonce from nowhere: %v", id)
	}
}
