package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/internal/secret"
)

// kind is one sort of token or secret that signet makes or takes.
type kind struct {
	name string
	make func(*matrix) string
	at   []string // the places that take it
	// nowhere says why there is no such place.
	nowhere string
	// once: a place that takes it uses it up, and the next is given another.
	once bool
}

// tokenKinds is every one of them. The whole of the expectation is in the column "at".
var tokenKinds = []kind{
	{name: "access token for the issuer", make: func(m *matrix) string { return m.access("scope", "openid profile") },
		at: []string{"/userinfo Bearer", "/userinfo body", "/introspect token", "/revoke token"}},
	{name: "access token for a service", make: func(m *matrix) string { return m.access("scope", "openid cal.read") },
		at: []string{"/introspect token", "/revoke token", "service Bearer"}},
	{name: "bound access token for the issuer", make: func(m *matrix) string { return m.boundTo("web", "scope", "openid profile").json("access_token") },
		at: []string{"/userinfo DPoP", "/introspect token", "/revoke token"}},
	{name: "bound access token for a service", make: func(m *matrix) string { return m.boundTo("web", "scope", "openid cal.read").json("access_token") },
		at: []string{"/introspect token", "/revoke token", "service DPoP"}},
	{name: "client's own access token", make: func(m *matrix) string {
		return m.as("web", "/token", params("grant_type", "client_credentials", "scope", "cal.read")).ok().json("access_token")
	}, at: []string{"/introspect token", "/revoke token", "service Bearer"}},
	{name: "ID token", make: func(m *matrix) string { return m.tokens().json("id_token") },
		at: []string{"/authorize id_token_hint", "/par id_token_hint", "/logout id_token_hint", "app's ID token"}},
	{name: "refresh token that rotates", make: func(m *matrix) string { return m.tokens().json("refresh_token") },
		at: []string{"/introspect token", "/token refresh_token", "/revoke token"}, once: true},
	{name: "refresh token that stays", make: func(m *matrix) string { return m.boundTo("own").json("refresh_token") },
		at: []string{"/token refresh_token that stays"}},
	{name: "refresh token of a key", make: func(m *matrix) string { return m.boundTo("spa").json("refresh_token") },
		at: []string{"/token refresh_token of a key"}},
	{name: "code", make: func(m *matrix) string { return m.here.code(ask("web"), ann) }, at: []string{"/token code"}},
	{name: "code_verifier", make: func(*matrix) string { return verifier }, at: []string{"/token code_verifier"}},
	{name: "request_uri", make: func(m *matrix) string { return m.push("web", ask("web")) }, at: []string{"/authorize request_uri"}},
	{name: "request_uri without its prefix", make: func(m *matrix) string { return strings.TrimPrefix(m.push("web", ask("web")), urn) },
		nowhere: "it is half of one"},
	{name: "device code", make: func(m *matrix) string {
		e := m.enter("tv")
		e.allow(ann)
		return e.code()
	}, at: []string{"/token device_code"}},
	{name: "user code", make: func(m *matrix) string { return m.device("tv").ok().json("user_code") }, at: []string{"/device user_code"}},

	{name: "client secret for Basic", make: func(*matrix) string { return secrets["web"] }, at: authPlaces("client_secret_basic")},
	{name: "client secret for a form", make: func(*matrix) string { return secrets["legacy"] }, at: authPlaces("client_secret_post")},
	{name: "client assertion", make: func(m *matrix) string { return m.signed("client-authentication+jwt", m.assertion("signs", nil)) },
		at: authPlaces("client_assertion"), once: true},
	{name: "client assertion of type JWT", make: func(m *matrix) string { return m.signed("JWT", m.assertion("signs", nil)) },
		at: authPlaces("client_assertion"), once: true},
	{name: "client assertion without a type", make: func(m *matrix) string { return m.signed("", m.assertion("signs", nil)) },
		at: authPlaces("client_assertion"), once: true},
	{name: "request object", make: func(m *matrix) string { return m.signed(objectType, m.inObject(askSigns(), nil)) }, at: []string{"/authorize request"}},
	{name: "request object of type JWT", make: func(m *matrix) string { return m.signed("JWT", m.inObject(askSigns(), nil)) }, at: []string{"/authorize request"}},
	{name: "request object without a type", make: func(m *matrix) string { return m.signed("", m.inObject(askSigns(), nil)) }, at: []string{"/authorize request"}},
	{name: "request object of another client", make: func(m *matrix) string { return m.signed(objectType, m.inObject(ask("web"), nil)) }, at: []string{"/par request"}},
	{name: "proof for /token", make: func(m *matrix) string { return m.proof("POST", issuer+"/token", "", nil) }, at: []string{"/token proof"}},
	{name: "proof for /par", make: func(m *matrix) string { return m.proof("POST", issuer+"/par", "", nil) }, at: []string{"/par proof"}},
	{name: "proof for /userinfo", make: func(m *matrix) string { return m.proof("GET", issuer+"/userinfo", m.forIssuer, nil) }, at: []string{"/userinfo proof"}},
	{name: "proof for a service", make: func(m *matrix) string { return m.proof("GET", calendar+"/events", m.forService, nil) }, at: []string{"service proof"}},
	{name: "nonce for proofs", make: func(m *matrix) string {
		a := m.token("web", params("grant_type", "client_credentials", "scope", "cal.read"), m.proof("POST", issuer+"/token", "", map[string]any{"nonce": "x"}))
		return a.Header().Get("DPoP-Nonce")
	}, at: []string{"/token proof's nonce"}},

	{name: "logout token", make: func(m *matrix) string {
		tok, err := m.w.tokens.Logout(idp.Client{ID: "web"}, ann, m.here.session().ID, m.clock())
		m.must(err)
		return tok
	}, nowhere: "signet sends them and takes none"},
	{name: "signed userinfo", make: func(m *matrix) string {
		m.alter("web", func(c *idp.Client) { c.UserinfoAlg = "RS256" })
		defer m.alter("web", func(c *idp.Client) { c.UserinfoAlg = "" })
		return m.userinfo(m.access("scope", "openid profile")).ok().Body.String()
	}, nowhere: "it is an answer"},
	{name: "batch of revocations", make: (*matrix).batch, nowhere: "verifiers follow the feed; their own tests have the place"},
	{name: "bundle", make: func(m *matrix) string {
		b, err := m.hub.Bundle(m.t.Context(), m.keys.Keys(), time.Hour)
		m.must(err)
		return b.Token
	}, nowhere: "verifiers read it from a file; their own tests have the place"},

	{name: "initial access token", make: func(m *matrix) string { return m.invitation }, at: []string{"/register"}},
	{name: "registration access token", make: func(m *matrix) string { return m.registered[0].token },
		at: []string{"GET /register/{client}", "PUT /register/{client}", "DELETE /register/{client}"}},
	{name: "registration access token of another client", make: func(m *matrix) string { return m.registered[1].token },
		at: []string{"GET /register/{client} of the other"}},
	{name: "session cookie", make: func(m *matrix) string { return m.here.cookies["__Host-signet"] }, at: []string{"session cookie"}},
	{name: "flow cookie", make: func(m *matrix) string { return m.here.cookies["__Host-signet-flow"] }, at: []string{"flow cookie"}},
	{name: "id of a flow", make: func(m *matrix) string { return m.flow }, at: []string{"flow"}},
	{name: "anti-CSRF value", make: func(m *matrix) string { return m.leaving.csrf() }, at: []string{"/logout csrf"}},
}

// authPlaces are the places of client authentication by a method: one at each endpoint
// where clients prove themselves.
func authPlaces(method string) []string {
	names := make([]string, len(authenticating))
	for i, e := range authenticating {
		names[i] = e.path + " " + method
	}
	return names
}

// opaque adds a value of every prefix: one that nobody made, and those with the very bits
// of a code and of a refresh token.
func (m *matrix) opaque(values map[string]string) {
	for _, p := range []secret.Prefix{
		secret.Access, secret.Refresh, secret.Code, secret.Personal, secret.ServiceKey, secret.ClientSecret, secret.Device, secret.Invitation,
		secret.Pushed, secret.Management, secret.Session, secret.Flow,
	} {
		values[string(p)+" of nobody"] = secret.New(p).Reveal()
		values[string(p)+" of nobody as request_uri"] = urn + secret.New(p).Reveal()
		for _, other := range []string{"code", "device code", "refresh token that rotates", "initial access token", "registration access token", "session cookie", "flow cookie"} {
			real := values[other]
			_, bits, err := secret.Parse(secret.Prefix(real[:4]), real)
			m.must(err)
			if twin := secret.FromBytes(p, bits).Reveal(); twin != real {
				values[string(p)+" with the bits of a "+other] = twin
			}
		}
	}
}

// signed signs with the one key of the clients signs and web, so that nothing but its
// content keeps what they sign apart.
func (m *matrix) signed(typ string, claims map[string]any) string {
	return sign(m.t, m.signer, typ, claims)
}

// proof is a proof by the same key.
func (m *matrix) proof(method, url, access string, change map[string]any) string {
	m.t.Helper()
	c := map[string]any{"jti": secret.ID(), "htm": method, "htu": url, "iat": m.clock().Unix()}
	if access != "" {
		c["ath"] = s256(access)
	}
	for name, value := range change {
		c[name] = value
	}
	payload, err := json.Marshal(c)
	m.must(err)
	tok, err := m.signer.SignEmbedded("dpop+jwt", payload)
	m.must(err)
	return tok
}

// tokens are those of a new grant of the person here.
func (m *matrix) tokens(pairs ...string) answer {
	m.t.Helper()
	return m.redeem("web", m.here.code(ask("web", pairs...), ann)).ok()
}

func (m *matrix) access(pairs ...string) string { return m.tokens(pairs...).json("access_token") }

// boundTo are tokens of a client that are bound to its key.
func (m *matrix) boundTo(client string, pairs ...string) answer {
	m.t.Helper()
	return m.token(client, codeForm(client, m.here.code(ask(client, pairs...), ann)), m.proof("POST", issuer+"/token", "", nil)).ok()
}

// batch is the first one of the feed.
func (m *matrix) batch() (tok string) {
	m.t.Helper()
	ctx, stop := context.WithTimeout(m.t.Context(), 10*time.Second)
	defer stop()
	ended := make(chan error)
	go func() { ended <- m.hub.Run(ctx) }()
	defer func() {
		stop()
		<-ended
	}()
	done := errors.New("seen")
	err := m.hub.Follow(ctx, "", 0, func(e *revocation.Event) error {
		tok = e.Token
		return done
	})
	if !errors.Is(err, done) {
		m.t.Fatal("no batch: ", err)
	}
	return tok
}

// askSigns is a request of the client signs.
func askSigns() url.Values {
	return ask("signs", "redirect_uri", "https://signs.example/cb", "scope", "openid cal.read")
}

// registration is a client that registered itself.
type registration struct{ id, token string }

func (m *matrix) register() registration {
	m.t.Helper()
	made := m.sendJSON("POST", "/register", plainBody, bearer(m.invitation)...).created()
	return registration{fmt.Sprint(made["client_id"]), fmt.Sprint(made["registration_access_token"])}
}
