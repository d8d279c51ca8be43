package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
)

// boundRefreshStore is what refresh tokens with a key need of the database.
type boundRefreshStore interface {
	BindRefreshToken(ctx context.Context, handleHash, presented [32]byte, jkt string, now time.Time) error
	UseRefreshToken(ctx context.Context, handleHash, presented [32]byte, now time.Time) error
}

// newFamily begins a family of refresh tokens; nil for a client that may have none.
func newFamily(s idp.Standing, by possession) (secret.Text, *idp.RefreshToken) {
	if !s.Client.MayUse(idp.GrantRefreshToken) {
		return secret.Text{}, nil
	}
	refresh, handleHash, current := token.NewRefresh()
	return refresh, &idp.RefreshToken{
		HandleHash: handleHash, CurrentHash: current, GrantID: s.Grant.ID, JKT: boundTo(s.Client, by), Generation: 1, ExpiresAt: s.Grant.ExpiresAt,
	}
}

// boundTo is the key that new refresh tokens are bound to (RFC 9449 §5): those of public
// clients to the one that was proven. Those of others are bound to the client, who may
// change its key.
func boundTo(c idp.Client, by possession) string {
	if !c.Public() {
		return ""
	}
	return by.jkt
}

// rotates reports whether a client's refresh tokens change with each use. FAPI 2.0
// §5.3.2.1 forbids it for those that prove themselves and a key each time: rotation could
// only take the token from an honest client that loses an answer.
func rotates(c idp.Client) bool { return c.Public() || !c.RequiresDPoP() }

// boundUse is what the first use of a token does in place of rotate, or before it.
func (g *refreshGrant) boundUse(family idp.RefreshToken, c idp.Client, req tokenRequest, presented secret.Text,
	rotate func(context.Context) (secret.Text, error),
) func(context.Context) (secret.Text, error) {
	switch jkt := boundTo(c, req.key); {
	case !rotates(c):
		return func(ctx context.Context) (secret.Text, error) {
			err := g.store.UseRefreshToken(ctx, family.HandleHash, family.CurrentHash, req.now)
			if gone(err) {
				return secret.Text{}, badRefresh(err)
			}
			return presented, err
		}
	case jkt != "" && family.JKT == "":
		return func(ctx context.Context) (secret.Text, error) {
			if err := g.bind(ctx, family, jkt, req.now); err != nil {
				return secret.Text{}, err
			}
			return rotate(ctx)
		}
	}
	return rotate
}

// bind binds a family from before its client had a key. Who comes second with the same key
// may be retrying, which rotate tells.
func (g *refreshGrant) bind(ctx context.Context, family idp.RefreshToken, jkt string, now time.Time) error {
	err := g.store.BindRefreshToken(ctx, family.HandleHash, family.CurrentHash, jkt, now)
	if errors.Is(err, idp.ErrConsumed) {
		var as idp.RefreshToken
		if as, _, err = g.store.Refresh(ctx, family.HandleHash, now); err == nil && as.JKT != jkt {
			return errOtherKey("the refresh token")
		}
	}
	if errors.Is(err, idp.ErrNotFound) {
		return badRefresh(err)
	}
	return err
}
