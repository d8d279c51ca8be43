package oauth_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/signet-id/signet/verify"
)

// accepted is what a place says of what belongs there.
const accepted = "accepted"

// place is one that takes a token or a secret.
type place struct {
	name     string
	route    string   // as it is registered; empty if it is no endpoint of this package
	refusals []string // what it says of everything else
	use      func(m *matrix, value string) string
}

// tokenPlaces is every one of them, those that end something last.
func tokenPlaces() []place {
	list := []place{
		{"/userinfo Bearer", "GET /userinfo", refusedToken, func(m *matrix, v string) string { return class(m.userinfo(v)) }},
		{"/userinfo DPoP", "GET /userinfo", refusedToken, func(m *matrix, v string) string {
			return class(m.asDPoP(v, m.proof("GET", issuer+"/userinfo", v, nil)))
		}},
		{"/userinfo body", "POST /userinfo", refusedToken, func(m *matrix, v string) string {
			return class(m.send("POST", "/userinfo", params("access_token", v)))
		}},
		{"/userinfo proof", "GET /userinfo", []string{"401 invalid_dpop_proof"}, func(m *matrix, v string) string { return class(m.asDPoP(m.forIssuer, v)) }},
		{"/introspect token", "POST /introspect", []string{"inactive"}, func(m *matrix, v string) string {
			if m.introspect("web", v)["active"] != true {
				return "inactive"
			}
			return accepted
		}},
		{"/token refresh_token", "POST /token", refusedGrant, func(m *matrix, v string) string { return class(m.refresh("web", v)) }},
		{"/token refresh_token that stays", "POST /token", refusedGrant, func(m *matrix, v string) string {
			return class(m.token("own", refreshForm(v), m.proof("POST", issuer+"/token", "", nil)))
		}},
		{"/token refresh_token of a key", "POST /token", refusedGrant, func(m *matrix, v string) string {
			return class(m.token("spa", refreshForm(v), m.proof("POST", issuer+"/token", "", nil)))
		}},
		{"/token code", "POST /token", refusedGrant, func(m *matrix, v string) string { return class(m.redeem("web", v)) }},
		{"/token code_verifier", "POST /token", refusedGrant, func(m *matrix, v string) string {
			return class(m.redeem("web", m.spare, "code_verifier", v))
		}},
		{"/token device_code", "POST /token", refusedGrant, func(m *matrix, v string) string { return class(m.poll("tv", v)) }},
		{"/token proof", "POST /token", []string{"400 invalid_dpop_proof"}, func(m *matrix, v string) string {
			return class(m.token("web", params("grant_type", "client_credentials", "scope", "cal.read"), v))
		}},
		{"/token proof's nonce", "POST /token", []string{"400 use_dpop_nonce"}, func(m *matrix, v string) string {
			return class(m.token("web", params("grant_type", "client_credentials", "scope", "cal.read"),
				m.proof("POST", issuer+"/token", "", map[string]any{"nonce": v})))
		}},
		{"/par proof", "POST /par", []string{"400 invalid_dpop_proof"}, func(m *matrix, v string) string {
			return class(m.send("POST", "/par", ask("web"), "Authorization", basic("web"), "DPoP", v))
		}},
		{"/par request", "POST /par", []string{"400 invalid_request", "400 invalid_request_object"}, func(m *matrix, v string) string {
			return class(m.as("web", "/par", params("request", v)))
		}},
		{"/par id_token_hint", "POST /par", []string{"400 invalid_request"}, func(m *matrix, v string) string {
			return class(m.as("web", "/par", ask("web", "id_token_hint", v)))
		}},
		{"/authorize request", "GET /authorize", []string{"page error"}, func(m *matrix, v string) string {
			return m.shown(m.here.authorize(params("client_id", "signs", "request", v)))
		}},
		{"/authorize request of who has our keys", "GET /authorize", []string{"page error"}, func(m *matrix, v string) string {
			return m.shown(m.here.authorize(params("client_id", "mirror", "request", v)))
		}},
		{"/authorize request_uri", "GET /authorize", []string{"page error"}, func(m *matrix, v string) string {
			return m.shown(m.here.authorize(params("client_id", "web", "request_uri", v)))
		}},
		{"/authorize id_token_hint", "GET /authorize", []string{"redirect invalid_request"}, func(m *matrix, v string) string {
			return m.shown(m.here.authorize(ask("web", "id_token_hint", v)))
		}},
		{"session cookie", "GET /authorize", []string{"redirect login_required"}, func(m *matrix, v string) string {
			b := m.browser()
			b.cookies["__Host-signet"] = v
			return m.shown(b.authorize(ask("web", "prompt", "none")))
		}},
		{"flow cookie", "GET /authorize/continue", []string{"page error"}, func(m *matrix, v string) string {
			b := m.browser()
			b.cookies["__Host-signet"], b.cookies["__Host-signet-flow"] = m.here.cookies["__Host-signet"], v
			return m.shown(b.proceed(m.flow))
		}},
		{"flow", "GET /authorize/continue", []string{"page error"}, func(m *matrix, v string) string {
			return m.shown(m.here.proceed(url.QueryEscape(v)))
		}},
		{"/device user_code", "", []string{"no such code"}, func(m *matrix, v string) string {
			if m.here.typeCode(v) == "" {
				return "no such code"
			}
			return accepted
		}},
		{"/register", "POST /register", refusedToken, func(m *matrix, v string) string {
			return class(m.sendJSON("POST", "/register", plainBody, bearer(v)...))
		}},
		{"GET /register/{client}", "GET /register/{client}", refusedToken, func(m *matrix, v string) string {
			return class(m.sendJSON("GET", "/register/"+m.registered[0].id, "", bearer(v)...))
		}},
		{"GET /register/{client} of the other", "GET /register/{client}", refusedToken, func(m *matrix, v string) string {
			return class(m.sendJSON("GET", "/register/"+m.registered[1].id, "", bearer(v)...))
		}},
		{"PUT /register/{client}", "PUT /register/{client}", refusedToken, func(m *matrix, v string) string {
			body := `{"client_id":"` + m.registered[0].id + `","redirect_uris":["https://mcp.example/two"]}`
			return class(m.sendJSON("PUT", "/register/"+m.registered[0].id, body, bearer(v)...))
		}},
		{"service Bearer", "", refusedToken, func(m *matrix, v string) string { return m.atService("Bearer "+v, "") }},
		{"service DPoP", "", refusedToken, func(m *matrix, v string) string {
			return m.atService("DPoP "+v, m.proof("GET", calendar+"/events", v, nil))
		}},
		{"service proof", "", []string{"401 invalid_dpop_proof"}, func(m *matrix, v string) string { return m.atService("DPoP "+m.forService, v) }},
		{"app's ID token", "", []string{"no ID token"}, func(m *matrix, v string) string {
			if _, err := m.service.VerifyIDToken(m.t.Context(), v, "web", "n-1"); err != nil {
				return "no ID token"
			}
			return accepted
		}},
	}
	for _, e := range authenticating {
		list = append(list, e.places()...)
	}
	return append(list,
		place{"DELETE /register/{client}", "DELETE /register/{client}", refusedToken, func(m *matrix, v string) string {
			return class(m.sendJSON("DELETE", "/register/"+m.registered[0].id, "", bearer(v)...))
		}},
		// An answer to /revoke is the same whatever was revoked (RFC 7009 §2.2): it was
		// taken if something has changed. What was made for another client is refused.
		place{"/revoke token", "POST /revoke", []string{"nothing", "400 invalid_grant"}, func(m *matrix, v string) string {
			before := m.state()
			a := m.as("web", "/revoke", params("token", v))
			if a.Code != http.StatusOK {
				return class(a)
			}
			if difference(before, m.state()) == "" {
				return "nothing"
			}
			return accepted
		}},
		place{"/logout csrf", "POST /logout", []string{"page error"}, func(m *matrix, v string) string {
			return m.shown(m.leaving.send("POST", "/logout", params("csrf", v), "Origin", issuer, "Sec-Fetch-Site", "same-origin"))
		}},
		place{"/logout id_token_hint", "GET /logout", []string{"page error"}, func(m *matrix, v string) string {
			return m.shown(m.here.get("/logout?" + params("id_token_hint", v).Encode()))
		}},
	)
}

var (
	refusedToken = []string{"401 invalid_token"}
	refusedGrant = []string{"400 invalid_grant"}
)

// authenticating are the endpoints where clients prove themselves, each with a request
// that changes nothing.
var authenticating = []authentication{
	{"/token", params("grant_type", "authorization_code", "code", "x", "redirect_uri", "https://x.example/")},
	{"/par", params("response_type", "nothing")},
	{"/introspect", params("token", "x")},
	{"/revoke", params("token", "x")},
	{"/device_authorization", params("scope", "nothing")},
}

type authentication struct {
	path string
	form url.Values
}

func (e authentication) places() []place {
	// known is whether the answer is about the request, and not about who sent it.
	known := func(a answer) string {
		if c := class(a); strings.HasPrefix(c, "401 ") {
			return c
		}
		return accepted
	}
	nobody := []string{"401 invalid_client"}
	return []place{
		{e.path + " client_secret_basic", "POST " + e.path, nobody, func(m *matrix, v string) string {
			pair := base64.StdEncoding.EncodeToString([]byte("web:" + url.QueryEscape(v)))
			return known(m.send("POST", e.path, e.form, "Authorization", "Basic "+pair))
		}},
		{e.path + " client_secret_post", "POST " + e.path, nobody, func(m *matrix, v string) string {
			return known(m.send("POST", e.path, with(e.form, "client_id", "legacy", "client_secret", v)))
		}},
		{e.path + " client_assertion", "POST " + e.path, nobody, func(m *matrix, v string) string {
			return known(m.send("POST", e.path, with(e.form, "client_assertion", v, "client_assertion_type", jwtBearer)))
		}},
	}
}

// class is an answer of an endpoint for programs: its status and its code.
func class(a answer) string {
	if a.Code < 300 {
		return accepted
	}
	return fmt.Sprint(a.Code, " ", a.json("error"))
}

// shown is an answer of an endpoint for browsers.
func (m *matrix) shown(a answer) string {
	switch {
	case a.page() == "error":
		return "page error"
	case a.query("error") != "":
		return "redirect " + a.query("error")
	case a.Code == http.StatusSeeOther, a.page() == "logged-out":
		return accepted
	}
	return fmt.Sprint(a.Code, " ", a.page())
}

// atService asks a service that uses the SDK.
func (m *matrix) atService(authorization, proof string) string {
	r := httptest.NewRequestWithContext(m.t.Context(), "GET", calendar+"/events", nil)
	r.Header.Set("Authorization", authorization)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	rec := httptest.NewRecorder()
	m.service.Require("cal.read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := verify.FromContext(r.Context()); !ok {
			m.t.Error("no claims")
		}
	})).ServeHTTP(rec, r)
	if rec.Code == http.StatusOK {
		return accepted
	}
	_, rest, found := strings.Cut(strings.Join(rec.Header().Values("WWW-Authenticate"), ", "), `error="`)
	code, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		m.must(errors.New("no reason in the challenge of a service"))
	}
	return fmt.Sprint(rec.Code, " ", code)
}
