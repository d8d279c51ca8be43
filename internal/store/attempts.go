package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// When no counter has expired, room for a new one is made by dropping some that end
// soonest; of these, the ones that counted least, so that a flood of new names does not
// clear the counter of a name under attack.
const (
	evictedAttempts  = 32
	evictionSelected = 256
)

// errFull undoes what was counted before the limit that is full.
var errFull = fmt.Errorf("limit is full: %w", idp.ErrLimited)

// CountAttempt counts one attempt against every limit, or, if one of them is full, against
// none and returns how long that one stays full. A counter begins with its
// first attempt and ends a window later.
func (db *DB) CountAttempt(ctx context.Context, limits []idp.Limit, now time.Time) (wait time.Duration, err error) {
	err = db.write(ctx, "count attempt", func(t *tx) error {
		wait = 0
		for _, l := range limits {
			left, err := t.countOne(l, now)
			if err != nil {
				return err
			}
			wait = max(wait, left)
		}
		if wait > 0 {
			return errFull
		}
		return nil
	})
	if errors.Is(err, errFull) {
		return wait, nil
	}
	return 0, err
}

// LimitReached reports whether one of the limits is full, without counting and without
// the writer.
func (db *DB) LimitReached(ctx context.Context, limits []idp.Limit, now time.Time) (full bool, err error) {
	err = db.read(ctx, "read limits", func(c *conn) error {
		full = false
		for _, l := range limits {
			reached, err := c.exists("SELECT 1 FROM attempts WHERE key = $1 AND expires_at > $2 AND n >= $3", attemptKey(l.Key), ms(now), l.Max)
			if err != nil {
				return err
			}
			full = full || reached
		}
		return nil
	})
	return full, err
}

// countOne counts against one limit and returns how long it stays full, zero if there was room.
func (t *tx) countOne(l idp.Limit, now time.Time) (left time.Duration, err error) {
	if l.Key == "" || l.Window <= 0 {
		return 0, fmt.Errorf("limit without key or window: %w", idp.ErrInvalid)
	}
	key := attemptKey(l.Key)
	var n int
	var ends time.Time
	err = t.row("SELECT n, expires_at FROM attempts WHERE key = $1 AND expires_at > $2 FOR UPDATE", key, ms(now)).Scan(&n, asTime{&ends})
	switch {
	case errors.Is(err, idp.ErrNotFound):
		if l.Max <= 0 {
			return l.Window, nil
		}
		err := t.newCounter(key, l, now)
		if errors.Is(err, idp.ErrExists) {
			return t.countOne(l, now) // somebody else's first attempt came before ours
		}
		return 0, err
	case err != nil:
		return 0, err
	case n >= l.Max:
		// A counter from before the clock was set back ends within a window all the same.
		return min(ends.Sub(now), l.Window), nil
	}
	_, err = t.exec("UPDATE attempts SET n = n + 1 WHERE key = $1", key)
	return 0, err
}

func (t *tx) newCounter(key []byte, l idp.Limit, now time.Time) error {
	begun, err := t.exec("UPDATE attempts SET n = 1, expires_at = $2 WHERE key = $1 AND expires_at <= $3", key, ms(now.Add(l.Window)), ms(now))
	if err != nil || begun > 0 {
		return err
	}
	err = t.insert("INSERT INTO attempts (key, n, expires_at) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING", key, ms(now.Add(l.Window)))
	if err != nil {
		return err
	}
	rows, err := t.tally(tallyAttempts, 1)
	if err != nil || rows <= t.bounds.attempts {
		return err
	}
	return t.evictAttempts(key, now)
}

// evictAttempts makes room for the counter that was just begun.
func (t *tx) evictAttempts(begun []byte, now time.Time) error {
	if swept, err := t.sweep(sweepAttempts, now); err != nil || swept > 0 {
		return err
	}
	n, err := t.exec(`DELETE FROM attempts WHERE key IN (SELECT key FROM
		(SELECT key, n, expires_at FROM attempts WHERE key <> $3 ORDER BY expires_at LIMIT $1) AS soonest ORDER BY n, expires_at LIMIT $2)`,
		evictionSelected, evictedAttempts, begun)
	if err != nil {
		return err
	}
	_, err = t.tally(tallyAttempts, -int(n))
	return err
}

// ForgetAttempts clears counters: the right password was given.
func (db *DB) ForgetAttempts(ctx context.Context, keys ...string) error {
	return db.write(ctx, "forget attempts", func(t *tx) error {
		for _, k := range keys {
			n, err := t.exec("DELETE FROM attempts WHERE key = $1", attemptKey(k))
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if _, err := t.tally(tallyAttempts, -int(n)); err != nil {
				return err
			}
		}
		return nil
	})
}

// attemptKey: a key may hold what somebody typed; it is stored as a hash of fixed length.
func attemptKey(key string) []byte {
	h := sha256.Sum256([]byte("signet:attempt\x00" + key))
	return h[:]
}
