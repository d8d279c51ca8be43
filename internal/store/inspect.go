package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/signet-id/signet/internal/idp"
)

// Inspection is what somebody sees of a database who changes nothing in it: no schema is
// made, and none is brought forward.
type Inspection struct {
	Engine  string           // its name and version
	Schema  int64            // number of the newest migration that was made; 0: an empty database
	Newest  int64            // number of the newest migration that this program has
	Skew    time.Duration    // how far now is ahead of the database's own clock; 0 if it has none
	Warning string           // what is dangerous about it; empty: nothing
	Keys    []idp.SigningKey // signing keys, sealed as they are stored; none of an older schema
}

// ErrUnclean says that a database was not closed: what was committed last stands in files
// that only a server reads.
var ErrUnclean = errors.New("the database was not closed when its server ended")

// Inspect looks at a database. A SQLite file must be in nobody's use (ErrInUse), and have
// been closed (ErrUnclean); without a file the error is fs.ErrNotExist.
func Inspect(ctx context.Context, dsn string, o Options, now time.Time) (i Inspection, err error) {
	if i.Newest, err = newestMigration(); err != nil {
		return i, err
	}
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		err = i.sqlite(ctx, path)
	} else {
		err = i.postgres(ctx, dsn, o, now)
	}
	if err != nil {
		return i, fmt.Errorf("inspect database: %w", err)
	}
	return i, nil
}

func newestMigration() (int64, error) {
	files, err := migrations()
	if err != nil || len(files) == 0 {
		return 0, err
	}
	return migrationVersion(files[len(files)-1])
}

// sqlite opens the file so that nothing is written, not even beside it: whoever asks may be
// another user than the server's.
func (i *Inspection) sqlite(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if _, err := os.Stat(path + ".lock"); err == nil {
		lock, err := LockFile(path + ".lock")
		if err != nil {
			return err
		}
		defer lock.Close()
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return ErrUnclean
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if f, err := os.OpenFile(path, os.O_RDWR, 0); err != nil { // a server must be able to
		return err
	} else if err := f.Close(); err != nil {
		return err
	}
	name := url.URL{Path: filepath.ToSlash(path)}
	connector, err := sqlite.NewConnector("file:" + name.EscapedPath() + "?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	return i.look(ctx, sql.OpenDB(connector), sqliteDialect, func(c *conn) error {
		var version string
		if err := c.row("SELECT sqlite_version()").Scan(&version); err != nil {
			return err
		}
		i.Engine = "SQLite " + version
		return i.schema(c, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'migrations'")
	})
}

func (i *Inspection) postgres(ctx context.Context, dsn string, o Options, now time.Time) error {
	cfg, _, err := postgresConfig(dsn)
	if err != nil {
		return err
	}
	if !o.Password.Empty() {
		cfg.Password = o.Password.Reveal()
	}
	err = i.look(ctx, stdlib.OpenDB(*cfg), postgresDialect, func(c *conn) error {
		var version string
		var then int64
		err := c.row("SELECT current_setting('server_version'), CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)").Scan(&version, &then)
		if err != nil {
			return err
		}
		i.Engine, i.Skew = "PostgreSQL "+version, now.Sub(time.UnixMilli(then))
		var heard strings.Builder
		if err := checkPostgres(c, slog.New(slog.NewTextHandler(&heard, nil))); err != nil {
			return err
		}
		if heard.Len() > 0 {
			i.Warning = "it runs with fsync = off: when its machine fails, what was acknowledged is lost"
		}
		if err := i.schema(c, "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'migrations' AND table_schema = current_schema()"); err != nil {
			return err
		}
		return i.mayWrite(c)
	})
	return advised(err)
}

// look lends f one connection.
func (i *Inspection) look(ctx context.Context, pool *sql.DB, d *dialect, f func(*conn) error) error {
	raw, err := pool.Conn(ctx)
	if err != nil {
		return errors.Join(d.explain(err), pool.Close())
	}
	c := newConn(raw, d)
	defer c.limit(ctx, verbTime)()
	return errors.Join(f(c), c.close(), pool.Close())
}

// schema reads how far the schema has come, and the signing keys.
func (i *Inspection) schema(c *conn, count string) error {
	var tables int
	if err := c.row(count).Scan(&tables); err != nil || tables == 0 {
		return err
	}
	if err := c.row("SELECT COALESCE(MAX(version), 0) FROM migrations").Scan(&i.Schema); err != nil {
		return err
	}
	if i.Schema < i.Newest { // the table may have other columns
		return nil
	}
	keys, err := signingKeys(c)
	i.Keys = keys
	return err
}

// mayWrite writes a row and takes it back, or asks whether a schema could be made.
func (i *Inspection) mayWrite(c *conn) error {
	if i.Schema == 0 {
		var may bool
		if err := c.row("SELECT has_schema_privilege(current_schema(), 'CREATE')").Scan(&may); err != nil {
			return err
		}
		if !may {
			return errors.New("the user may not make tables; the database must belong to the user that is named")
		}
		return nil
	}
	if err := c.script("BEGIN"); err != nil {
		return err
	}
	err := c.script("INSERT INTO settings (name, value) VALUES ('inspection', 'x')")
	return errors.Join(err, c.script("ROLLBACK"))
}
