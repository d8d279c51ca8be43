package oauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

const unmet = "unmet_authentication_requirements"

// RFC 9470 §5, OpenID Connect Core §3.1.2.1 and §5.5.1.1, Unmet Authentication
// Requirements §2: a wish in profile oidc, a condition elsewhere, and essential anywhere.
func TestAuthorize_RFC9470_5_ACR(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	essential := func(values string) string {
		return `{"id_token":{"acr":{"essential":true,"values":[` + values + `]}}}`
	}
	for _, tt := range []struct{ name, client, acr, claims, want string }{
		{"what there is", "web", "aal1", "", ""},
		{"one of them", "web", "aal2 aal1", "", ""},
		{"none", "web", "", "", ""},
		{"more than there is", "web", "aal2", "", unmet},
		{"unknown ones", "web", "urn:mace:silver phr", "", unmet},
		{"more, older relying party", "legacy", "aal2", "", ""},
		{"essential", "web", "", essential(`"aal1"`), ""},
		{"essential, unmet", "web", "", essential(`"aal2"`), unmet},
		{"essential, unmet, older relying party", "legacy", "", essential(`"aal2","phr"`), unmet},
		{"essential wins over the wish", "web", "aal1", essential(`"aal2"`), unmet},
		{"essential value", "legacy", "", `{"id_token":{"acr":{"essential":true,"value":"aal2"}}}`, unmet},
		{"not essential, older relying party", "legacy", "", `{"id_token":{"acr":{"values":["aal2"]}}}`, ""},
		{"not essential", "web", "", `{"id_token":{"acr":{"values":["aal2"]}}}`, unmet},
		{"too long", "web", strings.Repeat("x", 2000), "", "invalid_request"},
		{"too many", "web", strings.Repeat("x ", 30), "", "invalid_request"},
	} {
		for mode, b := range map[string]*browser{"signed in": w.signedIn(ann), "nobody": w.browser()} {
			a := b.authorize(ask(tt.client, "acr_values", tt.acr, "claims", tt.claims))
			if got := errorOf(a); got != tt.want {
				t.Errorf("%s, %s: %q, want %q", tt.name, mode, got, tt.want)
			}
			if tt.want != "" {
				continue
			}
			id := claims(t, w.redeem(tt.client, b.through(a, ann).query("code")).ok().json("id_token"))
			if id["acr"] != idp.ACRPassword {
				t.Errorf("%s: acr %v", tt.name, id["acr"])
			}
		}
	}
	w.alter("web", func(c *idp.Client) { c.DefaultACRValues = []string{"aal2"} })
	if got := errorOf(w.browser().authorize(ask("web"))); got != unmet {
		t.Errorf("default_acr_values: %q", got)
	}
	if got := errorOf(w.browser().authorize(ask("web", "acr_values", "aal1"))); got != "" {
		t.Errorf("acr_values instead of the default: %q", got)
	}
}

// OpenID Connect Core §3.1.2.1: a session older than max_age logs in again, with
// prompt=none it is an error; auth_time stays the same in silence and moves with a login.
// The client's default_max_age counts when max_age is not sent (Registration §2). OAU-17
func TestAuthorize_OIDC_3_1_2_1_MaxAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	authTime := func(pairs ...string) float64 {
		t.Helper()
		a := b.through(b.authorize(ask("own", pairs...)), ann)
		return claims(t, w.redeem("own", a.query("code")).ok().json("id_token"))["auth_time"].(float64)
	}
	first := authTime("max_age", "10000")
	w.pass(3 * time.Second)
	hint := w.tokensFor("own", ann).json("id_token")
	for _, silent := range [][]string{{"prompt", "none"}, {"max_age", "10000"}, {"max_age", "3"}, {"prompt", "none", "max_age", "60"}, {"id_token_hint", hint}, {}} {
		if again := authTime(silent...); again != first {
			t.Errorf("%v: auth_time %v, want %v", silent, again, first)
		}
	}
	if a := b.authorize(ask("own", "max_age", "2", "prompt", "none")); a.query("error") != "login_required" {
		t.Errorf("too old with prompt=none: %s", a.Header().Get("Location"))
	}
	if a := b.authorize(ask("own", "max_age", "0", "prompt", "none")); a.query("error") != "login_required" {
		t.Errorf("max_age=0 with prompt=none: %s", a.Header().Get("Location"))
	}
	for _, asked := range [][]string{{"max_age", "1"}, {"prompt", "login"}, {"max_age", "0"}} {
		w.pass(2 * time.Second)
		if a := b.authorize(ask("own", asked...)); a.page() != "/login" {
			t.Errorf("%v: %s", asked, a.Header().Get("Location"))
		}
		again := authTime(asked...)
		if again <= first {
			t.Errorf("%v: auth_time %v, before %v", asked, again, first)
		}
		first = again
	}

	seconds := int64(60)
	w.alter("own", func(c *idp.Client) { c.DefaultMaxAge = &seconds })
	w.pass(time.Minute)
	if a := b.authorize(ask("own")); a.query("code") == "" {
		t.Errorf("as old as the default: %s", a.Header().Get("Location"))
	}
	w.pass(time.Second)
	if a := b.authorize(ask("own")); a.page() != "/login" {
		t.Errorf("older than the default: %s", a.Header().Get("Location"))
	}
	if a := b.authorize(ask("own", "max_age", "600")); a.query("code") == "" {
		t.Errorf("max_age instead of the default: %s", a.Header().Get("Location"))
	}
	for _, bad := range []string{"-1", "1.5", "x", "99999999999"} {
		if got := errorOf(b.authorize(ask("own", "max_age", bad))); got != "invalid_request" {
			t.Errorf("max_age=%s: %q", bad, got)
		}
	}
}

// OpenID Connect Core §3.1.2.1: a hint that has expired is a hint; with prompt=none it
// gives a code to that person's session and to no other. It is none of an access token.
func TestAuthorize_OIDC_3_1_2_1_ExpiredIDTokenHint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hint := w.tokensFor("own", ann).json("id_token")
	w.pass(time.Hour)
	form := ask("own", "prompt", "none", "id_token_hint", hint)
	if a := w.signedIn(ann).authorize(form); a.query("code") == "" {
		t.Errorf("ann: %s", a.Header().Get("Location"))
	}
	for who, b := range map[string]*browser{"bob": w.signedIn(bob), "nobody": w.browser()} {
		if a := b.authorize(form); a.query("error") != "login_required" {
			t.Errorf("%s: %s", who, a.Header().Get("Location"))
		}
	}
}

// Initiating User Registration §4.1: accounts are made by the operator, so prompt=create
// is not advertised and is refused.
func TestAuthorize_PromptCreate_4_1_NotSupported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, prompt := range []string{"create", "create login"} {
		if got := errorOf(w.browser().authorize(ask("web", "prompt", prompt))); got != "invalid_request" {
			t.Errorf("%s: %q", prompt, got)
		}
	}
	if doc := w.send("GET", "/.well-known/openid-configuration", nil).ok(); strings.Contains(doc.json("prompt_values_supported"), "create") {
		t.Error("create is advertised")
	}
}

// OpenID Connect Core §3.1.2.1: what only guides pages never fails, whatever it says.
func TestAuthorize_OIDC_3_1_2_1_HintsNeverFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, pairs := range [][]string{
		{"display", "page"}, {"display", "popup"}, {"display", "nonsense"}, {"ui_locales", "se"}, {"ui_locales", "de-AT en xx-"}, {"ui_locales", strings.Repeat("de ", 500)},
		{"claims_locales", "se"}, {"login_hint", "nobody@example.com"}, {"login_hint", strings.Repeat("x", 3000)}, {"login_hint", "<b>"}, {"extra", "foobar"},
		{"scope", "cal.read profile openid"},
	} {
		b := w.browser()
		if a := b.through(b.authorize(ask("web", pairs...)), ann); a.query("code") == "" {
			t.Errorf("%.40v: %s", pairs, a.Header().Get("Location"))
		}
	}
}
