package browser_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// wiki is a relying party that hears of logouts in both ways.
type wiki struct {
	*httptest.Server
	mu          sync.Mutex
	front, back []string
}

func newWiki(t *testing.T) *wiki {
	t.Helper()
	rp := &wiki{}
	rp.Server = httptest.NewServer(rp)
	t.Cleanup(rp.Close)
	return rp
}

func (rp *wiki) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rp.mu.Lock()
	defer rp.mu.Unlock()
	w.Header().Set("Content-Type", "text/html")
	switch r.URL.Path {
	case "/front":
		rp.front = append(rp.front, r.URL.Query().Get("iss")+" "+r.URL.Query().Get("sid"))
		_, _ = io.WriteString(w, "<!doctype html><title>gone</title>")
	case "/back":
		rp.back = append(rp.back, r.PostFormValue("logout_token"))
	case "/bye":
		_, _ = io.WriteString(w, "<!doctype html><html lang=en><title>Wiki</title><h1 id=bye>Bye from the wiki "+url.QueryEscape(r.URL.Query().Get("state"))+"</h1>")
	default:
		_, _ = io.WriteString(w, "<!doctype html><html lang=en><title>Wiki</title><h1>The wiki</h1>")
	}
}

func (rp *wiki) heard() (front, back int) {
	rp.mu.Lock()
	defer rp.mu.Unlock()
	return len(rp.front), len(rp.back)
}

// OAU-19, OAU-20, Front-Channel Logout §2, RP-Initiated Logout §3: signing out tells the
// apps before the browser is back at the one that asked, with scripts and without.
func TestSignOut(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "s") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	at := startStackWith(t, "--data", dir)
	rp := newWiki(t)
	add := exec.Command(built, "client", "add", "--socket", filepath.Join(dir, "admin.sock"), "--id", "wiki", "--name", "Wiki", "--first-party",
		"--profile", "oidc", "--redirect", rp.URL+"/cb", "--post-logout-redirect", rp.URL+"/bye",
		"--backchannel-logout", rp.URL+"/back", "--frontchannel-logout", rp.URL+"/front")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b := newTab(t)
	enter := at.issuer + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {"wiki"}, "redirect_uri": {rp.URL + "/cb"}, "scope": {"openid"},
	}.Encode()
	leave := at.issuer + "/logout?" + url.Values{"client_id": {"wiki"}, "post_logout_redirect_uri": {rp.URL + "/bye"}, "state": {"s 1"}}.Encode()

	b.open(enter)
	b.signIn("ann")
	b.expect("The wiki")
	b.open(at.calendar + "/login") // takes part as well, and has no way to hear of it
	b.open(leave)
	b.expect("Wiki asks to sign you out")
	b.do(chromedp.Click(chromedp.CSS("main form button"))) // our page goes on by itself
	b.do(chromedp.WaitVisible(chromedp.CSS("#bye")))
	b.expect("Bye from the wiki s+1")
	if front, back := rp.heard(); front != 1 || back != 1 {
		t.Errorf("heard: %d frames, %d tokens", front, back)
	}
	if sid := strings.TrimPrefix(rp.front[0], at.issuer+" "); len(sid) != 22 {
		t.Errorf("the frame says %q", rp.front[0])
	}
	b.open(enter + "&prompt=none")
	if found := b.eval("location.search"); !strings.Contains(found, "error=login_required") {
		t.Errorf("prompt=none afterwards: %s", found)
	}

	b.open(enter)
	b.signIn("ann")
	b.open(at.calendar + "/login")
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	b.open(leave)
	b.click("main form button")
	b.expect("You are signed out", "These apps are signing you out as well", "Wiki", "You may still be signed in here", "Calendar", "Continue to Wiki")
	b.axe = "" // is a script
	b.look("signet-logged-out-apps")
	b.click("#continue")
	b.expect("Bye from the wiki s+1")
	if front, back := rp.heard(); front != 2 || back != 2 {
		t.Errorf("heard without scripts: %d frames, %d tokens", front, back)
	}
}
