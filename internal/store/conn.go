package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/signet-id/signet/internal/idp"
)

// conn is one connection with the statements prepared on it, used by one goroutine at a
// time. The queries are constants of this package, so the statements are few.
//
// Statements run without the caller's context: each takes microseconds, and a context
// that can end costs the driver a goroutine a statement.
type conn struct {
	sql     *sql.Conn
	dialect *dialect
	ctx     context.Context // of statements; ends only where an engine may not answer at all
	stmts   map[string]*sql.Stmt
	failed  error // the first error of the engine since it was cleared

	timeline string // PostgreSQL: the history that this connection's server writes
}

func newConn(c *sql.Conn, d *dialect) *conn {
	return &conn{sql: c, dialect: d, ctx: context.Background(), stmts: map[string]*sql.Stmt{}}
}

// close ends the statements too: while one lives, the engine keeps the connection and its
// files open, and database/sql does not count those of a connection that somebody holds.
func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.sql.Close())...)
}

func (c *conn) prepared(query string) (*sql.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.sql.PrepareContext(c.ctx, c.dialect.query(query))
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	s, err := c.prepared(query)
	if err != nil {
		return 0, c.note(err)
	}
	res, err := s.ExecContext(c.ctx, args...)
	if err != nil {
		return 0, c.note(err)
	}
	n, err := res.RowsAffected()
	return n, c.note(err)
}

// script runs a statement that will not come again.
func (c *conn) script(statement string, args ...any) error {
	_, err := c.sql.ExecContext(c.ctx, statement, args...)
	return c.note(err)
}

// row runs a query of which the first row counts.
func (c *conn) row(query string, args ...any) row {
	s, err := c.prepared(query)
	if err != nil {
		return row{c: c, err: err}
	}
	return row{c: c, sql: s.QueryRowContext(c.ctx, args...)}
}

// row is a query's first row; Scan says idp.ErrNotFound if there is none.
type row struct {
	c   *conn
	sql *sql.Row
	err error
}

func (r row) Scan(dest ...any) error {
	if r.err == nil {
		r.err = r.sql.Scan(dest...)
	}
	if errors.Is(r.err, sql.ErrNoRows) {
		return idp.ErrNotFound
	}
	return r.c.note(r.err)
}

// scanner is a row: the only one of a query, or one of many.
type scanner interface{ Scan(dest ...any) error }

// list runs a query and collects its rows.
func list[T any](c *conn, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	s, err := c.prepared(query)
	if err != nil {
		return nil, c.note(err)
	}
	rows, err := s.QueryContext(c.ctx, args...)
	if err != nil {
		return nil, c.note(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, c.note(err)
		}
		all = append(all, v)
	}
	return all, c.note(rows.Err())
}

// errAborted is an engine's refusal of all that follows a statement that failed.
var errAborted = errors.New("an earlier statement of the transaction failed")

// note remembers that the engine refused something: a verb that overlooks it has
// failed all the same.
func (c *conn) note(err error) error {
	if err == nil {
		return nil
	}
	err = c.dialect.explain(err)
	switch {
	case c.failed == nil:
		c.failed = err
	case errors.Is(err, errAborted):
		return c.failed // why the engine did not even try
	}
	return err
}

// exists reports whether the query has a row.
func (c *conn) exists(query string, args ...any) (bool, error) {
	var one int
	err := c.row(query, args...).Scan(&one)
	if errors.Is(err, idp.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// tx is what a verb sees of its transaction. Where verbs run side by side, a query on
// whose rows the verb decides ends in FOR UPDATE or FOR SHARE.
type tx struct {
	*conn
	bounds    bounds
	shared    bool // other verbs are in the same transaction: this one needs a savepoint
	saved     bool // a savepoint was set
	rules     []idp.Rule
	changes   []idp.Change
	changedAt int64 // of changes
	grown     ends  // where the logs stand after it
}

// exec sets the verb's savepoint before its first change: a verb that only looks costs nothing.
func (t *tx) exec(query string, args ...any) (int64, error) {
	if err := t.savepoint(); err != nil {
		return 0, err
	}
	return t.conn.exec(query, args...)
}

// change runs a statement with RETURNING.
func (t *tx) change(query string, args ...any) row {
	if err := t.savepoint(); err != nil {
		return row{c: t.conn, err: err}
	}
	return t.row(query, args...)
}

func (t *tx) savepoint() error {
	if t.saved || !t.shared {
		return nil
	}
	_, err := t.conn.exec("SAVEPOINT verb")
	t.saved = err == nil
	return err
}

// one runs a statement that must change exactly one row: none is idp.ErrNotFound.
func (t *tx) one(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		return idp.ErrNotFound
	}
	return nil
}

// insert runs an INSERT … ON CONFLICT DO NOTHING: a row that is already there is idp.ErrExists.
func (t *tx) insert(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		err = idp.ErrExists
	}
	return err
}

// kept is a verb's answer when what it changed shall stay although it refuses.
type kept struct{ answer error }

func (k kept) Error() string { return k.answer.Error() }

// run runs the verb on a transaction that others share, with its own rollback. answer is
// the verb's own result; broken means that the whole transaction is lost.
func (t *tx) run(verb func(*tx) error) (answer, broken error) {
	answer, err := t.decide(verb)
	if err == nil {
		err = cmp.Or(t.appendLogs(), t.failed)
	}
	if err == nil {
		if t.saved {
			_, broken = t.conn.exec("RELEASE verb")
		}
		return answer, broken
	}
	t.grown = ends{}
	if t.saved {
		_, broken = t.conn.exec("ROLLBACK TO verb")
		if broken == nil {
			_, broken = t.conn.exec("RELEASE verb")
		}
	}
	return err, broken
}

// decide runs the verb. answer is for the caller after the commit; err says that nothing
// of it may stay.
func (t *tx) decide(verb func(*tx) error) (answer, err error) {
	t.failed = nil
	err = t.guarded(verb)
	var k kept
	if errors.As(err, &k) {
		answer, err = k.answer, nil
	}
	return answer, cmp.Or(err, t.failed)
}

// panicked is a bug in a verb, told to its caller instead of ending the writer.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("panic in a verb: %v", p.value) }

func (t *tx) guarded(verb func(*tx) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked{v}
		}
	}()
	return verb(t)
}
