package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// rsaKey is one for all tests: making it takes its time.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(err)
	return key
})

func newSigner(t testing.TB, alg jose.Algorithm, kid string) *jose.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case jose.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.ES512:
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case jose.EdDSA, jose.Ed25519:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key = rsaKey()
	}
	check(err)
	s, err := jose.NewSigner(alg, kid, key)
	check(err)
	return s
}

func keySet(t testing.TB, signers ...*jose.Signer) []byte {
	t.Helper()
	keys := make([]*jose.Key, len(signers))
	for i, s := range signers {
		keys[i] = s.Key()
	}
	set, err := jose.NewKeySet(keys...)
	check(err)
	doc, err := json.Marshal(set)
	check(err)
	return doc
}

// signing makes a client of the profile that proves itself with the keys.
func (w *world) signing(id string, profile idp.SecurityProfile, signers ...*jose.Signer) {
	w.t.Helper()
	w.must(w.db.PutClient(w.t.Context(), system(), idp.Client{ID: id, ClientMetadata: idp.ClientMetadata{
		Name: id, ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthPrivateKeyJWT, Profile: profile,
		RedirectURIs: []string{"https://" + id + ".example/cb"}, GrantTypes: []string{idp.GrantClientCredentials, idp.GrantAuthorizationCode, idp.GrantRefreshToken},
		Scopes: []string{"openid", "cal.read"}, JWKS: keySet(w.t, signers...),
	}}, w.clock()))
}

// assertion are the claims of a good one, changed; nil takes a claim away.
func (w *world) assertion(id string, change map[string]any) map[string]any {
	now := w.clock().Unix()
	c := map[string]any{"iss": id, "sub": id, "aud": issuer, "jti": secret.ID(), "iat": now, "exp": now + 60}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func sign(t testing.TB, s *jose.Signer, typ string, claims any) string {
	t.Helper()
	payload, ok := claims.(string)
	if !ok {
		doc, err := json.Marshal(claims)
		check(err)
		payload = string(doc)
	}
	tok, err := s.Sign(typ, []byte(payload))
	check(err)
	return tok
}

// present sends an assertion where nothing is decided by anything else.
func (w *world) present(assertion string, more ...string) answer {
	w.t.Helper()
	return w.send("POST", "/revoke", with(params(append([]string{"client_assertion", assertion, "client_assertion_type", jwtBearer}, more...)...), "token", "x"))
}

// CLI-01: a client assertion is for us alone, from the client, now, by one of its keys.
func TestClientAssertion_CLI01_RFC7523_3(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ed, es, rs, ps := newSigner(t, jose.EdDSA, "ed"), newSigner(t, jose.ES256, "es"), newSigner(t, jose.RS256, "rs"), newSigner(t, jose.PS256, "ps")
	for _, p := range []idp.SecurityProfile{idp.OAuth21, idp.OIDC, idp.FAPI2} {
		w.signing("signs-"+string(p), p, ed, es, rs, ps)
	}
	w.signing("pinned", idp.OAuth21, ed, es, rs)
	w.alter("pinned", func(c *idp.Client) { c.TokenEndpointAuthAlg = "ES256" })
	w.signing("off", idp.OAuth21, ed)
	w.must(w.db.DisableClient(t.Context(), system(), "off", w.clock()))
	stranger := newSigner(t, jose.EdDSA, "ed")
	now := w.clock().Unix()
	all := map[idp.SecurityProfile]bool{idp.OAuth21: true, idp.OIDC: true, idp.FAPI2: true}
	modern := map[idp.SecurityProfile]bool{idp.OAuth21: true, idp.OIDC: true}
	old := map[idp.SecurityProfile]bool{idp.OIDC: true}
	var none map[idp.SecurityProfile]bool
	for _, tt := range []struct {
		name   string
		signer *jose.Signer
		typ    string
		change map[string]any
		want   map[idp.SecurityProfile]bool
	}{
		{"typ of RFC 10070", ed, "client-authentication+jwt", nil, all},
		{"typ JWT", ed, "JWT", nil, all},
		{"ES256", es, "JWT", nil, all},
		{"PS256", ps, "JWT", nil, all},
		{"RS256", rs, "JWT", nil, modern},
		{"iat 8 s ahead", ed, "JWT", map[string]any{"iat": now + 8, "nbf": now + 8}, all},
		{"no iat", ed, "JWT", map[string]any{"iat": nil}, all},
		{"5 minutes", ed, "JWT", map[string]any{"exp": now + 300}, all},
		{"unknown claims", ed, "JWT", map[string]any{"x": []int{1}}, all},
		{"aud a list of one", ed, "JWT", map[string]any{"aud": []string{issuer}}, old},
		{"aud the token endpoint", ed, "JWT", map[string]any{"aud": issuer + "/token"}, old},
		{"aud the token endpoint, a list", ed, "JWT", map[string]any{"aud": []string{issuer + "/token"}}, old},

		{"aud two", ed, "JWT", map[string]any{"aud": []string{issuer, "https://other.example"}}, none},
		{"aud twice", ed, "JWT", map[string]any{"aud": []string{issuer, issuer}}, none},
		{"aud issuer and token endpoint", ed, "JWT", map[string]any{"aud": []string{issuer, issuer + "/token"}}, none},
		{"aud the endpoint that is asked", ed, "JWT", map[string]any{"aud": issuer + "/revoke"}, none},
		{"aud the pushed request endpoint", ed, "JWT", map[string]any{"aud": issuer + "/par"}, none},
		{"aud with a slash", ed, "JWT", map[string]any{"aud": issuer + "/"}, none},
		{"aud another", ed, "JWT", map[string]any{"aud": "https://other.example"}, none},
		{"aud empty list", ed, "JWT", map[string]any{"aud": []string{}}, none},
		{"aud number", ed, "JWT", map[string]any{"aud": 1}, none},
		{"no aud", ed, "JWT", map[string]any{"aud": nil}, none},
		{"no iss", ed, "JWT", map[string]any{"iss": nil}, none},
		{"iss another client", ed, "JWT", map[string]any{"iss": "web"}, none},
		{"no sub", ed, "JWT", map[string]any{"sub": nil}, none},
		{"no jti", ed, "JWT", map[string]any{"jti": nil}, none},
		{"jti empty", ed, "JWT", map[string]any{"jti": ""}, none},
		{"jti long", ed, "JWT", map[string]any{"jti": strings.Repeat("j", 257)}, none},
		{"jti number", ed, "JWT", map[string]any{"jti": 7}, none},
		{"no exp", ed, "JWT", map[string]any{"exp": nil}, none},
		{"exp past", ed, "JWT", map[string]any{"exp": now - 31}, none},
		{"exp 5 minutes past", ed, "JWT", map[string]any{"exp": now - 300}, none},
		{"exp 6 minutes ahead", ed, "JWT", map[string]any{"exp": now + 360}, none},
		{"exp text", ed, "JWT", map[string]any{"exp": "2099"}, none},
		{"iat 61 s ahead", ed, "JWT", map[string]any{"iat": now + 61}, none},
		{"nbf 61 s ahead", ed, "JWT", map[string]any{"nbf": now + 61}, none},
		{"typ of an access token", ed, "at+jwt", nil, none},
		{"typ of a request object", ed, "oauth-authz-req+jwt", nil, none},
		{"typ dpop+jwt", ed, "dpop+jwt", nil, none},
		{"another's key of that name", stranger, "JWT", nil, none},
		{"a key that nobody knows", newSigner(t, jose.EdDSA, "new"), "JWT", nil, none},
	} {
		for p := range all {
			id := "signs-" + string(p)
			got := w.present(sign(t, tt.signer, tt.typ, w.assertion(id, tt.change)))
			if accepted := got.Code == 200; accepted != tt.want[p] || !accepted && got.json("error") != "invalid_client" {
				t.Errorf("%s, %s: %d %s", tt.name, p, got.Code, got.Body)
			}
		}
	}
	good := func(id string) string { return sign(t, ed, "JWT", w.assertion(id, nil)) }
	w.present(sign(t, es, "JWT", w.assertion("pinned", nil))).ok()
	w.present(good("pinned")).expect(401, "invalid_client")
	w.present(good("off")).expect(401, "invalid_client")
	w.present(good("nobody")).expect(401, "invalid_client")
	w.present(good("web")).expect(401, "invalid_client") // registered for Basic
	w.present(good("spa")).expect(401, "invalid_client")
	w.present(good("signs-oauth21"), "client_id", "signs-oauth21").ok()
	w.present(good("signs-oauth21"), "client_id", "web").expect(400, "invalid_request")
	w.present(good("signs-oauth21"), "client_secret", "x").expect(400, "invalid_request")
	w.send("POST", "/revoke", params("client_assertion", good("signs-oauth21"), "client_assertion_type", "urn:x", "token", "x")).expect(401, "invalid_client")
	w.send("POST", "/revoke", params("client_assertion", good("signs-oauth21"), "token", "x")).expect(401, "invalid_client")
	w.send("POST", "/revoke", params("client_assertion_type", jwtBearer, "token", "x")).expect(401, "invalid_client")
	w.send("POST", "/revoke", params("client_id", "signs-oauth21", "token", "x")).expect(401, "invalid_client") // the name alone is no proof
	// Most clients send no typ at all.
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	bare, err := jose.NewKey(jose.EdDSA, "bare", pub)
	w.must(err)
	set, err := json.Marshal(map[string]any{"keys": []any{bare}})
	w.must(err)
	w.signing("bare", idp.FAPI2, ed)
	w.alter("bare", func(c *idp.Client) { c.JWKS = set })
	for header, status := range map[string]int{
		`{"alg":"EdDSA","kid":"bare"}`: 200, `{"alg":"Ed25519","kid":"bare"}`: 200, `{"alg":"EdDSA"}`: 401, `{"alg":"none","kid":"bare"}`: 401,
		`{"alg":"HS256","kid":"bare"}`: 401, `{"alg":"EdDSA","kid":"bare","typ":null}`: 401, `{"alg":"EdDSA","kid":"bare","typ":"jwt"}`: 401,
		`{"alg":"EdDSA","kid":"bare","crit":["x"],"x":1}`: 401, `{"alg":"EdDSA","kid":"bare","kid":"bare"}`: 401,
	} {
		payload, err := json.Marshal(w.assertion("bare", nil))
		w.must(err)
		signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
		tok := signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(signed)))
		if got := w.present(tok); got.Code != status {
			t.Errorf("%s: %d %s", header, got.Code, got.Body)
		}
	}
	body := good("signs-oauth21")
	parts := strings.Split(body, ".")
	for name, bad := range map[string]string{
		"garbage": "x", "two parts": parts[0] + "." + parts[1], "no signature": parts[0] + "." + parts[1] + ".", "cut": body[:len(body)-4],
		"a claim twice": sign(t, ed, "JWT", `{"iss":"signs-oauth21","sub":"web","sub":"signs-oauth21","aud":"`+issuer+`","jti":"j","exp":99}`),
		"Sub":           sign(t, ed, "JWT", `{"iss":"signs-oauth21","Sub":"signs-oauth21","aud":"`+issuer+`","jti":"j","exp":99}`),
		"no object":     sign(t, ed, "JWT", `[]`), "long": body + strings.Repeat("A", 9000),
	} {
		if got := w.present(bad); got.Code != 401 || got.json("error") != "invalid_client" {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	w.present(body).ok() // what was refused was not used up
}

// CLI-01: no assertion counts twice, also not at another endpoint.
func TestClientAssertion_CLI01_Once(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ed := newSigner(t, jose.EdDSA, "ed")
	w.signing("signs", idp.OAuth21, ed)
	w.signing("twin", idp.OAuth21, ed)
	tok := sign(t, ed, "JWT", w.assertion("signs", map[string]any{"jti": "one"}))
	proof := params("client_assertion", tok, "client_assertion_type", jwtBearer)
	w.send("POST", "/token", with(proof, "grant_type", "client_credentials")).ok()
	w.send("POST", "/token", with(proof, "grant_type", "client_credentials")).expect(401, "invalid_client")
	w.send("POST", "/introspect", with(proof, "token", "x")).expect(401, "invalid_client")
	w.present(sign(t, ed, "client-authentication+jwt", w.assertion("signs", map[string]any{"jti": "one", "exp": w.clock().Unix() + 200}))).expect(401, "invalid_client")
	w.present(sign(t, ed, "JWT", w.assertion("twin", map[string]any{"jti": "one"}))).ok() // another client's
	w.restart()
	w.present(tok).expect(401, "invalid_client")
	w.pass(91 * time.Second)
	w.present(tok).expect(401, "invalid_client")
}

// STO-06: what was made before the server was restored, or before the client was disabled,
// is dead, although nobody remembers whether it was used.
func TestClientAssertion_STO06_BeforeARestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ed := newSigner(t, jose.EdDSA, "ed")
	w.signing("signs", idp.OAuth21, ed)
	before := sign(t, ed, "JWT", w.assertion("signs", nil))
	undated := sign(t, ed, "JWT", w.assertion("signs", map[string]any{"iat": nil}))
	// The client's clock is as far ahead as is forgiven.
	ahead := sign(t, ed, "JWT", w.assertion("signs", map[string]any{"iat": w.clock().Unix() + 29, "exp": w.clock().Unix() + 329}))
	aheadUndated := sign(t, ed, "JWT", w.assertion("signs", map[string]any{"iat": nil, "exp": w.clock().Unix() + 329}))
	_, err := w.db.BeginEpoch(t.Context(), system(), w.clock())
	w.must(err)
	w.present(before).expect(401, "invalid_client")
	w.present(undated).expect(401, "invalid_client")
	for range 6 {
		w.pass(10 * time.Second)
		w.present(before).expect(401, "invalid_client")
		w.present(ahead).expect(401, "invalid_client")
		w.present(aheadUndated).expect(401, "invalid_client")
	}
	w.present(sign(t, ed, "JWT", w.assertion("signs", nil))).ok()
}

// RFC 7591 §2: keys at an address of the client's, which is asked when a key is new.
func TestClientAssertion_RFC7591_2_JWKSURI(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	one, two := newSigner(t, jose.EdDSA, "1"), newSigner(t, jose.ES256, "2")
	published := keySet(t, one)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = rw.Write(published)
	}))
	t.Cleanup(s.Close)
	w := newWorld(t, func(c *oauth.Config) { c.Outbound = outbound.New(outbound.Config{Loopback: true, Now: c.Now}) })
	w.signing("signs", idp.OAuth21, one)
	w.alter("signs", func(c *idp.Client) { c.JWKS, c.JWKSURI = nil, s.URL+"/jwks" })
	w.present(sign(t, one, "JWT", w.assertion("signs", nil))).ok()
	mu.Lock()
	published = keySet(t, two)
	mu.Unlock()
	w.pass(15 * time.Second)
	w.present(sign(t, two, "JWT", w.assertion("signs", nil))).ok()
	w.present(sign(t, one, "JWT", w.assertion("signs", nil))).expect(401, "invalid_client")
	// CLI-05: in production the same address is not asked.
	strict := newWorld(t, func(c *oauth.Config) { c.Outbound = outbound.New(outbound.Config{Now: c.Now}) })
	strict.signing("signs", idp.OAuth21, one)
	strict.alter("signs", func(c *idp.Client) { c.JWKS, c.JWKSURI = nil, s.URL+"/jwks" })
	strict.present(sign(t, two, "JWT", strict.assertion("signs", nil))).expect(401, "invalid_client")
}

// CLI-03: whether there is such a client, and what was wrong, is not told.
func TestClientAssertion_CLI03_SameAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ed := newSigner(t, jose.EdDSA, "ed")
	w.signing("signs", idp.OAuth21, ed)
	var want string
	for name, tok := range map[string]string{
		"unknown client": sign(t, ed, "JWT", w.assertion("nobody", nil)),
		"wrong key":      sign(t, newSigner(t, jose.EdDSA, "ed"), "JWT", w.assertion("signs", nil)),
		"other aud":      sign(t, ed, "JWT", w.assertion("signs", map[string]any{"aud": "https://other.example"})),
		"other method":   sign(t, ed, "JWT", w.assertion("web", nil)),
	} {
		before := len(w.events())
		got := w.present(tok).expect(401, "invalid_client")
		if want == "" {
			want = got.Body.String()
		}
		if got.Body.String() != want || len(w.events()) != before+1 {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
}

func (w *world) events() []idp.Event {
	w.t.Helper()
	list, err := w.db.Events(w.t.Context(), "", 0, 1000)
	w.must(err)
	return list
}
