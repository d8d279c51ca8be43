package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

func scanResource(s scanner) (r idp.Resource, err error) {
	err = s.Scan(asJSON{&r})
	return r, err
}

// PutResource adds a service or replaces what is known of it. A scope's name that
// belongs to another resource is idp.ErrExists: a client could not say which it means.
func (db *DB) PutResource(ctx context.Context, by idp.Actor, r idp.Resource, now time.Time) error {
	if err := checkResource(r); err != nil {
		return fmt.Errorf("put resource: %w", err)
	}
	document, err := jsonText(r)
	if err != nil {
		return fmt.Errorf("put resource: %w", err)
	}
	return db.write(ctx, "put resource", func(t *tx) error {
		_, err := t.exec(`INSERT INTO resources (id, document, updated_at) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET document = excluded.document, updated_at = excluded.updated_at`, r.ID, document, ms(now))
		if err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM resource_scopes WHERE resource_id = $1", r.ID); err != nil {
			return err
		}
		for _, s := range r.Scopes {
			err := t.insert("INSERT INTO resource_scopes (name, resource_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", s.Name, r.ID)
			if err != nil {
				return fmt.Errorf("scope: %w", err)
			}
		}
		t.changed("resource", r.ID, now)
		return t.audit(by, event{action: "resource.put", target: r.ID}, now)
	})
}

func checkResource(r idp.Resource) error {
	if r.ID == "" {
		return fmt.Errorf("no id: %w", idp.ErrInvalid)
	}
	names := make([]string, 0, len(r.Scopes))
	for _, s := range r.Scopes {
		if slices.Contains(names, s.Name) {
			return fmt.Errorf("a scope stands there twice: %w", idp.ErrInvalid)
		}
		if slices.Contains(idp.IssuerScopes[:], s.Name) {
			return fmt.Errorf("a scope belongs to the issuer: %w", idp.ErrExists)
		}
		names = append(names, s.Name)
	}
	_, err := words(names)
	return err
}

// Resources returns all services by id.
func (db *DB) Resources(ctx context.Context) (resources []idp.Resource, err error) {
	err = db.read(ctx, "list resources", func(c *conn) (err error) {
		resources, err = list(c, scanResource, "SELECT document FROM resources ORDER BY id")
		return err
	})
	return resources, err
}

// Resource returns a service by its identifier.
func (db *DB) Resource(ctx context.Context, id string) (r idp.Resource, err error) {
	err = db.read(ctx, "read resource", func(c *conn) (err error) {
		r, err = scanResource(c.row("SELECT document FROM resources WHERE id = $1", id))
		return err
	})
	return r, err
}

// ResourceByScope returns the service to which a scope belongs.
func (db *DB) ResourceByScope(ctx context.Context, scope string) (r idp.Resource, err error) {
	err = db.read(ctx, "find resource", func(c *conn) (err error) {
		r, err = scanResource(c.row(`SELECT r.document FROM resources r
			JOIN resource_scopes s ON s.resource_id = r.id WHERE s.name = $1`, scope))
		return err
	})
	return r, err
}

// DeleteResource removes a service. Tokens for it live until they expire; no new ones are made.
func (db *DB) DeleteResource(ctx context.Context, by idp.Actor, id string, now time.Time) error {
	return db.write(ctx, "delete resource", func(t *tx) error {
		if err := t.one("DELETE FROM resources WHERE id = $1", id); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM resource_scopes WHERE resource_id = $1", id); err != nil {
			return err
		}
		t.changed("resource", id, now)
		return t.audit(by, event{action: "resource.delete", target: id}, now)
	})
}
