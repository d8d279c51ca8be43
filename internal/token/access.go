package token

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// Access is a new access token.
type Access struct {
	Token     string
	JTI       string
	ExpiresAt time.Time
	ExpiresIn int64 // seconds from now
}

// Format keeps the token out of logs.
func (a Access) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "[access token "+a.JTI+"]") }

// Access makes an access token for one audience (RFC 9068 §2).
func (i *Issuer) Access(a Authorization, now time.Time) (Access, error) {
	acc, err := i.access(a, now)
	if err != nil {
		return Access{}, fmt.Errorf("access token: %w", err)
	}
	return acc, nil
}

func (i *Issuer) access(a Authorization, now time.Time) (Access, error) {
	if err := a.check(i.cfg.Issuer); err != nil {
		return Access{}, err
	}
	signer, err := i.cfg.Keys.Signer(cmp.Or(jose.Algorithm(a.Resource.Alg), jose.EdDSA))
	if err != nil {
		return Access{}, err
	}
	iat, err := a.issuedAt(now)
	if err != nil {
		return Access{}, err
	}
	lifetime := min(cmp.Or(a.Resource.AccessTokenLifetime, i.cfg.AccessLifetime), i.cfg.MaxLifetime)
	exp, jti := now.Add(lifetime).Unix(), secret.ID()
	if exp <= iat {
		return Access{}, invalid("lifetime")
	}
	tok, err := sign(signer, typeAccess, i.accessClaims(a, jti, iat, exp))
	if err != nil {
		return Access{}, err
	}
	return Access{Token: tok, JTI: jti, ExpiresAt: time.Unix(exp, 0).UTC(), ExpiresIn: exp - now.Unix()}, nil
}

// accessClaims writes the claims of RFC 9068 §2.2.
func (i *Issuer) accessClaims(a Authorization, jti string, iat, exp int64) claims {
	c := newClaims()
	c.text("iss", i.cfg.Issuer)
	c.text("sub", a.subject())
	c.text("aud", a.Audience) // one string: a list could name a second reader
	c.number("exp", exp)
	c.number("iat", iat)
	c.text("jti", jti)
	c.text("client_id", a.Client.ID)
	c.optional("scope", joined(a.Scopes)) // RFC 9068 §2.2.3: in the form of RFC 8693 §4.2
	if !a.forClient() {
		c.optional("sid", a.Grant.SessionID) // offline grants have none: they outlive the login
		c.text("grant_id", a.Grant.ID)
		c.authentication(a.Grant)
	}
	c.list("groups", a.Groups)
	c.confirmation(a.JKT)
	return c
}

// confirmation names the key that the token is bound to (RFC 9449 §6.1).
func (c *claims) confirmation(jkt string) {
	if jkt == "" {
		return
	}
	c.name("cnf")
	c.buf = append(c.buf, `{"jkt":`...)
	c.quote(jkt)
	c.buf = append(c.buf, '}')
}

// authentication writes how and when the person was authenticated (RFC 9068 §2.2.1).
func (c *claims) authentication(g idp.Grant) {
	if !g.AuthTime.IsZero() {
		c.number("auth_time", g.AuthTime.Unix())
	}
	c.optional("acr", g.ACR)
	c.list("amr", g.AMR)
}
