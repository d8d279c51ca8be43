package oauth_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// OpenID Connect Core §5.4: all claims of a scope, and of no other.
func TestUserinfo_OIDC_5_4_ClaimsByScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for scope, want := range map[string][]string{
		"openid": nil,
		"openid profile": {
			"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
			"gender", "birthdate", "zoneinfo", "locale", "updated_at",
		},
		"openid email":   {"email", "email_verified"},
		"openid address": {"address"},
		"openid phone":   {"phone_number", "phone_number_verified"},
		"openid groups":  {"groups"},
	} {
		a := w.userinfo(w.tokensFor("web", ann, "scope", scope).json("access_token")).ok()
		if a.Header().Get("Content-Type") != "application/json" || a.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v", a.Header())
		}
		var doc map[string]any
		if err := json.Unmarshal(a.Body.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		got := slices.Sorted(maps.Keys(doc))
		if want = append(want, "sub"); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: %v", scope, got)
		}
		if doc["sub"] != ann {
			t.Errorf("sub %v", doc["sub"])
		}
		if n, ok := doc["updated_at"].(float64); strings.Contains(scope, "profile") && (!ok || int64(n) != w.clock().Unix()) {
			t.Errorf("updated_at is no number of seconds: %v", doc["updated_at"])
		}
		if v, ok := doc["email_verified"].(bool); strings.Contains(scope, "email") && (!ok || !v) {
			t.Errorf("email_verified: %v", doc["email_verified"])
		}
	}
}

func TestUserinfo_OIDC_5_1_FalseIsAValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.userinfo(w.tokensFor("web", bob, "scope", "openid email").json("access_token")).ok()
	if a.json("email_verified") != "false" {
		t.Errorf("%s", a.Body)
	}
}

// RFC 6750 §2: header, or form; one of them; never the query.
func TestUserinfo_RFC6750_2_WhereTheTokenIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tok := w.tokensFor("web", ann, "scope", "openid").json("access_token")
	header := []string{"Authorization", "Bearer " + tok}
	form := params("access_token", tok)
	for _, tt := range []struct {
		name    string
		request *http.Request
		status  int
		code    string
	}{
		{"GET, header", newRequest(t, "GET", "/userinfo", nil, header...), 200, ""},
		{"scheme in other letters", newRequest(t, "GET", "/userinfo", nil, "Authorization", "bearer "+tok), 200, ""},
		{"POST, header", newRequest(t, "POST", "/userinfo", nil, header...), 200, ""},
		{"POST, header, empty form", newRequest(t, "POST", "/userinfo", params(), header...), 200, ""},
		{"POST, form", newRequest(t, "POST", "/userinfo", form), 200, ""},
		{"nothing", newRequest(t, "GET", "/userinfo", nil), 401, ""},
		{"query", newRequest(t, "GET", "/userinfo?access_token="+tok, nil), 401, ""},
		{"GET, form", newRequest(t, "GET", "/userinfo", form), 401, ""},
		{"query of POST", newRequest(t, "POST", "/userinfo?access_token="+tok, params()), 401, ""},
		{"other scheme", newRequest(t, "GET", "/userinfo", nil, "Authorization", basic("web")), 401, ""},
		{"both", newRequest(t, "POST", "/userinfo", form, header...), 400, "invalid_request"},
		{"two headers", newRequest(t, "GET", "/userinfo", nil, append(header, header...)...), 400, "invalid_request"},
		{"twice in the form", newRequest(t, "POST", "/userinfo", params("access_token", tok, "access_token", tok)), 400, "invalid_request"},
		{"JSON", jsonRequest(t, "/userinfo", `{"access_token":"x"}`), 400, "invalid_request"},
		{"empty", newRequest(t, "GET", "/userinfo", nil, "Authorization", "Bearer "), 401, "invalid_token"},
		{"garbage", newRequest(t, "GET", "/userinfo", nil, "Authorization", "Bearer x"), 401, "invalid_token"},
		{"two tokens", newRequest(t, "GET", "/userinfo", nil, "Authorization", "Bearer "+tok+" "+tok), 401, "invalid_token"},
	} {
		a := w.serve(tt.request)
		challenge := a.Header().Get("WWW-Authenticate")
		if a.Code != tt.status || (tt.status != 200) != strings.HasPrefix(challenge, `Bearer realm="`+issuer+`"`) {
			t.Errorf("%s: %d %q", tt.name, a.Code, challenge)
		}
		if tt.code == "" && strings.Contains(challenge+a.Body.String(), "error") || tt.code != "" && !strings.Contains(challenge, `error="`+tt.code+`"`) {
			t.Errorf("%s: %q", tt.name, challenge)
		}
	}
}

// TOK-02, TOK-11: only tokens that were made for the issuer, about a person.
func TestUserinfo_RFC6750_3_1_WrongTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.tokensFor("web", ann, "scope", "openid cal.read")
	for name, tok := range map[string]string{
		"for a resource": a.json("access_token"),
		"ID token":       a.json("id_token"),
		"refresh token":  a.json("refresh_token"),
		"a client's own": w.as("robot", "/token", params("grant_type", "client_credentials", "resource", issuer)).ok().json("access_token"),
	} {
		got := w.userinfo(tok)
		if got.Code != 401 || got.json("error") != "invalid_token" {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	scopeless := w.tokensFor("web", ann, "scope", "profile").json("access_token")
	got := w.userinfo(scopeless)
	if got.Code != 403 || !strings.Contains(got.Header().Get("WWW-Authenticate"), `error="insufficient_scope"`) ||
		!strings.Contains(got.Header().Get("WWW-Authenticate"), `scope="openid"`) {
		t.Errorf("without openid: %d %v", got.Code, got.Header())
	}
	tok := w.refresh("web", a.json("refresh_token"), "resource", issuer).ok().json("access_token")
	w.userinfo(tok).ok()
	w.pass(5 * time.Minute)
	if got := w.userinfo(tok); got.Code != 401 {
		t.Errorf("expired: %d", got.Code)
	}
}

// TOK-10: the client changes hands; its tokens do not.
func TestUserinfo_TOK10_GrantOfAnotherClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tok := w.tokensFor("web", ann, "scope", "openid").json("access_token")
	w.must(w.db.RevokeGrant(t.Context(), idp.Actor{Kind: "user", ID: ann}, claims(t, tok)["grant_id"].(string), "test", w.clock()))
	if a := w.userinfo(tok); a.Code != 401 {
		t.Errorf("%d", a.Code)
	}
}
