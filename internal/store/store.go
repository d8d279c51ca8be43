// Package store keeps signet's state in a database: plain SQL, atomic verbs, one
// schema for two engines. SQLite is one file and one process, PostgreSQL is for many
// nodes; what is particular to them stands in sqlite.go and postgres.go and beside them.
//
// Every method of DB is one transaction that decides and changes together; nobody
// outside this package begins one. The store knows rows and atomicity. Who may do
// something, and for how long, is decided above.
//
// What a verb promises:
//   - nil means that the change is durable: it was synced to disk before the answer;
//   - one of many concurrent callers wins where something may happen once;
//   - a revocation's rules are in the log as soon as the change itself is;
//   - a context that ends before a change was begun gives the context's error, and the
//     change never happens; one that was begun is waited for.
//
// It deliberately does not encrypt (package keyring does), and holds secrets as hashes only.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// Options are what the store must know of the rest.
type Options struct {
	// RuleLifetime is how long a revocation rule is kept: the longest life of an
	// access token plus the verifiers' leeway.
	RuleLifetime time.Duration
	// Password is that of PostgreSQL's user; the zero Text if it needs none.
	Password secret.Text
	// Log receives what no caller can be told; nil discards it.
	Log *slog.Logger
	// Observe is told of each verb and query by its name; nil: nobody is.
	Observe idp.Observer
	// Commit is told how many verbs a sync of the disk makes durable, and by what it returns,
	// that this is over. PostgreSQL syncs where we do not see it. nil: nobody is.
	Commit func(verbs int) (over func())
	// Faults makes transactions fail; nil outside of tests.
	Faults *Faults
}

// DB is an open database. Its methods may be called by many goroutines.
type DB struct {
	engine       engine
	ruleLifetime time.Duration
	bounds       bounds
	log          *slog.Logger
	observe      idp.Observer

	changeSeq atomic.Int64 // newest committed number of the changes log that this process knows
	ruleSeq   atomic.Int64 // the same of the revocations log
	behind    atomic.Bool  // other nodes may have changed what it does not know

	mu       sync.Mutex // guards watchers
	watchers map[chan struct{}]struct{}
}

// bounds are how many rows strangers may cause (DOS-03).
type bounds struct {
	attempts int64 // counters
	refusals int64 // audit rows of refusals: the newest ones are kept
	grants   int64 // live grants of one person and client: the newest ones are kept
	usedIDs  int64 // used ids of one purpose, in each of 256 parts
}

// engine runs verbs on one kind of database.
type engine interface {
	// write runs verb in a transaction of its own, as seen by everyone else, and
	// returns when that is durable.
	write(ctx context.Context, verb func(*tx) error) error
	// writeAtLength is write for a verb that may take as long as it needs.
	writeAtLength(ctx context.Context, verb func(*tx) error) error
	// read runs query on a connection that cannot change anything.
	read(ctx context.Context, query func(*conn) error) error
	// chore runs f, unless another node is running the chore of that name.
	chore(ctx context.Context, name string, f func(context.Context) error) error
	// snapshot runs query on a connection to which the database stands still.
	snapshot(ctx context.Context, query func(*conn) error) error
	// clockSkew is how far now is ahead of the database's own clock.
	clockSkew(ctx context.Context, now time.Time) (time.Duration, error)
	// scrub takes what was destroyed out of files that are ours alone.
	scrub(ctx context.Context) error
	// pools says how much of what it has is in use.
	pools() []Pool
	close() error
}

// Open opens the database that dsn names and brings its schema up to date. "sqlite:PATH"
// is held for this process alone until Close; "postgres://…" is shared with other nodes.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	if o.RuleLifetime <= 0 {
		return nil, fmt.Errorf("open database: rule lifetime must be positive: %w", idp.ErrInvalid)
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	db := &DB{
		ruleLifetime: o.RuleLifetime, log: o.Log, observe: o.Observe, bounds: bounds{attempts: 200_000, refusals: 100_000, grants: 1000, usedIDs: 1024},
		watchers: map[chan struct{}]struct{}{},
	}
	if err := db.open(ctx, dsn, o); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := db.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), db.engine.close())
	}
	return db, nil
}

func (db *DB) open(ctx context.Context, dsn string, o Options) (err error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		db.behind.Store(true) // until the logs were looked at
		db.engine, err = openPostgres(ctx, dsn, o, db)
		return err
	}
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok || path == "" || strings.HasPrefix(path, ":") {
		return fmt.Errorf("the name must be sqlite:PATH or postgres://…: %w", idp.ErrInvalid)
	}
	db.engine, err = openSQLite(ctx, path, o, db.committed)
	return err
}

// start makes the rows that every verb counts on and reads where the logs stand.
func (db *DB) start(ctx context.Context) error {
	if err := db.write(ctx, "first start", createHeads); err != nil {
		return err
	}
	return db.read(ctx, "read heads", func(c *conn) error {
		_, seq, err := head(c, headChanges)
		if err == nil {
			advanceTo(&db.changeSeq, seq)
		}
		return err
	})
}

// advanceTo raises a number, for commits may be told out of order, and reports whether
// it was lower.
func advanceTo(known *atomic.Int64, n int64) bool {
	for {
		old := known.Load()
		if n <= old {
			return false
		}
		if known.CompareAndSwap(old, n) {
			return true
		}
	}
}

// Chore runs f, unless another node is running the chore of that name at this moment:
// then that one does what there is to do.
func (db *DB) Chore(ctx context.Context, name string, f func(context.Context) error) error {
	return db.engine.chore(ctx, name, f)
}

// Close waits for the verbs under way, refuses new ones and releases the file.
func (db *DB) Close() error {
	return db.engine.close()
}

// pingBytes is more than a page, so that a database without room for a new one says so.
const pingBytes = 8 << 10

// Ping reports whether the database answers, to reads and to changes: it writes a row and
// takes it away again, and a disk that is full or read-only refuses that.
func (db *DB) Ping(ctx context.Context) error {
	name := "ping " + secret.ID() // others may ping at the same time
	err := db.write(ctx, "ping", func(t *tx) error {
		if _, err := t.exec("INSERT INTO settings (name, value) VALUES ($1, $2)", name, make([]byte, pingBytes)); err != nil {
			return err
		}
		return t.one("DELETE FROM settings WHERE name = $1", name)
	})
	if err != nil {
		return err
	}
	_, _, err = db.RevocationHead(ctx)
	return err
}

// ClockSkew returns how far now is ahead of the database's own clock, to which all nodes
// keep. An engine that lives in this process has none: 0.
func (db *DB) ClockSkew(ctx context.Context, now time.Time) (time.Duration, error) {
	return db.engine.clockSkew(ctx, now)
}

// Watch returns a channel that is poked after each commit that appended a revocation
// rule or a change. It holds one poke: read the logs until they are at their end.
func (db *DB) Watch() (events <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	db.mu.Lock()
	defer db.mu.Unlock()
	db.watchers[ch] = struct{}{}
	return ch, func() {
		db.mu.Lock()
		defer db.mu.Unlock()
		delete(db.watchers, ch)
	}
}

// committed is called by the engine after a commit, before any of its verbs is answered,
// and when another node's commit was noticed.
func (db *DB) committed(now ends) {
	changed, revoked := advanceTo(&db.changeSeq, now.changes), advanceTo(&db.ruleSeq, now.rules)
	if changed || revoked {
		db.poke()
	}
}

func (db *DB) poke() {
	db.mu.Lock()
	defer db.mu.Unlock()
	for ch := range db.watchers {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

func (db *DB) write(ctx context.Context, what string, verb func(*tx) error) error {
	return db.writeBy(ctx, db.engine.write, what, verb)
}

// writeAtLength is for an operator's work on whole tables.
func (db *DB) writeAtLength(ctx context.Context, what string, verb func(*tx) error) error {
	return db.writeBy(ctx, db.engine.writeAtLength, what, verb)
}

func (db *DB) writeBy(ctx context.Context, write func(context.Context, func(*tx) error) error, what string, verb func(*tx) error) error {
	ctx, over := db.observe.Begin(ctx, what)
	err := write(ctx, func(t *tx) error {
		t.bounds = db.bounds
		return verb(t)
	})
	over(err)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// destroy is write for a verb that takes a secret away: it shall be in no file any more.
func (db *DB) destroy(ctx context.Context, what string, verb func(*tx) error) error {
	if err := db.write(ctx, what, verb); err != nil {
		return err
	}
	if err := db.engine.scrub(ctx); err != nil && ctx.Err() == nil {
		db.log.WarnContext(ctx, "what was destroyed may stay in the write-ahead log until the next checkpoint", "what", what, "cause", err)
	}
	return nil
}

func (db *DB) read(ctx context.Context, what string, query func(*conn) error) error {
	ctx, over := db.observe.Begin(ctx, what)
	err := db.engine.read(ctx, query)
	over(err)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
