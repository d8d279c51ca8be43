package verify

import (
	"context"
	"time"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// IDClaims is what a verified ID token says (OpenID Connect Core §2).
type IDClaims struct {
	Issuer          string
	Subject         string
	Audience        string // the client that it was made for
	AuthorizedParty string // "azp"
	SessionID       string // "sid"
	Nonce           string
	ACR             string
	AMR             []string
	AccessTokenHash string // "at_hash"
	IssuedAt        time.Time
	ExpiresAt       time.Time
	AuthTime        time.Time
	KeyID           string // "kid" of the key that signed it
}

// VerifyIDToken accepts an ID token as a relying party does (OpenID Connect Core
// §3.1.3.7). The nonce is the one that was sent with the authorization request; it is
// empty only when none was sent, and then the token must have none. Like Verify it needs
// a running verifier: a key that leaked must not log anybody in either.
func (v *Verifier) VerifyIDToken(_ context.Context, token, clientID, nonce string) (*IDClaims, error) {
	c, err := v.verifyID(token, clientID, nonce, v.now())
	v.count(err)
	return c, err
}

func (v *Verifier) verifyID(token, clientID, nonce string, now time.Time) (*IDClaims, error) {
	payload, kid, err := v.open(token, idTokenType)
	if err != nil {
		return nil, err
	}
	c, err := parseIDClaims(payload)
	if err != nil {
		return nil, err
	}
	c.KeyID = kid
	switch {
	case c.Issuer != v.issuer:
		return nil, ErrIssuer
	case c.Audience != clientID: // which is never empty
		return nil, ErrAudience
	case c.AuthorizedParty != "" && c.AuthorizedParty != clientID:
		return nil, wrong(ErrAudience, "azp", "another client")
	case c.Nonce != nonce:
		return nil, ErrNonce
	}
	if err := v.checkTimes(now, c.IssuedAt, time.Time{}, c.ExpiresAt); err != nil {
		return nil, err
	}
	same := Claims{KeyID: kid, SessionID: c.SessionID, ClientID: c.Audience, IssuedAt: c.IssuedAt}
	if err := v.checkRevoked(now, &same); err != nil {
		return nil, err
	}
	return c, nil
}

func parseIDClaims(payload []byte) (*IDClaims, error) {
	c, have := &IDClaims{}, present(0)
	err := strictjson.Object(payload, func(name, value []byte) error {
		return c.member(&have, name, value)
	})
	if err != nil {
		return nil, wrong(ErrMalformed, "claims", err.Error())
	}
	if missing := have.missing(hasIssuer, hasSubject, hasAudience, hasIssuedAt, hasExpiresAt); missing != "" {
		return nil, wrong(ErrMalformed, missing, "missing")
	}
	if !c.ExpiresAt.After(c.IssuedAt) {
		return nil, wrong(ErrMalformed, "exp", "not after iat")
	}
	return c, nil
}

func (c *IDClaims) member(have *present, name, value []byte) (err error) {
	switch string(name) {
	case "iss":
		err = have.text(hasIssuer, &c.Issuer, value)
	case "sub":
		err = have.text(hasSubject, &c.Subject, value)
	case "aud":
		err = have.text(hasAudience, &c.Audience, value)
	case "azp":
		err = have.text(0, &c.AuthorizedParty, value)
	case "sid":
		err = have.text(0, &c.SessionID, value)
	case "nonce":
		err = have.text(0, &c.Nonce, value)
	case "acr":
		err = have.text(0, &c.ACR, value)
	case "amr":
		c.AMR, err = strictjson.Strings(value)
	case "at_hash":
		err = have.text(0, &c.AccessTokenHash, value)
	case "iat":
		err = have.time(hasIssuedAt, &c.IssuedAt, value)
	case "exp":
		err = have.time(hasExpiresAt, &c.ExpiresAt, value)
	case "auth_time":
		err = have.time(0, &c.AuthTime, value)
	}
	return named(name, err)
}
