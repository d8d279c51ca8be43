package token

import (
	"fmt"
	"time"

	"github.com/signet-id/signet/verify"
)

// leeway is how far ahead of our clock a token of another node may be dated.
const leeway = 60 * time.Second

// Verify reads a bearer token of ours that was made for exactly this audience. It does
// not look whether the token was revoked: the caller asks the database for its grant,
// which is more than any cache would know.
func (i *Issuer) Verify(tok, audience string, now time.Time) (*verify.Claims, error) {
	c, err := i.forAudience(tok, audience, now)
	if err == nil && c.Confirmation.JKT != "" {
		return nil, fmt.Errorf("access token: %w", verify.ErrBound) // RFC 9449 §7.2
	}
	return c, err
}

// VerifyBound is Verify for a token that came with the scheme DPoP, which is bound to a
// key. The caller checks the proof by it.
func (i *Issuer) VerifyBound(tok, audience string, now time.Time) (*verify.Claims, error) {
	c, err := i.forAudience(tok, audience, now)
	if err == nil && c.Confirmation.JKT == "" {
		return nil, fmt.Errorf("access token: %w", verify.ErrUnbound) // RFC 9449 §7.1
	}
	return c, err
}

func (i *Issuer) forAudience(tok, audience string, now time.Time) (*verify.Claims, error) {
	c, err := i.Inspect(tok, now)
	if err != nil {
		return nil, err
	}
	if audience == "" || c.Audience != audience {
		return nil, fmt.Errorf("access token: %w", verify.ErrAudience)
	}
	return c, nil
}

// Inspect reads an access token of ours for whatever audience it was made, and to whatever
// key it is bound. It is for
// endpoints that act on tokens and never accept one in place of a credential:
// revocation (RFC 7009) and introspection (RFC 7662).
func (i *Issuer) Inspect(tok string, now time.Time) (*verify.Claims, error) {
	c, err := i.inspect(tok, now)
	if err != nil {
		return nil, fmt.Errorf("access token: %w", err)
	}
	return c, nil
}

func (i *Issuer) inspect(tok string, now time.Time) (*verify.Claims, error) {
	payload, key, err := i.cfg.Keys.Keys().Verify(tok, typeAccess)
	if err != nil {
		return nil, err
	}
	c, err := verify.ParseClaims(payload)
	if err != nil {
		return nil, err
	}
	c.KeyID = key.ID()
	switch {
	case c.Confirmation != verify.Confirmation{JKT: c.Confirmation.JKT}: // none of ours is bound to a certificate
		return nil, verify.ErrBound
	case c.Issuer != i.cfg.Issuer:
		return nil, verify.ErrIssuer
	case !now.Before(c.ExpiresAt): // our own clock made it: no leeway
		return nil, verify.ErrExpired
	case c.IssuedAt.After(now.Add(leeway)) || c.NotBefore.After(now.Add(leeway)):
		return nil, verify.ErrNotYetValid
	}
	return c, nil
}
