package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/secret"
)

const urn = "urn:ietf:params:oauth:request_uri:"

// push pushes a request and returns its name.
func (w *world) push(client string, form url.Values) string {
	w.t.Helper()
	a := w.as(client, "/par", form)
	if a.Code != http.StatusCreated || a.json("expires_in") != "60" || a.Header().Get("Cache-Control") != "no-store" {
		w.t.Fatalf("push: %d %s", a.Code, a.Body)
	}
	return a.json("request_uri")
}

// RFC 9126 §2.2, §4: pushed with the client's proof, then carried by name alone, at once
// and through pages; by all ways to prove a client.
func TestPAR_RFC9126_2_2_Response(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := map[string]bool{}
	for _, client := range []string{"web", "legacy", "own", "spa", "native"} {
		for range 3 {
			uri := w.push(client, ask(client))
			if _, _, err := secret.Parse(secret.Pushed, strings.TrimPrefix(uri, urn)); err != nil || names[uri] {
				t.Fatalf("%s: %q (%v)", client, uri, err)
			}
			names[uri] = true
			b := w.browser()
			a := b.through(b.authorize(params("client_id", client, "request_uri", uri)), ann)
			if a.query("state") != "st" || a.query("iss") != issuer || !strings.HasPrefix(a.Header().Get("Location"), redirects[client]) {
				t.Fatalf("%s: %s", client, a.Header().Get("Location"))
			}
			if id := claims(t, w.redeem(client, a.query("code")).ok().json("id_token")); id["nonce"] != "n-1" {
				t.Errorf("%s: nonce %v", client, id["nonce"])
			}
		}
	}
	b := w.browser() // and with POST
	a := b.through(b.send("POST", "/authorize", params("client_id", "web", "request_uri", w.push("web", ask("web")))), ann)
	w.redeem("web", a.query("code")).ok()
}

// RFC 9126 §2.1, §2.3: who may push, and what; errors as JSON, whatever /authorize would
// have shown or redirected.
func TestPAR_RFC9126_2_3_Errors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tt := range map[string]struct {
		form url.Values
		code string
	}{
		"request_uri":            {ask("web", "request_uri", w.push("web", ask("web"))), "invalid_request"},
		"no redirect_uri":        {ask("web", "redirect_uri", ""), "invalid_request"},
		"another redirect_uri":   {ask("web", "redirect_uri", "https://evil.example/cb"), "invalid_request"},
		"another client's":       {ask("web", "redirect_uri", spaURI), "invalid_request"},
		"another client_id":      {ask("web", "client_id", "other"), "invalid_request"},
		"response_type":          {ask("web", "response_type", "token"), "unsupported_response_type"},
		"no response_type":       {ask("web", "response_type", ""), "invalid_request"},
		"response_mode":          {ask("web", "response_mode", "fragment"), "invalid_request"},
		"form_post error":        {ask("web", "response_mode", "form_post", "prompt", "x"), "invalid_request"},
		"no PKCE":                {ask("web", "code_challenge", ""), "invalid_request"},
		"plain":                  {ask("web", "code_challenge_method", "plain"), "invalid_request"},
		"scope":                  {ask("web", "scope", "nothing"), "invalid_scope"},
		"resource":               {ask("web", "resource", "https://unknown.example"), "invalid_target"},
		"claims":                 {ask("web", "claims", "{"), "invalid_request"},
		"acr_values":             {ask("web", "acr_values", "aal2"), unmet},
		"max_age":                {ask("web", "max_age", "x"), "invalid_request"},
		"id_token_hint":          {ask("web", "id_token_hint", "x"), "invalid_request"},
		"state":                  {ask("web", "state", strings.Repeat("x", 5000)), "invalid_request"},
		"nonce":                  {ask("web", "nonce", strings.Repeat("x", 2000)), "invalid_request"},
		"request without a key":  {ask("web", "request", "a.b.c"), "invalid_request_object"},
		"registration":           {ask("web", "registration", "{}"), "registration_not_supported"},
		"client without codes":   {with(ask("web"), "client_id", "robot", "redirect_uri", webURI), "invalid_request"},
		"registered for nothing": {ask("narrow", "scope", "profile", "client_id", ""), "invalid_scope"},
	} {
		client := "web"
		switch name {
		case "client without codes":
			client = "robot"
		case "registered for nothing":
			client = "narrow"
		}
		a := w.as(client, "/par", tt.form)
		if a.Code != http.StatusBadRequest || a.json("error") != tt.code || a.Header().Get("Location") != "" || a.page() != "" {
			t.Errorf("%s: %d %s, want %s", name, a.Code, a.Body, tt.code)
		}
	}
	for name, a := range map[string]answer{
		"nobody":       w.send("POST", "/par", with(ask("web"), "client_id", "")),
		"no secret":    w.send("POST", "/par", ask("web")),
		"wrong secret": w.send("POST", "/par", with(ask("web"), "client_secret", "wrong")),
		"unknown":      w.send("POST", "/par", ask("web", "client_id", "unknown")),
	} {
		if a.Code != http.StatusUnauthorized || a.json("error") != "invalid_client" {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
	a := w.send("GET", "/par?"+ask("spa").Encode(), nil)
	if a.Code != http.StatusMethodNotAllowed || a.Header().Get("Allow") != "OPTIONS, POST" {
		t.Errorf("GET: %d %v", a.Code, a.Header())
	}
	if a := w.send("POST", "/par?"+ask("spa").Encode(), params()); a.Code != http.StatusUnauthorized {
		t.Errorf("in the query: %d %s", a.Code, a.Body)
	}
	r := newRequest(t, "POST", "/par", ask("spa", "x", strings.Repeat("x", 40<<10)))
	if a := w.serve(r); a.Code != http.StatusRequestEntityTooLarge || a.json("error") != "invalid_request" {
		t.Errorf("too large: %d %s", a.Code, a.Body)
	}
}

// RFC 9126 §4, RFC 9101 §6.3: what stands beside the name counts for nothing; the name is
// this client's, known and fresh, or it is an error page, for nothing is proven. OAU-13, OAU-02
func TestPAR_RFC9126_4_Binding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	uri := w.push("web", ask("web"))
	b := w.signedIn(ann)
	beside := with(ask("web", "request_uri", uri, "request", "a.b.c", "claims", "{", "resource", "x"), "state", "evil", "nonce", "evil", "scope", "mail.read",
		"redirect_uri", "https://app.example/two", "prompt", "none", "response_mode", "fragment", "code_challenge", s256("other"))
	a := b.through(b.authorize(beside), ann)
	if a.query("state") != "st" || !strings.HasPrefix(a.Header().Get("Location"), webURI) {
		t.Fatalf("parameters beside it: %s", a.Header().Get("Location"))
	}
	tokens := w.redeem("web", a.query("code")).ok()
	if id := claims(t, tokens.json("id_token")); id["nonce"] != "n-1" || tokens.json("scope") != "cal.read" {
		t.Errorf("parameters beside it: %v %s", id, tokens.Body)
	}

	page := func(name, client, uri string) {
		t.Helper()
		a := b.authorize(with(ask(client), "request_uri", uri))
		if a.page() != "error" || a.Code != http.StatusBadRequest || a.Header().Get("Location") != "" || strings.Contains(a.Body.String(), "invalid_request_uri") {
			t.Errorf("%s: %d %s %s", name, a.Code, a.Header().Get("Location"), a.Body)
		}
	}
	uri = w.push("web", ask("web"))
	page("another client's", "other", uri)
	page("another client's, public", "spa", uri)
	page("unknown", "web", urn+secret.New(secret.Pushed).Reveal())
	page("malformed", "web", urn+"x")
	page("empty", "web", urn)
	page("changed", "web", uri[:len(uri)-1]+"!")
	if a := b.authorize(params("request_uri", uri)); a.page() != "error" {
		t.Errorf("without client_id: %s", a.Header().Get("Location"))
	}
	w.pass(59 * time.Second)
	if a := b.authorize(params("client_id", "web", "request_uri", uri)); a.query("code") == "" {
		t.Errorf("after 59 s: %d %s", a.Code, a.Header().Get("Location"))
	}
	uri = w.push("web", ask("web"))
	w.pass(time.Minute)
	page("expired", "web", uri)

	uri = w.push("web", ask("web"))
	w.alter("web", func(c *idp.Client) { c.RedirectURIs = []string{"https://app.example/two"} })
	page("redirect URI taken away", "web", uri)
	w.alter("web", func(c *idp.Client) { c.RedirectURIs = []string{webURI} })
	w.must(w.db.DisableClient(t.Context(), system(), "web", w.clock()))
	page("client disabled", "web", uri)

	// By reference to somewhere else: told to the client that sent it.
	if a := b.authorize(ask("other", "request_uri", "https://other.example/request.jwt")); a.query("error") != "request_uri_not_supported" || a.query("state") != "st" {
		t.Errorf("foreign reference: %s", a.Header().Get("Location"))
	}
}

// RFC 9126 §4: a name works again until its request is answered, in this window or
// another; then never more, whichever way it was answered. OAU-13
func TestPAR_RFC9126_4_OneTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	uri := w.push("web", ask("web"))
	start := params("client_id", "web", "request_uri", uri)
	first, second := w.browser(), w.browser()
	one, again, two := first.authorize(start), first.authorize(start), second.authorize(start)
	if one.page() != "/login" || again.page() != "/login" || two.page() != "/login" {
		t.Fatalf("before the end: %d %d %d", one.Code, again.Code, two.Code)
	}
	w.pass(2 * time.Minute) // a login lasts longer than a name
	if a := first.through(one, ann); a.query("code") == "" {
		t.Fatalf("first: %d %s", a.Code, a.Body)
	}
	for name, b := range map[string]*browser{"the same browser": first, "another": second} {
		flow := again
		if b == second {
			flow = two
		}
		if a := b.through(flow, ann); a.page() != "error" || a.Header().Get("Location") != "" {
			t.Errorf("second answer in %s: %d %s", name, a.Code, a.Header().Get("Location"))
		}
	}

	uri = w.push("web", ask("web"))
	start = params("client_id", "web", "request_uri", uri)
	if a := first.authorize(start); a.query("code") == "" { // at once: signed in and consented
		t.Fatalf("at once: %d %s", a.Code, a.Header().Get("Location"))
	}
	if a := first.authorize(start); a.page() != "error" {
		t.Errorf("used: %d %s", a.Code, a.Header().Get("Location"))
	}

	uri = w.push("web", ask("web", "prompt", "consent"))
	start = params("client_id", "web", "request_uri", uri)
	a := first.authorize(start)
	first.deny(a.query("flow"))
	if a := first.proceed(a.query("flow")); a.query("error") != "access_denied" || a.query("state") != "st" {
		t.Errorf("denied: %s", a.Header().Get("Location"))
	}
	if a := first.authorize(start); a.page() != "error" {
		t.Errorf("denied and used again: %d %s", a.Code, a.Header().Get("Location"))
	}
}

// RFC 9126 §5, FAPI 2.0 Security Profile §5.3.2.2: who must push is answered nothing else.
func TestPAR_RFC9126_5_Required(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.alter("web", func(c *idp.Client) { c.RequirePAR = true })
	w.alter("other", func(c *idp.Client) { c.Profile = idp.FAPI2 })
	b := w.signedIn(ann)
	for _, client := range []string{"web", "other"} {
		if a := b.authorize(ask(client)); a.query("error") != "invalid_request" || a.query("state") != "st" {
			t.Errorf("%s, not pushed: %s", client, a.Header().Get("Location"))
		}
	}
	a := b.authorize(params("client_id", "web", "request_uri", w.push("web", ask("web"))))
	if a := b.through(a, ann); a.query("code") == "" {
		t.Errorf("pushed: %s", a.Header().Get("Location"))
	}
}

// DOS-03: what is pushed and not used is bounded, for a client and, where clients are only
// named, for a network.
func TestPAR_DOS03_Quota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oauth.Config) { c.Quotas = oauth.Quotas{PerNetwork: 2, Total: 60} })
	from := func(client, addr string) answer {
		r := newRequest(t, "POST", "/par", ask(client))
		if client != "spa" && client != "native" {
			r.Header.Set("Authorization", basic(client))
		}
		r.RemoteAddr = addr
		return w.serve(r)
	}
	want := func(name string, a answer, status int) {
		t.Helper()
		if a.Code != status {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
		if status == http.StatusTooManyRequests && (a.Header().Get("Retry-After") == "" || a.json("error") != "temporarily_unavailable") {
			t.Errorf("%s: %v %s", name, a.Header(), a.Body)
		}
	}
	want("public", from("spa", "192.0.2.1:1"), 201)
	want("another public client", from("native", "192.0.2.1:1"), 201)
	want("the network is full", from("spa", "192.0.2.1:1"), 429)
	want("another network", from("spa", "192.0.2.2:1"), 201)
	want("IPv6", from("spa", "[2001:db8::1]:1"), 201)
	want("its site", from("spa", "[2001:db8:0:1::1]:1"), 201)
	want("its site is full", from("spa", "[2001:db8:0:2::1]:1"), 429)
	for range 20 {
		want("confidential", from("web", "192.0.2.1:1"), 201)
	}
	want("the client is full", from("web", "192.0.2.9:1"), 429)
	want("another client", from("other", "192.0.2.1:1"), 201)
	for i := range 4 {
		want("strangers", from("spa", "198.51.100."+string(rune('1'+i))+":1"), 201)
	}
	want("strangers have their half", from("spa", "198.51.100.99:1"), 429)
	want("who proves itself", from("other", "192.0.2.1:1"), 201)
	w.pass(time.Hour)
	want("later", from("spa", "192.0.2.1:1"), 201)
	want("later", from("web", "192.0.2.1:1"), 201)
}
