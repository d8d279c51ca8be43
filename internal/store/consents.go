package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

func scanConsent(s scanner) (c idp.Consent, err error) {
	err = s.Scan(&c.UserID, &c.ClientID, &c.Resource, asWords{&c.Scopes}, asTime{&c.CreatedAt}, asTime{&c.UpdatedAt})
	return c, err
}

// Consent returns what a person has allowed a client at a resource.
func (db *DB) Consent(ctx context.Context, userID, clientID, resource string) (consent idp.Consent, err error) {
	err = db.read(ctx, "read consent", func(c *conn) (err error) {
		consent, err = readConsent(c, userID, clientID, resource)
		return err
	})
	return consent, err
}

func readConsent(c *conn, userID, clientID, resource string) (idp.Consent, error) {
	return scanConsent(c.row(`SELECT user_id, client_id, resource, scopes, created_at, updated_at FROM consents
		WHERE user_id = $1 AND client_id = $2 AND resource = $3`, userID, clientID, resource))
}

// Consents returns all that a person has allowed, to clients that exist.
func (db *DB) Consents(ctx context.Context, userID string) (consents []idp.Consent, err error) {
	err = db.read(ctx, "list consents", func(c *conn) (err error) {
		consents, err = list(c, scanConsent, `SELECT o.user_id, o.client_id, o.resource, o.scopes, o.created_at, o.updated_at
			FROM consents o JOIN clients c ON c.id = o.client_id WHERE o.user_id = $1 ORDER BY o.client_id, o.resource`, userID)
		return err
	})
	return consents, err
}

// mergeConsent adds scopes to what the person has allowed before.
func (t *tx) mergeConsent(by idp.Actor, c idp.Consent, now time.Time) error {
	old, err := readConsent(t.conn, c.UserID, c.ClientID, c.Resource)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return err
	}
	all := old.Scopes
	for _, s := range c.Scopes {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	scopes, err := words(all)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO consents (user_id, client_id, resource, scopes, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
		ON CONFLICT (user_id, client_id, resource) DO UPDATE SET scopes = excluded.scopes, updated_at = excluded.updated_at`,
		c.UserID, c.ClientID, c.Resource, scopes, ms(now))
	if err != nil {
		return err
	}
	return t.audit(by, event{action: "consent.give", target: c.ClientID, userID: c.UserID, clientID: c.ClientID}, now)
}
