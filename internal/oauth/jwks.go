package oauth

import (
	"net/http"
	"sync/atomic"
)

// Keys is the public half of the keyring.
type Keys interface{ JWKS() []byte }

// jwksEndpoint is GET /jwks.json (RFC 7517 §5). The keyring keeps the bytes ready.
type jwksEndpoint struct {
	keys    Keys
	current atomic.Pointer[document]
}

func (e *jwksEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := e.keys.JWKS()
	d := e.current.Load()
	if d == nil || !sameBytes(d.body, body) {
		d = newDocument(body)
		e.current.Store(d)
	}
	d.ServeHTTP(w, r)
}

// sameBytes reports whether both are one slice; the keyring replaces it, never changes it.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0]
}
