package store

import (
	"context"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
)

// Seams for the tests of this package.

var (
	CheckVersion = checkVersion
	Migrate      = func(db *DB) error { return migrate(db.engine.(*sqliteDB).mover) }
)

const (
	QueueLen = queueLen
	BatchLen = batchLen
)

// Commits is how many transactions the writer has committed.
func (db *DB) Commits() int64 { return db.engine.(*sqliteDB).commits.Load() }

// Verb runs f as a verb; exec runs a statement in its transaction.
func (db *DB) Verb(ctx context.Context, f func(exec func(string, ...any) error) error) error {
	return db.write(ctx, "test verb", func(t *tx) error {
		return f(func(query string, args ...any) error {
			_, err := t.exec(query, args...)
			return err
		})
	})
}

// Keep makes err an answer that does not undo what the verb changed.
func Keep(err error) error { return kept{err} }

// Int reads a number through a reading connection.
func (db *DB) Int(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = db.read(ctx, "test query", func(c *conn) error { return c.row(query, args...).Scan(&n) })
	return n, err
}

// Text reads a text through a reading connection.
func (db *DB) Text(ctx context.Context, query string, args ...any) (s string, err error) {
	err = db.read(ctx, "test query", func(c *conn) error { return c.row(query, args...).Scan(&s) })
	return s, err
}

// TryWriteAsReader runs a statement on a reading connection.
func (db *DB) TryWriteAsReader(ctx context.Context, query string) error {
	return db.read(ctx, "test query", func(c *conn) error {
		_, err := c.exec(query)
		return err
	})
}

// SetBounds replaces how many rows strangers may cause.
func (db *DB) SetBounds(attempts, refusals int64) {
	db.bounds.attempts, db.bounds.refusals = attempts, refusals
}

// SetGrantBound replaces how many live grants of a client a person may have.
func (db *DB) SetGrantBound(n int64) { db.bounds.grants = n }

// SetUsedBound replaces how many used ids a 256th of a purpose may have.
func (db *DB) SetUsedBound(n int64) { db.bounds.usedIDs = n }

// Queued is how many verbs wait for the writer.
func (db *DB) Queued() int { return len(db.engine.(*sqliteDB).queue) }

// Holds reports whether the directory answers for a client from memory.
func (d *Directory) Holds(clientID string) bool {
	s := d.fresh()
	if s == nil {
		return false
	}
	_, ok := s.clients[clientID]
	return ok
}

// CommittedTransaction runs a transaction and returns its number and timeline.
func (db *DB) CommittedTransaction(ctx context.Context) (number, timeline string, err error) {
	p := db.engine.(*postgresDB)
	c, err := p.writers.take(ctx)
	if err != nil {
		return "", "", err
	}
	defer p.writers.give(c)
	if number, err = begin(c); err != nil {
		return "", "", err
	}
	_, err = p.commit(c, number, nil)
	return number, c.timeline, err
}

// Outcome asks what became of a transaction.
func (db *DB) Outcome(number, timeline string) (committed bool, err error) {
	return db.engine.(*postgresDB).outcome(number, timeline)
}

// RowChanges are what migrations after a version do to rows.
var RowChanges = rowChanges

// BackupTables names the tables that a backup holds and those that it leaves out.
func BackupTables() (kept, dropped []string) {
	for _, t := range keptTables {
		kept = append(kept, t.name)
	}
	return kept, slices.Collect(maps.Keys(droppedTables))
}

// Rewind makes the database what a release left behind whose newest migration had this
// number: its tables, all empty.
func (db *DB) Rewind(ctx context.Context, version int64) error {
	return db.write(ctx, "rewind", func(t *tx) error {
		names := slices.Collect(maps.Keys(droppedTables))
		for _, k := range keptTables {
			names = append(names, k.name)
		}
		for _, name := range names {
			if name == "migrations" {
				continue
			}
			if _, err := t.exec("DROP TABLE " + name); err != nil {
				return err
			}
		}
		if _, err := t.exec("DELETE FROM migrations WHERE version > $1", version); err != nil {
			return err
		}
		files, err := fs.Glob(schema, "schema/*.sql")
		if err != nil {
			return err
		}
		for _, file := range files {
			if n, err := strconv.ParseInt(path.Base(file)[:4], 10, 64); err != nil || n > version {
				return err
			}
			text, err := schema.ReadFile(file)
			if err != nil {
				return err
			}
			for _, s := range statements(t.dialect.words.Replace(string(text))) {
				if _, err := t.exec(s); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
