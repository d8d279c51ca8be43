package oauth_test

import (
	"testing"

	"github.com/signet-id/signet/internal/idp"
)

func (w *world) rules() []idp.Rule {
	w.t.Helper()
	rules, err := w.db.Rules(w.t.Context(), 0, 100, w.clock())
	w.must(err)
	return rules
}

// RFC 7009 §2.1: a refresh token takes its grant and all access tokens along.
func TestRevoke_RFC7009_2_1_RefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.tokensFor("web", ann, "scope", "openid")
	if got := w.as("web", "/revoke", params("token", a.json("refresh_token"))); got.Code != 200 || got.Body.Len() != 0 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	w.refresh("web", a.json("refresh_token")).expect(400, "invalid_grant")
	if got := w.userinfo(a.json("access_token")); got.Code != 401 {
		t.Errorf("the access token lives: %d", got.Code)
	}
	if rules := w.rules(); len(rules) != 1 || rules[0].Kind != idp.RuleGrant || rules[0].ID != claims(t, a.json("access_token"))["grant_id"] {
		t.Errorf("%v", rules)
	}
}

// An older token of the family names it as well.
func TestRevoke_RFC7009_2_1_RotatedRefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.tokensFor("web", ann).json("refresh_token")
	next := w.refresh("web", old).ok().json("refresh_token")
	w.as("web", "/revoke", params("token", old, "token_type_hint", "refresh_token")).ok()
	w.refresh("web", next).expect(400, "invalid_grant")
}

// An access token goes alone, and is dead at our own endpoint, too (TOK-12).
func TestRevoke_RFC7009_2_1_AccessToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.tokensFor("web", ann, "scope", "openid")
	tok := a.json("access_token")
	w.userinfo(tok).ok()
	w.as("web", "/revoke", params("token", tok, "token_type_hint", "refresh_token")).ok() // a wrong hint does no harm
	if got := w.userinfo(tok); got.Code != 401 {
		t.Errorf("alive: %d", got.Code)
	}
	rules := w.rules()
	if len(rules) != 1 || rules[0].Kind != idp.RuleJTI || rules[0].ID != claims(t, tok)["jti"] || !rules[0].Until.After(w.clock()) {
		t.Errorf("%v", rules)
	}
	w.userinfo(w.refresh("web", a.json("refresh_token")).ok().json("access_token")).ok()
}

func TestRevoke_RFC7009_2_1_ClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tok := w.as("robot", "/token", params("grant_type", "client_credentials")).ok().json("access_token")
	w.as("robot", "/revoke", params("token", tok)).ok()
	if rules := w.rules(); len(rules) != 1 || rules[0].Kind != idp.RuleJTI {
		t.Errorf("%v", rules)
	}
}

// RFC 7009 §2.1: only the client's own; a public client says its name.
func TestRevoke_RFC7009_2_1_ClientBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.tokensFor("web", ann, "scope", "openid")
	for _, client := range []string{"other", "spa"} {
		for _, tok := range []string{a.json("refresh_token"), a.json("access_token")} {
			w.as(client, "/revoke", params("token", tok)).expect(400, "invalid_grant")
		}
	}
	w.send("POST", "/revoke", params("token", a.json("refresh_token"))).expect(401, "invalid_client")
	w.send("POST", "/revoke", params("token", a.json("refresh_token"), "client_id", "web")).expect(401, "invalid_client")
	w.userinfo(a.json("access_token")).ok()
	w.refresh("web", a.json("refresh_token")).ok()
	if rules := w.rules(); len(rules) != 0 {
		t.Errorf("%v", rules)
	}
	mine := w.tokensFor("spa", ann)
	w.as("spa", "/revoke", params("token", mine.json("refresh_token"))).ok()
	w.refresh("spa", mine.json("refresh_token")).expect(400, "invalid_grant")
}

// RFC 7009 §2.2: what is no token is not there any more.
func TestRevoke_RFC7009_2_2_Unknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code(ask("web"), ann)
	a := w.redeem("web", code).ok()
	expired := w.tokensFor("web", ann).json("access_token")
	w.pass(5 * 60e9)
	rt := a.json("refresh_token")
	for name, tok := range map[string]string{
		"garbage": "x", "code": code, "ID token": a.json("id_token"), "expired access token": expired,
		"unknown refresh token": rt[:len(rt)-7] + "0000000", "cut": rt[:40],
	} {
		if got := w.as("web", "/revoke", params("token", tok)); got.Code != 200 {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	if rules := w.rules(); len(rules) != 0 {
		t.Errorf("%v", rules)
	}
	w.as("web", "/revoke", params("x", "y")).expect(400, "invalid_request")
	w.as("web", "/revoke", params("token", rt)).ok()
	w.as("web", "/revoke", params("token", rt)).ok()
	if rules := w.rules(); len(rules) != 1 {
		t.Errorf("%v", rules)
	}
}
