package token

import (
	"cmp"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// typeLogout keeps a logout token from being taken for an ID token, and the other way
// round (Back-Channel Logout §2.4, §4).
const typeLogout = "logout+jwt"

// logoutEvent is the one member of "events" (Back-Channel Logout §2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutLifetime: §4 recommends at most two minutes. Each attempt to deliver has a token
// of its own, so it only has to survive one.
const logoutLifetime = 2 * time.Minute

// Logout makes a logout token (Back-Channel Logout §2.4): the client is told that the
// user's login sid is over, or with an empty sid all logins of the user. It is signed as
// the client's ID tokens are. It never has a nonce, so that no client takes it for one.
func (i *Issuer) Logout(c idp.Client, userID, sid string, now time.Time) (string, error) {
	tok, err := i.logout(c, userID, sid, now)
	if err != nil {
		return "", fmt.Errorf("logout token: %w", err)
	}
	return tok, nil
}

func (i *Issuer) logout(c idp.Client, userID, sid string, now time.Time) (string, error) {
	if c.ID == "" {
		return "", invalid("no client")
	}
	if err := checkUserID(userID); err != nil {
		return "", err
	}
	if sid == "" && c.BackchannelLogoutSID {
		return "", invalid("the client needs a session's id")
	}
	signer, err := i.cfg.Keys.Signer(cmp.Or(jose.Algorithm(c.IDTokenAlg), jose.RS256))
	if err != nil {
		return "", err
	}
	l := newClaims()
	l.text("iss", i.cfg.Issuer)
	l.text("sub", userID)
	l.text("aud", c.ID)
	l.number("iat", now.Unix())
	l.number("exp", now.Add(logoutLifetime).Unix())
	l.text("jti", secret.ID())
	l.optional("sid", sid)
	l.event(logoutEvent)
	return sign(signer, typeLogout, l)
}

// event writes "events" with one event of which nothing more is to be said.
func (c *claims) event(name string) {
	c.name("events")
	c.buf = append(c.buf, '{')
	c.quote(name)
	c.buf = append(c.buf, ":{}}"...)
}
