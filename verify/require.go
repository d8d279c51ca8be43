package verify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// Require protects a handler: it wants an access token in the Authorization header (RFC
// 6750 §2.1, nowhere else) that carries all the scopes. The handler finds the claims
// with FromContext. Anything else is answered with a challenge (RFC 6750 §3); 503 with
// Retry-After says that the verifier itself cannot decide now.
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
			c, err := v.authorize(r, scopes)
			if err != nil {
				v.challenge(w, err, want)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, c)))
		})
	}
}

var (
	errNoToken = errors.New("no token")
	errRequest = errors.New("malformed authorization")
)

func (v *Verifier) authorize(r *http.Request, scopes []string) (*Claims, error) {
	token, err := bearer(r.Header.Values("Authorization"))
	if err != nil {
		return nil, err
	}
	c, err := v.Verify(r.Context(), token)
	if err != nil {
		return nil, err
	}
	for _, s := range scopes {
		if !c.HasScope(s) {
			return nil, ErrScope
		}
	}
	return c, nil
}

// bearer finds the token. Two headers are an error: a proxy may have looked at the other
// one. A scheme that is not ours is as good as no token.
func bearer(values []string) (string, error) {
	switch len(values) {
	case 0:
		return "", errNoToken
	case 1:
	default:
		return "", errRequest
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoToken
	}
	token = strings.Trim(token, " ")
	if token == "" {
		return "", errRequest
	}
	return token, nil
}

// retryAfter is how many seconds a client should wait when the verifier cannot decide;
// the issuer's next heartbeat comes within that time.
const retryAfter = "5"

// problem is the body of a refusal.
type problem struct {
	Error       string `json:"error,omitempty"`
	Description string `json:"error_description"`
	Scope       string `json:"scope,omitempty"`
	RevokedAt   int64  `json:"revoked_at,omitempty"` // unix milliseconds
	HeardAt     int64  `json:"heard_at,omitempty"`   // unix milliseconds
}

// challenge answers a request that was refused.
func (v *Verifier) challenge(w http.ResponseWriter, err error, scope string) {
	status, p := explain(err)
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusForbidden:
		p.Scope = scope
		fallthrough
	default:
		w.Header().Set("WWW-Authenticate", v.challengeHeader(p))
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone if this fails
}

// challengeHeader writes the challenge. Without a token it carries no error (RFC 6750 §3.1).
func (v *Verifier) challengeHeader(p problem) string {
	h := `Bearer realm="` + v.audience + `"`
	if p.Error != "" {
		h += `, error="` + p.Error + `", error_description="` + p.Description + `"`
	}
	if p.Scope != "" {
		h += `, scope="` + p.Scope + `"`
	}
	if v.metadataURL != "" { // RFC 9728 §5.1
		h += `, resource_metadata="` + v.metadataURL + `"`
	}
	return h
}

// explain translates an error into a status and fixed words (RFC 6750 §3.1). What is not
// listed is a token that is no good.
func explain(err error) (int, problem) {
	const invalid = "invalid_token"
	var revoked *RevokedError
	switch {
	case errors.Is(err, ErrNotReady), errors.Is(err, ErrStale):
		return http.StatusServiceUnavailable, problem{Error: "temporarily_unavailable", Description: "tokens cannot be checked at the moment"}
	case errors.Is(err, errNoToken):
		return http.StatusUnauthorized, problem{Description: "an access token is needed in the Authorization header"}
	case errors.Is(err, errRequest):
		return http.StatusBadRequest, problem{Error: "invalid_request", Description: "the Authorization header must carry one token, once"}
	case errors.Is(err, ErrScope):
		return http.StatusForbidden, problem{Error: "insufficient_scope", Description: "the token does not allow this"}
	case errors.As(err, &revoked):
		return http.StatusUnauthorized, problem{
			Error: invalid, Description: "the token was revoked",
			RevokedAt: revoked.At.UnixMilli(), HeardAt: revoked.HeardAt.UnixMilli(),
		}
	case errors.Is(err, ErrExpired):
		return http.StatusUnauthorized, problem{Error: invalid, Description: "the token has expired"}
	case errors.Is(err, ErrAudience):
		return http.StatusUnauthorized, problem{Error: invalid, Description: "the token is for another service"}
	case errors.Is(err, ErrBound):
		return http.StatusUnauthorized, problem{Error: invalid, Description: "the token is bound to a key and cannot be used as a bearer token"}
	}
	return http.StatusUnauthorized, problem{Error: invalid, Description: "the token is not valid"}
}
