package web_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/internal/web"
)

// gallery is a host of logos.
type gallery struct {
	*httptest.Server
	calls atomic.Int64
	body  atomic.Pointer[[]byte]
}

func newGallery(t *testing.T, body []byte) *gallery {
	t.Helper()
	g := &gallery{}
	g.body.Store(&body)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.calls.Add(1)
		if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" {
			t.Errorf("tells who looks: %v", r.Header)
		}
		w.Header().Set("Content-Type", "image/png") // whatever it is
		_, _ = w.Write(*g.body.Load())
	}))
	t.Cleanup(g.Close)
	return g
}

// withLogo is a world whose app has this logo, and a browser on its way to the app.
func withLogo(t *testing.T, uri string) (*world, *browser, string) {
	t.Helper()
	wd := newWorld(t, func(c *web.Config) {
		c.Logos = outbound.New(outbound.Config{Loopback: true, Now: c.Now})
	})
	c := scheduler()
	c.LogoURI = uri
	wd.must(wd.db.PutClient(t.Context(), operator, c, wd.now()))
	b := wd.asAnn()
	return wd, b, "?flow=" + b.flow()
}

func square(t *testing.T, side int) map[string][]byte {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.Black, color.White})
	var p, j, g bytes.Buffer
	for _, err := range []error{png.Encode(&p, m), jpeg.Encode(&j, m, nil), gif.Encode(&g, m, nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string][]byte{"image/png": p.Bytes(), "image/jpeg": j.Bytes(), "image/gif": g.Bytes()}
}

// OpenID Connect Dynamic Client Registration §2: the logo is on the pages on which people
// decide, from this server, which fetches it once for all.
func TestLogo_OIDCRegistration_2_IsShown(t *testing.T) {
	t.Parallel()
	for kind, picture := range square(t, 16) {
		g := newGallery(t, picture)
		wd, b, flow := withLogo(t, g.URL+"/logo.png")
		for _, page := range []string{"/login", "/select-account", "/consent"} {
			if a := b.get(page + flow); !strings.Contains(a.body, `<img class="logo" src="/logo`+flow+`" alt=""`) || strings.Contains(a.body, g.URL) {
				t.Errorf("%s: %s", page, a.body)
			}
		}
		if n := g.calls.Load(); n != 0 {
			t.Errorf("%d calls before anybody looked", n)
		}
		var all sync.WaitGroup
		answers := make([]answer, 8)
		for i := range answers {
			r := b.request("GET", "/logo"+flow, nil)
			all.Go(func() {
				rec := httptest.NewRecorder()
				wd.mux.ServeHTTP(rec, r)
				answers[i] = answer{rec.Code, rec.Header(), rec.Body.String()}
			})
		}
		all.Wait()
		for _, a := range answers {
			if a.status != http.StatusOK || a.body != string(picture) || a.header.Get("Content-Type") != kind || a.header.Get("X-Content-Type-Options") != "nosniff" ||
				!strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'; frame-ancestors 'none'; sandbox") {
				t.Errorf("%s: %d %v", kind, a.status, a.header)
			}
		}
		if n := g.calls.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
		wd.pass(time.Hour)
		if b.get("/logo" + "?flow=" + b.flow()); g.calls.Load() != 2 {
			t.Errorf("an hour later: %d calls", g.calls.Load())
		}
	}
}

// CLI-05: nobody outside of a flow makes the server fetch, and what is no picture, by its
// own bytes, is not handed on.
func TestLogo_CLI05_NothingElse(t *testing.T) {
	t.Parallel()
	small, large := square(t, 16)["image/png"], square(t, 1025)["image/gif"]
	for name, body := range map[string][]byte{
		"SVG": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "HTML": []byte("<!doctype html><script>alert(1)</script>"),
		"nothing": nil, "too many pixels": large, "too many bytes": append(bytes.Clone(small), make([]byte, 64<<10)...), "cut off": small[:10],
	} {
		g := newGallery(t, body)
		_, b, flow := withLogo(t, g.URL+"/logo.png")
		for range 2 {
			if a := b.get("/logo" + flow); a.status != http.StatusNotFound || bytes.Contains([]byte(a.body), []byte("alert(1)")) {
				t.Errorf("%s: %d %v", name, a.status, a.header)
			}
		}
		if n := g.calls.Load(); n != 1 {
			t.Errorf("%s: %d calls", name, n)
		}
	}
	g := newGallery(t, small)
	wd, b, flow := withLogo(t, g.URL+"/logo.png")
	for name, a := range map[string]answer{
		"another browser": wd.browser().get("/logo" + flow), "no flow": b.get("/logo"), "no such flow": b.get("/logo" + flow + "x"),
	} {
		if a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	if n := g.calls.Load(); n != 0 {
		t.Errorf("%d calls", n)
	}
	_, b, flow = withLogo(t, "")
	if a := b.get("/login" + flow); strings.Contains(a.body, "/logo") || b.get("/logo"+flow).status != http.StatusNotFound {
		t.Error("a logo that there is not")
	}
}

// CLI-05, Registration §9.1: an app that nobody checked shows no picture that somebody
// else keeps.
func TestLogo_CLI05_UnverifiedApp(t *testing.T) {
	t.Parallel()
	g := newGallery(t, square(t, 16)["image/png"])
	for host, shown := range map[string]bool{"https://scheduler.example/cb": false, "http://127.0.0.1:8082/cb": true, "https://127.0.0.1.evil.example/cb": false} {
		wd := newWorld(t, func(c *web.Config) {
			c.Logos = outbound.New(outbound.Config{Loopback: true, Now: c.Now})
		})
		b := wd.unverified(idp.OriginRegistered, "dyn-1", func(c *idp.Client) {
			c.RedirectURIs, c.LogoURI = []string{host}, g.URL+"/logo.png"
		})
		flow := "?flow=" + b.flow(func(r *idp.AuthRequest) { r.ClientID, r.RedirectURI = "dyn-1", host })
		before := g.calls.Load()
		got := strings.Contains(b.get("/login"+flow).body, `class="logo"`)
		a := b.get("/logo" + flow)
		if got != shown || (a.status == http.StatusOK) != shown || (g.calls.Load() != before) != shown {
			t.Errorf("%s: shown is %v, %d", host, got, a.status)
		}
	}
}
