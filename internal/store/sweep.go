package store

import (
	"context"
	"time"
)

const (
	sweepRows = 500 // of one kind in one transaction

	// Kept for a while after their end: a code's second use must still be noticed.
	keepCodes    = time.Hour
	keepUsed     = 10 * time.Minute // a clock may be set back a little (STO-05)
	keepDevices  = 2 * time.Minute  // a device's last poll is told that it was too late
	keepSessions = time.Hour
	keepGrants   = 24 * time.Hour
	keepNotices  = 24 * time.Hour
	keepEvents   = 90 * 24 * time.Hour
	keepChanges  = 10_000 // newest entries

	// A clock that was hours ahead for a while must not have forgotten a revocation of
	// which tokens are alive when it is right again (STO-05).
	keepRules = 24 * time.Hour
)

// sweep is one kind of row that goes by itself. The query takes a time and a number of rows.
type sweep struct {
	what  string
	query string
	keep  time.Duration // how long after it ended
	tally string        // row of heads that counts these, if any
}

var sweepRequests = sweep{what: "authorization requests", tally: tallyRequests, query: `DELETE FROM auth_requests WHERE id IN
	(SELECT id FROM auth_requests WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`}

var sweepAttempts = sweep{what: "counters", tally: tallyAttempts, query: `DELETE FROM attempts WHERE key IN
	(SELECT key FROM attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`}

var sweeps = [...]sweep{
	// One that is left over: its sender gives up long before.
	{what: "logout notices", keep: keepNotices, query: `DELETE FROM logout_notices WHERE (client_id, user_id, session_id) IN
		(SELECT client_id, user_id, session_id FROM logout_notices WHERE next_attempt_at <= $1 ORDER BY next_attempt_at LIMIT $2)`},
	sweepRequests,
	sweepPushed,
	// Of a grant that nobody collected there is no token, so no rule is needed; it would stand
	// among a person's apps until it ends by itself.
	{what: "grants of codes that nobody redeemed", keep: keepCodes, query: `DELETE FROM grants WHERE id IN
		(SELECT grant_id FROM codes WHERE expires_at <= $1 AND redeemed_at IS NULL ORDER BY expires_at LIMIT $2)`},
	{what: "codes", keep: keepCodes, query: `DELETE FROM codes WHERE hash IN
		(SELECT hash FROM codes WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`},
	{what: "grants that no device collected", keep: keepDevices, query: `DELETE FROM grants WHERE id IN
		(SELECT grant_id FROM device_requests WHERE expires_at <= $1 AND redeemed_at IS NULL AND grant_id IS NOT NULL ORDER BY expires_at LIMIT $2)`},
	{what: "device requests", keep: keepDevices, query: `DELETE FROM device_requests WHERE id IN
		(SELECT id FROM device_requests WHERE expires_at <= $1 AND redeemed_at IS NULL ORDER BY expires_at LIMIT $2)`},
	{what: "redeemed device requests", keep: keepCodes, query: `DELETE FROM device_requests WHERE id IN
		(SELECT id FROM device_requests WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`},
	sweepAttempts,
	{what: "used ids", keep: keepUsed, query: `DELETE FROM used_ids WHERE (purpose, id) IN
		(SELECT purpose, id FROM used_ids WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`},
	{what: "registration tokens", query: `DELETE FROM registration_tokens WHERE id IN
		(SELECT id FROM registration_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`},
	{what: "familiar networks", query: `DELETE FROM familiar_networks WHERE (user_id, network) IN
		(SELECT user_id, network FROM familiar_networks WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`},
	// A grant that hangs on a session dies with it; it goes first, for the session's row names it.
	{what: "grants of sessions", keep: keepSessions, query: `DELETE FROM grants WHERE id IN
		(SELECT g.id FROM (SELECT id, user_id FROM sessions WHERE idle_expires_at <= $1 ORDER BY idle_expires_at, id LIMIT $2) AS s
			JOIN grants g ON g.user_id = s.user_id AND g.session_id = s.id LIMIT $2)`},
	{what: "sessions", keep: keepSessions, query: `DELETE FROM sessions WHERE id IN
		(SELECT s.id FROM (SELECT id, user_id FROM sessions WHERE idle_expires_at <= $1 ORDER BY idle_expires_at, id LIMIT $2) AS s
			WHERE NOT EXISTS (SELECT 1 FROM grants g WHERE g.user_id = s.user_id AND g.session_id = s.id))`},
	{what: "grants", keep: keepGrants, query: `DELETE FROM grants WHERE id IN
		(SELECT id FROM grants WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`},
	{what: "revocation rules", keep: keepRules, query: `DELETE FROM revocations WHERE seq IN
		(SELECT seq FROM revocations WHERE until <= $1 ORDER BY until LIMIT $2)`},
}

// Sweep deletes a small batch of everything that has ended and returns how many rows
// that were; call it until there are none. Expired rows are unreadable anyway: sweeping
// saves room, not safety.
func (db *DB) Sweep(ctx context.Context, now time.Time) (rows int, err error) {
	for _, s := range sweeps {
		n, err := db.sweepOne(ctx, s, now)
		rows += n
		if err != nil {
			return rows, err
		}
	}
	for _, f := range [...]func(context.Context, time.Time) (int, error){db.sweepClients, db.sweepEvents, db.sweepChanges} {
		n, err := f(ctx, now)
		rows += n
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// sweepOne is a transaction of its own, so that others get their turn between two.
func (db *DB) sweepOne(ctx context.Context, s sweep, now time.Time) (rows int, err error) {
	err = db.write(ctx, "sweep "+s.what, func(t *tx) (err error) {
		rows, err = t.sweep(s, now)
		return err
	})
	return rows, err
}

func (t *tx) sweep(s sweep, now time.Time) (rows int, err error) {
	n, err := t.exec(s.query, ms(now.Add(-s.keep)), sweepRows)
	if err == nil && n > 0 && s.tally != "" {
		_, err = t.tally(s.tally, -int(n))
	}
	return int(n), err
}

// sweepEvents drops the oldest rows of the audit log. Their ids ascend with time.
func (db *DB) sweepEvents(ctx context.Context, now time.Time) (rows int, err error) {
	err = db.write(ctx, "sweep events", func(t *tx) error {
		if err := t.savepoint(); err != nil {
			return err
		}
		refusals, err := list(t.conn, scanInt, `DELETE FROM events WHERE id IN
				(SELECT id FROM (SELECT id, at FROM events ORDER BY id LIMIT $2) AS oldest WHERE at <= $1)
			RETURNING CASE WHEN actor_kind = 'anonymous' AND result = 'refused' THEN 1 ELSE 0 END`, ms(now.Add(-keepEvents)), sweepRows)
		if rows = len(refusals); err != nil || rows == 0 {
			return err
		}
		tallied := 0
		for _, n := range refusals {
			tallied += n
		}
		_, err = t.tally(tallyRefusals, -tallied)
		return err
	})
	return rows, err
}

// sweepChanges keeps the newest entries, whatever their age: nodes that are further
// behind than that read everything again.
func (db *DB) sweepChanges(ctx context.Context, _ time.Time) (rows int, err error) {
	err = db.write(ctx, "sweep changes", func(t *tx) error {
		n, err := t.exec("DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE seq <= $1 ORDER BY seq LIMIT $2)", db.changeSeq.Load()-keepChanges, sweepRows)
		rows = int(n)
		return err
	})
	return rows, err
}

func scanInt(s scanner) (n int, err error) {
	err = s.Scan(&n)
	return n, err
}
