package keyring

import (
	"context"
	"log/slog"
	"time"
)

const (
	reloadEvery = time.Minute // staged keys become active, and pokes can be missed
	retryEvery  = time.Second
)

// Run keeps the ring as the database has it, until ctx ends; it returns ctx.Err().
// watch gives a channel that is poked after commits (store.DB.Watch). A key that was
// retired in an emergency is gone, and another one there, as soon as its row says so.
func (r *Ring) Run(ctx context.Context, watch func() (<-chan struct{}, func()), now func() time.Time, log *slog.Logger) error {
	events, stop := watch()
	defer stop()
	timer := time.NewTimer(0) // the first look
	defer timer.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-events:
		case <-timer.C:
		}
		err := r.Reload(ctx, now())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			timer.Reset(retryEvery)
		} else {
			timer.Reset(reloadEvery)
		}
		switch {
		case err != nil && !failing:
			log.ErrorContext(ctx, "signing keys cannot be read again; the old ones stay", "cause", err)
		case err == nil && failing:
			log.InfoContext(ctx, "signing keys are read again")
		}
		failing = err != nil
	}
}
