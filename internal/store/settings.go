package store

import (
	"context"
	"fmt"

	"github.com/signet-id/signet/internal/idp"
)

// Setting returns a fact about this installation, such as the cost of password hashes.
func (db *DB) Setting(ctx context.Context, name string) (value []byte, err error) {
	err = db.read(ctx, "read setting", func(c *conn) error {
		return c.row("SELECT value FROM settings WHERE name = $1", name).Scan(asBytes{&value})
	})
	return value, err
}

// PutSetting stores or replaces a setting.
func (db *DB) PutSetting(ctx context.Context, name string, value []byte) error {
	if name == "" {
		return fmt.Errorf("put setting: it has no name: %w", idp.ErrInvalid)
	}
	return db.write(ctx, "put setting", func(t *tx) error {
		_, err := t.exec(`INSERT INTO settings (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, notNil(value))
		return err
	})
}

// PutSettingOnce stores a setting unless it exists, and returns what is stored then:
// the same for every caller.
func (db *DB) PutSettingOnce(ctx context.Context, name string, value []byte) (stored []byte, err error) {
	if name == "" {
		return nil, fmt.Errorf("put setting: it has no name: %w", idp.ErrInvalid)
	}
	err = db.write(ctx, "put setting", func(t *tx) error {
		_, err := t.exec("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, notNil(value))
		if err != nil {
			return err
		}
		return t.row("SELECT value FROM settings WHERE name = $1", name).Scan(asBytes{&stored})
	})
	return stored, err
}

// notNil: an empty value is a value; nil would be NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
