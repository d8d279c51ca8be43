package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

const grantColumns = `g.id, g.user_id, g.client_id, g.session_id, g.resource, g.scopes, g.nonce, g.auth_time, g.acr, g.amr, g.claims, g.created_at, g.last_used_at, g.expires_at, g.revoked_at, g.login_session_id`

func grantDest(g *idp.Grant) []any {
	return []any{&g.ID, &g.UserID, &g.ClientID, asText{&g.SessionID}, &g.Resource, asWords{&g.Scopes}, asText{&g.Nonce},
		asTime{&g.AuthTime}, &g.ACR, asWords{&g.AMR}, asJSON{&g.Claims}, asTime{&g.CreatedAt}, asTime{&g.LastUsedAt}, asTime{&g.ExpiresAt}, asTime{&g.RevokedAt},
		asText{&g.LoginSessionID}}
}

func scanGrant(s scanner) (g idp.Grant, err error) {
	err = s.Scan(grantDest(&g)...)
	return g, err
}

// A standing's rows. What makes a grant dead for good stands in the query itself; the
// session may be over, which the caller is told.
const (
	standingColumns = grantColumns + ", " + userColumns + ", " + clientColumns + ", " + sessionColumns + ", s.ended_at"
	standingJoins   = ` JOIN users u ON u.id = g.user_id AND u.disabled_at IS NULL
		JOIN clients c ON c.id = g.client_id AND c.disabled_at IS NULL
		LEFT JOIN sessions s ON s.id = COALESCE(g.session_id, g.login_session_id)`
)

// standingRow is where standingColumns are scanned to.
type standingRow struct {
	idp.Standing
	verifiedAt, endedAt time.Time
}

func (r *standingRow) dest(before ...any) []any {
	d := append(make([]any, 0, 64), before...)
	d = append(d, grantDest(&r.Grant)...)
	d = append(d, userDest(&r.User, &r.verifiedAt)...)
	d = append(d, clientDest(&r.Client)...)
	return append(append(d, sessionDest(&r.Session)...), asTime{&r.endedAt})
}

func (r *standingRow) standing(now time.Time) idp.Standing {
	r.User.EmailVerified = !r.verifiedAt.IsZero()
	s := r.Session
	live := s.ID != "" && r.endedAt.IsZero() && s.IdleExpiresAt.After(now) && s.ExpiresAt.After(now)
	if !r.Grant.Offline() {
		r.SessionLive = live
		return r.Standing
	}
	r.Session = idp.Session{}
	if !live {
		r.Grant.LoginSessionID = ""
	}
	return r.Standing
}

// Standing returns everything about a grant that is asked again at each use, in one
// query. A grant that is expired or revoked, or whose user or client is gone or
// disabled, is idp.ErrNotFound; SessionLive tells of its session.
func (db *DB) Standing(ctx context.Context, grantID string, now time.Time) (idp.Standing, error) {
	var r standingRow
	err := db.read(ctx, "read grant", func(c *conn) error {
		return c.row("SELECT "+standingColumns+" FROM grants g"+standingJoins+
			" WHERE g.id = $1 AND g.revoked_at IS NULL AND g.expires_at > $2", grantID, ms(now)).Scan(r.dest()...)
	})
	if err != nil {
		return idp.Standing{}, err
	}
	return r.standing(now), nil
}

// Grants returns a person's live grants, newest first.
func (db *DB) Grants(ctx context.Context, userID string, now time.Time) (grants []idp.Grant, err error) {
	err = db.read(ctx, "list grants", func(c *conn) (err error) {
		grants, err = list(c, scanGrant, "SELECT "+grantColumns+` FROM grants g JOIN clients c ON c.id = g.client_id
			WHERE g.user_id = $1 AND g.revoked_at IS NULL AND g.expires_at > $2 AND (g.session_id IS NULL OR EXISTS (
				SELECT 1 FROM sessions s WHERE s.id = g.session_id AND s.ended_at IS NULL AND s.idle_expires_at > $2 AND s.expires_at > $2))
			ORDER BY g.created_at DESC, g.id LIMIT 1000`, userID, ms(now))
		return err
	})
	return grants, err
}

// insertGrant stores a grant, if its user and client may have one and what it rests on
// stands at this moment: idp.ErrDenied if not.
func (db *DB) insertGrant(t *tx, by idp.Actor, a idp.Approval, g idp.Grant, now time.Time) error {
	scopes, err := words(g.Scopes)
	if err != nil {
		return err
	}
	amr, err := words(g.AMR)
	if err != nil {
		return err
	}
	claims, err := claimsText(g.Claims)
	if err != nil {
		return err
	}
	if g.ID == "" {
		return fmt.Errorf("grant has no id: %w", idp.ErrInvalid)
	}
	var origin idp.Origin
	var lastUsed time.Time
	err = t.row(`SELECT c.origin, c.last_used_at FROM users u, clients c
		WHERE u.id = $1 AND u.disabled_at IS NULL AND c.id = $2 AND c.disabled_at IS NULL
		FOR SHARE OF u`, g.UserID, g.ClientID).Scan(asText{(*string)(&origin)}, asTime{&lastUsed})
	if err == nil {
		err = t.approved(a, g, now)
	}
	if err == nil {
		err = t.useClient(g.ClientID, origin, lastUsed, now)
	}
	if errors.Is(err, idp.ErrNotFound) {
		return idp.ErrDenied
	}
	if err != nil {
		return err
	}
	if err := db.makeRoom(t, g, now); err != nil {
		return err
	}
	login := ""
	if g.Offline() {
		login = a.SessionID
	}
	err = t.insert(`INSERT INTO grants (id, user_id, client_id, session_id, resource, scopes, nonce, auth_time, acr, amr, created_at, last_used_at, expires_at, claims, login_session_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
		g.ID, g.UserID, g.ClientID, textOrNull(g.SessionID), g.Resource, scopes, textOrNull(g.Nonce), ms(g.AuthTime), g.ACR, amr, ms(now), ms(g.ExpiresAt), claims, textOrNull(login))
	if err != nil {
		return err
	}
	return t.audit(by, event{action: "grant.create", target: g.ID, userID: g.UserID, clientID: g.ClientID}, now)
}

// claimsText is NULL for most grants.
func claimsText(c idp.ClaimsRequest) (any, error) {
	if c.Empty() {
		return nil, nil
	}
	return jsonText(c)
}

// approved is idp.ErrNotFound if the sessions that a grant rests on do not live, or the
// consent does not cover it. Whoever ends them now waits for this verb, and then ends
// what it has made as well.
func (t *tx) approved(a idp.Approval, g idp.Grant, now time.Time) error {
	for _, sid := range [...]string{a.SessionID, g.SessionID} {
		if sid == "" {
			continue
		}
		if err := t.liveSession(sid, g.UserID, now); err != nil {
			return err
		}
		if sid == g.SessionID {
			break // mostly they are one
		}
	}
	if !a.Consent {
		return nil
	}
	var allowed []string
	err := t.row("SELECT scopes FROM consents WHERE user_id = $1 AND client_id = $2 AND resource = $3 FOR SHARE",
		g.UserID, g.ClientID, g.Resource).Scan(asWords{&allowed})
	for _, scope := range g.Permissions() {
		if err == nil && !slices.Contains(allowed, scope) {
			err = idp.ErrNotFound
		}
	}
	return err
}

// makeRoom revokes the oldest grants of a person and a client beyond the bound: an app that
// connects anew each day instead of refreshing harms nobody, and a loop makes no million
// rules that every verifier must read when the app is revoked (DOS-03).
func (db *DB) makeRoom(t *tx, g idp.Grant, now time.Time) error {
	many, err := t.exists("SELECT 1 FROM grants WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL LIMIT 1 OFFSET $3",
		g.UserID, g.ClientID, t.bounds.grants-1)
	if err != nil || !many {
		return err
	}
	_, err = db.revokeGrants(t, now, `UPDATE grants SET revoked_at = $4 WHERE id IN (SELECT id FROM grants
			WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL ORDER BY created_at DESC, id LIMIT 100 OFFSET $3) RETURNING id`,
		g.UserID, g.ClientID, t.bounds.grants-1, ms(now))
	return err
}

// liveSession is idp.ErrNotFound unless the session lives and is the person's. It is
// locked against its end; verbs lock a person's row before those of their sessions.
func (t *tx) liveSession(sid, userID string, now time.Time) error {
	return t.known(`SELECT 1 FROM sessions WHERE id = $1 AND user_id = $2
		AND ended_at IS NULL AND idle_expires_at > $3 AND expires_at > $3 FOR SHARE`, sid, userID, ms(now))
}

// RevokeGrant ends one grant with its refresh tokens and access tokens. Revoking twice
// is no error and appends no second rule.
func (db *DB) RevokeGrant(ctx context.Context, by idp.Actor, grantID, reason string, now time.Time) error {
	return db.write(ctx, "revoke grant", func(t *tx) error {
		done, err := db.revokeGrant(t, grantID, now)
		if err != nil {
			return err
		}
		if !done {
			return t.known("SELECT 1 FROM grants WHERE id = $1", grantID)
		}
		return t.auditGrant(by, event{action: "grant.revoke", reason: reason}, grantID, now)
	})
}

// revokeGrant revokes a grant and appends its rule, unless that was done before.
func (db *DB) revokeGrant(t *tx, grantID string, now time.Time) (done bool, err error) {
	n, err := db.revokeGrants(t, now, "UPDATE grants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id", grantID, ms(now))
	return n > 0, err
}

// revokeGrants runs an update that returns the ids of grants, and appends a rule for each.
func (db *DB) revokeGrants(t *tx, now time.Time, update string, args ...any) (n int, err error) {
	if err := t.savepoint(); err != nil {
		return 0, err
	}
	ids, err := list(t.conn, scanText, update, args...)
	for _, id := range ids {
		t.revoke(db.rule(idp.RuleGrant, id, now))
	}
	return len(ids), err
}

// auditGrant writes a row that concerns the grant's user.
func (t *tx) auditGrant(by idp.Actor, e event, grantID string, now time.Time) error {
	e.target = grantID
	err := t.row("SELECT user_id, client_id FROM grants WHERE id = $1", grantID).Scan(&e.userID, &e.clientID)
	if err != nil {
		return err
	}
	return t.audit(by, e, now)
}

// RevokeApp takes back everything that a person allowed a client: the consents, and
// each grant whose tokens may be alive. It returns how many grants that were.
func (db *DB) RevokeApp(ctx context.Context, by idp.Actor, userID, clientID string, now time.Time) (n int, err error) {
	err = db.write(ctx, "revoke app", func(t *tx) error {
		consents, err := t.exec("DELETE FROM consents WHERE user_id = $1 AND client_id = $2", userID, clientID)
		if err != nil {
			return err
		}
		n, err = db.revokeGrants(t, now, `UPDATE grants SET revoked_at = $3
			WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL AND expires_at > $4 AND (session_id IS NULL OR EXISTS (
				SELECT 1 FROM sessions s WHERE s.id = session_id AND s.ended_at IS NULL AND s.idle_expires_at > $4)) RETURNING id`,
			userID, clientID, ms(now), db.tokensUntil(now))
		if err != nil || consents+int64(n) == 0 {
			return err
		}
		return t.audit(by, event{action: "app.revoke", target: clientID, userID: userID, clientID: clientID}, now)
	})
	return n, err
}
