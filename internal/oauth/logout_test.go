package oauth_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/token"
)

// leaver returns a browser that logged in for a client, and its ID token.
func leaver(w *world, client string) (*browser, string) {
	w.t.Helper()
	b := w.browser()
	return b, w.redeem(client, b.code(ask(client, "scope", "openid"), ann)).ok().json("id_token")
}

func logoutURL(pairs ...string) string { return "/logout?" + params(pairs...).Encode() }

// OpenID Connect RP-Initiated Logout §2, §3.
func TestLogout_RPInitiated_2_HintOfThisLogin(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		request []string
		want    string // where the browser goes; empty: our own page
	}{
		"with redirect and state":       {[]string{"post_logout_redirect_uri", byeURI, "state", "a b&c"}, byeURI + "&state=a+b%26c"},
		"with redirect":                 {[]string{"post_logout_redirect_uri", byeURI}, byeURI},
		"with redirect, empty state":    {[]string{"post_logout_redirect_uri", byeURI, "state", ""}, byeURI},
		"with redirect and client_id":   {[]string{"post_logout_redirect_uri", byeURI, "client_id", "web"}, byeURI},
		"without redirect":              {nil, ""},
		"without redirect, state alone": {[]string{"state", "x", "ui_locales", "de"}, ""},
	} {
		for _, method := range []string{"GET", "POST"} {
			w := newWorld(t)
			b, hint := leaver(w, "web")
			w.pass(time.Hour) // an expired hint is one
			form := params(append(tt.request, "id_token_hint", hint)...)
			var a answer
			if method == "GET" {
				a = b.get("/logout?" + form.Encode())
			} else {
				a = b.send("POST", "/logout", form) // same site: the cookies come
			}
			if tt.want == "" && a.page() != "logged-out" || tt.want != "" && (a.Code != http.StatusSeeOther || a.Header().Get("Location") != tt.want) {
				t.Errorf("%s %s: %d %q %s", method, name, a.Code, a.Header().Get("Location"), a.page())
			}
			if _, there := b.cookies["__Host-signet"]; there || b.alive() {
				t.Errorf("%s %s: still logged in", method, name)
			}
			refused(t, b.authorize(ask("web", "prompt", "none")), "login_required")
		}
	}
}

// OAU-19, OAU-02: whatever does not fit ends on a page, leaves the login alone and leads
// nowhere.
func TestLogout_RPInitiated_2_RefusedRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, hint := leaver(w, "web")
	logoutToken, err := w.tokens.Logout(idp.Client{ID: "web"}, ann, b.session().ID, w.clock())
	w.must(err)
	for name, form := range map[string]url.Values{
		"unregistered":               params("id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/"),
		"registered for another":     params("id_token_hint", hint, "post_logout_redirect_uri", "https://other.example/bye"),
		"a redirect_uri":             params("id_token_hint", hint, "post_logout_redirect_uri", webURI),
		"added query":                params("id_token_hint", hint, "post_logout_redirect_uri", byeURI+"&x=1"),
		"without its query":          params("id_token_hint", hint, "post_logout_redirect_uri", "https://app.example/bye"),
		"other letters":              params("id_token_hint", hint, "post_logout_redirect_uri", "https://APP.example/bye?from=signet"),
		"nobody's":                   params("post_logout_redirect_uri", byeURI),
		"modified hint":              params("id_token_hint", hint[:len(hint)-4]+"AAAA", "post_logout_redirect_uri", byeURI),
		"hint without signature":     params("id_token_hint", unsigned(t, hint), "post_logout_redirect_uri", byeURI),
		"access token as hint":       params("id_token_hint", w.tokensFor("web", ann, "scope", "openid").json("access_token")),
		"logout token as hint":       params("id_token_hint", logoutToken),
		"hint that others signed":    params("id_token_hint", signedByOthers(t, hint), "post_logout_redirect_uri", byeURI),
		"hint with a MAC":            params("id_token_hint", macked(hint, secrets["web"]), "post_logout_redirect_uri", byeURI),
		"hint of another issuer":     params("id_token_hint", ofAnotherIssuer(t, w), "post_logout_redirect_uri", byeURI),
		"hint's payload exchanged":   params("id_token_hint", exchanged(hint), "post_logout_redirect_uri", byeURI),
		"hint twice":                 {"id_token_hint": {hint, hint}},
		"client_id twice":            {"client_id": {"web", "other"}, "post_logout_redirect_uri": {byeURI}},
		"added fragment":             params("id_token_hint", hint, "post_logout_redirect_uri", byeURI+"#x"),
		"added slash":                params("id_token_hint", hint, "post_logout_redirect_uri", "https://app.example/bye/?from=signet"),
		"http instead":               params("id_token_hint", hint, "post_logout_redirect_uri", "http://app.example/bye?from=signet"),
		"client_id of another's URI": params("client_id", "other", "post_logout_redirect_uri", byeURI),
		"client without any URI":     params("client_id", "spa", "post_logout_redirect_uri", spaURI),
		"logout_hint is no client":   params("logout_hint", "web", "post_logout_redirect_uri", byeURI),
		"garbage hint":               params("id_token_hint", "x"),
		"client_id is not the aud":   params("id_token_hint", hint, "client_id", "other", "post_logout_redirect_uri", "https://other.example/bye"),
		"unknown client":             params("client_id", "nobody", "post_logout_redirect_uri", byeURI),
		"twice":                      {"id_token_hint": {hint}, "post_logout_redirect_uri": {byeURI, byeURI}},
		"javascript":                 params("id_token_hint", hint, "post_logout_redirect_uri", "javascript:alert(1)"),
		"state that is much too big": params("id_token_hint", hint, "state", string(make([]byte, 5000))),
	} {
		for _, a := range []answer{b.get("/logout?" + form.Encode()), b.send("POST", "/logout", form)} {
			if a.Code != http.StatusBadRequest || a.page() != "error" || a.Header().Get("Location") != "" {
				t.Errorf("%s: %d %s %s", name, a.Code, a.Header().Get("Location"), a.page())
			}
		}
		if !b.alive() {
			t.Fatalf("%s: logged out", name)
		}
	}
	for _, uri := range tricks {
		a := b.get(logoutURL("id_token_hint", hint, "post_logout_redirect_uri", uri))
		if a.Header().Get("Location") != "" || !b.alive() {
			t.Errorf("%q: %d %s", uri, a.Code, a.Header().Get("Location"))
		}
	}
}

// OAU-19: nobody is logged out by a link or a form of somebody else.
func TestLogout_RPInitiated_2_OthersMustAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, foreignHint := leaver(w, "web") // ann's, but of another browser
	bobs := w.browser()
	bobsHint := w.redeem("web", bobs.code(ask("web", "scope", "openid"), bob)).ok().json("id_token")
	b, _ := leaver(w, "web")
	otherClient := w.redeem("other", bobs.code(ask("other", "scope", "openid"), bob)).ok().json("id_token")
	lastWeek, _ := leaver(w, "web")
	recent := w.redeem("web", lastWeek.code(ask("web", "scope", "openid offline_access"), ann)).ok()
	lastWeek.get(logoutURL("id_token_hint", recent.json("id_token")))
	offline := w.refresh("web", recent.json("refresh_token")).ok().json("id_token") // has no sid: that login is over
	for name, request := range map[string][]string{
		"nothing":                      nil,
		"state":                        {"state", "x"},
		"client":                       {"client_id", "web"},
		"client and redirect":          {"client_id", "web", "post_logout_redirect_uri", byeURI},
		"hint of another login":        {"id_token_hint", foreignHint, "post_logout_redirect_uri", byeURI},
		"hint of another person":       {"id_token_hint", bobsHint, "post_logout_redirect_uri", byeURI},
		"hint without a login":         {"id_token_hint", offline},
		"hint of an app of bob's":      {"id_token_hint", otherClient},
		"hint of a login that is over": {"id_token_hint", recent.json("id_token"), "post_logout_redirect_uri", byeURI},
		"logout_hint":                  {"logout_hint", "ann"},
		"its own sid as logout_hint":   {"logout_hint", b.session().ID, "client_id", "web"},
		"unknown parameters":           {"foo", "bar", "sid", b.session().ID, "iss", issuer, "prompt", "none"},
		"ui_locales":                   {"ui_locales", "de fr"},
	} {
		a := b.get(logoutURL(request...))
		if a.Code != http.StatusOK || a.page() != "logout-confirm" || !b.alive() {
			t.Errorf("%s: %d %s, alive %v", name, a.Code, a.page(), b.alive())
		}
		a = b.crossSitePost("/logout", params(request...))
		if a.Code != http.StatusSeeOther || hostOf(a.Header().Get("Location")) != "" || a.query("id_token_hint") != "" {
			t.Errorf("%s: cross-site: %d %s", name, a.Code, a.Header().Get("Location"))
		}
		if a = b.follow(a); a.page() != "logout-confirm" || !b.alive() {
			t.Errorf("%s: cross-site, followed: %d %s", name, a.Code, a.page())
		}
	}
}

// OAU-15, OAU-19: the yes comes from our own page, shown to this login.
func TestLogout_RPInitiated_2_Confirmation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, _ := leaver(w, "web")
	question := b.get(logoutURL("client_id", "web", "post_logout_redirect_uri", byeURI, "state", "s"))
	form := params("csrf", question.json("CSRF"), "client_id", question.json("ClientID"),
		"post_logout_redirect_uri", question.json("PostLogoutRedirectURI"), "state", question.json("State"))
	ours := []string{"Sec-Fetch-Site", "same-origin", "Origin", issuer}
	for name, tt := range map[string]struct {
		form    url.Values
		headers []string
	}{
		"no csrf":           {with(form, "csrf", "x"), ours},
		"empty csrf":        {url.Values{"csrf": {""}}, ours},
		"cross-site":        {form, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}},
		"same site only":    {form, []string{"Sec-Fetch-Site", "same-site", "Origin", "https://x.id.example"}},
		"no headers":        {form, nil},
		"another browser's": {with(form, "csrf", w.signedIn(ann).csrf()+"x"), ours},
	} {
		if a := b.send("POST", "/logout", tt.form, tt.headers...); a.Code != http.StatusForbidden || a.page() != "error" || !b.alive() {
			t.Errorf("%s: %d %s", name, a.Code, a.page())
		}
	}
	if a := b.send("POST", "/logout", with(form, "post_logout_redirect_uri", "https://evil.example/"), ours...); a.Code != http.StatusBadRequest || !b.alive() {
		t.Errorf("form with another redirect: %d", a.Code)
	}
	sid := b.session().ID
	a := b.send("POST", "/logout", form, ours...)
	if a.Code != http.StatusSeeOther || a.Header().Get("Location") != byeURI+"&state=s" || b.alive() {
		t.Errorf("%d %s", a.Code, a.Header().Get("Location"))
	}
	rules := w.rules()
	if len(rules) != 1 || rules[0].Kind != idp.RuleSession || rules[0].ID != sid {
		t.Errorf("%v", rules)
	}
}

// Nobody is logged in: there is nothing to ask.
func TestLogout_RPInitiated_2_LoggedOutAlready(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, hint := leaver(w, "web")
	b := w.browser()
	if a := b.get(logoutURL("id_token_hint", hint, "post_logout_redirect_uri", byeURI)); a.Header().Get("Location") != byeURI {
		t.Errorf("%d %s", a.Code, a.Header().Get("Location"))
	}
	for _, request := range [][]string{nil, {"client_id", "web", "post_logout_redirect_uri", byeURI}} {
		if a := b.get(logoutURL(request...)); a.page() != "logged-out" {
			t.Errorf("%v: %d %s", request, a.Code, a.Header().Get("Location"))
		}
	}
}

// OAU-20: a logout ends what hangs on the login.
func TestLogout_OAU20_EndsTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	a := w.redeem("web", b.code(ask("web", "scope", "openid"), ann)).ok()
	code := b.code(ask("web", "scope", "openid"), ann)
	offline := w.redeem("web", b.code(ask("web", "scope", "openid offline_access"), ann)).ok()
	b.get(logoutURL("id_token_hint", a.json("id_token")))
	w.refresh("web", a.json("refresh_token")).expect(400, "invalid_grant")
	w.redeem("web", code).expect(400, "invalid_grant")
	if got := w.userinfo(a.json("access_token")); got.Code != 401 {
		t.Errorf("access token: %d", got.Code)
	}
	w.refresh("web", offline.json("refresh_token")).ok()
}

// TestLogout_OAU20_EndsOfflineCodes: offline access outlives a logout, once the app has it: a
// code from before would sign the person in anew.
func TestLogout_OAU20_EndsOfflineCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	a := w.redeem("web", b.code(ask("web", "scope", "openid"), ann)).ok()
	code := b.code(ask("web", "scope", "openid offline_access"), ann)
	b.get(logoutURL("id_token_hint", a.json("id_token")))
	w.redeem("web", code).expect(400, "invalid_grant")
}

func unsigned(t *testing.T, jwt string) string {
	t.Helper()
	payload := ""
	for i, part := range split(jwt) {
		if i == 1 {
			payload = part
		}
	}
	return "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + payload + "."
}

// signedByOthers is the token under a key of somebody else, with our kid.
func signedByOthers(t *testing.T, jwt string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	parts := split(jwt)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// macked is the token with HS256 and a secret that the client knows.
func macked(jwt, key string) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + split(jwt)[1]
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// ofAnotherIssuer is an ID token by our keys in the name of somebody else.
func ofAnotherIssuer(t *testing.T, w *world) string {
	t.Helper()
	other := token.New(token.Config{Issuer: "https://other.example", Keys: w.keys})
	tok, err := other.ID(token.Authorization{
		Grant: idp.Grant{ID: "g", UserID: ann, ClientID: "web", SessionID: "s"}, User: idp.User{ID: ann},
		Client: idp.Client{ID: "web"}, Audience: "https://other.example", Scopes: []string{"openid"},
	}, "", w.clock())
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// exchanged is the token with another person in it.
func exchanged(jwt string) string {
	parts := split(jwt)
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	check(err)
	forged := strings.ReplaceAll(string(payload), ann, bob)
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(forged)) + "." + parts[2]
}

// RP-Initiated Logout §2, Back-Channel Logout §2.5: the apps of the login are told before
// the browser is sent on; those that hear of it by frames get them on a page of ours.
func TestLogout_FrontChannel_2_FramesBeforeTheRedirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.alter("web", func(c *idp.Client) { c.BackchannelLogoutURI = "https://app.example/logout" })
	w.alter("own", func(c *idp.Client) { c.FrontchannelLogoutURI = "https://own.example/front?tenant=a%20b" })
	w.alter("spa", func(c *idp.Client) { c.FrontchannelLogoutURI = "https://spa.example/front" }) // takes no part
	b, hint := leaver(w, "web")
	b.code(ask("own", "scope", "openid offline_access"), ann)
	b.code(ask("legacy", "scope", "openid"), ann)
	sid := b.session().ID
	a := b.get(logoutURL("id_token_hint", hint, "post_logout_redirect_uri", byeURI, "state", "s&1", "ui_locales", "de en"))
	if a.Code != http.StatusOK || a.page() != "logged-out" || b.alive() {
		t.Fatalf("%d %s", a.Code, a.page())
	}
	var page oauth.Farewell
	w.must(json.Unmarshal(a.Body.Bytes(), &page))
	want := oauth.Farewell{
		Apps: []idp.LeftApp{
			{Name: "Legacy"},
			{Name: "Own", Frame: "https://own.example/front?tenant=a%20b&iss=https%3A%2F%2Fid.example&sid=" + sid},
			{Name: "Web", Told: true},
		},
		Continue: byeURI + "&state=s%261", ClientName: "Web", UILocales: "de en",
	}
	if d := cmp.Diff(want, page); d != "" {
		t.Error(d)
	}
	if !slices.Equal(w.notifier.told, []string{sid}) {
		t.Errorf("told: %q, want %q", w.notifier.told, sid)
	}
	refused(t, b.authorize(ask("web", "prompt", "none")), "login_required")

	// The same again: there is nobody to be told any more, and the app gets its browser back.
	a = b.get(logoutURL("id_token_hint", hint, "post_logout_redirect_uri", byeURI))
	if a.Code != http.StatusSeeOther || a.Header().Get("Location") != byeURI || len(w.notifier.told) != 1 {
		t.Errorf("again: %d %s, told %q", a.Code, a.Header().Get("Location"), w.notifier.told)
	}
}

// RP-Initiated Logout §2: an app with offline access is of this login as well, so its
// hint ends the login unasked; its refresh token goes on.
func TestLogout_RPInitiated_2_HintOfOfflineGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	a := w.redeem("web", b.code(ask("web", "scope", "openid offline_access"), ann)).ok()
	a = w.refresh("web", a.json("refresh_token")).ok() // the login lives, so its name is still in it
	if got := b.get(logoutURL("id_token_hint", a.json("id_token"), "post_logout_redirect_uri", byeURI)); got.Header().Get("Location") != byeURI || b.alive() {
		t.Errorf("%d %s", got.Code, got.page())
	}
	w.refresh("web", a.json("refresh_token")).ok()
}

// RP-Initiated Logout §2: languages that nobody speaks are no reason to stay signed in,
// and the person's answer keeps the others.
func TestLogout_RPInitiated_2_UILocales(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	for given, want := range map[string]string{"de": "de", "fr-CA fr en": "fr-CA fr en", "": "", strings.Repeat("de ", 1000): ""} {
		if got := b.get(logoutURL("ui_locales", given)).json("UILocales"); got != want {
			t.Errorf("%q: %q", given, got)
		}
		if a := b.crossSitePost("/logout", params("ui_locales", given)); a.query("ui_locales") != want {
			t.Errorf("%q: cross-site: %s", given, a.Header().Get("Location"))
		}
	}
}
