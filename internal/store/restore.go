package store

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/backup"
	"github.com/signet-id/signet/internal/idp"
)

// Restored says what a restore did.
type Restored struct {
	Backup   backup.Header    // zero when it was done in place
	Rows     map[string]int64 // by table
	Sessions int64            // that were ended
	Grants   int64            // that were revoked, each with its refresh tokens
	Keys     int64            // that were retired
}

// Restore loads a backup into a database that holds nothing yet, and begins a new epoch:
// see BeginEpoch. The file is checked as a whole before; then all is one transaction.
func (db *DB) Restore(ctx context.Context, by idp.Actor, file io.ReadSeeker, now time.Time) (done Restored, err error) {
	if err := db.checkBackup(ctx, file); err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	err = db.writeAtLength(ctx, "restore", func(t *tx) error {
		done = Restored{}
		if err := t.lockDirectory(); err != nil { // a server that starts meanwhile makes its keys later
			return err
		}
		if err := t.mustBeEmpty(); err != nil {
			return err
		}
		r, err := rewound(file)
		if err != nil {
			return err
		}
		l := loader{tx: t}
		if done.Rows, err = r.Each(l.begin, l.row); err != nil {
			return err
		}
		if err := t.bringForward(r.Header.Schema); err != nil {
			return err
		}
		if err := t.countAgain(); err != nil {
			return err
		}
		done.Backup = r.Header
		return db.beginEpoch(t, by, "backup of "+r.Header.Time.UTC().Format(time.RFC3339), &done, now)
	})
	return done, err
}

// BeginEpoch makes everything void that an older state of the database may have brought
// back to life (STO-06): sessions end, grants are revoked with their refresh tokens, codes
// and logins under way are gone, all signing keys are retired, and tokens that were issued
// until now are dead. The logs get new epochs, so whoever follows one begins again. People,
// clients, services, consents and settings stay as they are.
func (db *DB) BeginEpoch(ctx context.Context, by idp.Actor, now time.Time) (done Restored, err error) {
	err = db.writeAtLength(ctx, "begin epoch", func(t *tx) error {
		done = Restored{}
		if t.mustBeEmpty() == nil {
			return fmt.Errorf("the database holds nothing: %w", idp.ErrNotFound)
		}
		return db.beginEpoch(t, by, "in place", &done, now)
	})
	return done, err
}

func (db *DB) beginEpoch(t *tx, by idp.Actor, reason string, done *Restored, now time.Time) (err error) {
	epoch := newEpoch()
	for _, log := range [...]string{headRevocations, headChanges} {
		if err := t.one("UPDATE heads SET epoch = $2 WHERE name = $1", log, epoch); err != nil {
			return err
		}
	}
	if done.Sessions, err = t.exec("UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL", ms(now)); err != nil {
		return err
	}
	if done.Grants, err = t.exec("UPDATE grants SET revoked_at = $1 WHERE revoked_at IS NULL", ms(now)); err != nil {
		return err
	}
	for _, query := range [...]string{
		"DELETE FROM codes",
		"DELETE FROM auth_requests",
		"DELETE FROM device_requests",
		"DELETE FROM pushed_requests",
		"UPDATE heads SET seq = 0 WHERE name = '" + tallyPushed + "' OR name LIKE '" + tallyPushed + "#%'",
		"DELETE FROM registration_tokens",
		"DELETE FROM logout_notices",
		"UPDATE heads SET seq = 0 WHERE name = '" + tallyRequests + "' OR name LIKE '" + tallyRequests + "#%'",
	} {
		if _, err := t.exec(query); err != nil {
			return err
		}
	}
	if err := db.revokeIssued(t, idp.RuleAll, "", now); err != nil { // covers the tokens of all those sessions and grants
		return err
	}
	if done.Keys, err = db.retireAllKeys(t, now); err != nil {
		return err
	}
	return t.audit(by, event{action: "epoch.begin", target: epoch, reason: reason}, now)
}

// retireAllKeys: one of them may have been retired after the backup was made, because it
// was in wrong hands. The next start makes new ones.
func (db *DB) retireAllKeys(t *tx, now time.Time) (n int64, err error) {
	if err := t.savepoint(); err != nil {
		return 0, err
	}
	retired, err := list(t.conn, scanText, `UPDATE signing_keys SET retiring_at = COALESCE(retiring_at, $1), retired_at = $1
		WHERE retired_at IS NULL RETURNING id`, ms(now))
	for _, kid := range retired {
		t.revoke(db.rule(idp.RuleKey, kid, now))
		t.changed("key", kid, now)
	}
	return int64(len(retired)), err
}

// checkBackup reads the whole file, so that a bad one is refused before anything is done.
func (db *DB) checkBackup(ctx context.Context, file io.ReadSeeker) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	h, _, err := backup.Check(file)
	if err != nil {
		return err
	}
	return db.engine.read(ctx, func(c *conn) error {
		ours, err := schemaVersion(c)
		if err == nil && h.Schema > ours {
			err = fmt.Errorf("its schema is %d, this release has %d: %w", h.Schema, ours, backup.ErrNewer)
		}
		return err
	})
}

func rewound(file io.ReadSeeker) (*backup.Reader, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return backup.NewReader(file)
}

// mustBeEmpty is idp.ErrExists if any table that a backup holds has a row.
func (t *tx) mustBeEmpty() error {
	for _, table := range keptTables {
		there, err := t.exists("SELECT 1 FROM " + table.name + " LIMIT 1")
		if err != nil {
			return err
		}
		if there {
			return fmt.Errorf("the database is not empty, it has %s: %w", strings.ReplaceAll(table.name, "_", " "), idp.ErrExists)
		}
	}
	return nil
}

// loader writes the rows of a backup. Names come from a file, so none gets into a
// statement that the schema does not have.
type loader struct {
	tx     *tx
	insert string
}

func (l *loader) begin(t backup.Table) error {
	i := slices.IndexFunc(keptTables[:], func(k keptTable) bool { return k.name == t.Name })
	if i < 0 {
		return fmt.Errorf("table %q is not one of a backup's: %w", t.Name, idp.ErrInvalid)
	}
	known, err := l.tx.columns(keptTables[i])
	if err != nil {
		return err
	}
	names, places := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, column := range t.Columns {
		if !slices.Contains(known, column) || slices.Contains(names[:i], column.Name) {
			return fmt.Errorf("table %s has no column %q of type %q: %w", t.Name, column.Name, column.Type, idp.ErrInvalid)
		}
		names[i], places[i] = column.Name, "$"+strconv.Itoa(i+1)
	}
	l.insert = "INSERT INTO " + t.Name + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
	return nil
}

func (l *loader) row(values []any) error {
	_, err := l.tx.exec(l.insert, values...)
	return err
}

// countAgain sets the heads to what the loaded rows say.
func (t *tx) countAgain() error {
	if err := t.one("UPDATE heads SET seq = (SELECT COALESCE(MAX(seq), 0) FROM revocations) WHERE name = $1", headRevocations); err != nil {
		return err
	}
	return t.one(`UPDATE heads SET seq = (SELECT COUNT(*) FROM events WHERE actor_kind = 'anonymous' AND result = 'refused')
		WHERE name = $1`, tallyRefusals)
}

// bringForward does to rows of an older schema what the migrations since then would have
// done: they ran when there were no rows. New columns have their default.
func (t *tx) bringForward(from int64) error {
	all, err := rowChanges(schema, from)
	if err != nil {
		return err
	}
	for _, statement := range all {
		if _, err := t.exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// rowChanges returns the statements of the migrations after a version that change rows.
func rowChanges(files fs.FS, after int64) (all []string, err error) {
	names, err := fs.Glob(files, "schema/*.sql") // in order
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		version, err := strconv.ParseInt(path.Base(name)[:4], 10, 64)
		if err != nil || version <= after {
			continue // migrate has refused names without a number
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		for _, s := range statements(string(text)) {
			switch strings.Fields(s)[0] {
			case "UPDATE", "INSERT", "DELETE":
				all = append(all, s)
			}
		}
	}
	return all, nil
}
