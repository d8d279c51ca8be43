package store

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

func scanKey(s scanner) (k idp.SigningKey, err error) {
	err = s.Scan(&k.ID, &k.Alg, asBytes{&k.PublicJWK}, asBytes{&k.Sealed},
		asTime{&k.StagedAt}, asTime{&k.ActiveAt}, asTime{&k.RetiringAt}, asTime{&k.RetiredAt})
	return k, err
}

// SigningKeys returns all keys, oldest first, retired ones included.
func (db *DB) SigningKeys(ctx context.Context) (keys []idp.SigningKey, err error) {
	err = db.read(ctx, "list signing keys", func(c *conn) (err error) {
		keys, err = list(c, scanKey, `SELECT id, alg, public_jwk, sealed, staged_at, active_at, retiring_at, retired_at
			FROM signing_keys ORDER BY staged_at, id`)
		return err
	})
	return keys, err
}

// AddSigningKey stores a key. With onlyIfNoneActive it is idp.ErrExists if another key
// of the algorithm may sign: two starting nodes make one key.
func (db *DB) AddSigningKey(ctx context.Context, by idp.Actor, k idp.SigningKey, onlyIfNoneActive bool, now time.Time) error {
	if k.ID == "" || k.Alg == "" {
		return fmt.Errorf("add signing key: no id or algorithm: %w", idp.ErrInvalid)
	}
	return db.write(ctx, "add signing key", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		if onlyIfNoneActive {
			active, err := t.exists(`SELECT 1 FROM signing_keys
				WHERE alg = $1 AND active_at IS NOT NULL AND retiring_at IS NULL AND retired_at IS NULL`, k.Alg)
			if err != nil || active {
				return orExists(err)
			}
		}
		err := t.insert(`INSERT INTO signing_keys (id, alg, public_jwk, sealed, staged_at, active_at, retiring_at, retired_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
			k.ID, k.Alg, notNil(k.PublicJWK), notNil(k.Sealed), msOrNull(k.StagedAt), msOrNull(k.ActiveAt), msOrNull(k.RetiringAt), msOrNull(k.RetiredAt))
		if err != nil {
			return err
		}
		t.changed("key", k.ID, now)
		return t.audit(by, event{action: "key.add", target: k.ID}, now)
	})
}

// RetireKey kills everything that a key signed, at once. Retiring twice is no error.
func (db *DB) RetireKey(ctx context.Context, by idp.Actor, kid string, now time.Time) error {
	return db.write(ctx, "retire key", func(t *tx) error {
		n, err := t.exec(`UPDATE signing_keys SET retiring_at = COALESCE(retiring_at, $2), retired_at = $2
			WHERE id = $1 AND retired_at IS NULL`, kid, ms(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return t.known("SELECT 1 FROM signing_keys WHERE id = $1", kid)
		}
		t.revoke(db.rule(idp.RuleKey, kid, now))
		t.changed("key", kid, now)
		return t.audit(by, event{action: "key.retire", target: kid}, now)
	})
}

// known is nil if the query has a row, else idp.ErrNotFound: what was to be done may
// have been done before.
func (t *tx) known(query string, args ...any) error {
	there, err := t.exists(query, args...)
	if err == nil && !there {
		err = idp.ErrNotFound
	}
	return err
}
