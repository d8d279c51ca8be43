package store

import (
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
	stmts   map[string]*sql.Stmt
	explain func(error) error // says in words of package idp what an engine's error means
	failed  error             // the first error of the engine since it was cleared
}

func newConn(c *sql.Conn, explain func(error) error) *conn {
	return &conn{sql: c, stmts: map[string]*sql.Stmt{}, explain: explain}
}

func (c *conn) prepared(query string) (*sql.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.sql.PrepareContext(context.Background(), query)
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
	res, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, c.note(err)
	}
	n, err := res.RowsAffected()
	return n, c.note(err)
}

// script runs a statement that will not come again.
func (c *conn) script(statement string, args ...any) error {
	_, err := c.sql.ExecContext(context.Background(), statement, args...)
	return c.note(err)
}

// row runs a query of which the first row counts.
func (c *conn) row(query string, args ...any) row {
	s, err := c.prepared(query)
	if err != nil {
		return row{c: c, err: err}
	}
	return row{c: c, sql: s.QueryRowContext(context.Background(), args...)}
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
	rows, err := s.QueryContext(context.Background(), args...)
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

// note remembers that the engine refused something: a verb that overlooks it has
// failed all the same.
func (c *conn) note(err error) error {
	if err == nil {
		return nil
	}
	err = c.explain(err)
	if c.failed == nil {
		c.failed = err
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

// tx is what a verb sees of its transaction.
type tx struct {
	*conn
	bounds    bounds
	saved     bool // a savepoint was set
	rules     []idp.Rule
	changes   []idp.Change
	changedAt int64 // of changes
	head      int64 // number of the last change appended
	appended  bool  // a log grew
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
	if t.saved {
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
	t.failed = nil
	err := t.guarded(verb)
	var k kept
	if errors.As(err, &k) {
		answer, err = k.answer, nil
	}
	if err == nil {
		err = t.appendLogs()
	}
	if err == nil {
		err = t.failed
	}
	if err == nil {
		if t.saved {
			_, broken = t.conn.exec("RELEASE verb")
		}
		return answer, broken
	}
	t.appended, t.head = false, 0
	if t.saved {
		_, broken = t.conn.exec("ROLLBACK TO verb")
		if broken == nil {
			_, broken = t.conn.exec("RELEASE verb")
		}
	}
	return err, broken
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
