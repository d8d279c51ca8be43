package store

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/backup"
	"github.com/signet-id/signet/internal/idp"
)

// keptTable is a table that a backup holds.
type keptTable struct {
	name     string
	order    string // columns; the order in which rows come back
	numbered string // a column whose values the database chooses, and chooses again
}

// keptTables and droppedTables name every table of the schema, once: a migration that
// adds one says here what a backup does with it. Columns are asked of the database.
var keptTables = [...]keptTable{
	{name: "settings", order: "name"},
	{name: "retired_ids", order: "kind, id"},
	{name: "users", order: "id"},
	{name: "clients", order: "id"},
	{name: "resources", order: "id"},
	{name: "resource_scopes", order: "name"},
	{name: "signing_keys", order: "id"},
	{name: "sessions", order: "id"},
	{name: "consents", order: "user_id, client_id, resource"},
	{name: "grants", order: "id"},
	{name: "revocations", order: "seq"},
	{name: "events", order: "id", numbered: "id"},
}

// droppedTables says why a backup does without them.
var droppedTables = map[string]string{
	"migrations":      "the header has the schema's number; the database that is restored to has its own",
	"heads":           "a restore begins another epoch and counts again",
	"changes":         "nodes that start read everything",
	"pushed_requests": "live for a minute: void after a restore",
	"auth_requests":   "logins under way: void after a restore",
	"codes":           "live for a minute: void after a restore",
	"attempts":        "counters of minutes",

	"used_ids":        "of minutes; what was made before a restore is refused by its time",
	"device_requests": "live for ten minutes: void after a restore",

	"registration_tokens": "rights to register clients: void after a restore",

	"logout_notices":    "minutes old at most, and of logins that a restore ends anyway",
	"familiar_networks": "each login writes them again",
}

// Backup writes everything that is worth keeping to w, as it stood at one moment. It is
// as secret as the database: hashes, sealed keys, and whom they belong to.
func (db *DB) Backup(ctx context.Context, by idp.Actor, w io.Writer, now time.Time) error {
	err := db.write(ctx, "backup", func(t *tx) error { return t.audit(by, event{action: "backup.make"}, now) })
	if err != nil {
		return err
	}
	if err := db.engine.snapshot(ctx, func(c *conn) error { return writeBackup(ctx, c, w, now) }); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

func writeBackup(ctx context.Context, c *conn, w io.Writer, now time.Time) error {
	h := backup.Header{Time: now}
	var err error
	if h.Epoch, _, err = head(c, headRevocations); err != nil {
		return err
	}
	if h.Schema, err = schemaVersion(c); err != nil {
		return err
	}
	out, err := backup.NewWriter(w, h)
	if err != nil {
		return err
	}
	for _, t := range keptTables {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeTable(c, out, t); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return out.Close()
}

func writeTable(c *conn, out *backup.Writer, t keptTable) error {
	columns, err := c.columns(t)
	if err != nil {
		return err
	}
	if err := out.Table(backup.Table{Name: t.name, Columns: columns}); err != nil {
		return err
	}
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name
	}
	return c.each("SELECT "+strings.Join(names, ", ")+" FROM "+t.name+" ORDER BY "+t.order, len(names), out.Row)
}

// columns asks the database what a table is made of, without the column that it numbers.
func (c *conn) columns(t keptTable) ([]backup.Column, error) {
	rows, err := c.sql.QueryContext(c.ctx, "SELECT * FROM "+t.name+" LIMIT 0")
	if err != nil {
		return nil, c.note(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, c.note(err)
	}
	var columns []backup.Column
	for _, column := range types {
		if column.Name() == t.numbered {
			continue
		}
		typ, ok := typeNames[column.DatabaseTypeName()]
		if !ok {
			return nil, fmt.Errorf("column %s has type %s, which a schema of ours does not use", column.Name(), column.DatabaseTypeName())
		}
		columns = append(columns, backup.Column{Name: column.Name(), Type: typ})
	}
	return columns, c.note(rows.Err())
}

// typeNames are what the engines call the schema's three types.
var typeNames = map[string]backup.Type{
	"TEXT": backup.Text, "INTEGER": backup.Int, "INT8": backup.Int, "BIGINT": backup.Int, "BLOB": backup.Bytes, "BYTEA": backup.Bytes,
}

// each gives use the n values of each row, without keeping any.
func (c *conn) each(query string, n int, use func(values []any) error) error {
	rows, err := c.sql.QueryContext(c.ctx, query)
	if err != nil {
		return c.note(err)
	}
	defer rows.Close()
	values, dest := make([]any, n), make([]any, n)
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return c.note(err)
		}
		if err := use(values); err != nil {
			return err
		}
	}
	return c.note(rows.Err())
}

func schemaVersion(c *conn) (version int64, err error) {
	err = c.row("SELECT COALESCE(MAX(version), 0) FROM migrations").Scan(&version)
	return version, err
}
