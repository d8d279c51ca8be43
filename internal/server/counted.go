package server

import (
	"context"
	"errors"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/metrics"
	"github.com/signet-id/signet/internal/notify"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
)

// countedLogins counts what becomes of logins.
type countedLogins struct {
	*authn.Passwords
	metrics *metrics.Metrics
}

func (c countedLogins) Check(ctx context.Context, by idp.Actor, network, login string, password secret.Text) (idp.User, error) {
	u, err := c.Passwords.Check(ctx, by, network, login, password)
	c.metrics.Login("password", idp.Outcome(err))
	return u, err
}

// countedReplays counts what was used again after its time.
type countedReplays struct {
	*store.DB
	metrics *metrics.Metrics
}

func (c countedReplays) RedeemCode(ctx context.Context, by idp.Actor, hash [32]byte, refresh *idp.RefreshToken, now time.Time) error {
	err := c.DB.RedeemCode(ctx, by, hash, refresh, now)
	if errors.Is(err, idp.ErrConsumed) {
		c.metrics.Replay("code")
	}
	return err
}

func (c countedReplays) RotateRefreshToken(ctx context.Context, by idp.Actor, handleHash, presented, next [32]byte, sealed []byte,
	window time.Duration, now time.Time,
) (idp.Rotation, []byte, error) {
	outcome, successor, err := c.DB.RotateRefreshToken(ctx, by, handleHash, presented, next, sealed, window, now)
	if outcome == idp.Reused {
		c.metrics.Replay("refresh")
	}
	return outcome, successor, err
}

// countedNotices counts what becomes of notices of logouts.
type countedNotices struct {
	*store.DB
	metrics *metrics.Metrics
}

func (c countedNotices) RecordLogout(ctx context.Context, by idp.Actor, n idp.LogoutNotice, o idp.LogoutOutcome, now time.Time) error {
	switch {
	case o.Told:
		c.metrics.Notice("told")
	case o.RetryAt.IsZero():
		c.metrics.Notice("given_up")
	default:
		c.metrics.Notice("again")
	}
	return c.DB.RecordLogout(ctx, by, n, o, now)
}

// countedMailer counts what becomes of mails.
type countedMailer struct {
	notify.Mailer
	metrics *metrics.Metrics
}

func (c countedMailer) Send(ctx context.Context, m notify.Mail) error {
	err := c.Mailer.Send(ctx, m)
	c.metrics.Mail(idp.Outcome(err))
	return err
}
