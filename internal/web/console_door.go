package web

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

const (
	consoleLinkLife = 15 * time.Minute
	consoleIdle     = 30 * time.Minute
	consoleCookie   = "signet-console"
)

// A door lets one browser in: the one that shows the link first. Secrets are kept and
// compared as hashes.
type door struct {
	now  func() time.Time
	left chan struct{} // closed when the browser has gone

	mu       sync.Mutex // guards what is below
	link     [32]byte
	until    time.Time // of the link
	used     bool      // the link
	inside   bool      // a browser is in
	session  [32]byte
	seenAt   time.Time
	noticeOf string
}

// newDoor returns a door and what opens it.
func newDoor(now func() time.Time) (*door, secret.Text) {
	ticket := secret.New(secret.Invitation)
	return &door{now: now, left: make(chan struct{}), link: hashOf(ticket.Reveal(), "console link"), until: now().Add(consoleLinkLife)}, ticket
}

func hashOf(s, purpose string) [32]byte { return secret.Hash(purpose, secret.NewText(s)) }

// fits reports whether the link would open the door. It stays unused.
func (d *door) fits(link string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.opens(link)
}

// opens needs mu.
func (d *door) opens(link string) bool {
	given := hashOf(link, "console link")
	return subtle.ConstantTimeCompare(given[:], d.link[:]) == 1 && !d.used && d.now().Before(d.until)
}

// enter uses the link up and returns the cookie's value.
func (d *door) enter(link string) (cookie secret.Text, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.opens(link) {
		return secret.Text{}, fmt.Errorf("console link: %w", idp.ErrConsumed)
	}
	cookie = secret.New(secret.Session)
	d.used, d.inside, d.seenAt = true, true, d.now()
	d.session = hashOf(cookie.Reveal(), "console session")
	return cookie, nil
}

// admit reports whether the request comes from the browser that is in, and keeps it in.
func (d *door) admit(r *http.Request) (csrf string, ok bool) {
	cookies := r.CookiesNamed(consoleCookie)
	if len(cookies) != 1 { // somebody has planted a second one
		return "", false
	}
	given := hashOf(cookies[0].Value, "console session")
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if !d.inside || subtle.ConstantTimeCompare(given[:], d.session[:]) != 1 || now.Sub(d.seenAt) >= consoleIdle {
		return "", false
	}
	d.seenAt = now
	return consoleCSRF(cookies[0].Value), true
}

// consoleCSRF is the value that the forms of this session carry (OAU-15).
func consoleCSRF(cookie string) string {
	return fmt.Sprintf("%x", hashOf(cookie, "console form"))
}

// leave ends the session.
func (d *door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inside {
		d.inside = false
		close(d.left)
	}
}

// leaveNotice keeps the name of what has just been done for the next page.
func (d *door) leaveNotice(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noticeOf = name
}

// takeNotice returns its catalogue key, once.
func (d *door) takeNotice() (key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.noticeOf != "" {
		key = "console.notice." + d.noticeOf
	}
	d.noticeOf = ""
	return key
}
