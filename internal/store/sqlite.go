package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/signet-id/signet/internal/idp"
)

const (
	// oldestSQLite: 3.7.0 to 3.51.2 can corrupt a write-ahead log with two connections.
	oldestSQLite = "3.51.3"

	sqliteReaders = 4

	// checkpointVerbs is how many verbs may be committed before pages move from the
	// write-ahead log into the file, and restartFrames how many pages the log may hold
	// before the writer lends a hand, so that the log can begin anew.
	checkpointVerbs = 1000
	restartFrames   = 8000
)

// sqliteDB is the engine for one file: one writing connection, some that only read, and
// one that moves pages from the write-ahead log into the file, outside of any commit.
type sqliteDB struct {
	*writer
	pool    *sql.DB
	lock    *os.File
	faults  *Faults
	readers chan *conn
	waiting atomic.Int64 // for one of readers
	conns   []*conn      // all that were opened
	closing chan struct{}
	once    sync.Once

	mover     *conn           // used by moveFrames only
	due       chan struct{}   // pokes moveFrames
	scrubs    chan chan error // asks moveFrames to empty the log to its last byte
	moved     chan struct{}   // closed when moveFrames has ended
	since     int             // verbs since the last poke; used by the writer's goroutine
	needsHand atomic.Bool     // the log is long and the mover alone cannot empty it
}

func openSQLite(ctx context.Context, path string, o Options, committed func(ends)) (_ *sqliteDB, err error) {
	lock, err := LockFile(path + ".lock")
	if err != nil {
		return nil, advisedFile(err)
	}
	s := &sqliteDB{
		lock: lock, faults: o.Faults, readers: make(chan *conn, sqliteReaders), closing: make(chan struct{}),
		due: make(chan struct{}, 1), scrubs: make(chan chan error), moved: make(chan struct{}),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if err := privateFile(path); err != nil {
		return nil, advisedFile(err)
	}
	connector, err := sqlite.NewConnector(sqliteName(path))
	if err != nil {
		return nil, err
	}
	s.pool = sql.OpenDB(connector)
	first, err := s.connect(ctx)
	if err != nil {
		return nil, advisedFile(err)
	}
	if err := checkSQLite(first); err != nil {
		return nil, err
	}
	if err := first.script("PRAGMA cache_size = -8000"); err != nil { // KiB; the readers' caches rarely outlive a commit
		return nil, err
	}
	if err := migrate(first); err != nil {
		return nil, err
	}
	if s.mover, err = s.connect(ctx); err != nil {
		return nil, err
	}
	for range sqliteReaders {
		c, err := s.connect(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := c.exec("PRAGMA query_only = 1"); err != nil {
			return nil, err
		}
		s.readers <- c
	}
	s.writer = newWriter(&writer{
		conn: first, begin: sqliteDialect.begin, committed: committed, afterward: s.afterCommit, log: o.Log, observe: o.Commit, faults: o.Faults,
	})
	go s.moveFrames()
	return s, nil
}

// sqliteDialect: STRICT makes SQLite hold columns to their types. Verbs have their turns,
// so a row needs no lock.
var sqliteDialect = &dialect{
	words: strings.NewReplacer("BYTEA", "BLOB", "BIGINT", "INTEGER", "\n);", "\n) STRICT;"),
	begin: "BEGIN IMMEDIATE",
	query: func(query string) string {
		query, _, _ = strings.Cut(query, "FOR UPDATE")
		query, _, _ = strings.Cut(query, "FOR SHARE")
		return query
	},
	explain:   explainSQLite,
	tallyRows: 1,
}

// sqliteName is the file's name with the settings of every connection.
func sqliteName(path string) string {
	settings := url.Values{
		"_defensive":    {"1"}, // no statement may damage the file's structure
		"_dqs":          {"0"}, // "x" is a name, never a text
		"_busy_timeout": {"5000"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"}, // a commit is on disk before it is answered
		"_pragma": {
			"wal_autocheckpoint(0)", // moveFrames does it
			"journal_size_limit(67108864)",
			"temp_store(memory)",
			"trusted_schema(0)",
			"secure_delete(fast)",
		},
	}
	name := (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	if filepath.VolumeName(path) != "" {
		name = "/" + name
	}
	return "file:" + name + "?" + settings.Encode()
}

// privateFile sees to it that only the owner can read the database. SQLite gives its
// side files the mode of the main one.
func privateFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

func (s *sqliteDB) connect(ctx context.Context) (*conn, error) {
	c, err := s.pool.Conn(ctx)
	if err != nil {
		return nil, explainSQLite(err)
	}
	opened := newConn(c, sqliteDialect)
	s.conns = append(s.conns, opened)
	return opened, nil
}

// checkSQLite refuses a library with known corruption, and a file system on which
// the write-ahead log does not work.
func checkSQLite(c *conn) error {
	var version, mode string
	if err := c.row("SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	if err := c.row("PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("journal mode is %s: this file system has no shared memory for a write-ahead log", mode)
	}
	return nil
}

func checkVersion(version string) error {
	have, want := strings.Split(version, "."), strings.Split(oldestSQLite, ".")
	for i := range want {
		var h, w int
		if i < len(have) {
			h, _ = strconv.Atoi(have[i])
		}
		w, _ = strconv.Atoi(want[i])
		switch {
		case h > w:
			return nil
		case h < w:
			return fmt.Errorf("SQLite %s can corrupt its log; %s is the oldest that is safe", version, oldestSQLite)
		}
	}
	return nil
}

// read lends a connection of the pool to query.
func (s *sqliteDB) read(ctx context.Context, query func(*conn) error) error {
	c, err := s.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { s.readers <- c }()
	if err := s.faults.hit(PointRead); err != nil {
		return unavailable(err)
	}
	return query(c)
}

// reader takes a connection, which must be given back.
func (s *sqliteDB) reader(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	select {
	case c := <-s.readers:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.closing:
		return nil, fmt.Errorf("database is closed: %w", idp.ErrUnavailable)
	}
}

// snapshot: the first read of a transaction fixes what all of its reads see. The write-ahead
// log cannot begin anew meanwhile.
func (s *sqliteDB) snapshot(ctx context.Context, query func(*conn) error) error {
	return s.read(ctx, func(c *conn) (err error) {
		if _, err := c.exec("BEGIN"); err != nil {
			return err
		}
		defer func() {
			_, end := c.exec("ROLLBACK")
			err = errors.Join(err, end)
		}()
		return query(c)
	})
}

// clockSkew: the database's clock is ours.
func (s *sqliteDB) clockSkew(context.Context, time.Time) (time.Duration, error) { return 0, nil }

// afterCommit runs between two transactions, on the writer's goroutine.
func (s *sqliteDB) afterCommit(verbs int) {
	if s.since += verbs; s.since >= checkpointVerbs {
		s.since = 0
		select {
		case s.due <- struct{}{}:
		default:
		}
	}
	if s.needsHand.CompareAndSwap(true, false) {
		// The mover has emptied the log but for the newest pages. While nobody
		// writes, the rest is little, and the next commit begins the log anew.
		_, _, _ = moveToFile(s.conn)
	}
}

// moveFrames empties the write-ahead log whenever enough was written.
func (s *sqliteDB) moveFrames() {
	defer close(s.moved)
	for {
		select {
		case <-s.due:
		case done := <-s.scrubs:
			done <- emptyLog(s.mover)
			continue
		case <-s.closing:
			return
		}
		inLog, done, err := moveToFile(s.mover)
		if err != nil {
			s.log.Warn("checkpoint of the database", "error", err)
			continue
		}
		s.needsHand.Store(inLog > restartFrames && done > inLog/2)
	}
}

// moveToFile copies what it can without waiting for anyone (a passive checkpoint).
func moveToFile(c *conn) (inLog, done int, err error) {
	var busy int
	err = c.row("PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &inLog, &done)
	return inLog, done, err
}

// chore: there is no other node.
func (s *sqliteDB) chore(ctx context.Context, _ string, f func(context.Context) error) error {
	return f(ctx)
}

// scrub empties the log: its old pages may hold what was destroyed. In the file itself
// secure_delete writes over it.
func (s *sqliteDB) scrub(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case s.scrubs <- done:
		return <-done
	case <-s.closing:
		return fmt.Errorf("database is closed: %w", idp.ErrUnavailable)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// emptyLog waits for readers and the writer, and leaves a log without a byte.
func emptyLog(c *conn) error {
	var busy, inLog, done int
	err := c.row("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &done)
	if err == nil && busy != 0 {
		err = fmt.Errorf("the log is in use: %w", idp.ErrUnavailable)
	}
	return err
}

func (s *sqliteDB) close() error {
	var err error
	s.once.Do(func() {
		s.writer.close()
		close(s.closing)
		<-s.moved
		for range sqliteReaders {
			<-s.readers // waits for the reads under way
		}
		err = s.release()
	})
	return err
}

// release closes the file; the last connection empties the log and removes it.
func (s *sqliteDB) release() error {
	var errs []error
	for _, c := range s.conns {
		errs = append(errs, c.close())
	}
	if s.pool != nil {
		errs = append(errs, s.pool.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// advisedFile says what to do about the errors that a first start meets.
func advisedFile(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w; make its directory for the server's user, or name another file in \"database\"", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; the file and its directory must belong to the server's user", err)
	case ok && e.Code() == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w; name another file in \"database\", or move this one away", err)
	}
	return err
}

// explainSQLite says what the errors mean on which somebody decides something.
func explainSQLite(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return fmt.Errorf("%w: %w", idp.ErrExists, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", idp.ErrUnavailable, err)
	}
	return err
}
