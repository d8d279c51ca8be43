package store

import (
	"context"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// SetPassword stores a new password's hash and ends every session and grant of the
// person: whoever knew the old password may have them.
func (db *DB) SetPassword(ctx context.Context, by idp.Actor, userID, hash string, now time.Time) error {
	return db.write(ctx, "set password", func(t *tx) error {
		if err := t.one("UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1", userID, hash, ms(now)); err != nil {
			return err
		}
		return db.endUser(t, by, userID, "password.change", now)
	})
}

// DisableUser keeps a person from signing in and ends every session and grant.
// Disabling twice is no error.
func (db *DB) DisableUser(ctx context.Context, by idp.Actor, userID string, now time.Time) error {
	return db.write(ctx, "disable user", func(t *tx) error {
		err := t.one("UPDATE users SET disabled_at = COALESCE(disabled_at, $2), updated_at = $2 WHERE id = $1", userID, ms(now))
		if err != nil {
			return err
		}
		return db.endUser(t, by, userID, "user.disable", now)
	})
}

// EnableUser lets a person sign in again; sessions and grants stay ended.
func (db *DB) EnableUser(ctx context.Context, by idp.Actor, userID string, now time.Time) error {
	return db.write(ctx, "enable user", func(t *tx) error {
		if err := t.one("UPDATE users SET disabled_at = NULL, updated_at = $2 WHERE id = $1", userID, ms(now)); err != nil {
			return err
		}
		t.changed("user", userID, now)
		return t.audit(by, event{action: "user.enable", target: userID, userID: userID}, now)
	})
}

// DeleteUser removes a person with everything of theirs but the audit log. The id
// never comes back.
func (db *DB) DeleteUser(ctx context.Context, by idp.Actor, userID string, now time.Time) error {
	return db.write(ctx, "delete user", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		if err := t.one("DELETE FROM users WHERE id = $1", userID); err != nil {
			return err
		}
		if err := t.retire("user", userID, now); err != nil {
			return err
		}
		if err := db.endUser(t, by, userID, "user.delete", now); err != nil {
			return err
		}
		for _, query := range [...]string{
			"DELETE FROM codes WHERE grant_id IN (SELECT id FROM grants WHERE user_id = $1)",
			"DELETE FROM grants WHERE user_id = $1",
			"DELETE FROM sessions WHERE user_id = $1",
			"DELETE FROM consents WHERE user_id = $1",
			"DELETE FROM familiar_networks WHERE user_id = $1",
		} {
			if _, err := t.exec(query, userID); err != nil {
				return err
			}
		}
		return nil
	})
}

// endUser ends a person's sessions and grants. A grant with a session is covered by the
// session's rule; the feed names no person, so there is no rule for the user itself.
func (db *DB) endUser(t *tx, by idp.Actor, userID, action string, now time.Time) error {
	if _, err := db.endSessions(t, userID, "", now); err != nil {
		return err
	}
	if _, err := db.revokeGrants(t, now, `UPDATE grants SET revoked_at = $2
		WHERE user_id = $1 AND session_id IS NULL AND revoked_at IS NULL AND expires_at > $3 RETURNING id`,
		userID, ms(now), db.tokensUntil(now)); err != nil {
		return err
	}
	if err := t.queueOfflineLogout(userID, now); err != nil {
		return err
	}
	t.changed("user", userID, now)
	return t.audit(by, event{action: action, target: userID, userID: userID}, now)
}

// tokensUntil: tokens of something that ended by itself before this time are dead.
func (db *DB) tokensUntil(now time.Time) int64 { return ms(now.Add(-db.ruleLifetime)) }
