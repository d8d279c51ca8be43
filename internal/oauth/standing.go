package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// standingStore reads everything about a grant that is asked again at each use.
type standingStore interface {
	Standing(ctx context.Context, grantID string, now time.Time) (idp.Standing, error)
}

// What makes a grant useless at this moment.
var (
	errOtherClient = errors.New("belongs to another client")
	errRevoked     = errors.New("grant is revoked or expired")
	errDisabled    = errors.New("user or client is disabled")
	errSessionOver = errors.New("session of the grant is over")
)

// standing reports why the client cannot use the grant now (TOK-10). Nothing of what
// was true when the grant was made is believed later: user, client, session and grant
// come fresh from the database.
func standing(s idp.Standing, clientID string, now time.Time) error {
	switch {
	case s.Grant.ClientID != clientID || s.Client.ID != clientID:
		return errOtherClient
	case !s.Grant.RevokedAt.IsZero() || !now.Before(s.Grant.ExpiresAt):
		return errRevoked
	case s.User.ID == "" || s.User.ID != s.Grant.UserID || s.User.Disabled() || s.Client.Disabled():
		return errDisabled
	case !s.Grant.Offline() && !s.SessionLive:
		return errSessionOver
	}
	return nil
}
