package oauth

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// Keys is the public half of the keyring.
type Keys interface {
	JWKS() []byte    // what every client understands
	AllJWKS() []byte // also keys of ML-DSA (RFC 9964)
	keyMaker
}

// keyMaker makes keys of algorithms that have none before somebody asks for them.
type keyMaker interface {
	NeedFor(ctx context.Context, m idp.ClientMetadata, now time.Time) error
}

// jwksEndpoint is GET /jwks.json (RFC 7517 §5), and /jwks-pq.json with the keys of ML-DSA
// beside the others: some clients refuse a set with a kind of key that is new to them. The
// keyring keeps the bytes ready.
type jwksEndpoint struct {
	keys    func() []byte
	current atomic.Pointer[document]
}

func (e *jwksEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := e.keys()
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
