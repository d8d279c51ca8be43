package oauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/oauth"
)

// mcpClient does what clients of the Model Context Protocol do (revision 2026-07-28): it
// knows a resource and an issuer, and nothing else. It stops where such a client must.
type mcpClient struct {
	w        *world
	metadata struct {
		AuthorizationEndpoint, TokenEndpoint, RegistrationEndpoint string
		TokenEndpointAuthMethods                                   []string
		Documents                                                  bool
	}
	id, secret, redirect string
}

func (w *world) mcp() *mcpClient {
	w.t.Helper()
	c := &mcpClient{w: w, redirect: "http://localhost:3334/oauth/callback"}
	var m struct {
		Issuer    string   `json:"issuer"`
		Authorize string   `json:"authorization_endpoint"`
		Token     string   `json:"token_endpoint"`
		Register  string   `json:"registration_endpoint"`
		Methods   []string `json:"code_challenge_methods_supported"`
		Auth      []string `json:"token_endpoint_auth_methods_supported"`
		Responses []string `json:"response_types_supported"`
		Iss       bool     `json:"authorization_response_iss_parameter_supported"`
		Documents bool     `json:"client_id_metadata_document_supported"`
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
		if err := json.Unmarshal(w.send("GET", path, nil).ok().Body.Bytes(), &m); err != nil {
			w.t.Fatal(err)
		}
		if m.Issuer != issuer || !slices.Contains(m.Methods, "S256") || !slices.Contains(m.Responses, "code") || !m.Iss {
			w.t.Fatalf("%s: a client would stop here: %+v", path, m)
		}
	}
	c.metadata.AuthorizationEndpoint, c.metadata.TokenEndpoint, c.metadata.RegistrationEndpoint = m.Authorize, m.Token, m.Register
	c.metadata.TokenEndpointAuthMethods, c.metadata.Documents = m.Auth, m.Documents
	return c
}

// register without any token; the secret's method is the one that is advertised first.
func (c *mcpClient) register(body string) {
	c.w.t.Helper()
	got := c.w.sendJSON("POST", strings.TrimPrefix(c.metadata.RegistrationEndpoint, issuer), body).created()
	if uris, ok := got["redirect_uris"].([]any); !ok || len(uris) != 1 || uris[0] != c.redirect {
		c.w.t.Fatalf("redirect_uris: %v", got["redirect_uris"])
	}
	for name, v := range got { // what is no URL must be absent, not ""
		if v == "" || v == nil {
			c.w.t.Errorf("%s is empty", name)
		}
	}
	c.id = fmt.Sprint(got["client_id"])
	if s, there := got["client_secret"]; there {
		c.secret = fmt.Sprint(s)
	}
}

// connect runs a login and returns the answer of the token endpoint.
func (c *mcpClient) connect(user string) answer {
	c.w.t.Helper()
	form := params("response_type", "code", "client_id", c.id, "redirect_uri", c.redirect, "code_challenge", challenge, "code_challenge_method", "S256",
		"state", "s-1", "scope", "cal.read offline_access", "prompt", "consent", "resource", calendar)
	b := c.w.browser()
	a := b.through(b.get(strings.TrimPrefix(c.metadata.AuthorizationEndpoint, issuer)+"?"+form.Encode()), user)
	back := a.location()
	if !strings.HasPrefix(back.String(), c.redirect+"?") || a.query("iss") != issuer || a.query("state") != "s-1" || a.query("code") == "" {
		c.w.t.Fatalf("%d %s", a.Code, back)
	}
	return c.token("grant_type", "authorization_code", "code", a.query("code"), "code_verifier", verifier, "redirect_uri", c.redirect)
}

func (c *mcpClient) token(pairs ...string) answer {
	c.w.t.Helper()
	form := params(append(pairs, "resource", calendar)...)
	var headers []string
	if c.secret != "" {
		headers = []string{"Authorization", basicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))}
	} else {
		form.Set("client_id", c.id)
	}
	return c.w.send("POST", strings.TrimPrefix(c.metadata.TokenEndpoint, issuer), form, headers...)
}

func (c *mcpClient) works(a answer) string {
	c.w.t.Helper()
	access := claims(c.w.t, a.ok().json("access_token"))
	if access["aud"] != calendar || access["client_id"] != c.id || access["scope"] != "cal.read" || a.json("token_type") != "Bearer" || a.json("expires_in") == "" {
		c.w.t.Errorf("%v %s", access, a.Body)
	}
	return a.json("refresh_token")
}

// refreshes: rotation, for public clients above all.
func (c *mcpClient) refreshes(token string) {
	c.w.t.Helper()
	for range 3 {
		c.w.pass(time.Minute)
		next := c.works(c.token("grant_type", "refresh_token", "refresh_token", token))
		if next == "" || next == token {
			c.w.t.Fatalf("not rotated: %q", next)
		}
		token = next
	}
}

func TestMCP_Registration(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"public": `{"redirect_uris":["http://localhost:3334/oauth/callback"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],
			"response_types":["code"],"client_name":"MCP CLI","client_uri":"https://github.example/mcp","application_type":"native","scope":"cal.read offline_access"}`,
		"confidential, of an older SDK": `{"redirect_uris":["http://localhost:3334/oauth/callback"],"token_endpoint_auth_method":"client_secret_basic",
			"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"client_name":"MCP CLI"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openWorld(t).mcp()
			c.register(body)
			c.refreshes(c.works(c.connect(ann)))
			// A client that is gone is told so, in the way that makes it register anew.
			c.w.must(c.w.db.DeleteClient(t.Context(), system(), c.id, c.w.clock()))
			c.token("grant_type", "refresh_token", "refresh_token", "x").expect(http.StatusUnauthorized, "invalid_client")
			c.secret = ""
			c.register(body)
			c.works(c.connect(ann))
		})
	}
}

func TestMCP_Document(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	p.set(func(p *publisher) {
		p.body = `{"client_id":"$ID","client_name":"MCP CLI","client_uri":"https://github.example/mcp","redirect_uris":["http://localhost/oauth/callback"],
			"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none"}`
	})
	w := documentWorld(t)
	c := w.mcp()
	if !c.metadata.Documents || !slices.Contains(c.metadata.TokenEndpointAuthMethods, "none") || c.metadata.RegistrationEndpoint != "" {
		t.Fatalf("%+v", c.metadata)
	}
	c.id = p.URL + "/oauth/client.json"
	first := c.works(c.connect(ann))
	c.refreshes(first)
	// While its host is away, what was connected goes on; nothing new begins.
	p.set(func(p *publisher) { p.status = 500 })
	w.pass(24 * time.Hour)
	if a := w.askAs(c.id, "redirect_uri", c.redirect); a.Code != http.StatusBadRequest {
		t.Errorf("%d", a.Code)
	}
	w.pass(10 * time.Second)
	p.set(func(p *publisher) { p.status = 200 })
	again := c.works(c.connect(ann))
	p.set(func(p *publisher) { p.status = 500 })
	w.pass(24 * time.Hour)
	if a := w.askAs(c.id, "redirect_uri", c.redirect); a.Code != http.StatusBadRequest {
		t.Errorf("%d", a.Code)
	}
	c.refreshes(again)
}

// A client whose document may be fetched need not be known before it asks for tokens, and
// one that nobody can fetch is no client (401, so that it starts anew).
func TestMCP_UnknownDocument(t *testing.T) {
	t.Parallel()
	p, w := newPublisher(t), documentWorld(t)
	c := w.mcp()
	c.id = p.URL + "/client.json"
	c.token("grant_type", "refresh_token", "refresh_token", "x").expect(http.StatusBadRequest, "invalid_grant")
	p.set(func(p *publisher) { p.status = 404 })
	c.id = p.URL + "/gone.json"
	c.token("grant_type", "refresh_token", "refresh_token", "x").expect(http.StatusUnauthorized, "invalid_client")
	w = newWorld(t, func(c *oauth.Config) { c.Documents.On = false })
	c = w.mcp()
	c.id = p.URL + "/client.json"
	c.token("grant_type", "refresh_token", "refresh_token", "x").expect(http.StatusUnauthorized, "invalid_client")
}
