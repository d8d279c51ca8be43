package store

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

const sessionColumns = `s.id, s.user_id, s.created_at, s.auth_time, s.acr, s.amr, s.last_seen_at, s.idle_expires_at, s.expires_at, s.ip, s.user_agent`

func sessionDest(s *idp.Session) []any {
	return []any{asText{&s.ID}, asText{&s.UserID}, asTime{&s.CreatedAt}, asTime{&s.AuthTime}, asText{&s.ACR}, asWords{&s.AMR},
		asTime{&s.LastSeenAt}, asTime{&s.IdleExpiresAt}, asTime{&s.ExpiresAt}, asText{&s.IP}, asText{&s.UserAgent}}
}

func scanSession(s scanner) (session idp.Session, err error) {
	err = s.Scan(sessionDest(&session)...)
	return session, err
}

// CreateSession stores a new login. Somebody who is gone or disabled gets none (idp.ErrNotFound).
func (db *DB) CreateSession(ctx context.Context, by idp.Actor, s idp.Session, secretHash [32]byte) error {
	amr, err := words(s.AMR)
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	if s.ID == "" {
		return fmt.Errorf("create session: no id: %w", idp.ErrInvalid)
	}
	return db.write(ctx, "create session", func(t *tx) error {
		if err := t.known("SELECT 1 FROM users WHERE id = $1 AND disabled_at IS NULL FOR SHARE", s.UserID); err != nil {
			return err
		}
		err := t.insert(`INSERT INTO sessions (id, secret_hash, user_id, created_at, auth_time, acr, amr, last_seen_at,
				idle_expires_at, expires_at, ip, user_agent)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
			s.ID, secretHash[:], s.UserID, ms(s.CreatedAt), ms(s.AuthTime), s.ACR, amr, ms(s.LastSeenAt),
			min(ms(s.IdleExpiresAt), ms(s.ExpiresAt)), ms(s.ExpiresAt), shortened(s.IP, maxAddress), shortened(s.UserAgent, maxUserAgent))
		if err != nil {
			return err
		}
		return t.audit(by, event{action: "session.start", target: s.ID, userID: s.UserID, device: true}, s.AuthTime)
	})
}

// RenewSession gives a session a new secret after the person has authenticated again
// (SES-01). It is idp.ErrNotFound if oldHash is not the secret of the person's live session any more.
func (db *DB) RenewSession(ctx context.Context, by idp.Actor, s idp.Session, oldHash, newHash [32]byte, now time.Time) error {
	amr, err := words(s.AMR)
	if err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	return db.write(ctx, "renew session", func(t *tx) error {
		err := t.one(`UPDATE sessions SET secret_hash = $4, auth_time = $5, acr = $6, amr = $7, last_seen_at = $8,
				idle_expires_at = $9, expires_at = $10, ip = $11, user_agent = $12
			WHERE id = $1 AND user_id = $2 AND secret_hash = $3 AND ended_at IS NULL AND idle_expires_at > $13 AND expires_at > $13
				AND EXISTS (SELECT 1 FROM users WHERE id = $2 AND disabled_at IS NULL)`,
			s.ID, s.UserID, oldHash[:], newHash[:], ms(s.AuthTime), s.ACR, amr, ms(s.LastSeenAt),
			min(ms(s.IdleExpiresAt), ms(s.ExpiresAt)), ms(s.ExpiresAt), shortened(s.IP, maxAddress), shortened(s.UserAgent, maxUserAgent), ms(now))
		if err != nil {
			return err
		}
		return t.audit(by, event{action: "session.renew", target: s.ID, userID: s.UserID, device: true}, now)
	})
}

// Session returns the live session of a cookie and its person, in one query. Expired,
// ended, unknown, disabled: idp.ErrNotFound.
func (db *DB) Session(ctx context.Context, secretHash [32]byte, now time.Time) (s idp.Session, u idp.User, err error) {
	err = db.read(ctx, "read session", func(c *conn) error {
		var verifiedAt time.Time
		err := c.row("SELECT "+sessionColumns+", "+userColumns+` FROM sessions s JOIN users u ON u.id = s.user_id
			WHERE s.secret_hash = $1 AND s.ended_at IS NULL AND s.idle_expires_at > $2 AND s.expires_at > $2 AND u.disabled_at IS NULL`,
			secretHash[:], ms(now)).Scan(append(sessionDest(&s), userDest(&u, &verifiedAt)...)...)
		u.EmailVerified = !verifiedAt.IsZero()
		return err
	})
	return s, u, err
}

// TouchSession notes that a session was used and when it ends if it is not used again.
func (db *DB) TouchSession(ctx context.Context, sid string, idleExpiresAt, now time.Time) error {
	return db.write(ctx, "touch session", func(t *tx) error {
		return t.one(`UPDATE sessions SET last_seen_at = $3, idle_expires_at = CASE WHEN $2 < expires_at THEN $2 ELSE expires_at END
			WHERE id = $1 AND ended_at IS NULL AND idle_expires_at > $3 AND expires_at > $3`, sid, ms(idleExpiresAt), ms(now))
	})
}

// Sessions returns a person's live sessions, the one last seen first.
func (db *DB) Sessions(ctx context.Context, userID string, now time.Time) (sessions []idp.Session, err error) {
	err = db.read(ctx, "list sessions", func(c *conn) (err error) {
		sessions, err = list(c, scanSession, "SELECT "+sessionColumns+` FROM sessions s
			WHERE s.user_id = $1 AND s.ended_at IS NULL AND s.idle_expires_at > $2 AND s.expires_at > $2
			ORDER BY s.last_seen_at DESC, s.id LIMIT 1000`, userID, ms(now))
		return err
	})
	return sessions, err
}

// EndSession ends one of the person's sessions with its grants; ending twice is no
// error. Somebody else's session is idp.ErrNotFound (STO-08).
func (db *DB) EndSession(ctx context.Context, by idp.Actor, userID, sid string, now time.Time) error {
	return db.write(ctx, "end session", func(t *tx) error {
		n, err := t.exec(`UPDATE sessions SET ended_at = $3 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL`, sid, userID, ms(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return t.known("SELECT 1 FROM sessions WHERE id = $1 AND user_id = $2", sid, userID)
		}
		if err := db.sessionEnded(t, userID, sid, now); err != nil {
			return err
		}
		return t.audit(by, event{action: "session.end", target: sid, userID: userID}, now)
	})
}

// EndOtherSessions ends all of the person's sessions but one and returns how many.
func (db *DB) EndOtherSessions(ctx context.Context, by idp.Actor, userID, keepSID string, now time.Time) (n int, err error) {
	err = db.write(ctx, "end other sessions", func(t *tx) error {
		ended, err := db.endSessions(t, userID, keepSID, now)
		if n = len(ended); err != nil || n == 0 {
			return err
		}
		for _, sid := range ended {
			if err := t.audit(by, event{action: "session.end", target: sid, userID: userID}, now); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// endSessions ends a person's sessions but keepSID, also those that ran out by themselves:
// a clock may be set back. It returns those of which tokens may be alive.
func (db *DB) endSessions(t *tx, userID, keepSID string, now time.Time) ([]string, error) {
	if err := t.savepoint(); err != nil {
		return nil, err
	}
	ended, err := list(t.conn, scanText, `UPDATE sessions SET ended_at = $3
		WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL AND idle_expires_at > $4 RETURNING id`, userID, keepSID, ms(now), db.tokensUntil(now))
	if err != nil {
		return nil, err
	}
	for _, sid := range ended {
		if err := db.sessionEnded(t, userID, sid, now); err != nil {
			return nil, err
		}
	}
	_, err = t.exec("UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL", userID, keepSID, ms(now))
	return ended, err
}

// sessionEnded appends the session's rule, which covers the tokens of its grants too:
// they carry its sid. The clients that took part will be told.
func (db *DB) sessionEnded(t *tx, userID, sid string, now time.Time) error {
	t.revoke(db.rule(idp.RuleSession, sid, now))
	if _, err := t.exec("UPDATE grants SET revoked_at = $3 WHERE user_id = $1 AND session_id = $2 AND revoked_at IS NULL", userID, sid, ms(now)); err != nil {
		return err
	}
	return t.queueSessionLogout(userID, sid, now)
}

func scanText(s scanner) (text string, err error) {
	err = s.Scan(&text)
	return text, err
}
