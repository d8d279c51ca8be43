package server_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
	"github.com/signet-id/signet/verify/jose"
)

// party is a relying party with a back-channel logout endpoint.
type party struct {
	*httptest.Server
	keys func() *jose.KeySet

	mu   sync.Mutex
	told []map[string]any // claims of logout tokens
	bad  []string
}

func newParty(t *testing.T, issuer string) *party {
	t.Helper()
	p := &party{keys: func() *jose.KeySet { return fetchKeys(t, issuer) }}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func fetchKeys(t *testing.T, issuer string) *jose.KeySet {
	answer, err := http.Get(issuer + "/jwks.json")
	if err != nil {
		t.Error(err)
		return &jose.KeySet{}
	}
	defer answer.Body.Close()
	var set json.RawMessage
	if err := json.NewDecoder(answer.Body).Decode(&set); err != nil {
		t.Error(err)
	}
	keys, err := jose.ParseKeySet(set)
	if err != nil {
		t.Error(err)
	}
	return keys
}

func (p *party) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tok := r.PostFormValue("logout_token")
	payload, _, err := p.keys().Verify(tok, "logout+jwt")
	p.mu.Lock()
	defer p.mu.Unlock()
	var claims map[string]any
	if err != nil || len(r.PostForm) != 1 || json.Unmarshal(payload, &claims) != nil {
		p.bad = append(p.bad, r.PostForm.Encode())
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.told = append(p.told, claims)
}

func (p *party) heard() []map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told)
}

// claimsOf reads a token without believing it.
func claimsOf(t *testing.T, tok string) (c struct{ Sub, Sid string }) {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(tok, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// code asks for a code at this browser's login; empty if nobody is signed in.
func (b *browser) code(clientID, scope string) string {
	b.t.Helper()
	answer, page := b.do("GET", b.s.url+"/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirect}, "scope": {scope}, "prompt": {"none"},
	}.Encode(), nil)
	at, err := answer.Location()
	if err != nil {
		b.t.Fatalf("authorize: %s: %s", answer.Status, page)
	}
	return at.Query().Get("code")
}

// TestServer_OAU20_ClientsAreTold: whatever ends a login, every artefact of it is refused
// afterwards, and its client is told over the back channel, with the name of this login.
func TestServer_OAU20_ClientsAreTold(t *testing.T) {
	t.Parallel()
	s := start(t, true, nil)
	clientSecret := s.seed(t)
	rp := newParty(t, s.url)
	seedClient(t, s, clientSecret, func(c *idp.Client) { c.BackchannelLogoutURI = rp.URL + "/logout" })
	current := password
	form := func(b *browser, path string, fields ...string) {
		_, page := b.do("GET", b.s.url+path, nil)
		values := url.Values{"csrf": {csrfField.FindStringSubmatch(page)[1]}}
		for i := 0; i < len(fields); i += 2 {
			values.Set(fields[i], fields[i+1])
		}
		b.do("POST", b.s.url+path, values)
	}
	for _, event := range []struct {
		name string
		end  func(b *browser, sid, idToken string)
		now  bool // told before the answer
	}{
		{"RP-initiated", func(b *browser, _, idToken string) {
			b.do("GET", s.url+"/logout?id_token_hint="+idToken, nil)
		}, true},
		{"account", func(b *browser, sid, _ string) { form(b, "/account/sessions", "action", "end", "session", sid) }, true},
		{"operator", func(_ *browser, sid, _ string) { s.admin(t, "DELETE", "/users/ann/sessions/"+sid) }, false},
		{"operator, all", func(*browser, string, string) { s.admin(t, "DELETE", "/users/ann/sessions") }, false},
		{"password", func(b *browser, _, _ string) {
			form(b, "/account/password", "old_password", current, "new_password", password+"2", "new_password_again", password+"2")
			current = password + "2"
		}, false},
		{"disabled", func(*browser, string, string) { s.admin(t, "POST", "/users/ann/disable") }, false},
		{"deleted", func(*browser, string, string) {
			s.admin(t, "DELETE", "/users/ann")
		}, false},
	} {
		if event.name == "deleted" {
			s.admin(t, "POST", "/users/ann/enable")
		}
		b := &browser{t: t, s: s, cookies: map[string]string{}}
		b.login(current)
		tokens := b.token(clientSecret.Reveal(), url.Values{
			"grant_type": {"authorization_code"}, "code": {b.code("app", "openid")}, "redirect_uri": {redirect},
		})
		second := b.code("app", "openid") // not redeemed
		login := claimsOf(t, tokens["id_token"])
		if login.Sid == "" || s.userinfo(t, tokens["access_token"]) != 200 {
			t.Fatalf("%s: no login: %v", event.name, tokens)
		}
		before, old := len(rp.heard()), maps.Clone(b.cookies) // a new password brings a new login
		event.end(b, login.Sid, tokens["id_token"])
		if event.now && len(rp.heard()) == before {
			t.Errorf("%s: the client was not told before the answer", event.name)
		}
		until(t, event.name+": the client is told", func() bool { return len(rp.heard()) > before })
		if got := rp.heard()[before:]; len(got) != 1 || got[0]["sid"] != login.Sid || got[0]["sub"] != login.Sub || got[0]["aud"] != "app" || got[0]["iss"] != s.url {
			t.Errorf("%s: told %v", event.name, got)
		}
		if s.userinfo(t, tokens["access_token"]) != http.StatusUnauthorized {
			t.Errorf("%s: the access token lives", event.name)
		}
		if got := b.refresh(clientSecret, tokens["refresh_token"]); got["error"] != "invalid_grant" {
			t.Errorf("%s: the refresh token lives: %v", event.name, got)
		}
		if got := b.token(clientSecret.Reveal(), url.Values{"grant_type": {"authorization_code"}, "code": {second}, "redirect_uri": {redirect}}); got["error"] != "invalid_grant" {
			t.Errorf("%s: the code lives: %v", event.name, got)
		}
		b.cookies = old
		if b.code("app", "openid") != "" {
			t.Errorf("%s: the cookie lives", event.name)
		}
	}
	if len(rp.bad) != 0 {
		t.Errorf("bad logout tokens: %q", rp.bad)
	}
}

// seedClient changes the client "app" of the seed.
func seedClient(t *testing.T, s *running, clientSecret secret.Text, change func(*idp.Client)) {
	t.Helper()
	c := idp.Client{
		ID: "app", SecretHash: secret.Hash("client_secret", clientSecret),
		ClientMetadata: idp.ClientMetadata{
			Name: "App", FirstParty: true, ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OIDC,
			RedirectURIs: []string{redirect}, Scopes: []string{"openid", "offline_access"},
			GrantTypes: []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken},
		},
	}
	change(&c)
	if err := s.Seed(t.Context(), server.Seed{Clients: []idp.Client{c}}); err != nil {
		t.Fatal(err)
	}
}

// TestServer_OAU20_OfflineClientIsTold: an app with offline access hears of the end of the
// login as well, and keeps its refresh token; a new password ends that, too, and is told.
func TestServer_OAU20_OfflineClientIsTold(t *testing.T) {
	t.Parallel()
	s := start(t, true, nil)
	clientSecret := s.seed(t)
	rp := newParty(t, s.url)
	seedClient(t, s, clientSecret, func(c *idp.Client) {
		c.BackchannelLogoutURI, c.BackchannelLogoutSID, c.IDTokenAlg = rp.URL+"/logout", true, "EdDSA"
	})
	b, tokens := s.enter(t, clientSecret)
	login := claimsOf(t, tokens["id_token"])
	b.do("GET", s.url+"/logout?id_token_hint="+tokens["id_token"], nil)
	if got := rp.heard(); len(got) != 1 || got[0]["sid"] != login.Sid || login.Sid == "" {
		t.Fatalf("told %v of %+v", got, login)
	}
	again := b.refresh(clientSecret, tokens["refresh_token"])
	if again["refresh_token"] == "" || claimsOf(t, again["id_token"]).Sid != "" {
		t.Fatalf("after the logout: %v", again)
	}
	s.admin(t, "POST", "/users/ann/disable")
	until(t, "the client is told again", func() bool { return len(rp.heard()) == 2 })
	if got := b.refresh(clientSecret, again["refresh_token"]); got["error"] != "invalid_grant" {
		t.Errorf("%v", got)
	}
}

// TestServer_NET02_KilledBetween: what was queued by a server that ended before it could
// send is sent by the next one.
func TestServer_NET02_KilledBetween(t *testing.T) {
	t.Parallel()
	at := newPlace(t)
	s := startAt(t, at, true, nil)
	clientSecret := s.seed(t)
	rp := newParty(t, s.url)
	address := rp.Listener.Addr().String()
	rp.Close() // it is down
	seedClient(t, s, clientSecret, func(c *idp.Client) { c.BackchannelLogoutURI = "http://" + address + "/logout" })
	b, tokens := s.enter(t, clientSecret)
	began := time.Now()
	b.do("GET", s.url+"/logout?id_token_hint="+tokens["id_token"], nil)
	if waited := time.Since(began); waited > 10*time.Second {
		t.Errorf("the person waited %v for a client that is down", waited)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = startAt(t, s.place, true, nil)
	rp.keys = func() *jose.KeySet { return fetchKeys(t, s.url) }
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	up := &http.Server{Handler: rp}
	go func() { _ = up.Serve(ln) }()
	t.Cleanup(func() { _ = up.Close() })
	until(t, "the client is told", func() bool { return len(rp.heard()) == 1 })
}

var frame = regexp.MustCompile(`<iframe src="([^"]+)"`)

// TestServer_FrontChannel_2_Page: the page of a logout has the client's frame, and its
// policy allows that origin and no other.
func TestServer_FrontChannel_2_Page(t *testing.T) {
	t.Parallel()
	s := start(t, true, nil)
	clientSecret := s.seed(t)
	seedClient(t, s, clientSecret, func(c *idp.Client) { c.FrontchannelLogoutURI = "http://127.0.0.1:9/front" })
	b, tokens := s.enter(t, clientSecret)
	answer, page := b.do("GET", s.url+"/logout?id_token_hint="+tokens["id_token"], nil)
	want := "http://127.0.0.1:9/front?iss=" + url.QueryEscape(s.url) + "&amp;sid=" + claimsOf(t, tokens["id_token"]).Sid
	if m := frame.FindStringSubmatch(page); m == nil || m[1] != want {
		t.Errorf("frame %q, want %q", m, want)
	}
	if csp := answer.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "; frame-src http://127.0.0.1:9") {
		t.Error(csp)
	}
}
