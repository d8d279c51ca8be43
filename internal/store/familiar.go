package store

import (
	"context"
	"time"
)

// maxFamiliar is how many networks of one person are kept, the newest.
const maxFamiliar = 16

// MakeFamiliar remembers until when a network is one that the user has logged in from.
func (db *DB) MakeFamiliar(ctx context.Context, userID, network string, until time.Time) error {
	return db.write(ctx, "remember network", func(t *tx) error {
		_, err := t.exec(`INSERT INTO familiar_networks (user_id, network, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (user_id, network) DO UPDATE SET expires_at = $3`, userID, network, ms(until))
		if err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM familiar_networks WHERE user_id = $1 AND network NOT IN
			(SELECT network FROM familiar_networks WHERE user_id = $1 ORDER BY expires_at DESC, network LIMIT $2)`, userID, maxFamiliar)
		return err
	})
}

// Familiar reports whether the user has logged in from the network lately.
func (db *DB) Familiar(ctx context.Context, userID, network string, now time.Time) (familiar bool, err error) {
	err = db.read(ctx, "look for network", func(c *conn) (err error) {
		familiar, err = c.exists("SELECT 1 FROM familiar_networks WHERE user_id = $1 AND network = $2 AND expires_at > $3", userID, network, ms(now))
		return err
	})
	return familiar, err
}
