package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// deviceGrantStore is what the device_code grant needs of the database.
type deviceGrantStore interface {
	PollDevice(ctx context.Context, deviceHash [32]byte, clientID string, now time.Time) (idp.DeviceRequest, error)
	RedeemDevice(ctx context.Context, by idp.Actor, deviceHash [32]byte, refresh *idp.RefreshToken, now time.Time) error
	standingStore
}

// deviceGrant answers a device that asks what became of its request (RFC 8628 §3.4): not
// yet, no, too late, or tokens, once.
type deviceGrant struct {
	store     deviceGrantStore
	audiences audiences
}

func (g *deviceGrant) authorize(ctx context.Context, c idp.Client, req tokenRequest) (decision, error) {
	if req.deviceCode.Empty() {
		return decision{}, refuse(InvalidRequest, "device_code is required")
	}
	if _, _, err := secret.Parse(secret.Device, req.deviceCode.Reveal()); err != nil {
		return decision{}, badCode(err)
	}
	hash := secret.Hash("device_code", req.deviceCode)
	d, err := g.store.PollDevice(ctx, hash, c.ID, req.now)
	switch {
	case errors.Is(err, idp.ErrLimited):
		return decision{}, &Error{Code: SlowDown, Description: "wait five seconds longer between two polls", Cause: err}
	case errors.Is(err, idp.ErrExpired):
		return decision{}, &Error{Code: ExpiredToken, Description: "the device code has expired; begin anew", Cause: err}
	case errors.Is(err, idp.ErrNotFound):
		return decision{}, badCode(err)
	case errors.Is(err, idp.ErrConsumed):
		// Whoever comes second, one of the two is a thief: the store revokes the grant and
		// all that was made from it, as for a code that is used twice (OAU-04).
		return decision{}, redeemError(g.store.RedeemDevice(ctx, req.by, hash, nil, req.now))
	case err != nil:
		return decision{}, err
	case !d.DeniedAt.IsZero():
		return decision{}, refuse(AccessDenied, "")
	case d.ApprovedAt.IsZero():
		return decision{}, refuse(AuthorizationPending, "")
	}
	return g.approved(ctx, c, req, d)
}

// approved decides about a request that somebody said yes to. What they are allowed to do
// is asked again: they may have been disabled or logged out since.
func (g *deviceGrant) approved(ctx context.Context, c idp.Client, req tokenRequest, d idp.DeviceRequest) (decision, error) {
	s, err := g.store.Standing(ctx, d.GrantID, req.now)
	if errors.Is(err, idp.ErrNotFound) {
		return decision{}, badCode(err)
	}
	if err != nil {
		return decision{}, err
	}
	if err := standing(s, c.ID, req.now); err != nil {
		return decision{}, badCode(err)
	}
	scopes, err := narrow(s.Grant.Scopes, s.Client, "")
	if err != nil {
		return decision{}, err
	}
	t, err := g.audiences.again(ctx, s.Grant, req.resource, scopes, false)
	if err != nil {
		return decision{}, err
	}
	answer := ofGrant(s, t, scopes)
	answer.commit = func(ctx context.Context) (secret.Text, error) { return g.redeem(ctx, req, s, d.DeviceHash) }
	return answer, nil
}

// redeem uses the code up and begins the refresh family, if the client may have one.
func (g *deviceGrant) redeem(ctx context.Context, req tokenRequest, s idp.Standing, hash [32]byte) (secret.Text, error) {
	refresh, family := newFamily(s, req.key)
	if err := g.store.RedeemDevice(ctx, req.by, hash, family, req.now); err != nil {
		return secret.Text{}, redeemError(err)
	}
	return refresh, nil
}
