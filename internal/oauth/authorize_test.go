package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
)

func developing(dev bool) func(*oauth.Config) { return func(c *oauth.Config) { c.Dev = dev } }

// refused checks an error that the client is told: everything it must have, and nothing
// else (RFC 6749 §4.1.2.1, RFC 9207 §2; OAU-06).
func refused(t *testing.T, a answer, code string) {
	t.Helper()
	q := a.location().Query()
	if a.Code != http.StatusSeeOther || q.Get("error") != code {
		t.Fatalf("%d %s %s; want %s", a.Code, a.Header().Get("Location"), a.Body, code)
	}
	if q.Get("iss") != issuer || q.Get("state") != "st" {
		t.Errorf("iss %q, state %q", q.Get("iss"), q.Get("state"))
	}
	for name, values := range q {
		if len(values) != 1 || !slices.Contains([]string{"error", "error_description", "state", "iss"}, name) {
			t.Errorf("%s: %q", name, values)
		}
	}
	for _, c := range q.Get("error_description") { // RFC 6749 §4.1.2.1
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			t.Errorf("error_description has %q", c)
		}
	}
}

func TestAuthorize_RFC6749_4_1_2_1_Errors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.alter("codeonly", func(c *idp.Client) { c.GrantTypes = []string{idp.GrantClientCredentials} })
	w.alter("narrow", func(c *idp.Client) { c.Profile = idp.FAPI2 })
	for _, tt := range []struct {
		name, client string
		change       []string
		want         string
	}{
		{"no response_type", "web", []string{"response_type", ""}, "invalid_request"},
		{"code id_token", "web", []string{"response_type", "code id_token"}, "unsupported_response_type"},
		{"garbage response_type", "web", []string{"response_type", "CODE"}, "unsupported_response_type"},
		{"fragment", "web", []string{"response_mode", "fragment"}, "invalid_request"},
		{"query.jwt", "web", []string{"response_mode", "query.jwt"}, "invalid_request"},
		{"web_message", "web", []string{"response_mode", "web_message"}, "invalid_request"},
		{"request object", "web", []string{"request", "eyJhbGciOiJub25lIn0.e30."}, "invalid_request_object"},
		{"request_uri", "web", []string{"request_uri", "https://app.example/request"}, "request_uri_not_supported"},
		{"registration", "web", []string{"registration", "{}"}, "registration_not_supported"},
		{"nonce too long", "web", []string{"nonce", strings.Repeat("n", 2000)}, "invalid_request"},
		{"no scope", "web", []string{"scope", ""}, "invalid_scope"},
		{"unknown scopes only", "web", []string{"scope", "nothing no-such"}, "invalid_scope"},
		{"not pushed", "narrow", []string{"scope", "openid"}, "invalid_request"},
		{"scopes apart by a tab", "web", []string{"scope", "openid\tcal.read"}, "invalid_scope"},
		{"scope with a quote", "web", []string{"scope", `openid "`}, "invalid_scope"},
		{"too many scopes", "web", []string{"scope", strings.Repeat("s", 5000)}, "invalid_scope"},
		{"not registered for codes", "codeonly", nil, "unauthorized_client"},
		{"id_token_hint garbage", "web", []string{"id_token_hint", "garbage"}, "invalid_request"},
		{"max_age negative", "web", []string{"max_age", "-1"}, "invalid_request"},
		{"max_age with a point", "web", []string{"max_age", "1.5"}, "invalid_request"},
		{"max_age with a sign", "web", []string{"max_age", "+1"}, "invalid_request"},
		{"max_age huge", "web", []string{"max_age", "99999999999999999999"}, "invalid_request"},
		{"prompt unknown", "web", []string{"prompt", "create"}, "invalid_request"},
		{"prompt none login", "web", []string{"prompt", "none login"}, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			form := ask(tt.client, tt.change...)
			b := w.browser()
			refused(t, b.authorize(form), tt.want)
			refused(t, b.send("POST", "/authorize", form), tt.want)
		})
	}
}

// OAU-12: what gives out tokens without a code does not exist.
func TestAuthorize_RFC9700_2_1_2_NoImplicit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	for _, kind := range []string{"token", "id_token", "id_token token", "code token", "code id_token token", "none", "code code", "Code"} {
		refused(t, b.authorize(ask("web", "response_type", kind)), "unsupported_response_type")
	}
}

func TestAuthorize_UnknownClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.db.DisableClient(t.Context(), system(), "other", w.clock()))
	for _, id := range []string{"", "nobody", "other", "WEB", " web", strings.Repeat("c", 3000)} {
		form := ask("web")
		form.Set("client_id", id)
		stays(t, id, w.browser().authorize(form))
		stays(t, id, w.signedIn(ann).authorize(with(form, "prompt", "none")))
	}
}

// OpenID Connect Core §3.1.2.1: what is not understood is ignored.
func TestAuthorize_OIDC_3_1_2_1_IgnoresUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	code := b.code(ask("web", "extra", "foobar", "display", "popup", "ui_locales", "se fr-CA", "claims_locales", "se", "login_hint", "anybody",
		"acr_values", "1 aal1", "request", "", "response_mode", "", "claims", `{"userinfo":{"name":{"essential":true}}}`, "scope", "profile no-such openid"), ann)
	if got := w.redeem("web", code).ok().json("scope"); got != "profile openid" {
		t.Errorf("scope %q", got)
	}
}

// OAU-06, OAU-08: the state comes back as it was, in every answer, and cannot become
// anything else.
func TestAuthorize_RFC6749_4_1_2_State(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	b.code(ask("web"), ann) // consent
	for _, state := range []string{
		"", "x", "&code=stolen", "#code=stolen", "a\r\nLocation: https://evil.example", "?x=y&z", "\t \"<script>", "%26code%3Dx", "ünï", strings.Repeat("s", 4096),
	} {
		for _, more := range [][]string{{}, {"prompt", "none", "max_age", "0"}} {
			form := with(ask("web", more...), "state", state)
			a := b.authorize(form)
			q := a.location().Query()
			if a.Code != http.StatusSeeOther || q.Get("state") != state || q.Has("state") != (state != "") || len(q["code"]) > 1 || q.Get("iss") != issuer {
				t.Errorf("%q: %d %s", state, a.Code, a.Header().Get("Location"))
			}
			if strings.ContainsAny(a.Header().Get("Location"), "\r\n#<\" ") || hostOf(a.Header().Get("Location")) != "app.example" {
				t.Errorf("%q: %s", state, a.Header().Get("Location"))
			}
		}
	}
	a := b.authorize(ask("web", "state", strings.Repeat("s", 5000)))
	if a.query("error") != "invalid_request" || a.location().Query().Has("state") {
		t.Errorf("long state: %s", a.Header().Get("Location"))
	}
}

// OAU-06 (RFC 9207): iss with codes as well.
func TestAuthorize_RFC9207_2_Issuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	a := b.through(b.authorize(ask("web")), ann)
	q := a.location().Query()
	if q.Get("iss") != issuer || q.Get("code") == "" || q.Get("state") != "st" || len(q) != 3 {
		t.Errorf("%s", a.Header().Get("Location"))
	}
}

// A form of another site brings no cookies; the request is stored and goes on with GET.
func TestAuthorize_OIDC_3_1_2_1_Post(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	b.code(ask("web"), ann)
	a := b.crossSitePost("/authorize", ask("web"))
	if a.Code != http.StatusSeeOther || a.page() != "/authorize/continue" {
		t.Fatalf("%d %s", a.Code, a.Header().Get("Location"))
	}
	if a = b.follow(a); a.query("code") == "" {
		t.Fatalf("%d %s %s", a.Code, a.Header().Get("Location"), a.Body)
	}
	w.redeem("web", a.query("code")).ok()

	none := w.browser()
	a = none.crossSitePost("/authorize", ask("web", "prompt", "none"))
	refused(t, none.follow(a), "login_required")
}

// OAU-07: nothing in the query of a POST.
func TestAuthorize_PostWithQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stays(t, "mixed", w.browser().send("POST", "/authorize?client_id=web", ask("web")))
	stays(t, "json", w.serve(jsonRequest(t, "/authorize", `{"client_id":"web"}`)))
}

// OAU-17: what the client asks for is enforced here and can be seen in the tokens.
func TestAuthorize_OIDC_3_1_2_1_Prompt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	first := claims(t, w.redeem("web", b.code(ask("web"), ann)).ok().json("id_token"))
	w.pass(100 * time.Second)
	for _, tt := range []struct {
		name   string
		change []string
		page   string
	}{
		{"nothing", nil, ""},
		{"none", []string{"prompt", "none"}, ""},
		{"max_age far", []string{"max_age", "10000"}, ""},
		{"login", []string{"prompt", "login"}, "/login"},
		{"consent", []string{"prompt", "consent"}, "/consent"},
		{"select_account", []string{"prompt", "select_account"}, "/select-account"},
		{"login consent", []string{"prompt", "login consent"}, "/login"},
		{"max_age near", []string{"max_age", "99"}, "/login"},
		{"max_age zero", []string{"max_age", "0"}, "/login"},
		{"other scopes", []string{"scope", "openid cal.write"}, "/consent"},
		{"other resource", []string{"resource", issuer}, "/consent"},
	} {
		a := b.authorize(ask("web", tt.change...))
		if got := a.page(); got != tt.page || tt.page == "" && a.query("code") == "" {
			t.Errorf("%s: %d %q %s", tt.name, a.Code, got, a.Header().Get("Location"))
		}
		if tt.page == "" {
			again := claims(t, w.redeem("web", a.query("code")).ok().json("id_token"))
			if again["auth_time"] != first["auth_time"] || again["sid"] != first["sid"] || again["iat"] == first["iat"] {
				t.Errorf("%s: %v then %v", tt.name, first, again)
			}
		}
	}
	for name, change := range map[string][]string{
		"login_required":   {"prompt", "none", "max_age", "99"},
		"consent_required": {"prompt", "none", "scope", "openid cal.write"},
	} {
		refused(t, b.authorize(ask("web", change...)), name)
	}
	refused(t, w.browser().authorize(ask("web", "prompt", "none")), "login_required")

	for _, change := range [][]string{{"prompt", "login"}, {"max_age", "1"}} {
		w.pass(2 * time.Second)
		before := b.session()
		id := claims(t, w.redeem("web", b.code(ask("web", change...), ann)).ok().json("id_token"))
		if id["auth_time"].(float64) <= float64(before.AuthTime.Unix()) || id["sid"] != before.ID {
			t.Errorf("%v: auth_time %v, was %v", change, id["auth_time"], before.AuthTime.Unix())
		}
	}
}

// OAU-17: the hint keeps everybody else out and lets nobody in; it may be old.
func TestAuthorize_OIDC_3_1_2_1_IDTokenHint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	hint := w.redeem("web", b.code(ask("web"), ann)).ok().json("id_token")
	w.pass(time.Hour) // long expired
	if a := b.authorize(ask("web", "prompt", "none", "id_token_hint", hint)); a.query("code") == "" {
		t.Errorf("%s", a.Header().Get("Location"))
	}
	refused(t, w.browser().authorize(ask("web", "prompt", "none", "id_token_hint", hint)), "login_required")
	refused(t, w.signedIn(bob).authorize(ask("web", "prompt", "none", "id_token_hint", hint)), "login_required")
	refused(t, w.signedIn(ann).authorize(ask("other", "id_token_hint", hint)), "invalid_request")
	refused(t, b.authorize(ask("web", "id_token_hint", hint[:len(hint)-4]+"AAAA")), "invalid_request")

	stranger := w.signedIn(bob)
	a := stranger.authorize(ask("own", "id_token_hint", w.tokensFor("own", ann).json("id_token")))
	if a.page() != "/login" {
		t.Fatalf("%d %s", a.Code, a.Header().Get("Location"))
	}
	refused(t, stranger.through(a, bob), "login_required") // bob comes again
}

// OAU-16.
func TestAuthorize_RFC8252_8_6_NativeAppsAlwaysAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	for range 2 {
		for _, uri := range []string{"http://127.0.0.1:4000/cb", schemeURI} {
			form := ask("native", "redirect_uri", uri)
			if a := b.authorize(form); a.page() != "/consent" {
				t.Fatalf("%s: %d %s", uri, a.Code, a.Header().Get("Location"))
			}
			b.code(form, ann)
			refused(t, b.authorize(with(form, "prompt", "none")), "consent_required")
		}
	}
	if a := b.authorize(ask("native", "redirect_uri", "https://claimed.example/cb")); a.query("code") == "" {
		t.Errorf("claimed https: %s", a.Header().Get("Location"))
	}
}

func TestAuthorize_FirstPartyIsNotAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	if a := b.authorize(ask("own", "prompt", "none", "scope", "openid cal.read offline_access")); a.query("code") == "" {
		t.Errorf("%s", a.Header().Get("Location"))
	}
	if a := b.authorize(ask("own", "prompt", "consent")); a.page() != "/consent" {
		t.Errorf("%s", a.Header().Get("Location"))
	}
}

// The person says no: the client is told, and nothing else.
func TestAuthorize_RFC6749_4_1_2_1_AccessDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	a := b.authorize(ask("web"))
	flow := a.query("flow")
	b.deny(flow)
	refused(t, b.proceed(flow), "access_denied")
	if a := b.proceed(flow); a.Code != http.StatusBadRequest || a.page() != "error" {
		t.Errorf("again: %d %s", a.Code, a.Header().Get("Location"))
	}
}

// DOS-03: whoever starts a thousand logins waits.
func TestAuthorize_Quota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oauth.Config) { c.Quotas.PerNetwork = 3 })
	for range 3 {
		if a := w.browser().authorize(ask("web")); a.page() != "/login" {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
	}
	if a := w.browser().authorize(ask("web")); a.Code != http.StatusTooManyRequests || a.page() != "error" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}

// The redirect never repeats a form (RFC 9700 §4.12), and nobody keeps it.
func TestAuthorize_RFC9700_4_12_SeeOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, a := range []answer{b.authorize(ask("web")), b.send("POST", "/authorize", ask("web")), b.authorize(ask("web", "prompt", "none"))} {
		if a.Code != http.StatusSeeOther || a.Header().Get("Cache-Control") != "no-store" || a.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%d %v", a.Code, a.Header())
		}
	}
}

func jsonRequest(t *testing.T, target, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}
