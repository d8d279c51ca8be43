package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// keepPushed is how long a pushed request is kept after a browser may come with it: the
// login that it began lasts longer, and only at its end is the request used up.
const keepPushed = 15 * time.Minute

var sweepPushed = sweep{what: "pushed requests", tally: tallyPushed, keep: keepPushed, query: `DELETE FROM pushed_requests WHERE hash IN
	(SELECT hash FROM pushed_requests WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`}

// CreatePushedRequest stores a request that a client has pushed. owner, the client or a
// network, may have perOwner of them waiting, and the table total rows: else
// idp.ErrLimited (DOS-03).
func (db *DB) CreatePushedRequest(ctx context.Context, p idp.PushedRequest, owner string, perOwner, total int, now time.Time) error {
	parameters, err := jsonText(askedOf(p.Request))
	if err != nil {
		return fmt.Errorf("push request: %w", err)
	}
	// Who is over the quota is refused before waiting for the writer, and delays nobody.
	err = db.read(ctx, "push request", func(c *conn) error { return c.waitingRequests(owner, perOwner, now) })
	if err != nil {
		return err
	}
	return db.write(ctx, "push request", func(t *tx) error {
		if err := t.waitingRequests(owner, perOwner, now); err != nil {
			return err
		}
		rows, err := t.tally(tallyPushed, 1)
		if err == nil && rows > int64(total) {
			var swept int
			swept, err = t.sweep(sweepPushed, now)
			if err == nil && rows-int64(swept) > int64(total) {
				err = fmt.Errorf("pushed requests: %w", idp.ErrLimited)
			}
		}
		if err != nil {
			return err
		}
		return t.insert(`INSERT INTO pushed_requests (hash, client_id, owner, parameters, expires_at)
			VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, p.Hash[:], p.ClientID, owner, parameters, ms(p.ExpiresAt))
	})
}

func (c *conn) waitingRequests(owner string, perOwner int, now time.Time) error {
	var n int
	err := c.row(`SELECT COUNT(*) FROM (SELECT 1 FROM pushed_requests WHERE owner = $1 AND expires_at > $2 LIMIT $3) AS waiting`,
		owner, ms(now), perOwner).Scan(&n)
	if err == nil && n >= perOwner {
		err = fmt.Errorf("pushed requests of one owner: %w", idp.ErrLimited)
	}
	return err
}

// PushedRequest returns a request that the client has pushed and that was not answered
// yet. Unknown, expired, answered or another client's: idp.ErrNotFound.
func (db *DB) PushedRequest(ctx context.Context, hash [32]byte, clientID string, now time.Time) (p idp.PushedRequest, err error) {
	err = db.read(ctx, "read pushed request", func(c *conn) error {
		var a asked
		err := c.row("SELECT hash, client_id, parameters, expires_at FROM pushed_requests WHERE hash = $1 AND client_id = $2 AND expires_at > $3",
			hash[:], clientID, ms(now)).Scan(asHash{&p.Hash}, &p.ClientID, asJSON{&a}, asTime{&p.ExpiresAt})
		if err != nil {
			p = idp.PushedRequest{}
			return err
		}
		a.fill(&p.Request)
		p.Request.ClientID, p.Request.PushedHash = p.ClientID, p.Hash
		return nil
	})
	return p, err
}

// usePushed uses a pushed request up, for exactly one caller; the others get
// idp.ErrConsumed (RFC 9126 §4). The zero hash is none.
func (t *tx) usePushed(hash [32]byte, clientID string) error {
	if hash == ([32]byte{}) {
		return nil
	}
	n, err := t.exec("DELETE FROM pushed_requests WHERE hash = $1 AND client_id = $2", hash[:], clientID)
	if err == nil && n == 0 {
		err = fmt.Errorf("pushed request: %w", idp.ErrConsumed)
	}
	if err == nil {
		_, err = t.tally(tallyPushed, -1)
	}
	return err
}

// pushedBy returns which pushed request an authorization request came from, and its client.
func (t *tx) pushedBy(id string, browserHash [32]byte) (hash [32]byte, clientID string, err error) {
	var a asked
	err = t.row("SELECT client_id, parameters FROM auth_requests WHERE id = $1 AND browser_hash = $2", id, browserHash[:]).Scan(&clientID, asJSON{&a})
	if errors.Is(err, idp.ErrNotFound) {
		return hash, "", nil // the step that follows says so
	}
	copy(hash[:], a.Pushed)
	return hash, clientID, err
}
