package oauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/token"
)

// revokeStore is what the revocation endpoint needs of the database.
type revokeStore interface {
	Refresh(ctx context.Context, handleHash [32]byte, now time.Time) (idp.RefreshToken, idp.Standing, error)
	RevokeGrant(ctx context.Context, by idp.Actor, grantID, reason string, now time.Time) error
	RevokeJTI(ctx context.Context, by idp.Actor, jti string, until, now time.Time) error
}

// revokeEndpoint is POST /revoke (RFC 7009). A client gives back what it was given: a
// refresh token takes its grant along, with all access tokens made from it; an access
// token goes alone.
type revokeEndpoint struct {
	clients *clientAuth
	tokens  *token.Issuer
	store   revokeStore
	cors    crossOrigin
	now     func() time.Time
}

func (e *revokeEndpoint) serve(w http.ResponseWriter, r *http.Request) error {
	e.cors.vary(w)
	form, err := edge.Form(w, r, maxTokenForm)
	if err != nil {
		return formError(err)
	}
	c, err := e.clients.authenticate(r, form)
	if err != nil {
		return err
	}
	e.cors.allow(w, r, c.Client)
	given := form.Get("token")
	if given == "" {
		return refuse(InvalidRequest, "token is required")
	}
	// token_type_hint is not needed: the kinds look different (§2.1 allows to ignore it).
	if err := e.revoke(r.Context(), edge.Actor(r, "client", c.ID), c.Client, given, e.now()); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

// leewayOfVerifiers is how long after its end, by our clock, a token may still be taken by
// somebody whose clock is late and who forgives as much again.
const leewayOfVerifiers = 2 * time.Minute

// revoke does nothing for what is no token, or none any more (§2.2).
func (e *revokeEndpoint) revoke(ctx context.Context, by idp.Actor, c idp.Client, given string, now time.Time) error {
	if _, handleHash, _, err := token.ParseRefresh(given); err == nil {
		_, s, err := e.store.Refresh(ctx, handleHash, now)
		if errors.Is(err, idp.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if s.Grant.ClientID != c.ID {
			return foreignToken()
		}
		return e.store.RevokeGrant(ctx, by, s.Grant.ID, "revoked by the client", now)
	}
	claims, err := e.tokens.Inspect(given, now)
	if err != nil {
		return nil // not a token of ours, or not any more: nothing to revoke
	}
	if claims.ClientID != c.ID {
		return foreignToken()
	}
	return e.store.RevokeJTI(ctx, by, claims.ID, claims.ExpiresAt.Add(leewayOfVerifiers), now)
}

// foreignToken: §2.1: "the request is refused and the client is informed of the error".
func foreignToken() error {
	return &Error{Code: InvalidGrant, Description: "the token was issued to another client", Cause: errOtherClient}
}
