package store_test

import (
	"path/filepath"
	"testing"

	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openTemp)
}

// openTemp opens an empty database that is closed with the test.
func openTemp(t *testing.T) *store.DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "signet.db"))
}

func openAt(tb testing.TB, path string) *store.DB {
	tb.Helper()
	return openDSN(tb, "sqlite:"+path, nil)
}

// openWith opens an empty database whose transactions may be made to fail.
func openWith(tb testing.TB, faults *store.Faults) *store.DB {
	tb.Helper()
	return openDSN(tb, "sqlite:"+filepath.Join(tb.TempDir(), "signet.db"), faults)
}

func openDSN(tb testing.TB, dsn string, faults *store.Faults) *store.DB {
	tb.Helper()
	db, err := store.Open(tb.Context(), dsn, store.Options{RuleLifetime: storetest.RuleLifetime, Faults: faults})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}
