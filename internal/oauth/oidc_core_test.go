package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/verify/jose"
)

// OpenID Connect Core §3.1.2.1, §3.1.2.6: who asks without pages hears of everything that
// is in the way, also of what has nothing to do with the person.
func TestAuthorize_OIDC_3_1_2_6_NoneIsNeverAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oauth.Config) { c.Quotas.PerNetwork = 1 })
	w.browser().authorize(ask("web"))
	b := w.signedIn(ann)
	refused(t, b.crossSitePost("/authorize", ask("web", "prompt", "none")), "temporarily_unavailable")
	if a := b.crossSitePost("/authorize", ask("web")); a.Code != http.StatusTooManyRequests || a.page() != "error" {
		t.Errorf("with pages: %d %s", a.Code, a.Header().Get("Location"))
	}
}

// The same when the login ends while the request is under way.
func TestAuthorize_OIDC_3_1_2_6_NoneMeanwhile(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST"} {
		s := &between{}
		w := newWorld(t, func(c *oauth.Config) { s.DB = c.Store.(*store.DB); c.Store = s })
		b := w.signedIn(ann)
		s.happens = func() { w.must(w.db.SetPassword(t.Context(), system(), ann, "new hash", w.clock())) }
		form := ask("own", "prompt", "none")
		a := b.authorize
		if method == "POST" {
			a = func(form url.Values) answer { return b.follow(b.send("POST", "/authorize", form)) }
		}
		refused(t, a(form), "access_denied")
	}
}

// OpenID Connect Core §3.1.2.1, §13.1: the order of parameters, of scopes and of prompts
// means nothing, and names are compared letter by letter (§14).
func TestAuthorize_OIDC_13_1_AnyOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	form := ask("own", "scope", "email openid profile", "extra", "1", "STATE", "x", "Prompt", "login")
	names := slices.Sorted(maps.Keys(form))
	for _, order := range [...]string{"sorted", "reversed"} {
		var query []string
		for _, name := range names {
			query = append(query, url.QueryEscape(name)+"="+url.QueryEscape(form.Get(name)))
		}
		a := b.get("/authorize?" + strings.Join(query, "&"))
		if a.query("code") == "" || a.query("state") != "st" {
			t.Errorf("%s: %d %s", order, a.Code, a.Header().Get("Location"))
		}
		if got := w.redeem("own", a.query("code")).ok().json("id_token"); got == "" {
			t.Errorf("%s: no ID token although openid is one of the scopes", order)
		}
		slices.Reverse(names)
	}
	if a := b.authorize(ask("own", "prompt", "consent login")); a.page() != "/login" {
		t.Errorf("login comes first: %s", a.Header().Get("Location"))
	}
	refused(t, b.authorize(ask("own", "scope", "OpenID")), "invalid_scope")
}

// OpenID Connect Core §11: offline access is allowed by the person, who is asked again
// when the client wants that (prompt=consent), and whenever it was not part of an older yes.
func TestAuthorize_OIDC_11_OfflineAccessIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	online, offline := ask("web", "scope", "openid"), ask("web", "scope", "openid offline_access")
	b.code(online, ann)
	refused(t, b.authorize(with(offline, "prompt", "none")), "consent_required")
	for range 2 {
		a := b.authorize(with(offline, "prompt", "consent"))
		if a.page() != "/consent" {
			t.Fatalf("%d %s", a.Code, a.Header().Get("Location"))
		}
		got := w.redeem("web", b.through(a, ann).query("code")).ok()
		if got.json("refresh_token") == "" || claims(t, got.json("id_token"))["sub"] != ann {
			t.Errorf("%s", got.Body)
		}
	}
}

// OpenID Connect Core §12.2: the refreshed ID token tells of the login that the grant was
// made in, whatever came after; azp as before; times of its own.
func TestToken_OIDC_12_2_OriginalAuthentication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	first := w.redeem("own", b.code(ask("own"), ann)).ok()
	was := claims(t, first.json("id_token"))
	w.pass(10 * time.Second)
	later := claims(t, w.redeem("own", b.code(ask("own", "prompt", "login"), ann)).ok().json("id_token"))
	if later["auth_time"].(float64) <= was["auth_time"].(float64) {
		t.Fatalf("%v then %v", was, later)
	}
	rt := first.json("refresh_token")
	for range 2 {
		w.pass(2 * time.Second)
		a := w.refresh("own", rt).ok()
		is := claims(t, a.json("id_token"))
		for _, name := range []string{"iss", "sub", "aud", "azp", "auth_time", "acr", "sid"} {
			if is[name] != was[name] {
				t.Errorf("%s: %v then %v", name, was[name], is[name])
			}
		}
		if is["iat"].(float64) < was["iat"].(float64)+2 || is["exp"].(float64) <= was["exp"].(float64) || is["nonce"] != nil {
			t.Errorf("%v then %v", was, is)
		}
		rt, was = a.json("refresh_token"), is
	}
}

// OpenID Connect Core §5.3.2: what is not known of a person is left out, not null or
// empty; the subject is always there.
func TestUserinfo_OIDC_5_3_2_UnknownIsOmitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	carol := secret.ID()
	w.must(w.db.CreateUser(t.Context(), system(), idp.User{ID: carol, Username: "carol"}, "hash", w.clock()))
	tokens := w.tokensFor("web", carol, "scope", "openid profile email address phone groups",
		"claims", `{"userinfo":{"name":{"essential":true}},"id_token":{"email":{"essential":true},"phone_number_verified":null,"address":null}}`)
	var doc map[string]any
	if err := json.Unmarshal(w.userinfo(tokens.json("access_token")).ok().Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(doc)); !slices.Equal(got, []string{"preferred_username", "sub", "updated_at"}) || doc["sub"] != carol {
		t.Errorf("%v", doc)
	}
	id := claims(t, tokens.json("id_token"))
	for _, name := range []string{"email", "email_verified", "phone_number_verified", "address"} {
		if v, there := id[name]; there {
			t.Errorf("ID token: %s is %v", name, v)
		}
	}
}

// OpenID Connect Core §10.1, §10.1.1: the keys that sign, those that will and those that did
// stand side by side, told apart by kid; a rotation at the operator's word shows the new
// ones at once and breaks nothing that was signed.
func TestJWKS_OIDC_10_1_1_Rotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ring, err := keyring.Open(t.Context(), w.db, keyring.Config{KEK: [32]byte{2}}, w.clock())
	w.must(err)
	w.keys.Ring = ring
	hint := w.tokensFor("own", ann).json("id_token")
	before := published(w)
	next, err := ring.Succeed(t.Context(), idp.Actor{Kind: "operator", ID: "test"}, []jose.Algorithm{jose.RS256}, w.clock())
	w.must(err)
	after := published(w)
	if len(after) != len(before)+1 || after[next[0].ID] == nil {
		t.Fatalf("%d keys, then %d", len(before), len(after))
	}
	for kid := range before {
		if after[kid] == nil {
			t.Errorf("%s is gone", kid)
		}
	}
	if header(t, w.tokensFor("own", ann).json("id_token"))["kid"] == next[0].ID {
		t.Error("the new key signs before clients can know it")
	}
	w.pass(time.Hour)
	w.must(ring.Rotate(t.Context(), w.clock()))
	if got := header(t, w.tokensFor("own", ann).json("id_token")); got["kid"] != next[0].ID || len(got) != 3 {
		t.Errorf("%v, want the new key and no other header (§2)", got)
	}
	if now := published(w); len(now) != len(after) {
		t.Errorf("%d keys, then %d: what was signed a moment ago cannot be checked", len(after), len(now))
	}
	if a := w.signedIn(ann).authorize(ask("own", "prompt", "none", "id_token_hint", hint)); a.query("code") == "" {
		t.Errorf("the old key's ID token is no hint: %s", a.Header().Get("Location"))
	}
}

// published are the keys at jwks_uri by kid.
func published(w *world) map[any]map[string]any {
	w.t.Helper()
	var doc struct{ Keys []map[string]any }
	if err := json.Unmarshal(w.send("GET", "/jwks.json", nil).ok().Body.Bytes(), &doc); err != nil {
		w.t.Fatal(err)
	}
	keys := map[any]map[string]any{}
	for _, k := range doc.Keys {
		if k["kid"] == nil || k["alg"] == nil || k["use"] != "sig" || keys[k["kid"]] != nil {
			w.t.Errorf("%v", k)
		}
		keys[k["kid"]] = k
	}
	return keys
}

func header(t *testing.T, jwt string) (h map[string]any) {
	t.Helper()
	doc, err := base64.RawURLEncoding.DecodeString(split(jwt)[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc, &h); err != nil {
		t.Fatal(err)
	}
	return h
}

// OpenID Connect Dynamic Client Registration §3.2: everything that was registered comes
// back, when it is registered and when it is read; of the two members for managing it both;
// secrets are nobody else's and long enough for a MAC of 256 bits (Core §16.19).
func TestRegister_OIDC_3_2_EverythingComesBack(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	body := `{"redirect_uris":["https://rp.example/cb?tenant=1","https://rp.example/two"],"response_types":["code"],
		"grant_types":["authorization_code","refresh_token"],"application_type":"web","contacts":["ann@rp.example"],"client_name":"RP",
		"logo_uri":"https://rp.example/logo.png","client_uri":"https://rp.example/","policy_uri":"https://rp.example/p","tos_uri":"https://rp.example/t",
		"jwks_uri":"https://rp.example/jwks.json","subject_type":"public","id_token_signed_response_alg":"ES256","userinfo_signed_response_alg":"RS256",
		"request_object_signing_alg":"PS256","token_endpoint_auth_method":"client_secret_post","default_max_age":3600,"require_auth_time":true,
		"default_acr_values":["aal1"],"initiate_login_uri":"https://rp.example/login","post_logout_redirect_uris":["https://rp.example/bye"],
		"backchannel_logout_uri":"https://rp.example/back","backchannel_logout_session_required":true,
		"frontchannel_logout_uri":"https://rp.example/front","frontchannel_logout_session_required":true,"scope":"openid email"}`
	var sent map[string]any
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	made := w.sendJSON("POST", "/register", body).created()
	at, _ := made["registration_client_uri"].(string)
	if !strings.HasPrefix(at, issuer+"/register/") || made["registration_access_token"] == nil {
		t.Fatalf("%v", made)
	}
	var read map[string]any
	if err := json.Unmarshal(w.sendJSON("GET", strings.TrimPrefix(at, issuer), "", bearer(made["registration_access_token"])...).ok().Body.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	for name, want := range sent {
		if fmt.Sprint(made[name]) != fmt.Sprint(want) || fmt.Sprint(read[name]) != fmt.Sprint(want) {
			t.Errorf("%s: sent %v, made %v, read %v", name, want, made[name], read[name])
		}
	}
	other := w.sendJSON("POST", "/register", plainBody).created()
	for _, name := range []string{"client_id", "client_secret", "registration_access_token", "registration_client_uri"} {
		if other[name] == made[name] || len(fmt.Sprint(other[name])) < 22 {
			t.Errorf("%s: %v", name, other[name])
		}
	}
	if key := fmt.Sprint(made["client_secret"]); len(key) < 43 {
		t.Errorf("a secret of %d characters", len(key))
	}
}

// RP-Initiated Logout §2, §3: with nothing, or a state that belongs to no redirect, the
// person is asked, and after the yes told on a page of ours; nobody is signed in any more.
func TestLogout_RPInitiated_3_EndsHere(t *testing.T) {
	t.Parallel()
	for name, request := range map[string][]string{"nothing": nil, "only a state": {"state", "s"}} {
		w := newWorld(t)
		b, _ := leaver(w, "web")
		question := b.get(logoutURL(request...))
		if question.page() != "logout-confirm" {
			t.Fatalf("%s: %d %s", name, question.Code, question.page())
		}
		form := params("csrf", question.json("CSRF"), "state", question.json("State"))
		a := b.send("POST", "/logout", form, "Sec-Fetch-Site", "same-origin", "Origin", issuer)
		if a.Code != http.StatusOK || a.page() != "logged-out" || a.Header().Get("Location") != "" || a.json("Continue") != "" {
			t.Errorf("%s: %d %s %s", name, a.Code, a.page(), a.Body)
		}
		refused(t, b.authorize(ask("web", "prompt", "none")), "login_required")
	}
}

// OpenID Connect Discovery §3: what every client may rely on, and what none may be led to.
func TestDiscovery_OIDC_3_RequiredValues(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	if err := json.Unmarshal(newWorld(t).send("GET", "/.well-known/openid-configuration", nil).ok().Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"id_token_signing_alg_values_supported": "RS256", "request_object_signing_alg_values_supported": "RS256", "scopes_supported": "openid",
		"grant_types_supported": "refresh_token", "claims_supported": "sub", "response_types_supported": "code", "acr_values_supported": "aal1",
		"token_endpoint_auth_signing_alg_values_supported": "RS256", "prompt_values_supported": "none",
	} {
		if list, ok := doc[name].([]any); !ok || !slices.Contains(list, any(want)) {
			t.Errorf("%s: %v lacks %s", name, doc[name], want)
		}
	}
	for name, value := range doc {
		if list, ok := value.([]any); ok && strings.HasSuffix(name, "_alg_values_supported") && slices.ContainsFunc(list, func(alg any) bool {
			return alg == "none" || alg == "RSA1_5" || strings.HasPrefix(fmt.Sprint(alg), "HS")
		}) {
			t.Errorf("%s: %v", name, list)
		}
	}
}
