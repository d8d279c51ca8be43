package oauth_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/verify/jose"
	"github.com/signet-id/signet/verify/verifytest"
)

// prove makes a proof for an endpoint at the world's time.
func (w *world) prove(key *verifytest.DPoPKey, method, path, token string, changes ...verifytest.Claims) string {
	w.t.Helper()
	first := verifytest.Claims{"iat": w.clock().Unix()}
	if token == "" {
		first["ath"] = nil
	}
	return key.Proof(method, issuer+path, token, "", append([]verifytest.Claims{first}, changes...)...)
}

// token sends a form to /token as a client, with what is given as headers DPoP.
func (w *world) token(client string, form map[string][]string, proofs ...string) answer {
	w.t.Helper()
	if _, confidential := secrets[client]; !confidential {
		form = with(form, "client_id", client)
	}
	r := newRequest(w.t, "POST", "/token", form)
	if _, confidential := secrets[client]; confidential {
		r.Header.Set("Authorization", basic(client))
	}
	for _, p := range proofs {
		r.Header.Add("DPoP", p)
	}
	return w.serve(r)
}

func codeForm(client, code string) map[string][]string {
	return params("grant_type", "authorization_code", "code", code, "redirect_uri", redirects[client], "code_verifier", verifier)
}

func refreshForm(token string) map[string][]string {
	return params("grant_type", "refresh_token", "refresh_token", token)
}

// boundFor gets tokens that are bound to a key.
func (w *world) boundFor(client string, key *verifytest.DPoPKey, pairs ...string) answer {
	w.t.Helper()
	b := w.signedIn(ann)
	return w.token(client, codeForm(client, b.code(ask(client, pairs...), ann)), w.prove(key, "POST", "/token", "")).ok()
}

// asDPoP asks /userinfo with a bound token.
func (w *world) asDPoP(access string, proofs ...string) answer {
	w.t.Helper()
	r := newRequest(w.t, "GET", "/userinfo", nil, "Authorization", "DPoP "+access)
	for _, p := range proofs {
		r.Header.Add("DPoP", p)
	}
	return w.serve(r)
}

// RFC 9449 §5, §6.1: the access token is bound to the key of the proof, and says so.
func TestToken_RFC9449_5_Bound(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	for _, client := range []string{"web", "spa"} {
		a := w.boundFor(client, key, "scope", "openid profile")
		want := map[string]any{"jkt": key.Thumbprint()}
		if got, _ := claims(t, a.json("access_token"))["cnf"].(map[string]any); a.json("token_type") != "DPoP" || !maps.Equal(got, want) {
			t.Errorf("%s: %s %v", client, a.json("token_type"), got)
		}
		if claims(t, a.json("id_token"))["cnf"] != nil {
			t.Error("the ID token is bound")
		}
		access := a.json("access_token")
		w.asDPoP(access, w.prove(key, "GET", "/userinfo", access)).ok()
	}
	robot := w.token("robot", params("grant_type", "client_credentials"), w.prove(key, "POST", "/token", "")).ok()
	if robot.json("token_type") != "DPoP" || claims(t, robot.json("access_token"))["cnf"] == nil {
		t.Errorf("client_credentials: %s", robot.Body)
	}
	plain := w.tokensFor("web", ann)
	if plain.json("token_type") != "Bearer" || claims(t, plain.json("access_token"))["cnf"] != nil {
		t.Errorf("without a proof: %s", plain.Body)
	}
}

// RFC 9449 §5.2: without a proof there are no tokens for a client that is registered so.
func TestToken_RFC9449_5_2_RequiredByClient(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	for _, client := range []string{"web", "spa"} {
		w.alter(client, func(c *idp.Client) { c.DPoPBound = true })
		b := w.signedIn(ann)
		code := b.code(ask(client), ann)
		w.token(client, codeForm(client, code)).expect(400, "invalid_dpop_proof")
		a := w.token(client, codeForm(client, code), w.prove(key, "POST", "/token", "")).ok()
		w.token(client, refreshForm(a.json("refresh_token"))).expect(400, "invalid_dpop_proof")
		w.token(client, refreshForm(a.json("refresh_token")), w.prove(key, "POST", "/token", "")).ok()
	}
	w.token("web", params("grant_type", "client_credentials")).expect(400, "invalid_dpop_proof")
}

// raw signs headers and payloads that no honest client makes.
type raw struct {
	private ed25519.PrivateKey
	jwk     string
}

func newRaw() raw {
	public, private, err := ed25519.GenerateKey(nil)
	check(err)
	return raw{private, `"kty":"OKP","crv":"Ed25519","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"`}
}

func (k raw) sign(head, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(head)) + "." + encode([]byte(payload))
	return signed + "." + encode(ed25519.Sign(k.private, []byte(signed)))
}

// rsaProof is what RS256 makes of a payload.
func rsaProof(t *testing.T, payload string, alg jose.Algorithm) string {
	t.Helper()
	s, err := jose.NewSigner(alg, "-", rsaKey())
	check(err)
	proof, err := s.SignEmbedded("dpop+jwt", []byte(payload))
	check(err)
	return proof
}

// defects are the changes of a proof that an honest client's could have, and whether it
// is still good (RFC 9449 §4.3).
func defects(now int64, path, otherPath string) map[string]struct {
	changes verifytest.Claims
	good    bool
} {
	type defect = struct {
		changes verifytest.Claims
		good    bool
	}
	url := issuer + path
	return map[string]defect{
		"as it is": {nil, true}, "10 s old": {verifytest.Claims{"iat": now - 10}, true}, "10 s ahead": {verifytest.Claims{"iat": now + 10}, true},
		"more claims":    {verifytest.Claims{"extra": map[string]any{"a": []int{1}}, "sub": "x"}, true},
		"nbf and exp":    {verifytest.Claims{"nbf": now, "exp": now + 30}, true},
		"htu with query": {verifytest.Claims{"htu": url + "?a=b"}, true}, "htu with fragment": {verifytest.Claims{"htu": url + "#f"}, true},
		"htu in capitals": {verifytest.Claims{"htu": "HTTPS://ID.EXAMPLE" + path}, true}, "htu with port": {verifytest.Claims{"htu": "https://id.example:443" + path}, true},
		"no jti": {verifytest.Claims{"jti": nil}, false}, "no htm": {verifytest.Claims{"htm": nil}, false},
		"no htu": {verifytest.Claims{"htu": nil}, false}, "no iat": {verifytest.Claims{"iat": nil}, false},
		"other method": {verifytest.Claims{"htm": "PUT"}, false}, "other endpoint": {verifytest.Claims{"htu": issuer + otherPath}, false},
		"longer path": {verifytest.Claims{"htu": url + "/"}, false}, "other host": {verifytest.Claims{"htu": "https://evil.example" + path}, false},
		"other scheme": {verifytest.Claims{"htu": "http://id.example" + path}, false}, "other port": {verifytest.Claims{"htu": "https://id.example:8443" + path}, false},
		"an hour old": {verifytest.Claims{"iat": now - 3600}, false}, "an hour ahead": {verifytest.Claims{"iat": now + 3600}, false},
		"61 s old": {verifytest.Claims{"iat": now - 61}, false}, "61 s ahead": {verifytest.Claims{"iat": now + 61}, false},
		"iat text": {verifytest.Claims{"iat": "1"}, false}, "exp over": {verifytest.Claims{"exp": now - 120}, false}, "nbf ahead": {verifytest.Claims{"nbf": now + 120}, false},
		"jti empty": {verifytest.Claims{"jti": ""}, false}, "jti number": {verifytest.Claims{"jti": 1}, false},
	}
}

// forms are headers DPoP that are no proofs, with one that is.
func forms(t *testing.T, k raw, payload string) map[string]struct {
	headers []string
	good    bool
} {
	t.Helper()
	type form = struct {
		headers []string
		good    bool
	}
	head := `{"typ":"dpop+jwt","alg":"EdDSA","jwk":{` + k.jwk + `}}`
	good := k.sign(head, payload)
	change := func(old, new string) string { return k.sign(strings.Replace(head, old, new, 1), payload) }
	return map[string]form{
		"as it is": {[]string{good}, true}, "Ed25519": {[]string{change(`"EdDSA"`, `"Ed25519"`)}, true},
		"two headers": {[]string{good, good}, false}, "two in one": {[]string{good + ", " + good}, false}, "empty": {[]string{""}, false},
		"malformed": {[]string{"x.y.z"}, false}, "no typ": {[]string{change(`"typ":"dpop+jwt",`, "")}, false},
		"typ JWT": {[]string{change("dpop+jwt", "JWT")}, false}, "typ at+jwt": {[]string{change("dpop+jwt", "at+jwt")}, false},
		"no alg": {[]string{change(`"alg":"EdDSA",`, "")}, false}, "alg none": {[]string{change(`"EdDSA"`, `"none"`)}, false},
		"none without a signature": {[]string{good[:strings.LastIndex(good, ".")+1]}, false},
		"alg HS256":                {[]string{change(`"EdDSA"`, `"HS256"`)}, false}, "RS256": {[]string{rsaProof(t, payload, jose.RS256)}, false},
		"no jwk": {[]string{change(`,"jwk":{`+k.jwk+`}`, "")}, false}, "private key": {[]string{change(`"kty"`, `"d":"AAAA","kty"`)}, false},
		"symmetric key": {[]string{change(k.jwk, `"kty":"oct","k":"AAAA"`)}, false}, "crit": {[]string{change(`{"typ"`, `{"crit":["b64"],"b64":false,"typ"`)}, false},
		"bad signature":     {[]string{good[:len(good)-12] + strings.Repeat("A", 12)}, false},
		"payload no object": {[]string{k.sign(head, `[]`)}, false}, "payload twice": {[]string{k.sign(head, `{"jti":"a",`+payload[1:])}, false},
	}
}

// TOK-14: every defect of a proof at the token endpoint (RFC 9449 §4.3, §5); a refused
// request costs the client nothing.
func TestToken_TOK14_EveryDefect(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	ask := func(name string, good bool, proofs ...string) {
		a := w.token("robot", params("grant_type", "client_credentials"), proofs...)
		if good && a.Code != 200 || !good && (a.Code != 400 || a.json("error") != "invalid_dpop_proof") {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
	now := w.clock().Unix()
	for name, d := range defects(now, "/token", "/par") {
		ask(name, d.good, w.prove(key, "POST", "/token", "", d.changes))
	}
	payload := func() string {
		doc, err := json.Marshal(map[string]any{"jti": rand.Text(), "htm": "POST", "htu": issuer + "/token", "iat": now})
		w.must(err)
		return string(doc)
	}
	k := newRaw()
	for name := range forms(t, k, payload()) {
		f := forms(t, k, payload())[name]
		ask(name, f.good, f.headers...)
	}
	ask("PS256", true, rsaProof(t, payload(), jose.PS256))
	ask("an access token", false, w.tokensFor("web", ann).json("access_token"))
	ask("an ath that nobody needs", true, w.prove(key, "POST", "/token", "", verifytest.Claims{"ath": "x"}))

	// A code survives a bad proof.
	b := w.signedIn(ann)
	code := b.code(usual("spa"), ann)
	w.token("spa", codeForm("spa", code), "x").expect(400, "invalid_dpop_proof")
	w.token("spa", codeForm("spa", code), w.prove(key, "POST", "/token", "")).ok()
}

// usual is ask where a test has an ask of its own.
func usual(client string) map[string][]string { return ask(client) }

// TOK-14: every defect of a proof, and of its fit to the token, at userinfo (RFC 9449 §7.1, §7.2).
func TestUserinfo_TOK14_EveryDefect(t *testing.T) {
	t.Parallel()
	w, key, thief := newWorld(t), verifytest.NewDPoPKey(t), verifytest.NewDPoPKey(t)
	access := w.boundFor("web", key, "scope", "openid").json("access_token")
	bearer := w.tokensFor("web", ann, "scope", "openid").json("access_token")
	look := func(name string, a answer, status int, code string) {
		challenge := strings.Join(a.Header().Values("WWW-Authenticate"), "\n")
		if a.Code != status || status != 200 && (!strings.Contains(challenge, `error="`+code+`"`) || a.json("error") != code) {
			t.Errorf("%s: %d %s %s", name, a.Code, challenge, a.Body)
		}
	}
	want := func(good bool) (int, string) {
		if good {
			return 200, ""
		}
		return 401, "invalid_dpop_proof"
	}
	now := w.clock().Unix()
	for name, d := range defects(now, "/userinfo", "/token") {
		status, code := want(d.good)
		look(name, w.asDPoP(access, w.prove(key, "GET", "/userinfo", access, d.changes)), status, code)
	}
	for name, changes := range map[string]verifytest.Claims{"no ath": {"ath": nil}, "wrong ath": {"ath": base64.RawURLEncoding.EncodeToString(make([]byte, 32))}} {
		look(name, w.asDPoP(access, w.prove(key, "GET", "/userinfo", access, changes)), 401, "invalid_dpop_proof")
	}
	k := newRaw()
	token2 := w.token("web", codeForm("web", w.signedIn(ann).code(ask("web", "scope", "openid"), ann)),
		k.sign(`{"typ":"dpop+jwt","alg":"EdDSA","jwk":{`+k.jwk+`}}`, `{"jti":"x","htm":"POST","htu":"`+issuer+`/token","iat":`+jsonNumber(now)+`}`)).ok().json("access_token")
	payload := func() string {
		doc, err := json.Marshal(map[string]any{"jti": rand.Text(), "htm": "GET", "htu": issuer + "/userinfo", "iat": now, "ath": s256(token2)})
		w.must(err)
		return string(doc)
	}
	for name := range forms(t, k, payload()) {
		f := forms(t, k, payload())[name]
		status, code := want(f.good)
		look(name, w.asDPoP(token2, f.headers...), status, code)
	}
	fresh := func() string { return w.prove(key, "GET", "/userinfo", access) }
	look("no proof", w.asDPoP(access), 401, "invalid_dpop_proof")
	look("another key", w.asDPoP(access, w.prove(thief, "GET", "/userinfo", access)), 401, "invalid_token")
	look("another's proof of another token", w.asDPoP(access, w.prove(key, "GET", "/userinfo", bearer)), 401, "invalid_dpop_proof")
	look("an unbound token", w.asDPoP(bearer, w.prove(key, "GET", "/userinfo", bearer)), 401, "invalid_token")
	look("a bound token as Bearer", w.userinfo(access), 401, "invalid_token")
	look("a bound token as Bearer, with a proof", w.send("GET", "/userinfo", nil, "Authorization", "Bearer "+access, "DPoP", fresh()), 400, "invalid_request")
	look("a bearer token with a proof", w.send("GET", "/userinfo", nil, "Authorization", "Bearer "+bearer, "DPoP", fresh()), 400, "invalid_request")
	look("a bound token in the form", w.send("POST", "/userinfo", params("access_token", access)), 401, "invalid_token")
	look("in the form, with a proof", w.send("POST", "/userinfo", params("access_token", access), "DPoP", fresh()), 400, "invalid_request")
	look("in both", w.send("POST", "/userinfo", params("access_token", access), "Authorization", "DPoP "+access, "DPoP", fresh()), 400, "invalid_request")
	look("two tokens", w.send("GET", "/userinfo", nil, "Authorization", "DPoP "+access, "Authorization", "DPoP "+access, "DPoP", fresh()), 400, "invalid_request")
	look("scheme in other letters", w.send("GET", "/userinfo", nil, "Authorization", "dpop "+access, "DPoP", fresh()), 200, "")
	look("POST", w.send("POST", "/userinfo", nil, "Authorization", "DPoP "+access, "DPoP", w.prove(key, "POST", "/userinfo", access)), 200, "")
	look("a proof for GET with POST", w.send("POST", "/userinfo", nil, "Authorization", "DPoP "+access, "DPoP", fresh()), 401, "invalid_dpop_proof")

	// Host and X-Forwarded-Host are whatever the sender likes.
	r := newRequest(t, "GET", "/userinfo", nil, "Authorization", "DPoP "+access, "X-Forwarded-Host", "evil.example",
		"DPoP", w.prove(key, "GET", "/userinfo", access, verifytest.Claims{"htu": "https://evil.example/userinfo"}))
	r.Host = "evil.example"
	look("for the host that the request names", w.serve(r), 401, "invalid_dpop_proof")
}

func jsonNumber(n int64) string {
	doc, err := json.Marshal(n)
	check(err)
	return string(doc)
}

// RFC 9449 §7.1, RFC 6750 §3: one challenge for each scheme, in lines of their own; what is wrong
// stands with the one that was used.
func TestUserinfo_RFC9449_7_1_Challenges(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	const realm, algs = ` realm="` + issuer + `"`, `, algs="ES256 EdDSA Ed25519 PS256"`
	access := w.boundFor("web", key, "scope", "openid").json("access_token")
	scopeless := w.boundFor("web", key, "scope", "profile").json("access_token")
	for name, tc := range map[string]struct {
		got  answer
		want []string
	}{
		"nothing":        {w.send("GET", "/userinfo", nil), []string{"Bearer" + realm, "DPoP" + realm + algs}},
		"other scheme":   {w.send("GET", "/userinfo", nil, "Authorization", basic("web")), []string{"Bearer" + realm, "DPoP" + realm + algs}},
		"bound, Bearer":  {w.userinfo(access), []string{"Bearer" + realm + `, error="invalid_token", error_description="the access token is not valid"`, "DPoP" + realm + algs}},
		"DPoP, no proof": {w.asDPoP(access), []string{"DPoP" + realm + `, error="invalid_dpop_proof", error_description="the DPoP proof is not valid: DPoP: not exactly one header"` + algs, "Bearer" + realm}},
		"scope": {w.asDPoP(scopeless, w.prove(key, "GET", "/userinfo", scopeless)),
			[]string{"DPoP" + realm + `, error="insufficient_scope", error_description="the scope openid is required", scope="openid"` + algs}},
	} {
		if got := tc.got.Header().Values("WWW-Authenticate"); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TOK-14: a proof works once, at each endpoint (RFC 9449 §11.1); who gets nothing uses nothing up.
func TestToken_TOK14_ProofWorksOnce(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	proof := w.prove(key, "POST", "/token", "")
	form := params("grant_type", "client_credentials")
	w.token("robot", with(form, "scope", "no-such"), proof).expect(400, "invalid_scope")
	w.token("robot", form, proof).ok()
	w.token("robot", form, proof).expect(400, "invalid_dpop_proof")
	w.restart()
	w.token("robot", form, proof).expect(400, "invalid_dpop_proof")
	w.token("robot", form, w.prove(key, "POST", "/token", "")).ok()

	access := w.boundFor("web", key, "scope", "openid").json("access_token")
	at := w.prove(key, "GET", "/userinfo", access)
	w.asDPoP(access, at).ok()
	if a := w.asDPoP(access, at); a.Code != 401 || a.json("error") != "invalid_dpop_proof" {
		t.Errorf("userinfo: %d %s", a.Code, a.Body)
	}
	// A code whose request was refused for a used proof is not used up.
	code := w.signedIn(ann).code(ask("spa"), ann)
	used := w.prove(key, "POST", "/token", "")
	w.token("spa", codeForm("spa", w.signedIn(ann).code(ask("spa"), ann)), used).ok()
	w.token("spa", codeForm("spa", code), used).expect(400, "invalid_dpop_proof")
	w.token("spa", codeForm("spa", code), w.prove(key, "POST", "/token", "")).ok()
}

// OAU-11, RFC 9449 §5: refresh tokens of public clients are bound to the key; of others to the client.
func TestToken_RFC9449_5_RefreshTokens(t *testing.T) {
	t.Parallel()
	w, key, thief := newWorld(t), verifytest.NewDPoPKey(t), verifytest.NewDPoPKey(t)
	by := func(k *verifytest.DPoPKey) string { return w.prove(k, "POST", "/token", "") }
	rt1 := w.boundFor("spa", key).json("refresh_token")
	w.token("spa", refreshForm(rt1)).expect(400, "invalid_grant")
	w.token("spa", refreshForm(rt1), by(thief)).expect(400, "invalid_grant")
	rt2 := w.token("spa", refreshForm(rt1), by(key)).ok().json("refresh_token")
	if rt2 == rt1 {
		t.Error("not rotated")
	}
	// The retry window is for the same key; a thief's try changes nothing.
	w.token("spa", refreshForm(rt1), by(thief)).expect(400, "invalid_grant")
	if again := w.token("spa", refreshForm(rt1), by(key)).ok(); again.json("refresh_token") != rt2 || again.json("token_type") != "DPoP" {
		t.Errorf("retry: %s", again.Body)
	}
	w.pass(31 * time.Second)
	w.token("spa", refreshForm(rt1), by(thief)).expect(400, "invalid_grant")
	rt3 := w.token("spa", refreshForm(rt2), by(key)).ok().json("refresh_token")
	w.pass(31 * time.Second)
	w.token("spa", refreshForm(rt1), by(key)).expect(400, "invalid_grant") // reuse
	w.token("spa", refreshForm(rt3), by(key)).expect(400, "invalid_grant")

	// A confidential client may change its key, but not within a retry.
	rt1 = w.boundFor("web", key).json("refresh_token")
	rt2 = w.token("web", refreshForm(rt1), by(thief)).ok().json("refresh_token")
	w.token("web", refreshForm(rt1), by(key)).expect(400, "invalid_grant")
	w.token("web", refreshForm(rt1)).expect(400, "invalid_grant")
	if got := w.token("web", refreshForm(rt1), by(thief)).ok().json("refresh_token"); got != rt2 {
		t.Error("a retry made a second branch")
	}
	if a := w.token("web", refreshForm(rt2)).ok(); a.json("token_type") != "Bearer" {
		t.Errorf("without a proof: %s", a.Body)
	}
}

// RFC 9449 §5: a family from before is bound by the first proof.
func TestToken_RFC9449_5_RefreshTokenIsBoundLater(t *testing.T) {
	t.Parallel()
	w, key, thief := newWorld(t), verifytest.NewDPoPKey(t), verifytest.NewDPoPKey(t)
	by := func(k *verifytest.DPoPKey) string { return w.prove(k, "POST", "/token", "") }
	rt1 := w.tokensFor("spa", ann).json("refresh_token")
	rt2 := w.token("spa", refreshForm(rt1), by(key)).ok().json("refresh_token")
	w.token("spa", refreshForm(rt2)).expect(400, "invalid_grant")
	w.token("spa", refreshForm(rt2), by(thief)).expect(400, "invalid_grant")
	w.token("spa", refreshForm(rt2), by(key)).ok()
}

// FAPI 2.0 §5.3.2.1: no rotation for clients that prove themselves and a key.
func TestToken_FAPI2_5_3_2_1_NoRotation(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	by := func() string { return w.prove(key, "POST", "/token", "") }
	old := w.boundFor("web", key).json("refresh_token")
	rt := w.token("web", refreshForm(old), by()).ok().json("refresh_token") // rotated: proofs are not required yet
	w.alter("web", func(c *idp.Client) { c.DPoPBound = true })
	for range 3 {
		w.pass(time.Minute)
		if a := w.token("web", refreshForm(rt), by()).ok(); a.json("refresh_token") != rt || a.json("access_token") == "" {
			t.Errorf("%s", a.Body)
		}
	}
	w.token("other", refreshForm(rt), by()).expect(400, "invalid_grant")
	w.token("web", refreshForm(old), by()).expect(400, "invalid_grant") // from before, and long ago: reuse
	w.token("web", refreshForm(rt), by()).expect(400, "invalid_grant")

	w.alter("spa", func(c *idp.Client) { c.DPoPBound = true }) // public: OAuth 2.1 §4.3.1
	rt = w.boundFor("spa", key).json("refresh_token")
	if a := w.token("spa", refreshForm(rt), by()).ok(); a.json("refresh_token") == rt {
		t.Error("a public client's is not rotated")
	}
}

// OAU-03, RFC 9449 §10: a code is for the key that the request named.
func TestToken_RFC9449_10_DPoPJKT(t *testing.T) {
	t.Parallel()
	w, key, thief := newWorld(t), verifytest.NewDPoPKey(t), verifytest.NewDPoPKey(t)
	b := w.signedIn(ann)
	code := b.code(ask("spa", "dpop_jkt", key.Thumbprint()), ann)
	w.token("spa", codeForm("spa", code)).expect(400, "invalid_grant")
	w.token("spa", codeForm("spa", code), w.prove(thief, "POST", "/token", "")).expect(400, "invalid_grant")
	a := w.token("spa", codeForm("spa", code), w.prove(key, "POST", "/token", "")).ok()
	if cnf, _ := claims(t, a.json("access_token"))["cnf"].(map[string]any); cnf["jkt"] != key.Thumbprint() {
		t.Errorf("cnf %v", cnf)
	}
	// Also through the pages, where the request is stored.
	anew := w.browser()
	code = anew.code(ask("spa", "dpop_jkt", key.Thumbprint(), "prompt", "login"), ann)
	w.token("spa", codeForm("spa", code), w.prove(thief, "POST", "/token", "")).expect(400, "invalid_grant")
	w.token("spa", codeForm("spa", code), w.prove(key, "POST", "/token", "")).ok()
	for name, jkt := range map[string]string{
		"short": "abc", "long": key.Thumbprint() + "A", "padded": key.Thumbprint() + "=", "not its one spelling": key.Thumbprint()[:42] + "_",
		"standard base64": strings.Repeat("+", 42) + "A", "line break": key.Thumbprint()[:20] + "\n" + key.Thumbprint()[20:],
	} {
		if got := b.authorize(ask("spa", "dpop_jkt", jkt)).query("error"); got != "invalid_request" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// RFC 9449 §10.1: a pushed request is bound by its proof, or by dpop_jkt, or by both alike.
func TestPAR_RFC9449_10_1_Key(t *testing.T) {
	t.Parallel()
	key, other := verifytest.NewDPoPKey(t).Thumbprint(), verifytest.NewDPoPKey(t).Thumbprint()
	for name, tc := range map[string]struct{ proven, named, want, code string }{
		"neither": {"", "", "", ""}, "proof": {key, "", key, ""}, "dpop_jkt": {"", key, key, ""}, "both": {key, key, key, ""},
		"two keys": {key, other, "", "invalid_dpop_proof"}, "no thumbprint": {key, "x", "", "invalid_request"},
	} {
		got, code := oauth.PushedKey(t.Context(), tc.proven, tc.named)
		if got != tc.want || code != tc.code {
			t.Errorf("%s: %q %q", name, got, code)
		}
	}
}

// RFC 9449 §8, §9, §11.3: profile fapi2 needs nonces; who needs none is not given one, for who was
// must use it. One that is sent all the same must be ours.
func TestNonce_RFC9449_8(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	form := params("grant_type", "client_credentials")
	withNonce := func(n string) string { return w.prove(key, "POST", "/token", "", verifytest.Claims{"nonce": n}) }
	if a := w.token("robot", form, w.prove(key, "POST", "/token", "")).ok(); a.Header().Get("DPoP-Nonce") != "" {
		t.Error("a nonce for who may do without")
	}
	if a := w.token("robot", form); a.Header().Get("DPoP-Nonce") != "" {
		t.Error("a nonce for who proves nothing")
	}
	bad := w.token("robot", form, withNonce("x")).expect(400, "use_dpop_nonce")
	if len(bad.Header().Values("DPoP-Nonce")) != 1 || bad.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%v", bad.Header())
	}
	nonce := bad.Header().Get("DPoP-Nonce")
	if strings.ContainsFunc(nonce, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) { // §8.1
		t.Errorf("nonce %q", nonce)
	}
	if a := w.token("robot", form, withNonce(nonce)).ok(); a.Header().Get("DPoP-Nonce") != "" {
		t.Error("a new one, though the newest was there")
	}
	w.restart() // or another node
	w.token("robot", form, withNonce(nonce)).ok()
	w.pass(time.Minute)
	w.token("robot", form, withNonce(nonce)).ok()
	w.pass(4 * time.Minute)
	late := w.token("robot", form, withNonce(nonce)).expect(400, "use_dpop_nonce")
	w.token("robot", form, withNonce(late.Header().Get("DPoP-Nonce"))).ok()

	// At userinfo, for a client that must have one.
	access := w.boundFor("web", key, "scope", "openid").json("access_token")
	w.asDPoP(access, w.prove(key, "GET", "/userinfo", access)).ok()
	w.alter("web", func(c *idp.Client) { c.Profile = idp.FAPI2 })
	a := w.asDPoP(access, w.prove(key, "GET", "/userinfo", access))
	challenge := a.Header().Values("WWW-Authenticate")
	if a.Code != 401 || a.Header().Get("DPoP-Nonce") == "" || !strings.HasPrefix(challenge[0], `DPoP realm="`+issuer+`", error="use_dpop_nonce"`) {
		t.Errorf("%d %v", a.Code, a.Header())
	}
	w.asDPoP(access, w.prove(key, "GET", "/userinfo", access, verifytest.Claims{"nonce": a.Header().Get("DPoP-Nonce")})).ok()
}

// RFC 9449 §8: profile fapi2 needs a nonce where clients authenticate, too; no other does.
func TestNonce_RFC9449_8_FAPI2AtClientEndpoints(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	ask := func(profile idp.SecurityProfile, nonce string) (*httptest.ResponseRecorder, string, error) {
		rec := httptest.NewRecorder()
		r := newRequest(t, "POST", "/par", params(), "DPoP", w.prove(key, "POST", "/par", "", verifytest.Claims{"nonce": nonce, "ath": nil}))
		if nonce == "" {
			r.Header.Set("DPoP", w.prove(key, "POST", "/par", ""))
		}
		jkt, err := w.endpoints.ProofOfClient(rec, r, "/par", idp.Client{ID: "c", ClientMetadata: idp.ClientMetadata{Profile: profile}}, w.clock())
		return rec, jkt, err
	}
	for _, profile := range []idp.SecurityProfile{idp.OAuth21, idp.OIDC} {
		if rec, jkt, err := ask(profile, ""); err != nil || jkt != key.Thumbprint() || rec.Header().Get("DPoP-Nonce") != "" {
			t.Errorf("%s: %v", profile, err)
		}
	}
	rec, _, err := ask(idp.FAPI2, "")
	if err == nil || !strings.Contains(err.Error(), "use_dpop_nonce") || rec.Header().Get("DPoP-Nonce") == "" {
		t.Fatal(err)
	}
	if _, jkt, err := ask(idp.FAPI2, rec.Header().Get("DPoP-Nonce")); err != nil || jkt != key.Thumbprint() {
		t.Error(err)
	}
}

// RFC 9449 §5: scripts of a client's origin can send proofs and read nonces.
func TestCORS_RFC9449_Headers(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	origin := []string{"Origin", "https://spa.example"}
	for _, path := range []string{"/token", "/userinfo"} {
		a := w.send("OPTIONS", path, nil, append(origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "dpop")...)
		if !strings.Contains(a.Header().Get("Access-Control-Allow-Headers"), "DPoP") {
			t.Errorf("%s: %v", path, a.Header())
		}
	}
	proof := w.prove(key, "POST", "/token", "", verifytest.Claims{"nonce": "x"})
	a := w.send("POST", "/token", with(refreshForm("x"), "client_id", "spa"), append(origin, "DPoP", proof)...).expect(400, "use_dpop_nonce")
	if exposed := a.Header().Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "DPoP-Nonce") || !strings.Contains(exposed, "WWW-Authenticate") {
		t.Errorf("%q", exposed)
	}
}

// TOK-14: a store that cannot tell whether a proof was used refuses, and says nothing of itself.
func TestToken_TOK14_StoreFailsClosed(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t, func(c *oauth.Config) { c.Store = noUse{c.Store} }), verifytest.NewDPoPKey(t)
	a := w.token("robot", params("grant_type", "client_credentials"), w.prove(key, "POST", "/token", "")).expect(429, "temporarily_unavailable")
	if strings.Contains(a.Body.String(), "access_token") || strings.Contains(a.Body.String(), "quota") || a.Header().Get("Retry-After") == "" {
		t.Errorf("%v %s", a.Header(), a.Body)
	}
	w.token("robot", params("grant_type", "client_credentials")).ok()
}

// RFC 7009 §2.1: a bound token is revoked without a proof: its client has proven itself.
func TestRevoke_RFC9449_BoundToken(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	access := w.boundFor("web", key, "scope", "openid").json("access_token")
	w.asDPoP(access, w.prove(key, "GET", "/userinfo", access)).ok()
	w.as("web", "/revoke", params("token", access)).ok()
	if a := w.asDPoP(access, w.prove(key, "GET", "/userinfo", access)); a.Code != http.StatusUnauthorized || a.json("error") != "invalid_token" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}

// noUse is a store whose quota of used ids is full.
type noUse struct{ oauth.Store }

func (noUse) UseOnce(context.Context, string, [32]byte, time.Time, time.Time) error {
	return fmt.Errorf("quota of app: %w", idp.ErrLimited)
}

func TestNew_NeedsANonceKey(t *testing.T) {
	t.Parallel()
	if _, err := oauth.New(oauth.Config{Issuer: issuer}); err == nil {
		t.Error("nonces of a key that everybody knows")
	}
}
