package interop_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// singlePage is a server of static files: an app that has nothing but its scripts.
// What its server is asked in frames of the provider goes to frames.
func singlePage(t *testing.T, settings map[string]any, frames chan<- url.Values) *httptest.Server {
	t.Helper()
	file := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oidc-client-ts.min.js", file("node/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"))
	mux.HandleFunc("GET /app.js", file("spa/app.js"))
	mux.HandleFunc("GET /gone", func(_ http.ResponseWriter, r *http.Request) { frames <- r.URL.Query() })
	mux.HandleFunc("GET /settings.js", func(w http.ResponseWriter, _ *http.Request) {
		text, err := json.Marshal(settings)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte("window.settings = " + string(text))) // the browser went away
	})
	index, err := os.ReadFile("spa/index.html")
	if err != nil {
		t.Fatal(err)
	}
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write(index) // the browser went away
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// An app of scripts alone: from the redirect to the end of the session.
func TestOIDCClientTS(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) { liveSinglePage(t, p, false) })
}

// The same with tokens that are bound to a key which the browser does not give away.
func TestOIDCClientTS_DPoP(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) { liveSinglePage(t, p, true) })
}

func liveSinglePage(t *testing.T, p *provider, dpop bool) {
	needNode(t)
	settings := map[string]any{"authority": p.issuer, "scope": "openid profile email", "dpop": dpop}
	app := singlePage(t, settings, nil)
	b := newTab(t, p)
	c := p.register(t, map[string]any{
		"client_name": "Single page", "token_endpoint_auth_method": "none", "scopes": []string{"openid", "profile", "email"},
		"redirect_uris": []string{app.URL + "/callback"}, "post_logout_redirect_uris": []string{app.URL + "/bye"}, "web_origins": []string{app.URL},
	})
	settings["client_id"] = c.ID

	b.load("open", chromedp.Navigate(app.URL+"/"))
	b.expect("nobody")
	b.leave("app.signIn()")
	b.signIn("ann", p.password)
	b.load("authorize", chromedp.Click(chromedp.CSS("button[value=authorize]")))
	b.expect(`signed in, state: {"from":"the test"}`)

	var before, after user
	b.answer("app.user()", &before)
	var info struct{ Email string }
	b.answer("app.info()", &info)
	if info.Email != "ann@example.com" || !dpop && before.Profile.Email != info.Email {
		t.Errorf("userinfo: %q, after the sign-in: %q", info.Email, before.Profile.Email)
	}
	if before.RefreshToken == "" || dpop != strings.EqualFold(before.TokenType, "DPoP") {
		t.Errorf("signed in: refresh token: %v, type %s", before.RefreshToken != "", before.TokenType)
	}
	b.answer("app.renew()", &after)
	if after.AccessToken == before.AccessToken || after.RefreshToken == before.RefreshToken || !dpop && after.Profile.Email == "" {
		t.Errorf("renewed: %+v", after.Profile)
	}
	if got := b.eval("app.give()"); got != "done" {
		t.Errorf("revocation: %s", got)
	}
	// The app lives on another site than the provider: no cookie comes with its frame.
	if got := b.eval("app.renewInFrame()"); got != "refused: login_required" {
		t.Errorf("in a frame of another site: %s", got)
	}
	b.leave("app.signOut()")
	b.expect("signed out: bye")
	b.leave("app.signIn()")
	if got := b.eval("document.querySelector('input[name=password]') ? 'asked' : document.title"); got != "asked" {
		t.Errorf("after the sign-out: %s", got)
	}
}

// The person signs out at the app, and the browser tells it in a frame of the provider's
// page before it comes back (Front-Channel Logout §2).
func TestFrontChannelLogout(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) {
		needNode(t)
		settings := map[string]any{"authority": p.issuer, "scope": "openid", "dpop": false}
		frames := make(chan url.Values, 10)
		app := singlePage(t, settings, frames)
		b := newTab(t, p)
		c := p.register(t, map[string]any{
			"client_name": "Framed", "token_endpoint_auth_method": "none", "scopes": []string{"openid"}, "first_party": true,
			"redirect_uris": []string{app.URL + "/callback"}, "post_logout_redirect_uris": []string{app.URL + "/bye"}, "web_origins": []string{app.URL},
			"frontchannel_logout_uri": app.URL + "/gone", "frontchannel_logout_session_required": true,
		})
		settings["client_id"] = c.ID
		b.load("open", chromedp.Navigate(app.URL+"/"))
		b.expect("nobody")
		b.leave("app.signIn()")
		b.signIn("ann", p.password)
		b.expect(`signed in, state: {"from":"the test"}`)
		var known user
		b.answer("app.user()", &known)
		b.leave("app.signOut()")
		select {
		case query := <-frames:
			if query.Get("iss") != p.issuer || query.Get("sid") != known.Profile.SID || known.Profile.SID == "" {
				t.Errorf("told %v in the frame; the session is %q", query, known.Profile.SID)
			}
		case <-time.After(patience):
			t.Fatalf("the frame was not loaded; at %s", b.eval("location.origin + location.pathname + ' ' + document.body.innerText"))
		}
		b.arrive(app.URL + "/bye")
		b.expect("signed out: bye")
	})
}

// user is what oidc-client-ts knows of somebody.
type user struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	TokenType    string `json:"token_type"`
	Profile      struct {
		Email string `json:"email"`
		SID   string `json:"sid"`
	} `json:"profile"`
}

// tab is a window of Chromium.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// newTab starts Chromium with cookies of its own; it trusts the provider's certificate.
func newTab(t *testing.T, p *provider) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	if p.ca != "" {
		options = append(options, chromedp.Flag("ignore-certificate-errors-spki-list", keyHash(t, p.ca)))
	}
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	allocator, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelAllocator)
	b := &tab{t: t}
	var cancelTab context.CancelFunc
	b.ctx, cancelTab = chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(b.ctx) // waits until the browser has ended
		cancelTab()
	})
	if err := chromedp.Do(b.ctx, chromedp.Navigate("about:blank")); err != nil { // the browser lives as long as the context of its first step
		t.Fatal(err)
	}
	return b
}

// keyHash is how Chromium names a key that it shall trust.
func keyHash(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (b *tab) signIn(username, password string) {
	b.t.Helper()
	b.do(
		chromedp.SetValue(chromedp.CSS("input[name=username]"), username),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), password),
	)
	b.load("sign in", chromedp.Click(chromedp.CSS("form button:not([type=button])")))
}

// load runs a step that leads to another page.
func (b *tab) load(what string, step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, step); err != nil {
		b.t.Fatalf("%s: %v; at %s", what, err, b.eval("location.origin + location.pathname + ' ' + document.title"))
	}
}

// leave calls a function of the app that sends the browser elsewhere.
func (b *tab) leave(call string) {
	b.t.Helper()
	b.load(call, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[string]("void "+call+"; 'on its way'"))
		return err
	}))
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) eval(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return s
}

// answer decodes what a call of the app came to.
func (b *tab) answer(call string, out any) {
	b.t.Helper()
	got := b.eval(call)
	if err := json.Unmarshal([]byte(got), out); err != nil {
		b.t.Fatalf("%s: %s", call, got)
	}
}

// arrive waits until a page leads the browser to the address by itself.
func (b *tab) arrive(address string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	at := ""
	for !strings.HasPrefix(at, address) {
		// An error: the page that was asked is on its way out.
		if next, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href")); err == nil {
			at = next
		}
		select {
		case <-ctx.Done():
			b.t.Fatalf("still at %s", strings.SplitN(at, "?", 2)[0])
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// expect waits until the app says the text.
func (b *tab) expect(text string) {
	b.t.Helper()
	got := b.eval(`new Promise((say) => {
		const end = Date.now() + 20000;
		const look = () => {
			const text = document.getElementById('state')?.textContent ?? document.body.innerText;
			if (text === 'loading' && Date.now() < end) setTimeout(look, 20); else say(text);
		};
		look();
	})`)
	if got != text {
		b.t.Fatalf("the app says %q instead of %q", got, text)
	}
}
