//go:build unix

package store_test

import (
	"os"
	"testing"

	"github.com/signet-id/signet/internal/pgtest"
)

// TestMain stops the PostgreSQL server that the tests have used.
func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
