//go:build unix

package store_test

import (
	"testing"

	"github.com/signet-id/signet/internal/pgtest"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/store/storetest"
)

// TestPostgres runs the suite on one node of a PostgreSQL database.
func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.DB { return openDSN(t, pgtest.Database(t), nil) })
}
