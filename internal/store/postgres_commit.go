package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/signet-id/signet/internal/idp"
)

// resolveTime is for how long we ask what became of a commit whose answer was lost.
const resolveTime = 5 * time.Second

// errUnknown: nobody knows whether the change has happened. Callers are told that it has
// not, and can ask again: whatever happens once happens once.
var errUnknown = fmt.Errorf("the answer to a commit was lost, and nobody could be asked: %w", idp.ErrUnavailable)

// begin begins a transaction and returns its number, by which any connection can ask
// later whether it was committed.
func begin(c *conn) (number string, err error) {
	err = c.raw("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_current_xact_id()", func(results []*pgconn.Result) error {
		if len(results) != 2 || len(results[1].Rows) != 1 {
			return errors.New("BEGIN was not answered by a transaction's number")
		}
		number = string(results[1].Rows[0][0])
		return nil
	})
	return number, err
}

// commit appends to the logs, makes the transaction durable and tells the other nodes: all
// in one message, so that a log's head is locked for no round trip. If the answer is lost
// (STO-03) the change may have happened: then the server is asked, and the verb is never
// simply run again.
func (p *postgresDB) commit(c *conn, number string, logs []statement) (grown ends, err error) {
	if err := p.faults.hit(PointBeforeCommit); err != nil {
		_ = c.script("ROLLBACK")
		return ends{}, unavailable(err)
	}
	grown, err = c.finish(logs)
	if err == nil {
		err = p.faults.hit(PointAfterCommit)
	}
	if err == nil {
		return grown, nil
	}
	if _, refused := errors.AsType[*pgconn.PgError](err); refused && !c.dead() {
		_ = c.script("ROLLBACK") // an answer that is no loss
		return ends{}, err
	}
	committed, unknown := p.outcome(number, c.timeline)
	switch {
	case unknown != nil:
		p.log.Error("a commit's answer was lost; whether it happened is not known", "cause", err, "asking", unknown)
		return ends{}, errUnknown
	case committed:
		p.log.Warn("a commit's answer was lost; it has happened", "cause", err)
		return grown, nil // the numbers may be missing: the next look at the logs finds them
	}
	return ends{}, unavailable(err)
}

// finish sends the last statements of a transaction with its COMMIT.
func (c *conn) finish(logs []statement) (grown ends, err error) {
	batch := &pgx.Batch{}
	for _, s := range logs {
		batch.Queue(s.query, s.args...)
	}
	if len(logs) > 0 {
		batch.Queue("SELECT pg_notify('" + channel + "', '')")
	}
	batch.Queue("COMMIT")
	err = c.sql.Raw(func(driver any) error {
		results := driver.(*stdlib.Conn).Conn().SendBatch(c.ctx, batch)
		err := readResults(results, logs, &grown)
		return errors.Join(err, results.Close())
	})
	return grown, c.note(err)
}

func readResults(results pgx.BatchResults, logs []statement, grown *ends) error {
	for _, s := range logs {
		if !strings.HasSuffix(s.query, "RETURNING seq") {
			if _, err := results.Exec(); err != nil {
				return err
			}
			continue
		}
		var seq int64
		if err := results.QueryRow().Scan(&seq); err != nil {
			return err
		}
		grown.note(s, seq)
	}
	if len(logs) > 0 {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	// A transaction in which something failed says ROLLBACK here, and no error.
	tag, err := results.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = errors.New("COMMIT was not answered by COMMIT")
	}
	return err
}

// outcome asks what became of a transaction. On another timeline (a replica took over)
// its number may be somebody else's, and its end is not known.
func (p *postgresDB) outcome(number, timelineThen string) (committed bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	for {
		status, err := p.status(ctx, number, timelineThen)
		switch {
		case err == nil && status == "committed":
			return true, nil
		case err == nil && status == "aborted":
			return false, nil
		case errors.Is(err, errOtherTimeline):
			return false, err
		case ctx.Err() != nil:
			return false, errors.Join(err, ctx.Err())
		}
		pause(ctx, 50*time.Millisecond) // it is in progress, or the server is coming back
	}
}

var errOtherTimeline = errors.New("another server has taken over")

func (p *postgresDB) status(ctx context.Context, number, timelineThen string) (status string, err error) {
	raw, err := p.pool.Conn(ctx)
	if err != nil {
		return "", err
	}
	c := newConn(raw, postgresDialect)
	c.ctx = ctx
	defer c.hangUp()
	if now, err := timeline(c); err != nil {
		return "", err
	} else if now != timelineThen {
		return "", errOtherTimeline
	}
	err = c.row("SELECT COALESCE(pg_xact_status(CAST($1 AS xid8)), 'unknown')", number).Scan(&status)
	return status, err
}

// timeline names the history that the server writes: a replica that takes over begins
// another one.
func timeline(c *conn) (name string, err error) {
	err = c.row("SELECT (SELECT system_identifier FROM pg_control_system()) || '.' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)").Scan(&name)
	return name, err
}

// raw runs statements outside of database/sql, which shows neither several results nor
// what a statement was answered by.
func (c *conn) raw(statements string, look func([]*pgconn.Result) error) error {
	err := c.sql.Raw(func(driver any) error {
		results, err := driver.(*stdlib.Conn).Conn().PgConn().Exec(c.ctx, statements).ReadAll()
		if err != nil {
			return err
		}
		return look(results)
	})
	return c.note(err)
}
