package store

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

const registrationTokenColumns = `id, hash, name, security_profile, uses_left, created_at, expires_at, revoked_at`

func scanRegistrationToken(s scanner) (r idp.RegistrationToken, err error) {
	err = s.Scan(&r.ID, asHash{&r.Hash}, &r.Name, (*string)(&r.Profile), &r.UsesLeft, asTime{&r.CreatedAt}, asTime{&r.ExpiresAt}, asTime{&r.RevokedAt})
	return r, err
}

// AddRegistrationToken stores a right to register clients.
func (db *DB) AddRegistrationToken(ctx context.Context, by idp.Actor, r idp.RegistrationToken, now time.Time) error {
	if r.ID == "" || r.Hash == ([32]byte{}) || r.UsesLeft < 1 {
		return fmt.Errorf("add registration token: no id, no token or no use: %w", idp.ErrInvalid)
	}
	return db.write(ctx, "add registration token", func(t *tx) error {
		err := t.insert(`INSERT INTO registration_tokens (id, hash, name, security_profile, uses_left, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			r.ID, r.Hash[:], r.Name, string(r.Profile), r.UsesLeft, ms(now), ms(r.ExpiresAt))
		if err != nil {
			return err
		}
		return t.audit(by, event{action: "registration_token.add", target: r.ID}, now)
	})
}

// RegistrationToken returns the right that a token stands for, if it can be used now;
// else idp.ErrNotFound. Only RegisterClient decides.
func (db *DB) RegistrationToken(ctx context.Context, hash [32]byte, now time.Time) (r idp.RegistrationToken, err error) {
	err = db.read(ctx, "read registration token", func(c *conn) (err error) {
		r, err = scanRegistrationToken(c.row("SELECT "+registrationTokenColumns+` FROM registration_tokens
			WHERE hash = $1 AND uses_left > 0 AND revoked_at IS NULL AND expires_at > $2`, hash[:], ms(now)))
		return err
	})
	return r, err
}

// RegistrationTokens returns all that have not expired, newest first.
func (db *DB) RegistrationTokens(ctx context.Context, now time.Time) (all []idp.RegistrationToken, err error) {
	err = db.read(ctx, "list registration tokens", func(c *conn) (err error) {
		all, err = list(c, scanRegistrationToken, "SELECT "+registrationTokenColumns+` FROM registration_tokens
			WHERE expires_at > $1 ORDER BY created_at DESC, id`, ms(now))
		return err
	})
	return all, err
}

// RevokeRegistrationToken ends a token. The clients that it registered stay.
func (db *DB) RevokeRegistrationToken(ctx context.Context, by idp.Actor, id string, now time.Time) error {
	return db.write(ctx, "revoke registration token", func(t *tx) error {
		if err := t.one("UPDATE registration_tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1 AND expires_at > $2", id, ms(now)); err != nil {
			return err
		}
		return t.audit(by, event{action: "registration_token.revoke", target: id}, now)
	})
}
