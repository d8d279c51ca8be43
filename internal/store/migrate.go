package store

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

//go:embed schema/*.sql
var schema embed.FS

// dialect is how one engine differs from what is written for both.
type dialect struct {
	words   *strings.Replacer // of the schema
	begin   string            // begins a transaction that will change something
	query   func(string) string
	explain func(error) error // says in words of package idp what an engine's error means
	// tallyRows is over how many rows a tally is spread, so that those who count do not
	// wait for one another.
	tallyRows int
}

// migrate brings the schema up to date, each file in a transaction of its own. It only
// moves forward, and leaves a database of a newer release alone: the previous release
// must run on the new schema.
func migrate(c *conn) error {
	d := c.dialect
	const log = `CREATE TABLE IF NOT EXISTS migrations (
	version BIGINT NOT NULL PRIMARY KEY,
	name TEXT NOT NULL
);`
	if err := c.script(d.words.Replace(log)); err != nil {
		return err
	}
	var done int64
	if err := c.row("SELECT COALESCE(MAX(version), 0) FROM migrations").Scan(&done); err != nil {
		return err
	}
	files, err := migrations()
	if err != nil {
		return err
	}
	for _, file := range files {
		version, err := migrationVersion(file)
		if err != nil {
			return err
		}
		if version <= done {
			continue
		}
		if err := applyFile(c, file, version); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// migrations are the files of the schema, in order.
func migrations() ([]string, error) {
	files, err := fs.Glob(schema, "schema/*.sql")
	slices.Sort(files)
	return files, err
}

func migrationVersion(file string) (int64, error) {
	version, err := strconv.ParseInt(path.Base(file)[:4], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: its name must begin with four digits: %w", file, err)
	}
	return version, nil
}

func applyFile(c *conn, file string, version int64) error {
	d := c.dialect
	text, err := schema.ReadFile(file)
	if err != nil {
		return err
	}
	if err := c.script(d.begin); err != nil {
		return err
	}
	if err := applyStatements(c, statements(d.words.Replace(string(text))), file, version); err != nil {
		return errors.Join(err, c.script("ROLLBACK"))
	}
	return c.script("COMMIT")
}

func applyStatements(c *conn, all []string, file string, version int64) error {
	for _, statement := range all {
		if err := c.script(statement); err != nil {
			return err
		}
	}
	return c.script("INSERT INTO migrations (version, name) VALUES ($1, $2)", version, path.Base(file))
}

// statements splits a schema file: a statement ends with ";" at the end of a line.
func statements(text string) []string {
	var code strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "--") {
			code.WriteString(line)
		}
	}
	var all []string
	for s := range strings.SplitSeq(code.String(), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// createHeads makes the first rows of the logs. An epoch names one history of a log: a
// reader who knows another one begins again.
func createHeads(t *tx) error {
	names := []string{headRevocations, headChanges}
	for _, tally := range []string{tallyRequests, tallyAttempts, tallyRefusals, tallyPushed} {
		for i := range t.dialect.tallyRows {
			names = append(names, tallyRow(tally, i))
		}
	}
	for _, name := range names {
		err := t.insert("INSERT INTO heads (name, seq, epoch) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING", name, newEpoch())
		if err != nil && !errors.Is(err, idp.ErrExists) {
			return err
		}
	}
	return nil
}
