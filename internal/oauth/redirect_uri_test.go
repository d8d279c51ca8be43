package oauth_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
)

// tricks are addresses near https://app.example/cb that must not get an answer for it.
// Each has sent codes to somebody else in some server.
var tricks = []string{
	"https://app.example", "https://app.example/", "https://app.example/c", "https://app.example/cb/", "https://app.example/cb/x",
	"https://app.example/CB", "https://app.example/cb?", "https://app.example/cb?x=1", "https://app.example/cb&x=1", "https://app.example/cb;x=1",
	"https://app.example/cb#", "https://app.example/cb#x", "https://app.example/cb#@evil.example", "https://app.example/cb%23",
	"https://app.example/cb%20", "https://app.example/cb ", " https://app.example/cb", "https://app.example/cb\t", "https://app.example/cb\r\nX: y",
	"https://app.example/%63b", "https://app.example/cb%00", "https://app.example//cb", "https://app.example/./cb", "https://app.example/x/../cb",
	"https://app.example/x/..;/cb", "https://app.example/%2e/cb", "https://app.example/cb/..", "https://app.example/cb/%2e%2e/evil", "https://app.example/cb\\",
	"https://app.example:443/cb", "https://app.example:8443/cb", "https://app.example:/cb", "https://app.example./cb", "https://APP.example/cb",
	"HTTPS://app.example/cb", "http://app.example/cb", "//app.example/cb", "/cb", "cb", "app.example/cb",
	"https:app.example/cb", "https:/app.example/cb", "https:///app.example/cb", "https:\\\\app.example/cb", "https://app.example\\cb",
	"https://evil.example/cb", "https://app.example.evil.example/cb", "https://evil-app.example/cb", "https://evilapp.example/cb", "https://app.example-evil/cb",
	"https://sub.app.example/cb", "https://*.example/cb", "https://app.example@evil.example/cb", "https://app.example:x@evil.example/cb",
	"https://user@app.example/cb", "https://evil.example\\@app.example/cb", "https://evil.example%2f@app.example/cb", "https://evil.example#@app.example/cb",
	"https://evil.example?@app.example/cb", "https://evil.example/https://app.example/cb", "https://evil.example/?x=https://app.example/cb",
	"https://аpp.example/cb", "https://app.exampIe/cb", "https://xn--pp-7kc.example/cb", "https://app。example/cb", "https://app.example%E3%80%82evil.example/cb",
	"javascript:alert(1)", "javascript://app.example/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "about:blank", "blob:https://app.example/x",
	"mailto:a@example.com", "com.example.app:/cb", "http://127.0.0.1/cb", "http://localhost/cb", "urn:ietf:wg:oauth:2.0:oob",
	"https://app.example/two?x", "https://app.example/cb,https://app.example/two", "https://app.example/cb https://app.example/two",
	"https://legacy.example/cb", "https://legacy.example/cb?tenant=1", "https://legacy.example/cb?x=y&tenant=1", "https://legacy.example/cb?tenant=2&x=y",
	"https://legacy.example/cb?tenant=1&x=y&z=1", "https://legacy.example/cb?tenant=1&x=%79", "https://legacy.example/cb?tenant=1;x=y",
	strings.Repeat("https://app.example/cb", 200),
}

// OAU-01, OAU-02: the answer stays here, whatever else is right or wrong with the
// request and whoever is logged in.
func TestAuthorize_RFC9700_4_1_3_RedirectURIIsCompared(t *testing.T) {
	t.Parallel()
	if len(tricks) < 60 {
		t.Fatalf("only %d tricks", len(tricks))
	}
	w := newWorld(t)
	nobody, somebody := w.browser(), w.signedIn(ann)
	for _, uri := range tricks {
		for _, client := range []string{"web", "legacy", "spa", "unknown"} {
			for _, more := range [][]string{{}, {"prompt", "none"}, {"response_type", "token"}, {"response_type", ""}, {"scope", ""}} {
				form := with(ask(client, more...), "redirect_uri", uri)
				for _, b := range []*browser{nobody, somebody} {
					stays(t, uri, b.authorize(form))
					stays(t, uri, b.send("POST", "/authorize", form))
				}
			}
		}
	}
}

func stays(t *testing.T, uri string, a answer) {
	t.Helper()
	if a.Code != http.StatusBadRequest || a.page() != "error" || a.Header().Get("Location") != "" {
		t.Errorf("%q: %d %s %s", uri, a.Code, a.Header().Get("Location"), a.page())
	}
}

func TestAuthorize_RFC6749_3_1_2_RedirectURIIsRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, client := range []string{"web", "own"} { // two registered, one registered
		stays(t, "missing", w.browser().authorize(ask(client, "redirect_uri", "")))
	}
}

// RFC 8252 §7.3: only the port may vary, only of loopback, only for native public clients (OAU-01).
func TestAuthorize_RFC8252_7_3_LoopbackPort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, uri := range []string{
		nativeURI, "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb", "http://[::1]:8080/cb", "http://localhost:3000/cb", schemeURI, "https://claimed.example/cb",
	} {
		a := w.browser().authorize(with(ask("native"), "redirect_uri", uri, "response_type", "token"))
		if a.Code != http.StatusSeeOther || !strings.HasPrefix(a.Header().Get("Location"), uri+"?") {
			t.Errorf("%s: %d %s", uri, a.Code, a.Header().Get("Location"))
		}
	}
	for _, uri := range []string{
		"http://127.0.0.1:/cb", "http://127.0.0.1:x/cb", "http://127.0.0.1:123456/cb", "http://127.0.0.1:80/", "http://127.0.0.1:80/cb/", "http://127.0.0.1:80/cb?x",
		"http://127.0.0.1:80@evil.example/cb", "http://127.0.0.1:80.evil.example/cb", "http://127.0.0.1.evil.example/cb", "http://127.0.0.1:80\\@evil.example/cb",
		"http://127.0.0.2/cb", "http://127.1/cb", "http://2130706433/cb", "http://0x7f.0.0.1/cb", "http://0.0.0.0/cb", "http://[::ffff:127.0.0.1]/cb", "http://[::]/cb",
		"http://localhost.evil.example/cb", "http://LOCALHOST/cb", "http://localhost./cb", "http://evil.example:80/cb", "https://127.0.0.1/cb", "https://localhost/cb",
		"https://claimed.example:444/cb", "com.example.app:1234/cb", "com.example.app://cb", "com.example.app:/cb/x", "com.example.evil:/cb", "http://127.0.0.1:80",
	} {
		stays(t, uri, w.browser().authorize(with(ask("native"), "redirect_uri", uri)))
	}
	for name, change := range map[string]func(*idp.Client){
		"web":          func(c *idp.Client) { c.ApplicationType = "web" },
		"confidential": func(c *idp.Client) { c.TokenEndpointAuthMethod = idp.AuthBasic },
	} {
		w := newWorld(t)
		w.alter("native", change)
		stays(t, name, w.browser().authorize(with(ask("native"), "redirect_uri", "http://127.0.0.1:8080/cb")))
	}
}

// OAU-08: what was registered by mistake is still not answered.
func TestAuthorize_RFC6749_3_1_2_UnsafeRegistrations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unsafe := []string{
		"https://app.example/cb#fragment", "http://app.example/cb", "javascript:alert(1)", "data:text/html,x", "myapp:/cb", "https:///cb", "https://a b/cb",
		"https://user@app.example/cb", "https://app.example/cb?code=1", "https://app.example/cb?x=1&state=2", "https://app.example/cb?iss=x",
		"https://app.example/cb?error=x", "https://app.example/cb?a=%zz", "https://app.example/ü", "//app.example/cb", "cb",
	}
	w.alter("web", func(c *idp.Client) { c.RedirectURIs = unsafe })
	for _, uri := range unsafe {
		stays(t, uri, w.browser().authorize(ask("web", "redirect_uri", uri)))
	}
}

// RFC 6749 §3.1.2: the registered query stays, byte for byte, before ours.
func TestAuthorize_RFC6749_3_1_2_QueryIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	for _, more := range [][]string{{}, {"response_type", "token"}} {
		a := b.through(b.authorize(ask("legacy", more...)), ann)
		if location := a.Header().Get("Location"); !strings.HasPrefix(location, legacyURI+"&") {
			t.Errorf("%s", location)
		}
		if a.query("tenant") != "1" || a.query("x") != "y" || a.query("state") != "st" {
			t.Errorf("%s", a.Header().Get("Location"))
		}
	}
}

// Of metadata documents only those hear who have given an address.
func TestAuthorize_ErrorPageNoClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, developing(true))
	documents := documentWorld(t, developing(true))
	for _, c := range []struct {
		w    *world
		id   string
		want string
	}{
		{w, "nope", "signet client add --id"},
		{documents, "nope", "signet client add --id"},
		{w, "https://app.example/client.json", "client_id_metadata_documents"},
		{documents, "https://app.example", "the id must be an https address with a path"},
	} {
		page := c.w.askAs(c.id).Body.String()
		if !strings.Contains(page, c.want) || strings.Contains(page, "metadata document") != (c.id != "nope") {
			t.Errorf("%s: %s", c.id, page)
		}
	}
}

// The command works from every directory, also if the way to the socket has blanks and quotes.
func TestAuthorize_ErrorPageSocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, developing(true), func(c *oauth.Config) { c.AdminSocket = "/home/ann's files/admin.sock" })
	for name, page := range map[string]answer{
		"redirect": w.browser().authorize(ask("web", "redirect_uri", "https://app.example/typo")),
		"client":   w.askAs("nope"),
	} {
		if text := html.UnescapeString(page.Body.String()); !strings.Contains(text, ` --socket '/home/ann'\\''s files/admin.sock'`) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// In development the page says what to do; otherwise nothing of it.
func TestAuthorize_ErrorPageDetail(t *testing.T) {
	t.Parallel()
	for _, dev := range []bool{false, true} {
		w := newWorld(t, developing(dev))
		page := w.browser().authorize(ask("web", "redirect_uri", "https://app.example/typo")).Body.String()
		for _, word := range []string{"https://app.example/typo", webURI, "signet client"} {
			if strings.Contains(page, word) != dev {
				t.Errorf("dev %v: %q in %s", dev, word, page)
			}
		}
		// The command for an app in the browser lets its scripts ask as well.
		page = w.browser().authorize(ask("spa", "redirect_uri", "http://localhost:5174/callback")).Body.String()
		if strings.Contains(html.UnescapeString(page), " --origin 'https://spa.example' --origin 'null' --origin 'http://localhost:5174'") != dev {
			t.Errorf("dev %v: origins in %s", dev, page)
		}
	}
}
