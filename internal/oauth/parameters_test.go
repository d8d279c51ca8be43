package oauth_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// every parameter that an endpoint knows, and one that none knows.
var parameters = map[string][]string{
	"/authorize": {
		"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "response_mode", "prompt",
		"max_age", "resource", "login_hint", "id_token_hint", "ui_locales", "acr_values", "claims", "display", "request", "request_uri", "registration", "dpop_jkt", "extra",
	},
	"/token": {
		"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "refresh_token", "device_code", "scope", "resource",
		"client_assertion", "client_assertion_type", "extra",
	},
	"/par": {
		"response_type", "client_id", "client_secret", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "resource", "request", "request_uri",
		"client_assertion", "client_assertion_type", "dpop_jkt", "extra",
	},
	"/device_authorization": {"client_id", "client_secret", "scope", "resource", "client_assertion", "client_assertion_type", "extra"},

	"/revoke":             {"token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type", "extra"},
	"/introspect":         {"token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type", "extra"},
	"/userinfo":           {"access_token", "extra"},
	"/logout":             {"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales", "csrf", "extra"},
	"/authorize/continue": {"flow", "extra"},
}

// OAU-07 (RFC 6749 §3.1, §3.2): each parameter × each endpoint, doubled: same value,
// another value, an empty one first.
func TestParameters_RFC6749_3_1_NoneTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.tokensFor("legacy", ann, "scope", "openid")
	b := w.signedIn(ann)
	usual := map[string]url.Values{
		"/authorize": ask("legacy"),
		"/token": params("grant_type", "refresh_token", "refresh_token", a.json("refresh_token"), "client_id", "legacy", "client_secret", secrets["legacy"],
			"scope", "openid"),
		"/revoke":     params("token", a.json("refresh_token"), "client_id", "legacy", "client_secret", secrets["legacy"]),
		"/introspect": params("token", a.json("refresh_token"), "client_id", "legacy", "client_secret", secrets["legacy"]),
		"/par":        with(ask("legacy"), "client_secret", secrets["legacy"]),

		"/device_authorization": params("client_id", "tv", "scope", "openid"),

		"/userinfo":           params("access_token", a.json("access_token")),
		"/logout":             params("id_token_hint", a.json("id_token")),
		"/authorize/continue": params("flow", b.authorize(ask("web")).query("flow")),
	}
	people := []string{"/authorize", "/logout", "/authorize/continue"}
	for path, names := range parameters {
		for _, name := range names {
			value := usual[path].Get(name)
			for _, double := range [][]string{{value, value}, {value, value + "x"}, {"", value}} {
				form := with(usual[path])
				form[name] = double
				var got []answer
				if slices.Contains(people, path) {
					got = append(got, b.get(path+"?"+form.Encode()))
				}
				if path != "/authorize/continue" {
					got = append(got, b.send("POST", path, form))
				}
				for _, a := range got {
					if a.Code != http.StatusBadRequest || a.Header().Get("Location") != "" {
						t.Errorf("%s %s=%q: %d %s %s", path, name, double, a.Code, a.Header().Get("Location"), a.Body)
					}
					if !slices.Contains(people, path) && a.json("error") != "invalid_request" {
						t.Errorf("%s %s: %s", path, name, a.Body)
					}
				}
			}
		}
	}
	w.send("POST", "/token", usual["/token"]).ok() // nothing of it had any effect
	w.send("POST", "/userinfo", usual["/userinfo"]).ok()
	if !b.alive() {
		t.Error("logged out")
	}
}

// RFC 6749 §3.1, §3.2, RFC 8628 §3.1: a parameter without a value counts as omitted, and one
// that nobody knows is ignored, at each endpoint that clients ask.
func TestParameters_RFC6749_3_2_EmptyAndUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rt := w.tokensFor("legacy", ann, "scope", "openid").json("refresh_token")
	for _, tt := range []struct {
		client, path string
		form         url.Values
		status       int
	}{
		{"legacy", "/introspect", params("token", rt), 200},
		{"legacy", "/token", params("grant_type", "refresh_token", "refresh_token", rt), 200},
		{"legacy", "/par", ask("legacy"), 201},
		{"tv", "/device_authorization", params("scope", "openid"), 200},
		{"legacy", "/revoke", params("token", rt), 200},
		{"spa", "/par", ask("spa"), 201},
	} {
		form := with(tt.form, "extra", "x", "x-y.z", "1")
		for _, name := range parameters[tt.path] {
			if form.Get(name) == "" {
				form.Set(name, "")
			}
		}
		if tt.client == "legacy" { // whose proof stands in the form
			form.Del("client_secret")
		}
		if a := w.as(tt.client, tt.path, form); a.Code != tt.status {
			t.Errorf("%s %s: %d %s", tt.client, tt.path, a.Code, a.Body)
		}
	}
	for path, form := range map[string]url.Values{ // what is required is missing if it is empty
		"/token": params("grant_type", ""), "/introspect": params("token", ""), "/revoke": params("token", ""), "/par": ask("web", "response_type", ""),
	} {
		w.as("web", path, form).expect(400, "invalid_request")
	}
}

// OAU-07: ';' separates nothing, brackets make no arrays, escapes are exact.
func TestParameters_RFC6749_B_OtherSpellings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	q := ask("web").Encode()
	for _, query := range []string{q + ";x=1", q + "&a;b=1", q + "&x=%zz", q + "&x=%", q + "&x=%00", q + "&x=%ff", q + "&=1"} {
		if a := b.get("/authorize?" + query); a.Code != http.StatusBadRequest || a.Header().Get("Location") != "" {
			t.Errorf("%s: %d %s", query[len(q):], a.Code, a.Header().Get("Location"))
		}
	}
	for _, query := range []string{q + "&redirect_uri[]=https://evil.example", q + "&redirect_uri%5B0%5D=https://evil.example", q + "&Redirect_uri=x", q + "&"} {
		if a := b.get("/authorize?" + query); a.page() != "/consent" {
			t.Errorf("%s: %d %s", query[len(q):], a.Code, a.Header().Get("Location"))
		}
	}
}
