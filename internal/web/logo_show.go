package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the kinds of pictures that are shown
	_ "image/jpeg"
	_ "image/png"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/outbound"
)

// Logos calls addresses of apps: outbound.Client.
type Logos interface {
	Get(ctx context.Context, address, accept string) (outbound.Document, error)
}

// Limits on pictures. A picture is fetched again when it is asked for and too old.
const (
	maxLogoBytes  = 64 << 10
	maxLogoPixels = 1024 // of each side
	maxLogos      = 256  // that are kept
	leastLogo     = 10 * time.Minute
	mostLogo      = time.Hour
	pauseLogo     = 5 * time.Minute // after what was none
)

// logoShow serves the logo of the app that asks (OpenID Connect Dynamic Client
// Registration §2: during approval). We fetch it: loaded from the app, it would tell the
// app who reads the page (CLI-05). Only a browser within a flow of the app gets it, so
// nobody else can make us fetch.
type logoShow struct {
	*site
	requests requests
}

func (p logoShow) serve(w http.ResponseWriter, r *http.Request) error {
	req, err := p.requests.must(r, p.now())
	if err != nil {
		return err
	}
	none := &failure{status: http.StatusNotFound, kind: "no_page", cause: idp.ErrNotFound}
	if !p.logos.shows(req.Client) {
		return none
	}
	pic, err := p.logos.of(r.Context(), req.Client.LogoURI)
	if err != nil {
		return err
	}
	if pic.mediaType == "" {
		return none
	}
	h := w.Header()
	h.Set("Content-Type", pic.mediaType)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox") // whatever a browser takes it for
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	_, _ = w.Write(pic.body)
	return nil
}

// asking is the app of a request, with its logo.
func (s *site) asking(req request) *app {
	a := appOf(req.Client)
	if s.logos.shows(req.Client) {
		a.Logo = req.at("/logo")
	}
	return a
}

// logos keeps pictures for a while. It is for many goroutines.
type logos struct {
	fetch Logos // nil: none are shown
	now   func() time.Time

	mu    sync.Mutex // guards known
	known map[string]*logo
}

// logo is a picture, or that there is none at the address.
type logo struct {
	done      chan struct{} // closed when all below is written
	body      []byte
	mediaType string // empty: none
	until     time.Time
}

// shows reports whether the app has a logo that people may see. An app that no operator
// added shows one of a host that people are sent to, so that it cannot borrow the picture
// that another keeps (Registration §9.1).
func (l *logos) shows(c idp.Client) bool {
	u, err := url.Parse(c.LogoURI)
	if l.fetch == nil || err != nil || u.Hostname() == "" {
		return false
	}
	return !c.Unverified() || slices.ContainsFunc(c.RedirectURIs, func(s string) bool {
		r, err := url.Parse(s)
		return err == nil && r.Hostname() == u.Hostname()
	})
}

// of returns the picture at an address. One request at a time asks for it; the others wait.
func (l *logos) of(ctx context.Context, address string) (*logo, error) {
	l.mu.Lock()
	pic := l.known[address]
	if pic != nil && !pic.over(l.now()) {
		l.mu.Unlock()
		select {
		case <-pic.done:
			return pic, nil
		case <-ctx.Done():
			return nil, fmt.Errorf("logo: %w", ctx.Err())
		}
	}
	if pic == nil && len(l.known) >= maxLogos {
		for other := range l.known { // any: it is fetched again
			delete(l.known, other)
			break
		}
	}
	pic = &logo{done: make(chan struct{})}
	l.known[address] = pic
	l.mu.Unlock()
	defer close(pic.done)
	// For all who wait, also if this one goes away; the call has a time limit of its own.
	doc, err := l.fetch.Get(context.WithoutCancel(ctx), address, "image/png, image/jpeg, image/gif")
	pic.until = l.now().Add(pauseLogo)
	if err != nil { // the cause is in the log of the call
		return pic, nil
	}
	if kind, err := pictureKind(doc.Body); err == nil {
		pic.body, pic.mediaType, pic.until = doc.Body, "image/"+kind, doc.Expires(leastLogo, mostLogo)
	}
	return pic, nil
}

// over reports whether the picture is there and too old.
func (p *logo) over(now time.Time) bool {
	select {
	case <-p.done:
		return !now.Before(p.until)
	default:
		return false
	}
}

// pictureKind says what a picture is by its own bytes: what a server calls it is the
// word of a stranger, and SVG can hold scripts.
func pictureKind(body []byte) (string, error) {
	if len(body) > maxLogoBytes {
		return "", errors.New("too many bytes")
	}
	size, kind, err := image.DecodeConfig(bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	if size.Width > maxLogoPixels || size.Height > maxLogoPixels {
		return "", errors.New("too many pixels")
	}
	return kind, nil
}
