package oauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/outbound"
)

// publisher is a host on which clients publish their documents.
type publisher struct {
	*httptest.Server
	calls atomic.Int64

	mu     sync.Mutex
	status int
	kind   string
	cache  string
	body   string // $ID stands for the address
}

func newPublisher(t testing.TB) *publisher {
	t.Helper()
	p := &publisher{
		status: 200, kind: "application/json", cache: "max-age=600",
		body: `{"client_id":"$ID","client_name":"Code","redirect_uris":["http://127.0.0.1/cb"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"]}`,
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.calls.Add(1)
		p.mu.Lock()
		defer p.mu.Unlock()
		w.Header().Set("Content-Type", p.kind)
		w.Header().Set("Cache-Control", p.cache)
		if p.status/100 == 3 {
			w.Header().Set("Location", p.URL+"/elsewhere")
		}
		w.WriteHeader(p.status)
		_, _ = w.Write([]byte(strings.ReplaceAll(p.body, "$ID", p.URL+r.URL.Path)))
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) set(f func(*publisher)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

// documentWorld takes documents of this computer.
func documentWorld(t testing.TB, change ...func(*oauth.Config)) *world {
	t.Helper()
	return newWorld(t, append([]func(*oauth.Config){func(c *oauth.Config) {
		c.Documents = oauth.DocumentsConfig{On: true, Loopback: true}
		c.Registration.Scopes = []string{"cal.read"}
		c.Outbound = outbound.New(outbound.Config{Loopback: true, Now: c.Now})
	}}, change...)...)
}

func (w *world) askAs(id string, pairs ...string) answer {
	w.t.Helper()
	return w.browser().authorize(ask("native", append([]string{"client_id", id, "redirect_uri", "http://127.0.0.1:4711/cb", "scope", "openid cal.read mail.read"}, pairs...)...))
}

func (a answer) begun() bool { return a.Code == http.StatusSeeOther && a.page() == "/login" }

func TestDocument_CIMD_4_Accepted(t *testing.T) {
	t.Parallel()
	w, p := documentWorld(t), newPublisher(t)
	id := p.URL + "/client.json"
	if a := w.askAs(id); !a.begun() {
		t.Fatalf("%d %s %s", a.Code, a.Header().Get("Location"), a.Body)
	}
	c, err := w.db.Client(t.Context(), id)
	w.must(err)
	if c.Origin != idp.OriginDocument || !c.Public() || !c.Native() || c.Profile != idp.OAuth21 || c.FirstParty || fmt.Sprint(c.Scopes) != "[openid profile email offline_access cal.read]" {
		t.Errorf("%+v", c)
	}
	// RFC 9700 §2.1: only what the document lists, and for this computer any port.
	if a := w.askAs(id, "redirect_uri", "http://127.0.0.1:4711/other"); a.Code != http.StatusBadRequest || a.page() != "error" {
		t.Errorf("%d %s", a.Code, a.page())
	}
	if a := w.askAs(id, "redirect_uri", "https://evil.example/cb"); a.Code != http.StatusBadRequest {
		t.Errorf("%d", a.Code)
	}
}

// What is no document of this client, whoever serves it, begins no login.
func TestDocument_CIMD_4_Refused(t *testing.T) {
	t.Parallel()
	good := `"client_id":"$ID","redirect_uris":["http://127.0.0.1/cb"]`
	for name, f := range map[string]func(*publisher){
		"another client_id": func(p *publisher) {
			p.body = `{"client_id":"https://claude.ai/client.json","redirect_uris":["http://127.0.0.1/cb"]}`
		},
		"client_id with a port": func(p *publisher) { p.body = `{"client_id":"$ID/","redirect_uris":["http://127.0.0.1/cb"]}` },
		"no client_id":          func(p *publisher) { p.body = `{"redirect_uris":["http://127.0.0.1/cb"]}` },
		"a secret":              func(p *publisher) { p.body = `{` + good + `,"client_secret":"x"}` },
		"a secret's end":        func(p *publisher) { p.body = `{` + good + `,"client_secret_expires_at":0}` },
		"client_secret_basic":   func(p *publisher) { p.body = `{` + good + `,"token_endpoint_auth_method":"client_secret_basic"}` },
		"client_secret_post":    func(p *publisher) { p.body = `{` + good + `,"token_endpoint_auth_method":"client_secret_post"}` },
		"client_secret_jwt":     func(p *publisher) { p.body = `{` + good + `,"token_endpoint_auth_method":"client_secret_jwt"}` },
		"statement":             func(p *publisher) { p.body = `{` + good + `,"software_statement":"x"}` },
		"no redirect URI":       func(p *publisher) { p.body = `{"client_id":"$ID"}` },
		"plain http": func(p *publisher) {
			p.body = `{"client_id":"$ID","redirect_uris":["http://127.0.0.1/cb","http://app.example/cb"]}`
		},
		"script":     func(p *publisher) { p.body = `{` + good + `,"client_uri":"javascript:alert(1)"}` },
		"name twice": func(p *publisher) { p.body = `{` + good + `,"client_name":"A","client_name":"B"}` },
		"no JSON":    func(p *publisher) { p.body = `<html>` },
		"an array":   func(p *publisher) { p.body = `[]` },
		"too large":  func(p *publisher) { p.body = `{` + good + `,"x":"` + strings.Repeat("a", 40<<10) + `"}` },
		"html":       func(p *publisher) { p.kind = "text/html" },
		"not found":  func(p *publisher) { p.status = 404 },
		"created":    func(p *publisher) { p.status = 201 },
		"a redirect": func(p *publisher) { p.status = 302 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, p := documentWorld(t), newPublisher(t)
			p.set(f)
			if a := w.askAs(p.URL + "/client.json"); a.Code != http.StatusBadRequest || a.page() != "error" || a.Header().Get("Location") != "" {
				t.Errorf("%d %s %s", a.Code, a.page(), a.Header().Get("Location"))
			}
			if n := p.calls.Load(); n != 1 {
				t.Errorf("%d calls", n)
			}
			if _, err := w.db.Client(t.Context(), p.URL+"/client.json"); err == nil {
				t.Error("stored")
			}
		})
	}
}

// CLI-05, NET-01, §3: ids that are no address of a document cause no call.
func TestDocument_CIMD_3_CLI05_NoAddress(t *testing.T) {
	t.Parallel()
	w, p := documentWorld(t), newPublisher(t)
	production := documentWorld(t, func(c *oauth.Config) { c.Documents.Loopback = false })
	host := strings.TrimPrefix(p.URL, "http://")
	for _, id := range []string{
		p.URL, p.URL + "/a?x=1", p.URL + "/a#f", p.URL + "/a/../b", p.URL + "/a/./b", p.URL + "/%2e%2e/b", "http://user@" + host + "/a", "HTTP://" + host + "/a",
		"http://app.example/client.json", "ftp://" + host + "/a", "file:///etc/passwd", "https://", "https:///a", p.URL + "/" + strings.Repeat("a", 250),
	} {
		if a := w.askAs(id); a.Code != http.StatusBadRequest || a.page() != "error" {
			t.Errorf("%q: %d %s", id, a.Code, a.page())
		}
	}
	// In production this computer is nobody's host.
	for _, id := range []string{p.URL + "/client.json", "https://" + host + "/client.json", "https://169.254.169.254/latest/meta-data", "https://[::ffff:127.0.0.1]/a"} {
		if a := production.askAs(id); a.Code != http.StatusBadRequest || a.page() != "error" {
			t.Errorf("%q: %d %s", id, a.Code, a.page())
		}
	}
	if n := p.calls.Load(); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// §5.2: kept as long as the answer says, within bounds; a document that is gone or turned
// bad is no client any more, and neither is remembered as an answer.
func TestDocument_CIMD_5_2_Caching(t *testing.T) {
	t.Parallel()
	w, p := documentWorld(t), newPublisher(t)
	id := p.URL + "/client.json"
	calls := func(want int64, what string) {
		t.Helper()
		if n := p.calls.Load(); n != want {
			t.Errorf("%s: %d calls, want %d", what, n, want)
		}
	}
	w.askAs(id)
	w.pass(9 * time.Minute)
	w.askAs(id)
	calls(1, "fresh")
	w.pass(time.Minute)
	w.askAs(id)
	calls(2, "stale")
	p.set(func(p *publisher) { p.cache = "no-store" })
	w.pass(10 * time.Minute)
	w.askAs(id)
	w.pass(4 * time.Minute)
	w.askAs(id)
	calls(3, "not more often than every five minutes")
	p.set(func(p *publisher) { p.cache = "max-age=99999999" })
	w.pass(time.Minute)
	w.askAs(id)
	w.pass(24*time.Hour - time.Second)
	w.askAs(id)
	calls(4, "a day")
	p.set(func(p *publisher) { p.status, p.cache = 404, "max-age=99999999" })
	w.pass(time.Second)
	if a := w.askAs(id); a.Code != http.StatusBadRequest {
		t.Errorf("gone: %d", a.Code)
	}
	calls(5, "gone")
	if a := w.askAs(id); a.Code != http.StatusServiceUnavailable {
		t.Errorf("at once again: %d", a.Code)
	}
	calls(5, "a pause after a failure")
	p.set(func(p *publisher) { p.status = 200; p.body = strings.Replace(p.body, `"Code"`, `"Renamed"`, 1) })
	w.pass(10 * time.Second)
	if a := w.askAs(id); !a.begun() {
		t.Errorf("back: %d", a.Code)
	}
	calls(6, "errors are not cached")
	c, err := w.db.Client(t.Context(), id)
	w.must(err)
	if c.Name != "Renamed" {
		t.Errorf("name %q", c.Name)
	}
}

// Many who come at the same moment cause one call.
func TestDocument_DOS03_SingleFlight(t *testing.T) {
	t.Parallel()
	w, p := documentWorld(t), newPublisher(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { w.askAs(p.URL + "/client.json") })
	}
	all.Wait()
	if n := p.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// DOS-03: one network makes this server call few addresses that are new.
func TestDocument_DOS03_Quota(t *testing.T) {
	t.Parallel()
	w, p := documentWorld(t), newPublisher(t)
	for i := range 40 {
		w.askAs(fmt.Sprintf("%s/%d.json", p.URL, i))
	}
	if n := p.calls.Load(); n != 30 {
		t.Errorf("%d calls", n)
	}
	if a := w.askAs(p.URL + "/0.json"); !a.begun() {
		t.Errorf("what is known: %d", a.Code)
	}
}

func TestDocument_CIMD_HostsOfTheOperator(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	for name, tt := range map[string]struct {
		change func(*oauth.Config)
		begins bool
	}{
		"allowed":     {func(c *oauth.Config) { c.Documents.Allow = []string{"127.0.0.1"} }, true},
		"not allowed": {func(c *oauth.Config) { c.Documents.Allow = []string{"claude.ai"} }, false},
		"denied":      {func(c *oauth.Config) { c.Documents.Deny = []string{"127.0.0.1"} }, false},
		"off":         {func(c *oauth.Config) { c.Documents.On = false }, false},
	} {
		w := documentWorld(t, tt.change)
		// A row from before the configuration changed is no way around it.
		_, err := w.db.PutDocumentClient(t.Context(), system(), idp.Client{ID: p.URL + "/old.json", ClientMetadata: idp.ClientMetadata{
			Name: "Old", ApplicationType: "native", TokenEndpointAuthMethod: idp.AuthNone, Profile: idp.OAuth21, RedirectURIs: []string{"http://127.0.0.1/cb"},
			GrantTypes: []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken}, Scopes: []string{"openid"},
		}}, 100, w.clock())
		w.must(err)
		for _, path := range []string{"/client.json", "/old.json"} {
			if a := w.askAs(p.URL + path); a.begun() != tt.begins {
				t.Errorf("%s: %s: %d %s", name, path, a.Code, a.page())
			}
		}
		a := w.send("POST", "/token", params("grant_type", "refresh_token", "refresh_token", "x", "client_id", p.URL+"/old.json"))
		if refused := a.json("error") == "invalid_client"; refused == tt.begins {
			t.Errorf("%s: token endpoint: %d %s", name, a.Code, a.Body)
		}
		if on := w.send("GET", "/.well-known/openid-configuration", nil).ok().json("client_id_metadata_document_supported"); on == "true" != (name != "off") {
			t.Errorf("%s: advertised: %q", name, on)
		}
	}
}

// OAU-16: nobody knows today who will be behind the address tomorrow, so people are asked
// each time; and an operator's no holds.
func TestDocument_OAU16_AlwaysAsks(t *testing.T) {
	t.Parallel()
	w, p := documentWorld(t), newPublisher(t)
	p.set(func(p *publisher) {
		p.body = strings.Replace(p.body, "http://127.0.0.1/cb", "https://app.example/cb", 1)
	})
	id, b := p.URL+"/client.json", w.signedIn(ann)
	form := ask("web", "client_id", id, "redirect_uri", "https://app.example/cb", "scope", "openid")
	for range 2 {
		a := b.authorize(form)
		if a.page() != "/consent" {
			t.Fatalf("%d %s", a.Code, a.Header().Get("Location"))
		}
		b.agree(a.query("flow"))
		if a = b.proceed(a.query("flow")); a.query("code") == "" {
			t.Fatalf("%d %s", a.Code, a.Header().Get("Location"))
		}
	}
	if a := b.authorize(with(form, "prompt", "none")); a.query("error") != "consent_required" {
		t.Errorf("%s", a.Header().Get("Location"))
	}
	w.must(w.db.DisableClient(t.Context(), system(), id, w.clock()))
	w.pass(time.Hour)
	if a := b.authorize(form); a.Code != http.StatusBadRequest || a.page() != "error" {
		t.Errorf("disabled: %d %s", a.Code, a.page())
	}
	w.must(w.db.DeleteClient(t.Context(), system(), id, w.clock()))
	if a := b.authorize(form); a.Code != http.StatusBadRequest || a.page() != "error" {
		t.Errorf("deleted: %d %s", a.Code, a.page())
	}
}
