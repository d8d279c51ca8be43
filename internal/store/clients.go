package store

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

const clientColumns = `c.id, c.secret_hash, c.metadata, c.created_at, c.disabled_at, c.origin, c.last_used_at, c.registration_hash`

func clientDest(c *idp.Client) []any {
	return []any{&c.ID, asHash{&c.SecretHash}, asJSON{&c.ClientMetadata}, asTime{&c.CreatedAt}, asTime{&c.DisabledAt},
		asText{(*string)(&c.Origin)}, asTime{&c.LastUsedAt}, asHash{&c.RegistrationHash}}
}

func scanClient(s scanner) (c idp.Client, err error) {
	err = s.Scan(clientDest(&c)...)
	return c, err
}

// PutClient adds a client or replaces what is known of it. It neither disables nor
// enables one that exists. The id of a deleted client is gone for ever (idp.ErrExists).
func (db *DB) PutClient(ctx context.Context, by idp.Actor, c idp.Client, now time.Time) error {
	if c.ID == "" {
		return fmt.Errorf("put client: no id: %w", idp.ErrInvalid)
	}
	metadata, err := jsonText(c.ClientMetadata)
	if err != nil {
		return fmt.Errorf("put client: %w", err)
	}
	return db.write(ctx, "put client", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		if err := t.mayBeClient(c.ID); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO clients (id, secret_hash, metadata, created_at, updated_at, disabled_at)
			VALUES ($1, $2, $3, $4, $4, $5)
			ON CONFLICT (id) DO UPDATE SET secret_hash = excluded.secret_hash, metadata = excluded.metadata, updated_at = excluded.updated_at`,
			c.ID, hashOrNull(c.SecretHash), metadata, ms(now), msOrNull(c.DisabledAt))
		if err != nil {
			return err
		}
		t.changed("client", c.ID, now)
		return t.audit(by, event{action: "client.put", target: c.ID, clientID: c.ID}, now)
	})
}

// mayBeClient refuses the ids of clients that are gone, and those of people: a client's id
// is the subject of its own tokens.
func (t *tx) mayBeClient(id string) error {
	if err := t.neverRetired("client", id); err != nil {
		return err
	}
	person, err := t.exists("SELECT 1 FROM users WHERE id = $1 UNION ALL SELECT 1 FROM retired_ids WHERE kind = 'user' AND id = $1", id)
	if err != nil || person {
		return orExists(err)
	}
	return nil
}

// Client returns a client by id, disabled or not.
func (db *DB) Client(ctx context.Context, id string) (client idp.Client, err error) {
	err = db.read(ctx, "read client", func(c *conn) (err error) {
		client, err = scanClient(c.row("SELECT "+clientColumns+" FROM clients c WHERE c.id = $1", id))
		return err
	})
	return client, err
}

// Clients returns all clients by id.
func (db *DB) Clients(ctx context.Context) (clients []idp.Client, err error) {
	err = db.read(ctx, "list clients", func(c *conn) (err error) {
		clients, err = list(c, scanClient, "SELECT "+clientColumns+" FROM clients c ORDER BY c.id")
		return err
	})
	return clients, err
}

// DisableClient keeps a client from asking and kills its tokens. Disabling again
// appends a rule again.
func (db *DB) DisableClient(ctx context.Context, by idp.Actor, id string, now time.Time) error {
	return db.write(ctx, "disable client", func(t *tx) error {
		err := t.one("UPDATE clients SET disabled_at = COALESCE(disabled_at, $2), updated_at = $2 WHERE id = $1", id, ms(now))
		if err != nil {
			return err
		}
		if err := db.revokeIssued(t, idp.RuleClient, id, now); err != nil {
			return err
		}
		t.changed("client", id, now)
		return t.audit(by, event{action: "client.disable", target: id, clientID: id}, now)
	})
}

// EnableClient lets a client ask again, also with the grants that it had.
func (db *DB) EnableClient(ctx context.Context, by idp.Actor, id string, now time.Time) error {
	return db.write(ctx, "enable client", func(t *tx) error {
		if err := t.one("UPDATE clients SET disabled_at = NULL, updated_at = $2 WHERE id = $1", id, ms(now)); err != nil {
			return err
		}
		t.changed("client", id, now)
		return t.audit(by, event{action: "client.enable", target: id, clientID: id}, now)
	})
}

// DeleteClient removes a client and kills its tokens. Its grants and consents are dead
// with it: whatever reads one asks for the client too, and the id never comes back.
func (db *DB) DeleteClient(ctx context.Context, by idp.Actor, id string, now time.Time) error {
	return db.write(ctx, "delete client", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		if err := t.one("DELETE FROM clients WHERE id = $1", id); err != nil {
			return err
		}
		return db.clientGone(t, by, id, now)
	})
}

// clientGone does what the end of a client that may have tokens brings with it.
func (db *DB) clientGone(t *tx, by idp.Actor, id string, now time.Time) error {
	if err := t.retire("client", id, now); err != nil {
		return err
	}
	if err := db.revokeIssued(t, idp.RuleClient, id, now); err != nil {
		return err
	}
	t.changed("client", id, now)
	return t.audit(by, event{action: "client.delete", target: id, clientID: id}, now)
}
