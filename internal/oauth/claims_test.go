package oauth_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
)

// errorOf is the error that a client is told, empty if the request goes on.
func errorOf(a answer) string {
	if a.page() != "" {
		return ""
	}
	return a.query("error")
}

// OpenID Connect Core §5.5: each claim where it was asked for, by name, and nothing else;
// also after a refresh.
func TestAuthorize_OIDC_5_5_ClaimsByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := w.tokensFor("web", ann, "scope", "openid offline_access", "claims",
		`{"userinfo":{"name":{"essential":true},"phone_number":null,"shoe_size":null},"id_token":{"email":null,"auth_time":{"essential":true}}}`)
	look := func(when string, tokens answer) {
		t.Helper()
		id := claims(t, tokens.json("id_token"))
		if id["email"] != "ann@example.com" || id["name"] != nil || id["email_verified"] != nil || id["phone_number"] != nil || id["auth_time"] == nil {
			t.Errorf("%s: ID token %v", when, id)
		}
		info := w.userinfo(tokens.json("access_token")).ok()
		if info.json("name") != "Ann Example" || info.json("phone_number") == "" || info.json("email") != "" || info.json("given_name") != "" ||
			info.json("shoe_size") != "" || info.json("sub") != id["sub"] {
			t.Errorf("%s: userinfo %s", when, info.Body)
		}
		if scope := tokens.json("scope"); strings.Contains(scope, "profile") || strings.Contains(scope, "email") {
			t.Errorf("%s: scope %q", when, scope)
		}
	}
	look("code", tokens)
	look("refresh", w.refresh("web", tokens.json("refresh_token")).ok())

	w.alter("web", func(c *idp.Client) {
		c.Scopes = slices.DeleteFunc(c.Scopes, func(s string) bool { return s == "profile" || s == "email" })
	})
	later := w.redeem("web", w.browser().code(ask("web", "scope", "openid", "claims", `{"userinfo":{"name":null},"id_token":{"email":null}}`), ann)).ok()
	if id := claims(t, later.json("id_token")); id["email"] != nil {
		t.Errorf("a claim whose scope the client may not have: %v", id)
	}
	if info := w.userinfo(tokens.json("access_token")).ok(); info.json("name") != "" || info.json("phone_number") == "" {
		t.Errorf("a claim whose scope the client lost: %s", info.Body)
	}
}

// OpenID Connect Core §5.4: scope=email alone brings no name, and no e-mail in the ID token.
func TestToken_OIDC_5_4_NoClaimsInIDToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := w.tokensFor("web", ann, "scope", "openid email")
	if id := claims(t, tokens.json("id_token")); id["email"] != nil || id["name"] != nil {
		t.Errorf("ID token %v", id)
	}
	if info := w.userinfo(tokens.json("access_token")).ok(); info.json("email") == "" || info.json("name") != "" {
		t.Errorf("userinfo %s", info.Body)
	}
}

// OAU-16: what is asked for by name is consented to like the scope that covers it.
func TestAuthorize_OAU16_ClaimsNeedConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	plain, more := ask("web", "scope", "openid"), ask("web", "scope", "openid", "claims", `{"id_token":{"email":null}}`)
	b.code(plain, ann)
	if a := b.authorize(plain); a.query("code") == "" {
		t.Fatalf("asked twice: %d %s", a.Code, a.Header().Get("Location"))
	}
	if a := b.authorize(with(more, "prompt", "none")); a.query("error") != "consent_required" {
		t.Errorf("more by name, prompt=none: %s", a.Header().Get("Location"))
	}
	a := b.authorize(more)
	if a.page() != "/consent" {
		t.Fatalf("more by name: %d %s", a.Code, a.Header().Get("Location"))
	}
	b.through(a, ann)
	if a := b.authorize(with(more, "prompt", "none")); a.query("code") == "" {
		t.Errorf("allowed before: %s", a.Header().Get("Location"))
	}
}

// OpenID Connect Core §5.5: one JSON object of one meaning; unknown claims and members are
// ignored.
func TestAuthorize_OIDC_5_5_Syntax(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for claims, want := range map[string]string{
		`{}`: "", `{"userinfo":{}}`: "", `{"userinfo":{"x":null},"id_token":{"y":{"essential":true,"value":3}},"other":[1]}`: "",
		`{"userinfo":{"name":{"essential":false,"values":["a","b"]}}}`: "", `{"userinfo":{"name#de":null}}`: "", `{"userinfo":{"name":{"new":1}}}`: "",
		`{"id_token":{"sub":{"value":"` + ann + `"}}}`: "", `{"id_token":{"acr":{"essential":true}}}`: "",
		``: "",

		`null`: "invalid_request", `[]`: "invalid_request", `"x"`: "invalid_request", `{`: "invalid_request", `{} {}`: "invalid_request",
		`{"userinfo":null}`: "invalid_request", `{"userinfo":[]}`: "invalid_request", `{"userinfo":{"name":true}}`: "invalid_request",
		`{"userinfo":{"name":{"essential":1}}}`: "invalid_request", `{"userinfo":{"name":{"essential":"true"}}}`: "invalid_request",
		`{"userinfo":{"name":{"values":"a"}}}`: "invalid_request", `{"userinfo":{"name":{"values":null}}}`: "invalid_request",
		`{"userinfo":{"name":null,"name":null}}`: "invalid_request", `{"userinfo":{},"userinfo":{}}`: "invalid_request",
		`{"userinfo":{"name":{"value":1,"values":[1]}}}`: "invalid_request", `{"id_token":{"sub":{"value":7}}}`: "invalid_request",
		`{"id_token":{"sub":{"values":["a","b"]}}}`: "invalid_request", `{"userinfo":{"sub":{"value":"a"}},"id_token":{"sub":{"value":"b"}}}`: "invalid_request",
		`{"id_token":{"acr":{"values":[1]}}}`: "invalid_request", `{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`: "invalid_request",
		`{"x":"` + strings.Repeat("a", 9000) + `"}`: "invalid_request",
	} {
		a := w.browser().authorize(ask("web", "claims", claims))
		if got := errorOf(a); got != want || want == "" && a.page() != "/login" {
			t.Errorf("%.60s: %q, want %q (%s)", claims, got, want, a.page())
		}
	}
	// Without openid it is no OpenID Connect request.
	if a := w.browser().authorize(ask("web", "scope", "cal.read", "claims", "{")); a.page() != "/login" {
		t.Errorf("without openid: %s", a.Header().Get("Location"))
	}
}

// OpenID Connect Core §5.5.1: a value of sub: that person and nobody else (OAU-17).
func TestAuthorize_OIDC_5_5_1_Subject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := func(sub string) url.Values { return ask("own", "claims", `{"id_token":{"sub":{"value":"`+sub+`"}}}`) }
	b := w.signedIn(ann)
	if a := b.authorize(form(ann)); a.query("code") == "" {
		t.Errorf("ann asked for: %s", a.Header().Get("Location"))
	}
	if a := b.authorize(with(form(bob), "prompt", "none")); a.query("error") != "login_required" {
		t.Errorf("bob asked for, ann there: %s", a.Header().Get("Location"))
	}
	if a := b.through(b.authorize(form(bob)), ann); a.query("error") != "login_required" {
		t.Errorf("bob asked for, ann comes: %s", a.Header().Get("Location"))
	}
	if a := b.through(b.authorize(form(bob)), bob); a.query("code") == "" {
		t.Errorf("bob asked for, bob comes: %s", a.Header().Get("Location"))
	}
	hint := w.tokensFor("own", ann).json("id_token")
	if a := b.authorize(with(form(bob), "id_token_hint", hint)); a.query("error") != "invalid_request" {
		t.Errorf("hint and claim differ: %s", a.Header().Get("Location"))
	}
}
