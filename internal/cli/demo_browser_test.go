package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/cli"
)

const twoForms = `<!doctype html><html><body>
<img src=x><br><p>not closed &copy; &nbsp;
<form method="post" action="/first"><input type=hidden name=id value="1"><button>Go</button></form>
<input name="outside" value="x">
<form method="post" action="/second?flow=f">
<input type="hidden" name="id" value="2&amp;3"><input type="checkbox" name="no" value="1"><input type="radio" name="yes" value="1" checked>
<input name="typed" value="old"><button name="decision" value="cancel">Not now</button><button name="decision" value="go">Go <b>on</b></button>
</form></body></html>`

// The browser of the story sends what a browser would send.
func TestDemoBrowser_Forms(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, twoForms) })
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, "%s %s %s", r.URL.RequestURI(), r.PostForm.Encode(), r.Header.Get("Sec-Fetch-Site"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for _, c := range []struct {
		name, button string
		known, typed map[string]string
		want         string
	}{
		{"first that fits", "Go", nil, nil, "/first id=1 same-origin"},
		{"by a field", "Go", map[string]string{"id": "2&3"}, map[string]string{"typed": "new"}, "/second?flow=f decision=go&id=2%263&typed=new&yes=1 same-origin"},
		{"by value", "cancel", nil, nil, "/second?flow=f decision=cancel&id=2%263&typed=old&yes=1 same-origin"},
	} {
		b := cli.NewDemoBrowser()
		if err := b.Open(t.Context(), server.URL+"/"); err != nil {
			t.Fatal(err)
		}
		if err := b.Press(t.Context(), c.button, c.known, c.typed); err != nil || !b.Shows(c.want) {
			t.Errorf("%s: %v, not %q", c.name, err, c.want)
		}
		if err := b.Press(t.Context(), "Go", nil, nil); err == nil {
			t.Errorf("%s: pressed a button that is not there", c.name)
		}
	}
}

func TestDemoBrowser_CookiesAndSites(t *testing.T) {
	t.Parallel()
	var second *httptest.Server
	echo := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s|%s", r.Header.Get("Cookie"), r.Header.Get("Sec-Fetch-Site"))
	}
	second = httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(second.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /set", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "__Host-a", Value: "1", Path: "/", Secure: true, HttpOnly: true})
		http.Redirect(w, r, "/form", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<form method="post" action="/away"><button>Away</button></form>%s`, r.Header.Get("Cookie"))
	})
	mux.HandleFunc("POST /away", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "__Host-a", MaxAge: -1})
		http.Redirect(w, r, r.URL.Query().Get("to")+second.URL+"/?code=x", http.StatusSeeOther)
	})
	first := httptest.NewServer(mux)
	t.Cleanup(first.Close)

	b := cli.NewDemoBrowser()
	if err := b.Open(t.Context(), first.URL+"/set"); err != nil || !b.Shows("__Host-a=1") {
		t.Fatalf("a Secure cookie does not come back on loopback: %v", err)
	}
	if err := b.Open(t.Context(), second.URL); err != nil || !b.Shows("__Host-a=1|none") {
		t.Errorf("cookies do not ignore ports: %v", err)
	}
	if err := b.Open(t.Context(), first.URL+"/form"); err != nil {
		t.Fatal(err)
	}
	b.Catch(second.URL)
	if err := b.Press(t.Context(), "Away", nil, nil); err != nil || !strings.HasSuffix(b.At(), "/?code=x") {
		t.Errorf("the redirect was not caught: %v %s", err, b.At())
	}
	b.Catch("")
	if err := b.Open(t.Context(), first.URL+"/form"); err != nil || b.Shows("__Host-a") {
		t.Errorf("the cookie was not deleted: %v", err)
	}
	if err := b.Press(t.Context(), "Away", nil, nil); err != nil || !b.Shows("|same-site") {
		t.Errorf("another port of the same host is same-site: %v", err)
	}
	to, err := url.Parse(second.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Open(t.Context(), "http://localhost:"+to.Port()); err != nil || b.Shows("__Host-a") {
		t.Errorf("cookies went to another host: %v", err)
	}
}
