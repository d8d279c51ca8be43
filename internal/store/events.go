package store

import (
	"context"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// What a browser may write into our tables with each request, in bytes.
const (
	maxUserAgent = 160
	maxAddress   = 64
)

// event is what a verb says of itself for the audit log.
type event struct {
	action   string
	target   string
	userID   string // the person whom it concerns
	clientID string
	refused  bool
	reason   string
	device   bool // keep the browser's name too: where a login came from
}

// audit writes the row in the verb's transaction: no change without its trace.
func (t *tx) audit(by idp.Actor, e event, now time.Time) error {
	result := "ok"
	if e.refused {
		result = "refused"
	}
	if !e.device && !e.refused {
		by.UserAgent = "" // it stands in the row of the login
	}
	return t.insertEvent(idp.Event{
		At: now, Actor: by, UserID: e.userID, Action: e.action, Target: e.target,
		ClientID: e.clientID, Result: result, Reason: e.reason,
	})
}

func (t *tx) insertEvent(e idp.Event) error {
	actorID := e.Actor.ID
	if e.Actor.Kind == "user" && actorID == e.UserID {
		actorID = "" // the usual case takes no room
	}
	_, err := t.exec(`INSERT INTO events (at, actor_kind, actor_id, user_id, ip, user_agent, action, target, client_id, result, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		ms(e.At), e.Actor.Kind, textOrNull(actorID), textOrNull(e.UserID),
		textOrNull(shortened(e.Actor.IP, maxAddress)), textOrNull(shortened(e.Actor.UserAgent, maxUserAgent)),
		e.Action, textOrNull(e.Target), textOrNull(e.ClientID), e.Result, textOrNull(e.Reason))
	if err != nil || e.Actor.Kind != "anonymous" || e.Result != "refused" {
		return err
	}
	return t.boundRefusals()
}

// boundRefusals drops the oldest refusal of a stranger when there are too many: whoever
// knocks a million times gets no million rows (DOS-03). What concerns nobody goes first, so
// that noise does not wipe out what was tried on a person's account.
func (t *tx) boundRefusals() error {
	n, err := t.tally(tallyRefusals, 1)
	if err != nil || n <= t.bounds.refusals {
		return err
	}
	excess := n - t.bounds.refusals
	gone, err := t.exec(`DELETE FROM events WHERE id IN (SELECT id FROM events
		WHERE actor_kind = 'anonymous' AND result = 'refused' AND user_id IS NULL ORDER BY id LIMIT $1)`, excess)
	if err != nil {
		return err
	}
	noise := gone == excess
	if !noise { // none is left, or another node was faster
		noise, err = t.exists("SELECT 1 FROM events WHERE actor_kind = 'anonymous' AND result = 'refused' AND user_id IS NULL LIMIT 1")
	}
	if err == nil && !noise {
		var more int64
		more, err = t.exec(`DELETE FROM events WHERE id IN (SELECT id FROM events
			WHERE actor_kind = 'anonymous' AND result = 'refused' ORDER BY id LIMIT $1)`, excess-gone)
		gone += more
	}
	if err != nil {
		return err
	}
	_, err = t.tally(tallyRefusals, -int(gone))
	return err
}

// Audit records an event that comes with no change of ours, such as a refusal.
func (db *DB) Audit(ctx context.Context, e idp.Event) error {
	if e.UserID == "" && e.Actor.Kind == "user" {
		e.UserID = e.Actor.ID
	}
	return db.write(ctx, "audit", func(t *tx) error { return t.insertEvent(e) })
}

// Events returns at most limit events, newest first, that came before the event
// beforeID (0: from the newest). With a user id, only those that concern that person.
func (db *DB) Events(ctx context.Context, userID string, beforeID int64, limit int) (events []idp.Event, err error) {
	if beforeID <= 0 {
		beforeID = 1<<63 - 1
	}
	err = db.read(ctx, "audit log", func(c *conn) (err error) {
		if userID == "" {
			events, err = list(c, scanEvent, `SELECT id, at, actor_kind, actor_id, user_id, ip, user_agent, action, target, client_id, result, reason
				FROM events WHERE id < $1 ORDER BY id DESC LIMIT $2`, beforeID, limit)
			return err
		}
		events, err = list(c, scanEvent, `SELECT id, at, actor_kind, actor_id, user_id, ip, user_agent, action, target, client_id, result, reason
			FROM events WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, userID, beforeID, limit)
		return err
	})
	return events, err
}

func scanEvent(s scanner) (e idp.Event, err error) {
	err = s.Scan(&e.ID, asTime{&e.At}, &e.Actor.Kind, asText{&e.Actor.ID}, asText{&e.UserID}, asText{&e.Actor.IP}, asText{&e.Actor.UserAgent},
		&e.Action, asText{&e.Target}, asText{&e.ClientID}, &e.Result, asText{&e.Reason})
	if e.Actor.Kind == "user" && e.Actor.ID == "" {
		e.Actor.ID = e.UserID
	}
	return e, err
}
