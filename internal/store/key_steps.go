package store

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// The steps of a key's life. Each is decided by the row as it stands: a node that comes
// second, or that decided on rows that have changed since, gets idp.ErrConsumed.

// HandOverKey lets the key to sign from now on instead of the key from.
func (db *DB) HandOverKey(ctx context.Context, by idp.Actor, from, to string, now time.Time) error {
	return db.write(ctx, "hand over key", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		err := t.turn(`UPDATE signing_keys SET retiring_at = $3 WHERE id = $1 AND retiring_at IS NULL AND retired_at IS NULL
			AND EXISTS (SELECT 1 FROM signing_keys AS k WHERE k.id = $2 AND k.id <> signing_keys.id AND k.alg = signing_keys.alg
				AND k.active_at IS NOT NULL AND k.retiring_at IS NULL AND k.retired_at IS NULL)`, from, to, ms(now))
		if err != nil {
			return err
		}
		if _, err := t.exec("UPDATE signing_keys SET active_at = $2 WHERE id = $1", to, ms(now)); err != nil {
			return err
		}
		t.changed("key", from, now)
		t.changed("key", to, now)
		return t.audit(by, event{action: "key.activate", target: to}, now)
	})
}

// RedateKey moves the times of a key that does not retire yet.
func (db *DB) RedateKey(ctx context.Context, by idp.Actor, was idp.SigningKey, stagedAt, activeAt, now time.Time) error {
	return db.write(ctx, "redate key", func(t *tx) error {
		err := t.turn(`UPDATE signing_keys SET staged_at = $2, active_at = $3
			WHERE id = $1 AND staged_at = $4 AND active_at = $5 AND retiring_at IS NULL AND retired_at IS NULL`,
			was.ID, ms(stagedAt), ms(activeAt), msOrNull(was.StagedAt), msOrNull(was.ActiveAt))
		if err != nil {
			return err
		}
		t.changed("key", was.ID, now)
		return t.audit(by, event{action: "key.redate", target: was.ID}, now)
	})
}

// FinishKey retires a key whose last token has expired. Its private half is replaced by
// the sealed public one, which is still good for hints.
func (db *DB) FinishKey(ctx context.Context, by idp.Actor, kid string, public []byte, now time.Time) error {
	return db.destroy(ctx, "finish key", func(t *tx) error {
		err := t.turn(`UPDATE signing_keys SET retired_at = $2, sealed = $3
			WHERE id = $1 AND retiring_at IS NOT NULL AND retired_at IS NULL`, kid, ms(now), notNil(public))
		if err != nil {
			return err
		}
		t.changed("key", kid, now)
		return t.audit(by, event{action: "key.retire", target: kid, reason: "schedule"}, now)
	})
}

// ForgetKey deletes a key that was retired until the given time.
func (db *DB) ForgetKey(ctx context.Context, by idp.Actor, kid string, until, now time.Time) error {
	return db.write(ctx, "forget key", func(t *tx) error {
		if err := t.turn("DELETE FROM signing_keys WHERE id = $1 AND retired_at <= $2", kid, ms(until)); err != nil {
			return err
		}
		t.changed("key", kid, now)
		return t.audit(by, event{action: "key.forget", target: kid}, now)
	})
}

// ResealKey replaces what is sealed in a key's row, if it still is what was read. An
// empty value takes the private half away for good.
func (db *DB) ResealKey(ctx context.Context, by idp.Actor, kid string, old, sealed []byte, now time.Time) error {
	if len(old) == 0 {
		return fmt.Errorf("reseal key: nothing is sealed: %w", idp.ErrInvalid)
	}
	return db.destroy(ctx, "reseal key", func(t *tx) error {
		if err := t.turn("UPDATE signing_keys SET sealed = $3 WHERE id = $1 AND sealed = $2", kid, old, notNil(sealed)); err != nil {
			return err
		}
		t.changed("key", kid, now)
		return t.audit(by, event{action: "key.reseal", target: kid}, now)
	})
}

// turn runs a statement that must change exactly one row: none is idp.ErrConsumed.
func (t *tx) turn(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		err = idp.ErrConsumed
	}
	return err
}
