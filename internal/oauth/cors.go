package oauth

import (
	"context"
	"net/http"
	"slices"

	"github.com/signet-id/signet/internal/idp"
)

// originDirectory knows the origins of all clients.
type originDirectory interface {
	Origins(ctx context.Context) (map[string]bool, error)
}

// crossOrigin lets scripts of registered origins read answers (Fetch §3.2). A preflight
// has no client yet, so it is answered for the origins of all; the answer itself is
// readable for the origins of its own client only. Credentials are never allowed, so
// no cookie of ours ever comes with such a request (SES-05).
type crossOrigin struct{ directory originDirectory }

// preflight answers OPTIONS.
func (c crossOrigin) preflight(methods string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c.vary(w)
		origin, ok := originOf(r)
		if ok {
			registered, err := c.directory.Origins(r.Context())
			if err != nil {
				return err
			}
			if registered[origin] {
				h := w.Header()
				h.Set("Access-Control-Allow-Origin", origin)
				h.Set("Access-Control-Allow-Methods", methods)
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
				h.Set("Access-Control-Max-Age", "600")
			}
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// allow makes the answer readable for the client's own origins.
func (crossOrigin) allow(w http.ResponseWriter, r *http.Request, c idp.Client) {
	if origin, ok := originOf(r); ok && slices.Contains(c.Origins, origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce")
	}
}

// vary keeps caches from giving one origin's answer to another.
func (crossOrigin) vary(w http.ResponseWriter) { w.Header().Add("Vary", "Origin") }

// originOf returns the one origin of a request. "null" is nobody: every sandboxed page has it.
func originOf(r *http.Request) (string, bool) {
	origins := r.Header["Origin"]
	if len(origins) != 1 || origins[0] == "" || origins[0] == "null" {
		return "", false
	}
	return origins[0], true
}
