package session

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// cookie is one of ours: browsers accept a name that begins with __Host- only with Secure,
// Path=/ and without Domain, so no sibling host can set it (RFC 6265bis §4.1.3.2).
type cookie struct {
	name   string
	prefix secret.Prefix
}

var (
	sessionCookie = cookie{"__Host-signet", secret.Session}
	flowCookie    = cookie{"__Host-signet-flow", secret.Flow}
)

// ErrDuplicate says that the browser sent a cookie of ours twice: somebody planted one, and
// nobody can tell which (SES-02). It is an idp.ErrNotFound: the visitor is nobody. It has
// a name of its own because logging in again does not help, and a page should say so.
var ErrDuplicate = fmt.Errorf("cookie sent more than once: %w", idp.ErrNotFound)

// readCookie returns the one well-formed value. It reads the header itself: net/http drops
// cookies that it cannot parse, and so would hide a second one.
func readCookie(r *http.Request, c cookie) (secret.Text, error) {
	var value string
	found := false
	for _, line := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, v, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if name != c.name {
				continue
			}
			if found {
				return secret.Text{}, ErrDuplicate
			}
			found, value = true, v
		}
	}
	if !found {
		return secret.Text{}, fmt.Errorf("no cookie: %w", idp.ErrNotFound)
	}
	t, _, err := secret.Parse(c.prefix, value)
	if err != nil {
		return secret.Text{}, fmt.Errorf("cookie not well-formed: %w", idp.ErrNotFound)
	}
	return t, nil
}

// setCookie sends the value to the browser and puts it in place of the old one in the
// request, so that what is read from the request later in this answer is already the new
// one. The cookie ends with the browser; the session behind it ends by itself.
func setCookie(w http.ResponseWriter, r *http.Request, c cookie, value secret.Text) {
	http.SetCookie(w, attributes(c, value.Reveal()))
	dropCookie(r, c)
	r.Header.Add("Cookie", c.name+"="+value.Reveal())
}

// dropCookie removes all cookies of that name from the request.
func dropCookie(r *http.Request, c cookie) {
	lines := r.Header.Values("Cookie")
	r.Header.Del("Cookie")
	for _, line := range lines {
		var keep []string
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.Trim(pair, " \t")
			if name, _, _ := strings.Cut(pair, "="); name != c.name && pair != "" {
				keep = append(keep, pair)
			}
		}
		if len(keep) > 0 {
			r.Header.Add("Cookie", strings.Join(keep, "; "))
		}
	}
}

func attributes(c cookie, value string) *http.Cookie {
	return &http.Cookie{
		Name: c.name, Value: value, Path: "/",
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// Clear makes the browser forget the login. The session itself is ended by the store.
func (m *Manager) Clear(w http.ResponseWriter) {
	gone := attributes(sessionCookie, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
}
