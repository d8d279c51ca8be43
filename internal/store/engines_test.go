//go:build unix

package store_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/pgtest"
	"github.com/signet-id/signet/internal/store"
)

// TestBackup_BetweenEngines: a backup is the way from one engine to the other and back.
func TestBackup_BetweenEngines(t *testing.T) {
	t.Parallel()
	ctx, by := t.Context(), idp.Actor{Kind: "operator", ID: "op"}
	first := openTemp(t)
	ann := idp.User{
		ID: "u", Username: "Änn", Email: "ann@example.com", EmailVerified: true, Profile: idp.Profile{Name: "Ann \u2028 Example"}, Groups: []string{"a b"},
		CreatedAt: when, UpdatedAt: when,
	}
	if err := errors.Join(
		first.CreateUser(ctx, by, ann, "a hash", when), first.PutClient(ctx, by, named("Friendly Scheduler"), when),
		first.PutSetting(ctx, "bytes", []byte{0, 1, 254, 255}), first.PutSetting(ctx, "none", nil),
	); err != nil {
		t.Fatal(err)
	}
	from := first
	for _, to := range []struct{ name, dsn string }{{"PostgreSQL", pgtest.Database(t)}, {"SQLite", "sqlite:" + t.TempDir() + "/signet.db"}} {
		name, dsn := to.name, to.dsn
		var file bytes.Buffer
		if err := from.Backup(ctx, by, &file, when); err != nil {
			t.Fatalf("to %s: %v", name, err)
		}
		next := openDSN(t, dsn, nil)
		if _, err := next.Restore(ctx, by, bytes.NewReader(file.Bytes()), when.Add(time.Hour)); err != nil {
			t.Fatalf("into %s: %v", name, err)
		}
		if _, err := next.Restore(ctx, by, bytes.NewReader(file.Bytes()), when.Add(time.Hour)); !errors.Is(err, idp.ErrExists) {
			t.Errorf("into %s twice: %v", name, err)
		}
		same(t, name, next, ann)
		from = next
	}
}

func same(t *testing.T, name string, db *store.DB, ann idp.User) {
	t.Helper()
	u, hash, err := db.UserByLogin(t.Context(), "ann@example.com")
	if d := cmp.Diff(ann, u); err != nil || d != "" || hash != "a hash" {
		t.Errorf("user in %s: %v %q %s", name, err, hash, d)
	}
	if c, err := db.Client(t.Context(), "app"); err != nil || c.Name != "Friendly Scheduler" {
		t.Errorf("client in %s: %v %q", name, err, c.Name)
	}
	value, err1 := db.Setting(t.Context(), "bytes")
	none, err2 := db.Setting(t.Context(), "none")
	if !bytes.Equal(value, []byte{0, 1, 254, 255}) || len(none) != 0 || err1 != nil || err2 != nil {
		t.Errorf("settings in %s: %v %v, %v %v", name, value, none, err1, err2)
	}
	// What comes next gets a number after those that were loaded.
	before, err := db.Events(t.Context(), "", 0, 100)
	if err != nil || len(before) < 3 {
		t.Fatalf("%d events in %s, %v", len(before), name, err)
	}
	if err := db.PutClient(t.Context(), idp.Actor{Kind: "operator"}, named("Other"), when); err != nil {
		t.Errorf("a change in %s: %v", name, err)
	}
	if after, err := db.Events(t.Context(), "", 0, 100); err != nil || len(after) != len(before)+1 || after[0].Action != "client.put" {
		t.Errorf("the newest event in %s is %+v, %v", name, after[0], err)
	}
	if err := db.PutClient(t.Context(), idp.Actor{Kind: "operator"}, named("Friendly Scheduler"), when); err != nil {
		t.Error(err)
	}
}
