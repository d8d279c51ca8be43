package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/admin"
)

// Seams for the tests of this package.

var NextSweep = nextSweep

// Health is health with a look of the test's own.
type Health struct{ h health }

// Of asks; look returns what it found wrong.
func (h *Health) Of(ctx context.Context, now time.Time, look func(context.Context) error) error {
	for _, p := range h.h.of(ctx, now, func(ctx context.Context) []part { return []part{{"all", look(ctx)}} }) {
		if p.err != nil {
			return p.err
		}
	}
	return nil
}

// Work runs what a server does in the background, without its listeners, until ctx ends:
// for tests in which time is not real.
func (s *Server) Work(ctx context.Context) {
	var all sync.WaitGroup
	s.work(ctx, ctx, &all)
	all.Wait()
}

// Patterns are the routes that the public can reach.
func (s *Server) Patterns() []string {
	var all patterns
	s.register(&all)
	return all
}

type patterns []string

func (p *patterns) Handle(pattern string, _ http.Handler) { *p = append(*p, pattern) }

// Probes is what the administration asks for probes.
func (s *Server) Probes() admin.Prober { return &s.probe }
