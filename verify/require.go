package verify

import (
	"context"
	"net/http"
	"strings"
)

// Require protects a handler: it wants an access token in the Authorization header (RFC
// 6750 §2.1, RFC 9449 §7.1, nowhere else) that carries all the scopes. A token that is
// bound to a key needs its proof: a DPoP header, or the client certificate of the
// connection. The handler finds the claims with FromContext. Anything else is answered
// with a challenge (RFC 6750 §3, RFC 9449 §7.1); 503 with Retry-After says that the
// verifier itself cannot decide now.
// Require panics when a scope is not one that a token can carry (RFC 6749 §3.3).
func (v *Verifier) Require(scopes ...string) func(http.Handler) http.Handler {
	for _, s := range scopes {
		if !validScope(s) {
			panic("verify: Require: not a scope: " + s)
		}
	}
	want := strings.Join(scopes, " ")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, nonce, err := v.authorize(r, scopes)
			if nonce != "" {
				w.Header().Set("DPoP-Nonce", nonce) // RFC 9449 §8.2
			}
			if err != nil {
				v.challenge(w, r, err, want)
				return
			}
			next.ServeHTTP(w, r.WithContext(NewContext(r.Context(), c)))
		})
	}
}

func (v *Verifier) authorize(r *http.Request, scopes []string) (c *Claims, nonce string, err error) {
	c, nonce, err = v.present(r.Context(), Credentials{
		Authorization: r.Header.Values("Authorization"), DPoP: r.Header.Values("DPoP"),
		Method: r.Method, URL: requestPath(r), Certificate: v.proofs.clientCertificate(r),
	})
	if err != nil {
		return nil, nonce, err
	}
	for _, s := range scopes {
		if !c.HasScope(s) {
			return nil, nonce, ErrScope
		}
	}
	return c, nonce, nil
}

// NewContext returns a context with the claims of a token that was verified, for adapters
// to other protocols and for tests of handlers.
func NewContext(ctx context.Context, c *Claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, c)
}
