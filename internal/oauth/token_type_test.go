package oauth_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// jwtTypes are all that signet or its clients write into a header, and none.
var jwtTypes = []string{
	"", "JWT", "at+jwt", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "client-authentication+jwt", "revocations+jwt", "signet-bundle+jwt",
	"secevent+jwt", "token-introspection+jwt", "entity-statement+jwt", "jwt-proof", "jwt", "AT+JWT", "application/at+jwt",
}

// TOK-01: at each place a JWT that is right in everything, signed by the very key that is
// believed there, and only its type is another's. So nothing but the type refuses it.
func TestMatrix_TOK01_OnlyTheTypeDiffers(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	ring, err := m.keys.Signer(jose.EdDSA)
	m.must(err)
	ofServer := func(tok string) func(typ string) string {
		payload, err := json.Marshal(claims(t, tok))
		m.must(err)
		return func(typ string) string { return sign(t, ring, typ, string(payload)) }
	}
	ofClient := func(what func() map[string]any) func(typ string) string {
		return func(typ string) string { return m.signed(typ, what()) }
	}
	proofOf := func(url, access string) func(typ string) string {
		return func(typ string) string {
			c := map[string]any{"jti": secret.ID(), "htm": "POST", "htu": url, "iat": m.clock().Unix()}
			if access != "" {
				c["htm"], c["ath"] = "GET", s256(access)
			}
			payload, err := json.Marshal(c)
			m.must(err)
			tok, err := m.signer.SignEmbedded(typ, payload)
			m.must(err)
			return tok
		}
	}
	access, id := ofServer(m.access("scope", "openid profile")), ofServer(m.tokens().json("id_token"))
	served := ofServer(m.access("scope", "openid cal.read"))
	assertion := ofClient(func() map[string]any { return m.assertion("signs", nil) })
	object := ofClient(func() map[string]any { return m.inObject(askSigns(), nil) })
	pushed := ofClient(func() map[string]any { return m.inObject(ask("web"), nil) })
	type trial struct {
		made  func(typ string) string
		types []string // that are taken
	}
	trials := map[string]trial{
		"/userinfo Bearer":         {access, []string{"at+jwt"}},
		"/userinfo body":           {access, []string{"at+jwt"}},
		"/userinfo DPoP":           {ofServer(m.forIssuer), []string{"at+jwt"}},
		"/introspect token":        {access, []string{"at+jwt"}},
		"/revoke token":            {access, []string{"at+jwt"}},
		"service Bearer":           {served, []string{"at+jwt"}},
		"service DPoP":             {ofServer(m.forService), []string{"at+jwt"}},
		"/authorize id_token_hint": {id, []string{"JWT"}},
		"/par id_token_hint":       {id, []string{"JWT"}},
		"/logout id_token_hint":    {id, []string{"JWT"}},
		"app's ID token":           {id, []string{"JWT"}},
		"/authorize request":       {object, []string{"", "JWT", objectType}},
		"/par request":             {pushed, []string{"", "JWT", objectType}},
		"/token proof":             {proofOf(issuer+"/token", ""), []string{"dpop+jwt"}},
		"/par proof":               {proofOf(issuer+"/par", ""), []string{"dpop+jwt"}},
		"/userinfo proof":          {proofOf(issuer+"/userinfo", m.forIssuer), []string{"dpop+jwt"}},
		"service proof":            {proofOf(calendar+"/events", m.forService), []string{"dpop+jwt"}},
	}
	for _, name := range authPlaces("client_assertion") {
		trials[name] = trial{assertion, []string{"", "JWT", "client-authentication+jwt"}}
	}
	places := tokenPlaces()
	for _, name := range slices.Sorted(maps.Keys(trials)) {
		i := slices.IndexFunc(places, func(p place) bool { return p.name == name })
		if i < 0 {
			t.Fatalf("no place %q", name)
		}
		before := m.state()
		for _, typ := range jwtTypes {
			if slices.Contains(trials[name].types, typ) {
				continue
			}
			if got := places[i].use(m, trials[name].made(typ)); !slices.Contains(places[i].refusals, got) {
				t.Errorf("%s with type %q: %s, want %v", name, typ, got, places[i].refusals)
			}
		}
		if table := difference(before, m.state()); table != "" {
			t.Errorf("%s: refused, and changed %s", name, table)
		}
	}
	for _, p := range places { // in the order in which nothing ends too early
		for _, typ := range trials[p.name].types {
			if got := p.use(m, trials[p.name].made(typ)); got != accepted {
				t.Errorf("%s with type %q: %s", p.name, typ, got)
			}
		}
	}
}

// TOK-01: what a client signs as one thing is never the other, whichever of the types that
// both may have it says, and also where its content is made to look like both.
func TestMatrix_TOK01_AssertionsAndRequestObjects(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	assert := func(tok string) int {
		return m.send("POST", "/revoke", params("token", "x", "client_assertion", tok, "client_assertion_type", jwtBearer)).Code
	}
	ask := func(tok string) string {
		return m.shown(m.here.authorize(params("client_id", "signs", "request", tok)))
	}
	for _, typ := range []string{"", "JWT"} {
		proof := m.assertion("signs", nil)
		maps.Copy(proof, map[string]any{"client_id": "signs", "redirect_uri": "https://signs.example/cb", "response_type": "code", "scope": "openid"})
		maps.Copy(proof, map[string]any{"code_challenge": challenge, "code_challenge_method": "S256"})
		if got := ask(m.signed(typ, proof)); got != "page error" { // RFC 9101 §10.8: sub is the client
			t.Errorf("%q: assertion as request object: %s", typ, got)
		}
		object := m.inObject(askSigns(), map[string]any{"jti": secret.ID()})
		if got := assert(m.signed(typ, object)); got != 401 { // RFC 7523 §3: no sub
			t.Errorf("%q: request object as assertion: %d", typ, got)
		}
		object["sub"] = "signs"
		if got := ask(m.signed(typ, object)); got != "page error" {
			t.Errorf("%q: an object that could be an assertion: %s", typ, got)
		}
		delete(object, "sub")
		if got := ask(m.signed(typ, object)); got != accepted {
			t.Errorf("%q: the object as it should be: %s", typ, got)
		}
		if got := assert(m.signed(typ, m.assertion("signs", nil))); got != 200 {
			t.Errorf("%q: the assertion as it should be: %d", typ, got)
		}
	}
	// An ID token for a client that registered the server's keys as its own.
	m.alter("mirror", func(c *idp.Client) { c.Profile = idp.OIDC })
	id := m.here.code(mirrorAsks(), ann)
	ring, err := m.keys.Signer(jose.EdDSA)
	m.must(err)
	if got := assert(sign(t, ring, "JWT", m.assertion("mirror", nil))); got != 200 {
		t.Fatalf("the keys do not count: %d", got) // else the rest would prove nothing
	}
	tok := m.send("POST", "/token", params("grant_type", "authorization_code", "code", id, "redirect_uri", "https://mirror.example/cb",
		"code_verifier", verifier, "client_assertion_type", jwtBearer, "client_assertion", sign(t, ring, "JWT", m.assertion("mirror", nil)))).ok().json("id_token")
	for name, got := range map[string]int{"alone": assert(tok), "named": m.present(tok, "client_id", "mirror").Code} {
		if got != 401 && got != 400 {
			t.Errorf("ID token of who has our keys, %s: %d", name, got)
		}
	}
	if got := m.shown(m.here.authorize(with(mirrorAsks(), "request", tok))); got != "redirect invalid_request_object" {
		t.Errorf("ID token as request object: %s", got)
	}
}

func mirrorAsks() map[string][]string {
	return ask("mirror", "redirect_uri", "https://mirror.example/cb", "scope", "openid cal.read")
}
