package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// channel is where nodes tell each other that a log has grown.
	channel = "signet_logs"

	// lookEvery is how soon a node sees what it was not told: notifications are a
	// convenience, the logs are the truth.
	lookEvery = 300 * time.Millisecond

	// behindAfter is how old the last look at the logs may be before this node's
	// memory of clients and services is not believed any more.
	behindAfter = time.Second
)

// follower learns of the commits of other nodes.
type follower struct {
	postgres *postgresDB
	cfg      *pgx.ConnConfig
	doubt    *time.Timer // fires when the last good look was too long ago
	seen     heads
	failing  bool
}

// heads is where the logs stand.
type heads struct {
	ends
	changesEpoch, rulesEpoch string
}

// run follows the logs until ctx ends.
func (f *follower) run(ctx context.Context) {
	f.doubt = time.AfterFunc(behindAfter, f.fallBehind)
	defer func() { f.doubt.Stop() }()
	for ctx.Err() == nil {
		err := f.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if !f.failing {
			f.postgres.log.Warn("changes of other nodes cannot be seen; asking the database each time", "cause", err)
		}
		f.failing = true
		pause(ctx, lookEvery)
	}
}

func (f *follower) fallBehind() { f.postgres.db.behind.Store(true) }

// listen looks at the logs whenever somebody says that they have grown, and regularly.
func (f *follower) listen(ctx context.Context) error {
	dial, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	c, err := pgx.ConnectConfig(dial, f.cfg.Copy())
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialTime)
		defer cancel()
		_ = c.Close(ctx) // it has nothing to lose
	}()
	if _, err := c.Exec(dial, "LISTEN "+channel); err != nil {
		return err
	}
	for {
		if err := f.look(ctx, c); err != nil {
			return err
		}
		if err := waitForNews(ctx, c); err != nil {
			return err
		}
	}
}

// look sees where the logs stand. How long that may be believed counts from before the question.
func (f *follower) look(ctx context.Context, c *pgx.Conn) error {
	next := time.AfterFunc(behindAfter, f.fallBehind)
	now, err := readHeads(ctx, c)
	if err != nil {
		next.Stop()
		return err
	}
	f.doubt.Stop()
	f.doubt, f.failing = next, false
	db := f.postgres.db
	db.behind.Store(false)
	db.committed(now.ends)
	if f.seen != (heads{}) && (f.seen.changesEpoch != now.changesEpoch || f.seen.rulesEpoch != now.rulesEpoch) {
		db.poke() // other logs than before, which may end where the old ones did
	}
	f.seen = now
	return nil
}

func readHeads(ctx context.Context, c *pgx.Conn) (h heads, err error) {
	ctx, cancel := context.WithTimeout(ctx, statementTime)
	defer cancel()
	err = c.QueryRow(ctx, "SELECT c.seq, c.epoch, r.seq, r.epoch FROM heads c, heads r WHERE c.name = $1 AND r.name = $2",
		headChanges, headRevocations).Scan(&h.changes, &h.changesEpoch, &h.rules, &h.rulesEpoch)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil // a new database: the first verb makes the rows
	}
	return h, err
}

// waitForNews returns nil when a node said something or it is time to look.
func waitForNews(ctx context.Context, c *pgx.Conn) error {
	limited, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	_, err := c.WaitForNotification(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil && !c.IsClosed() {
		return nil
	}
	return err
}
