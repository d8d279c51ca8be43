package oauth

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// ProofOfClient checks the proof of a request to an endpoint where clients authenticate.
func (e *Endpoints) ProofOfClient(w http.ResponseWriter, r *http.Request, path string, c idp.Client, now time.Time) (jkt string, err error) {
	by, err := e.proofs.ofClient(w, r, path, c, now)
	return by.jkt, err
}

// PushedKey is the key of a request of which one was proven and one named.
func PushedKey(ctx context.Context, proven, named string) (jkt, code string) {
	a := &asking{form: url.Values{"dpop_jkt": {named}}, key: possession{jkt: proven}}
	if err := checkDPoPKey(ctx, a); err != nil {
		return "", string(asError(err).Code)
	}
	return a.req.JKT, ""
}

// ParseClaims reads a claims parameter.
func ParseClaims(text string) (names idp.ClaimsRequest, subject string, acr []string, err error) {
	wish, err := parseClaims(text)
	return wish.names, wish.subject, wish.acr, err
}

// Patterns are the routes of all endpoints.
func (e *Endpoints) Patterns() []string {
	list := make([]string, len(e.routes))
	for i, r := range e.routes {
		list[i] = r.pattern
	}
	return list
}
