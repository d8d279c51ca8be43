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
		keys, err = signingKeys(c)
		return err
	})
	return keys, err
}

func signingKeys(c *conn) ([]idp.SigningKey, error) {
	return list(c, scanKey, `SELECT id, alg, public_jwk, sealed, staged_at, active_at, retiring_at, retired_at
		FROM signing_keys ORDER BY staged_at, id`)
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
			live, err := t.liveKeys(k.Alg)
			if err != nil || len(live) > 0 {
				return orExists(err)
			}
		}
		return t.addKey(by, "key.add", k, now)
	})
}

// StageKey stores the successor of the key after, which must be the only one of its
// algorithm that may sign. Otherwise it is idp.ErrExists: another node was faster.
func (db *DB) StageKey(ctx context.Context, by idp.Actor, k idp.SigningKey, after string, now time.Time) error {
	if k.ID == "" || k.Alg == "" || k.ActiveAt.IsZero() {
		return fmt.Errorf("stage signing key: no id, algorithm or time: %w", idp.ErrInvalid)
	}
	return db.write(ctx, "stage signing key", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		live, err := t.liveKeys(k.Alg)
		if err != nil || len(live) != 1 || live[0] != after {
			return orExists(err)
		}
		return t.addKey(by, "key.stage", k, now)
	})
}

// RetireKey kills everything that a key signed, at once, and empties what is sealed in
// its row. If the key was the one that signs, the staged successors go with it: they lay
// beside it, and nothing is lost, for they signed nothing yet. A key that was retired on
// schedule is no good for hints either from then on. Retiring twice is no error.
func (db *DB) RetireKey(ctx context.Context, by idp.Actor, kid string, now time.Time) error {
	return db.destroy(ctx, "retire key", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		if err := t.savepoint(); err != nil {
			return err
		}
		dead, err := list(t.conn, scanText, `UPDATE signing_keys SET retiring_at = COALESCE(retiring_at, $2), retired_at = $2, sealed = $3
			WHERE retired_at IS NULL AND retiring_at IS NULL AND EXISTS (SELECT 1 FROM signing_keys AS k WHERE k.id = $1
				AND k.alg = signing_keys.alg AND k.active_at < signing_keys.active_at AND k.retiring_at IS NULL AND k.retired_at IS NULL)
			RETURNING id`, kid, ms(now), []byte{})
		if err != nil {
			return err
		}
		n, err := t.exec(`UPDATE signing_keys SET retiring_at = COALESCE(retiring_at, $2), retired_at = COALESCE(retired_at, $2), sealed = $3
			WHERE id = $1 AND (retired_at IS NULL OR sealed <> $3)`, kid, ms(now), []byte{})
		if err != nil {
			return err
		}
		if n == 0 {
			return t.known("SELECT 1 FROM signing_keys WHERE id = $1", kid)
		}
		for _, id := range append(dead, kid) {
			t.revoke(db.rule(idp.RuleKey, id, now))
			t.changed("key", id, now)
			if err := t.audit(by, event{action: "key.retire", target: id, reason: "emergency"}, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// liveKeys are the keys of an algorithm that sign or will.
func (t *tx) liveKeys(alg string) ([]string, error) {
	return list(t.conn, scanText, `SELECT id FROM signing_keys
		WHERE alg = $1 AND active_at IS NOT NULL AND retiring_at IS NULL AND retired_at IS NULL`, alg)
}

func (t *tx) addKey(by idp.Actor, action string, k idp.SigningKey, now time.Time) error {
	err := t.insert(`INSERT INTO signing_keys (id, alg, public_jwk, sealed, staged_at, active_at, retiring_at, retired_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		k.ID, k.Alg, notNil(k.PublicJWK), notNil(k.Sealed), msOrNull(k.StagedAt), msOrNull(k.ActiveAt), msOrNull(k.RetiringAt), msOrNull(k.RetiredAt))
	if err != nil {
		return err
	}
	t.changed("key", k.ID, now)
	return t.audit(by, event{action: action, target: k.ID}, now)
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
