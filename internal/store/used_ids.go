package store

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// UseOnce notes that something was used which may be used once, for exactly one of
// all callers on all nodes; the others get idp.ErrConsumed, also when it had expired.
// id is a hash of what names it. expiresAt is until when the caller would accept it,
// leeway included; it need not be remembered longer.
//
// purpose says what kind of thing it is and whose, like "client_assertion app": ids of two
// purposes have nothing to do with each other, and each purpose has a quota, beyond which
// it is idp.ErrLimited (DOS-03). So it must have nothing in it that strangers make up.
//
// A restored backup has forgotten what was used. The caller therefore also asks TokenRevoked
// about the client and the time at which the thing was made: a restore makes everything
// void that is older (STO-06).
func (db *DB) UseOnce(ctx context.Context, purpose string, id [32]byte, expiresAt, now time.Time) error {
	if purpose == "" || !expiresAt.After(now) {
		return fmt.Errorf("use once: no purpose, or no time left: %w", idp.ErrInvalid)
	}
	// Who repeats himself, or is over the quota, does not wait for the writer.
	err := db.read(ctx, "use once", func(c *conn) error {
		seen, err := c.exists("SELECT 1 FROM used_ids WHERE purpose = $1 AND id = $2", purpose, id[:])
		if err == nil && seen {
			err = idp.ErrConsumed
		}
		if err != nil {
			return err
		}
		return c.usedQuota(purpose, id, db.bounds.usedIDs)
	})
	if err != nil {
		return err
	}
	return db.write(ctx, "use once", func(t *tx) error {
		if err := t.usedQuota(purpose, id, t.bounds.usedIDs); err != nil {
			return err
		}
		n, err := t.exec("INSERT INTO used_ids (purpose, id, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", purpose, id[:], ms(expiresAt))
		if err == nil && n == 0 {
			err = idp.ErrConsumed
		}
		return err
	})
}

// usedQuota bounds the rows of a purpose without counting all of them: ids are hashes,
// so those that begin with the same byte are a 256th. Whoever chooses ids so that they
// begin alike meets the bound earlier.
func (c *conn) usedQuota(purpose string, id [32]byte, most int64) error {
	from, to := make([]byte, len(id)), make([]byte, len(id))
	from[0] = id[0]
	for i := range to {
		to[i] = 0xff
	}
	to[0] = id[0]
	var rows int64
	err := c.row("SELECT COUNT(*) FROM (SELECT 1 FROM used_ids WHERE purpose = $1 AND id >= $2 AND id <= $3 LIMIT $4) AS alike",
		purpose, from, to, most).Scan(&rows)
	if err == nil && rows >= most {
		err = fmt.Errorf("used ids of %s: %w", purpose, idp.ErrLimited)
	}
	return err
}
