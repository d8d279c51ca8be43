package oauth

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
)

// refreshStore is what the refresh_token grant needs of the database.
type refreshStore interface {
	Refresh(ctx context.Context, handleHash [32]byte, now time.Time) (idp.RefreshToken, idp.Standing, error)
	RotateRefreshToken(ctx context.Context, by idp.Actor, handleHash, presented, next [32]byte, sealed []byte,
		window time.Duration, now time.Time) (idp.Rotation, []byte, error)
	boundRefreshStore
}

// refreshGrant exchanges a refresh token for new tokens (RFC 6749 §6). Each token works
// once; whoever lost the answer may ask again within the retry window and gets the same
// successor; later use ends the grant (RFC 9700 §4.14.2). Those of clients that prove
// themselves and a key with each use stay as they are.
type refreshGrant struct {
	store     refreshStore
	audiences audiences
}

func (g *refreshGrant) authorize(ctx context.Context, c idp.Client, req tokenRequest) (decision, error) {
	if req.refreshToken.Empty() {
		return decision{}, refuse(InvalidRequest, "refresh_token is required")
	}
	presented, handleHash, hash, err := token.ParseRefresh(req.refreshToken.Reveal())
	if err != nil {
		return decision{}, badRefresh(err)
	}
	family, s, err := g.store.Refresh(ctx, handleHash, req.now)
	if errors.Is(err, idp.ErrNotFound) {
		return decision{}, badRefresh(err)
	}
	if err != nil {
		return decision{}, err
	}
	if err := standing(s, c.ID, req.now); err != nil {
		return decision{}, badRefresh(err)
	}
	if family.JKT != "" && family.JKT != req.key.jkt { // RFC 9449 §5
		return decision{}, errOtherKey("the refresh token")
	}
	rotate := func(ctx context.Context) (secret.Text, error) {
		return g.rotate(ctx, req, presented, handleHash, hash)
	}
	if subtle.ConstantTimeCompare(family.CurrentHash[:], hash[:]) != 1 {
		// Used before. Reuse must be noticed whatever else is wrong with the request;
		// a retry changes nothing, so it may be answered for right away.
		successor, err := rotate(ctx)
		if err != nil {
			return decision{}, err
		}
		rotate = func(context.Context) (secret.Text, error) { return successor, nil }
	} else {
		rotate = g.boundUse(family, s.Client, req, presented, rotate)
	}
	d, err := g.decide(ctx, req, s)
	d.commit = rotate
	return d, err
}

func (g *refreshGrant) decide(ctx context.Context, req tokenRequest, s idp.Standing) (decision, error) {
	scopes, err := narrow(s.Grant.Scopes, s.Client, req.scope)
	if err != nil {
		return decision{}, err
	}
	t, err := g.audiences.again(ctx, s.Grant, req.resource, scopes, req.scope != "")
	if err != nil {
		return decision{}, err
	}
	s.Grant.Nonce = "" // OpenID Connect Core §12.2: not in a refreshed ID token
	return ofGrant(s, t, scopes), nil
}

// rotate replaces the token, or finds the successor that it was replaced by just now.
func (g *refreshGrant) rotate(ctx context.Context, req tokenRequest, presented secret.Text, handleHash, hash [32]byte) (secret.Text, error) {
	next, nextHash, sealed := token.NextRefresh(presented, req.key.jkt)
	outcome, successor, err := g.store.RotateRefreshToken(ctx, req.by, handleHash, hash, nextHash, sealed, retryWindow, req.now)
	switch {
	case errors.Is(err, idp.ErrNotFound):
		return secret.Text{}, badRefresh(err)
	case err != nil:
		return secret.Text{}, err
	}
	switch outcome {
	case idp.Rotated:
		return next, nil
	case idp.Retried:
		next, err := token.OpenSuccessor(presented, req.key.jkt, successor)
		if errors.Is(err, secret.ErrSealed) { // no retry: the first use proved another key
			return secret.Text{}, badRefresh(err)
		}
		return next, err
	}
	return secret.Text{}, badRefresh(idp.ErrConsumed)
}

// badRefresh is the one answer for tokens that are unknown, expired, used or foreign.
func badRefresh(cause error) error {
	return &Error{Code: InvalidGrant, Description: "the refresh token is not valid", Cause: cause}
}
