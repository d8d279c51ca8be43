package script_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/signet-id/signet/internal/pgtest"
)

// TestScript_TwoNodes plays the transcripts against two nodes on one PostgreSQL database,
// each request to the other node than the one before: nothing that a flow needs may live
// in one process. STO-04
func TestScript_TwoNodes(t *testing.T) {
	t.Parallel()
	runAll(t, func(t *testing.T, c *clock) (public, admin http.Handler) {
		database := pgtest.CopyOf(t, furnished(t))
		var nodes alternating
		for i := range nodes.public {
			cfg := copied(t)
			cfg.Database = database
			nodes.public[i], nodes.admin[i] = node(t, cfg, c)
		}
		return nodes.to(&nodes.public), nodes.to(&nodes.admin)
	})
}

// furnishing is the database that the others are copies of.
var furnishing struct {
	once sync.Once
	url  string
	err  error
}

// furnished returns the database with the template's keys and people.
func furnished(t *testing.T) string {
	t.Helper()
	cfg := copied(t)
	furnishing.once.Do(func() {
		furnishing.url = pgtest.Database(t)
		cfg.Database = furnishing.url
		furnishing.err = furnish(cfg)
	})
	if furnishing.err != nil {
		t.Fatal(furnishing.err)
	}
	if furnishing.url == "" {
		t.Skip(pgtest.ErrMissing)
	}
	return furnishing.url
}

// alternating sends each request to the next node.
type alternating struct {
	public, admin [2]http.Handler
	n             atomic.Int64
}

func (a *alternating) to(nodes *[2]http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nodes[a.n.Add(1)%2].ServeHTTP(w, r)
	})
}
