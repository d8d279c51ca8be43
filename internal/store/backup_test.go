package store_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-id/signet/internal/store"
)

// TestBackup_KnowsEveryTable: whoever adds a table says what a backup does with it.
func TestBackup_KnowsEveryTable(t *testing.T) {
	t.Parallel()
	all, err := openTemp(t).Text(t.Context(), "SELECT group_concat(name, ' ') FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
	if err != nil {
		t.Fatal(err)
	}
	kept, dropped := store.BackupTables()
	known, there := slices.Concat(kept, dropped), strings.Fields(all)
	slices.Sort(known)
	slices.Sort(there)
	if d := cmp.Diff(there, known); d != "" {
		t.Errorf("tables of the schema and of backup.go (-schema +backup):\n%s", d)
	}
}

// TestRestore_RowChanges: what a migration does to rows is done again to rows that come later.
func TestRestore_RowChanges(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"schema/0001_initial.sql": {Data: []byte("CREATE TABLE a (\n\tid TEXT\n);\nINSERT INTO a (id) VALUES ('first');\n")},
		"schema/0002_more.sql":    {Data: []byte("-- UPDATE is only a word here.\nALTER TABLE a ADD COLUMN b TEXT;\nUPDATE a\n\tSET b = id;\n")},
		"schema/0003_less.sql":    {Data: []byte("CREATE INDEX x ON a (b);\nDELETE FROM a WHERE b = '';\n")},
	}
	for after, want := range map[int64][]string{
		0: {"INSERT INTO a (id) VALUES ('first')", "UPDATE a\n\tSET b = id", "DELETE FROM a WHERE b = ''"},
		1: {"UPDATE a\n\tSET b = id", "DELETE FROM a WHERE b = ''"},
		2: {"DELETE FROM a WHERE b = ''"},
		3: nil,
	} {
		got, err := store.RowChanges(files, after)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("after %d (-want +got):\n%s", after, d)
		}
	}
}
