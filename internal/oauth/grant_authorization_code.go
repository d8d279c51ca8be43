package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// codeStore is what the authorization_code grant needs of the database.
type codeStore interface {
	Code(ctx context.Context, hash [32]byte, now time.Time) (idp.Code, idp.Standing, error)
	RedeemCode(ctx context.Context, by idp.Actor, hash [32]byte, refresh *idp.RefreshToken, now time.Time) error
}

// codeGrant exchanges an authorization code for tokens (RFC 6749 §4.1.3).
type codeGrant struct {
	store     codeStore
	audiences audiences
}

func (g *codeGrant) authorize(ctx context.Context, c idp.Client, req tokenRequest) (decision, error) {
	if req.code.Empty() {
		return decision{}, refuse(InvalidRequest, "code is required")
	}
	if req.redirectURI == "" { // §4.1.3: required, as every authorization request here has one
		return decision{}, refuse(InvalidRequest, "redirect_uri is required")
	}
	if _, _, err := secret.Parse(secret.Code, req.code.Reveal()); err != nil {
		return decision{}, badCode(err)
	}
	hash := secret.Hash("code", req.code)
	code, s, err := g.store.Code(ctx, hash, req.now)
	if errors.Is(err, idp.ErrNotFound) {
		return decision{}, badCode(err)
	}
	if err != nil {
		return decision{}, err
	}
	if err := g.check(ctx, c, req, code, s); err != nil {
		return decision{}, err
	}
	scopes, err := narrow(s.Grant.Scopes, s.Client, "")
	if err != nil {
		return decision{}, err
	}
	t, err := g.audiences.again(ctx, s.Grant, req.resource, scopes, false)
	if err != nil {
		return decision{}, err
	}
	d := ofGrant(s, t, scopes)
	d.commit = func(ctx context.Context) (secret.Text, error) { return g.redeem(ctx, req, s, hash) }
	return d, nil
}

// check compares everything that the code was made for (OAU-03), in this order: a
// stranger must not be able to end somebody's grant, a second use by the client must.
func (g *codeGrant) check(ctx context.Context, c idp.Client, req tokenRequest, code idp.Code, s idp.Standing) error {
	if code.ClientID != c.ID || code.GrantID != s.Grant.ID {
		return badCode(errOtherClient)
	}
	if !code.RedeemedAt.IsZero() {
		// RFC 6749 §4.1.2: whoever comes second, one of the two is a thief. The store
		// revokes the grant and all that was made from it (OAU-04).
		return redeemError(g.store.RedeemCode(ctx, req.by, code.Hash, nil, req.now))
	}
	if err := standing(s, c.ID, req.now); err != nil {
		return badCode(err)
	}
	if code.RedirectURI != req.redirectURI {
		return refuse(InvalidGrant, "redirect_uri is not the one of the authorization request")
	}
	if code.JKT != "" && code.JKT != req.key.jkt { // RFC 9449 §10
		return errOtherKey("the code")
	}
	return checkVerifier(code.CodeChallenge, req.codeVerifier)
}

// redeem uses the code up and begins the refresh family, if the client may have one.
func (g *codeGrant) redeem(ctx context.Context, req tokenRequest, s idp.Standing, hash [32]byte) (secret.Text, error) {
	refresh, family := newFamily(s, req.key)
	if err := g.store.RedeemCode(ctx, req.by, hash, family, req.now); err != nil {
		return secret.Text{}, redeemError(err)
	}
	return refresh, nil
}

func redeemError(err error) error {
	if errors.Is(err, idp.ErrConsumed) || errors.Is(err, idp.ErrNotFound) {
		return badCode(err)
	}
	return err
}

// badCode is the one answer for codes that are unknown, expired, used or foreign.
func badCode(cause error) error {
	return &Error{Code: InvalidGrant, Description: "the code is not valid", Cause: cause}
}
