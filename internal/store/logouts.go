package store

import (
	"context"
	"errors"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// hasLogoutURI holds for the metadata of clients that take logout tokens. A quote inside
// of a JSON text is escaped, so nothing that a client is called looks like this member.
const hasLogoutURI = `c.disabled_at IS NULL AND c.metadata LIKE '%"backchannel_logout_uri":"_%'`

// queueSessionLogout notes every client that took part in a session which has just
// ended: by grants that hang on it, and by offline ones that were made at it. It is part
// of what ends the session, so none is forgotten, whatever happens next (OAU-20).
func (t *tx) queueSessionLogout(userID, sid string, now time.Time) error {
	_, err := t.exec(`INSERT INTO logout_notices (client_id, user_id, session_id, queued_at, attempts, next_attempt_at)
		SELECT DISTINCT c.id, g.user_id, CAST($2 AS TEXT), CAST($3 AS BIGINT), 0, CAST($3 AS BIGINT) FROM grants g JOIN clients c ON c.id = g.client_id
		WHERE g.user_id = $1 AND (g.session_id = $2 OR g.login_session_id = $2) AND `+hasLogoutURI+`
		ON CONFLICT DO NOTHING`, userID, sid, ms(now))
	return err
}

// queueOfflineLogout notes the clients of a person's offline grants that were revoked at
// this moment. Their logins may have ended long ago; only now their access ends as well.
func (t *tx) queueOfflineLogout(userID string, now time.Time) error {
	_, err := t.exec(`INSERT INTO logout_notices (client_id, user_id, session_id, queued_at, attempts, next_attempt_at)
		SELECT DISTINCT c.id, g.user_id, COALESCE(g.login_session_id, ''), CAST($2 AS BIGINT), 0, CAST($2 AS BIGINT) FROM grants g JOIN clients c ON c.id = g.client_id
		WHERE g.user_id = $1 AND g.session_id IS NULL AND g.revoked_at = $2 AND `+hasLogoutURI+`
		ON CONFLICT DO NOTHING`, userID, ms(now))
	return err
}

// SessionClients returns the clients that took part in a session, by id, also after it
// has ended: those with a grant that hangs on it or was made at it.
func (db *DB) SessionClients(ctx context.Context, userID, sid string) (clients []idp.Client, err error) {
	err = db.read(ctx, "list clients of session", func(c *conn) (err error) {
		clients, err = list(c, scanClient, "SELECT "+clientColumns+` FROM clients c WHERE c.disabled_at IS NULL AND c.id IN
			(SELECT g.client_id FROM grants g WHERE g.user_id = $1 AND (g.session_id = $2 OR g.login_session_id = $2))
			ORDER BY c.id LIMIT 100`, userID, sid)
		return err
	})
	return clients, err
}

// DueLogouts returns clients with notices that are to be sent now, the longest waiting
// first, those of operators before all others; with a session id, only those of that session's.
func (db *DB) DueLogouts(ctx context.Context, sid string, limit int, now time.Time) (clientIDs []string, err error) {
	err = db.read(ctx, "list logout notices", func(c *conn) (err error) {
		if sid != "" {
			clientIDs, err = list(c, scanText, `SELECT client_id FROM logout_notices WHERE session_id = $1 AND next_attempt_at <= $2
				GROUP BY client_id ORDER BY MIN(next_attempt_at), client_id LIMIT $3`, sid, ms(now), limit)
			return err
		}
		clientIDs, err = list(c, scanText, `SELECT n.client_id FROM logout_notices n LEFT JOIN clients c ON c.id = n.client_id WHERE n.next_attempt_at <= $1
			GROUP BY n.client_id ORDER BY MAX(CASE WHEN c.origin IS NULL THEN 0 ELSE 1 END), MIN(n.next_attempt_at), n.client_id LIMIT $2`, ms(now), limit)
		return err
	})
	return clientIDs, err
}

// ClaimLogouts takes at most limit notices for a client that are to be sent now (with a
// session id, only of that session): for exactly one of many callers. Whoever claims one
// says with RecordLogout what became of it; if that is not heard until the given time,
// the notice is to be sent again.
func (db *DB) ClaimLogouts(ctx context.Context, clientID, sid string, limit int, until, now time.Time) (notices []idp.LogoutNotice, err error) {
	err = db.write(ctx, "claim logout notices", func(t *tx) error {
		if err := t.savepoint(); err != nil {
			return err
		}
		notices, err = list(t.conn, scanNotice, `UPDATE logout_notices SET attempts = attempts + 1, next_attempt_at = $5
			WHERE client_id = $1 AND next_attempt_at <= $4 AND (client_id, user_id, session_id) IN (
				SELECT client_id, user_id, session_id FROM logout_notices
				WHERE client_id = $1 AND next_attempt_at <= $4 AND (session_id = $2 OR $2 = '')
				ORDER BY next_attempt_at, user_id, session_id LIMIT $3)
			RETURNING client_id, user_id, session_id, queued_at, attempts`, clientID, sid, limit, ms(now), ms(until))
		return err
	})
	return notices, err
}

func scanNotice(s scanner) (n idp.LogoutNotice, err error) {
	err = s.Scan(&n.ClientID, &n.UserID, &n.SessionID, asTime{&n.QueuedAt}, &n.Attempt)
	return n, err
}

// RecordLogout writes into the audit log what became of an attempt. The notice goes,
// unless it is to be tried again. If somebody else has claimed it since, that one decides:
// idp.ErrConsumed; the attempt is recorded all the same.
func (db *DB) RecordLogout(ctx context.Context, by idp.Actor, n idp.LogoutNotice, o idp.LogoutOutcome, now time.Time) error {
	return db.write(ctx, "record logout notice", func(t *tx) error {
		e := event{action: "logout.notify", target: n.SessionID, userID: n.UserID, clientID: n.ClientID, refused: !o.Told, reason: o.Reason}
		if err := t.audit(by, e, now); err != nil {
			return err
		}
		const mine = "WHERE client_id = $1 AND user_id = $2 AND session_id = $3 AND attempts = $4"
		var err error
		if o.RetryAt.IsZero() {
			err = t.one("DELETE FROM logout_notices "+mine, n.ClientID, n.UserID, n.SessionID, n.Attempt)
		} else {
			err = t.one("UPDATE logout_notices SET next_attempt_at = $5 "+mine, n.ClientID, n.UserID, n.SessionID, n.Attempt, ms(o.RetryAt))
		}
		if errors.Is(err, idp.ErrNotFound) {
			return kept{idp.ErrConsumed}
		}
		return err
	})
}
