package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// signerFor makes a key and registers its public half with the client.
func (w *world) signerFor(client, kid string) *jose.Signer {
	w.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	s, err := jose.NewSigner(jose.ES256, kid, private)
	w.must(err)
	doc, err := json.Marshal(map[string]any{"keys": []*jose.Key{s.Key()}})
	w.must(err)
	w.alter(client, func(c *idp.Client) { c.JWKS = doc })
	return s
}

const objectType = "oauth-authz-req+jwt"

// inObject is the parameters of a form as claims, with those of the object itself.
func (w *world) inObject(form url.Values, change map[string]any) map[string]any {
	now := w.clock().Unix()
	claims := map[string]any{"iss": form.Get("client_id"), "aud": issuer, "exp": now + 60, "nbf": now, "iat": now}
	for name := range form {
		claims[name] = form.Get(name)
	}
	for name, value := range change {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return claims
}

func (w *world) signObject(s *jose.Signer, typ string, claims map[string]any) string {
	w.t.Helper()
	payload, err := json.Marshal(claims)
	w.must(err)
	signed, err := s.Sign(typ, payload)
	w.must(err)
	return signed
}

// RFC 9101 §6.3, OpenID Connect Core §6.1: what is signed is the sole source, also for
// the redirect URI; in a query and pushed. OAU-13
func TestAuthorize_RFC9101_6_3_SoleSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.signerFor("web", "k1")
	form := ask("web", "state", "inside", "nonce", "inside", "scope", "openid")
	claims9 := map[string]any{"claims": map[string]any{"id_token": map[string]any{"email": nil}}, "max_age": 300, "unknown": []int{1}}
	for _, typ := range []string{objectType, "JWT", ""} {
		object := w.signObject(s, typ, w.inObject(form, claims9))
		for name, outside := range map[string]url.Values{
			"alone":     params("client_id", "web", "request", object),
			"OIDC form": params("client_id", "web", "request", object, "response_type", "code", "scope", "openid"),
			"others differ": with(ask("web"), "request", object, "state", "outside", "nonce", "outside", "scope", "mail.read", "redirect_uri", "https://evil.example/cb",
				"response_mode", "fragment", "prompt", "none", "code_challenge", s256("outside"), "claims", "{", "request_uri", "https://evil.example/"),
		} {
			for way, start := range map[string]func(b *browser) answer{
				"query": func(b *browser) answer { return b.authorize(outside) },
				"pushed": func(b *browser) answer {
					return b.authorize(params("client_id", "web", "request_uri", w.push("web", with(outside, "request_uri", ""))))
				},
			} {
				b := w.browser()
				a := b.through(start(b), ann)
				if a.query("state") != "inside" || !strings.HasPrefix(a.Header().Get("Location"), webURI) {
					t.Fatalf("%q, %s, %s: %d %s %s", typ, name, way, a.Code, a.Header().Get("Location"), a.Body)
				}
				tokens := w.redeem("web", a.query("code")).ok()
				if id := claims(t, tokens.json("id_token")); id["nonce"] != "inside" || id["email"] == nil {
					t.Errorf("%q, %s, %s: %v", typ, name, way, id)
				}
			}
		}
	}
}

// RFC 9101 §5, §6.2, §10.8, OpenID Connect Core §6: each thing that can be wrong with an
// object. The client hears of it where it is registered, else the person does. OAU-13
func TestAuthorize_RFC9101_6_2_Refuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.signerFor("other", "k1")
	foreign := w.signerFor("web", "k9")
	s := w.signerFor("web", "k1")
	inside := func(change map[string]any) string { return w.signObject(s, objectType, w.inObject(ask("web"), change)) }
	encoded := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	good := inside(nil)
	parts := strings.Split(good, ".")
	now := w.clock().Unix()
	for name, object := range map[string]string{
		"none":                  encoded(`{"alg":"none","typ":"oauth-authz-req+jwt","kid":"k1"}`) + "." + parts[1] + ".",
		"none with a signature": encoded(`{"alg":"none","kid":"k1"}`) + "." + parts[1] + "." + parts[2],
		"unsigned":              parts[0] + "." + parts[1] + ".",
		"HS256":                 encoded(`{"alg":"HS256","kid":"k1"}`) + "." + parts[1] + "." + parts[2],
		"another algorithm":     encoded(`{"alg":"RS256","kid":"k1"}`) + "." + parts[1] + "." + parts[2],
		"no kid":                encoded(`{"alg":"ES256"}`) + "." + parts[1] + "." + parts[2],
		"changed":               parts[0] + "." + encoded(`{"client_id":"web"}`) + "." + parts[2],
		"another client's key":  w.signObject(other, objectType, w.inObject(ask("web"), nil)),
		"a key taken away":      w.signObject(foreign, objectType, w.inObject(ask("web"), nil)),
		"another type":          w.signObject(s, "at+jwt", w.inObject(ask("web"), nil)),
		"client assertion":      w.signObject(s, "client-authentication+jwt", w.inObject(ask("web"), nil)),
		"no JWS":                "x", "empty parts": "..", "encrypted": "a.b.c.d.e", "too long": good + strings.Repeat("A", 16<<10),
		"no iss":             inside(map[string]any{"iss": nil}),
		"another iss":        inside(map[string]any{"iss": "other"}),
		"no aud":             inside(map[string]any{"aud": nil}),
		"another aud":        inside(map[string]any{"aud": "https://other.example"}),
		"aud with a slash":   inside(map[string]any{"aud": issuer + "/"}),
		"aud of other kinds": inside(map[string]any{"aud": 7}),
		"no client_id":       inside(map[string]any{"client_id": nil}),
		"another client_id":  inside(map[string]any{"client_id": "other"}),
		"sub is the client":  inside(map[string]any{"sub": "web"}),
		"request inside":     inside(map[string]any{"request": good}),
		"request_uri inside": inside(map[string]any{"request_uri": urn + "x"}),
		"expired":            inside(map[string]any{"exp": now - 61}),
		"exp is text":        inside(map[string]any{"exp": "9999999999"}),
		"nbf in the future":  inside(map[string]any{"nbf": now + 61}),
		"iat in the future":  inside(map[string]any{"iat": now + 61}),
		"scope is a list":    inside(map[string]any{"scope": []string{"openid"}}),
		"state is null": w.signObject(s, objectType, func() map[string]any {
			m := w.inObject(ask("web"), nil)
			m["state"] = json.RawMessage("null")
			return m
		}()),
		"state is a number": inside(map[string]any{"state": 7}),
		"NUL":               inside(map[string]any{"state": "a\x00b"}),
	} {
		outside := ask("web", "request", object)
		if len(object) < 15<<10 {
			if a := w.browser().authorize(outside); errorOf(a) != "invalid_request_object" || a.query("state") != "st" || !strings.HasPrefix(a.Header().Get("Location"), webURI) {
				t.Errorf("%s: %d %s", name, a.Code, a.Header().Get("Location"))
			}
			if a := w.browser().authorize(params("client_id", "web", "request", object)); a.page() != "error" || a.Header().Get("Location") != "" {
				t.Errorf("%s, no redirect_uri outside: %d %s", name, a.Code, a.Header().Get("Location"))
			}
		}
		if a := w.as("web", "/par", params("request", object)); a.Code != http.StatusBadRequest || a.json("error") != "invalid_request_object" {
			t.Errorf("%s, pushed: %d %s", name, a.Code, a.Body)
		}
	}
	// Errors that are not of the object go where the object says.
	a := w.browser().authorize(ask("web", "request", inside(map[string]any{"response_type": "token", "state": "inside"}), "redirect_uri", "https://app.example/two"))
	if a.query("error") != "unsupported_response_type" || a.query("state") != "inside" || !strings.HasPrefix(a.Header().Get("Location"), webURI) {
		t.Errorf("error of a parameter inside: %s", a.Header().Get("Location"))
	}
	if a := w.browser().authorize(ask("web", "request", inside(map[string]any{"redirect_uri": "https://evil.example/cb"}))); a.page() != "error" {
		t.Errorf("redirect_uri inside is not registered: %s", a.Header().Get("Location"))
	}
	for name, accepted := range map[string]map[string]any{
		"no times":     {"exp": nil, "nbf": nil, "iat": nil},
		"leeway":       {"exp": now - 59, "nbf": now + 59, "iat": now + 59},
		"list of aud":  {"aud": []string{"https://x.example", issuer}},
		"another sub":  {"sub": "ann"},
		"jti":          {"jti": "1"},
		"unknown ones": {"x": map[string]any{}, "y": true},
	} {
		if a := w.browser().authorize(params("client_id", "web", "request", inside(accepted))); a.page() != "/login" {
			t.Errorf("%s: %d %s %s", name, a.Code, a.Header().Get("Location"), a.Body)
		}
	}
}

// OpenID Connect Core §6.1 (profile oidc: outside must agree), Registration §2
// (request_object_signing_alg), RFC 9101 §10.5 (require_signed_request_object), FAPI 2.0
// Message Signing §5.3.1 (nbf and exp within an hour).
func TestAuthorize_RFC9101_10_5_Registered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.signerFor("legacy", "k1")
	object := w.signObject(s, objectType, w.inObject(ask("legacy"), nil))
	for _, tt := range []struct{ name, value, want string }{
		{"response_type", "code", ""}, {"response_type", "", ""}, {"response_type", "id_token", "invalid_request_object"},
		{"scope", "openid profile cal.read", ""}, {"scope", "", ""}, {"scope", "openid", "invalid_request_object"},
	} {
		if got := errorOf(w.browser().authorize(ask("legacy", "request", object, tt.name, tt.value))); got != tt.want {
			t.Errorf("outside %s=%q: %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
	w.alter("legacy", func(c *idp.Client) { c.RequestObjectAlg = "PS256" })
	if got := errorOf(w.browser().authorize(ask("legacy", "request", object))); got != "invalid_request_object" {
		t.Errorf("another algorithm than registered: %q", got)
	}
	w.alter("legacy", func(c *idp.Client) { c.RequestObjectAlg, c.RequireSignedRequest = "ES256", true })
	if got := errorOf(w.browser().authorize(ask("legacy", "request", object))); got != "" {
		t.Errorf("as registered: %q", got)
	}
	if got := errorOf(w.browser().authorize(ask("legacy"))); got != "invalid_request" {
		t.Errorf("not signed: %q", got)
	}
	if a := w.as("legacy", "/par", ask("legacy")); a.json("error") != "invalid_request" {
		t.Errorf("pushed, not signed: %s", a.Body)
	}
	if a := w.as("legacy", "/par", params("request", object)); a.Code != http.StatusCreated {
		t.Errorf("pushed, signed: %s", a.Body)
	}

	s = w.signerFor("web", "k1")
	w.alter("web", func(c *idp.Client) { c.Profile = idp.FAPI2 })
	now := w.clock().Unix()
	for name, change := range map[string]map[string]any{
		"no exp": {"exp": nil}, "no nbf": {"nbf": nil}, "too old": {"nbf": now - 3700, "exp": now - 120 + 600}, "too long": {"nbf": now, "exp": now + 3700},
	} {
		a := w.as("web", "/par", params("request", w.signObject(s, objectType, w.inObject(ask("web"), change))))
		if a.json("error") != "invalid_request_object" {
			t.Errorf("fapi2, %s: %s", name, a.Body)
		}
	}
	rs, ps := newSigner(t, jose.RS256, "rs"), newSigner(t, jose.PS256, "ps")
	w.alter("web", func(c *idp.Client) { c.JWKS = keySet(t, s, rs, ps) })
	for signer, status := range map[*jose.Signer]int{s: http.StatusCreated, ps: http.StatusCreated, rs: http.StatusBadRequest} {
		a := w.as("web", "/par", params("request", w.signObject(signer, objectType, w.inObject(ask("web"), nil))))
		if a.Code != status || status == http.StatusBadRequest && a.json("error") != "invalid_request_object" {
			t.Errorf("fapi2, %s: %d %s", signer.Key().Algorithm(), a.Code, a.Body)
		}
	}
}

// RFC 9449 §10: a key that the client signs and that we cannot read must not leave a code
// that any key redeems.
func TestRequestObject_RFC9449_10_KeyOfTheWrongType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.signerFor("web", "k1")
	for name, value := range map[string]any{"number": 1, "list": []string{"x"}, "null": json.RawMessage("null"), "object": map[string]any{}} {
		object := w.signObject(s, objectType, w.inObject(ask("web"), map[string]any{"dpop_jkt": value}))
		if a := w.signedIn(ann).authorize(ask("web", "request", object)); a.query("error") != "invalid_request_object" {
			t.Errorf("%s: %d %s", name, a.Code, a.Header().Get("Location"))
		}
	}
}
