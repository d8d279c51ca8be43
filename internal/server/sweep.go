package server

import (
	"context"
	"time"
)

const (
	sweepEvery   = time.Minute           // when there is nothing to do
	sweepPause   = 50 * time.Millisecond // between two batches, for everybody else
	sweepBackoff = time.Second           // after an error; it doubles with each one
	sweepDoubles = 6                     // times; about a minute then
)

// sweep deletes what has expired: a batch, a pause, the next one. Each kind of row of a
// batch is a transaction of its own with a bounded number of rows. Of several nodes one
// sweeps at a time.
func (s *Server) sweep(ctx context.Context) error {
	failures := 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		rows := 0
		err := s.store.Chore(ctx, "sweep", func(ctx context.Context) (err error) {
			rows, err = s.store.Sweep(ctx, s.now())
			return err
		})
		s.metrics.Swept(rows)
		if err != nil && ctx.Err() == nil {
			s.metrics.WorkFailed("sweep")
		}
		if err == nil {
			failures = 0
		} else if failures++; failures == 1 && ctx.Err() == nil {
			s.log.Error("sweep; it is tried again", "cause", err)
		}
		timer.Reset(nextSweep(rows, failures))
	}
}

// nextSweep says how long to wait after a sweep that found so many rows, and failed so
// many times in a row.
func nextSweep(rows, failures int) time.Duration {
	switch {
	case failures > 0:
		return sweepBackoff << min(failures-1, sweepDoubles)
	case rows > 0:
		return sweepPause
	}
	return sweepEvery
}
