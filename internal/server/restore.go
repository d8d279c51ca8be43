package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/store"
)

// Restored says what a restore did.
type Restored = store.Restored

// Restore loads a backup into the configured database, which must be empty and in no
// server's use, and begins a new epoch in it.
func Restore(ctx context.Context, cfg config.Config, file io.ReadSeeker, now time.Time) (Restored, error) {
	return offline(ctx, cfg, func(db *store.DB) (Restored, error) {
		done, err := db.Restore(ctx, idp.Actor{Kind: "operator"}, file, now)
		if errors.Is(err, idp.ErrExists) {
			err = fmt.Errorf("%w; a restore needs an empty one: move %s away first, or name another in \"database\"", err, cfg.Database)
		}
		return done, err
	})
}

// BeginEpoch begins a new epoch in the configured database, for somebody who has set it
// back by other means than ours.
func BeginEpoch(ctx context.Context, cfg config.Config, now time.Time) (Restored, error) {
	return offline(ctx, cfg, func(db *store.DB) (Restored, error) {
		return db.BeginEpoch(ctx, idp.Actor{Kind: "operator"}, now)
	})
}

// offline lends the database while no server uses it.
func offline(ctx context.Context, cfg config.Config, use func(*store.DB) (Restored, error)) (Restored, error) {
	if err := makeDataDir(cfg.DataDir); err != nil {
		return Restored{}, err
	}
	db, err := openStore(ctx, cfg, store.Options{})
	if errors.Is(err, store.ErrInUse) {
		return Restored{}, fmt.Errorf("%w: stop the server first", err)
	}
	if err != nil {
		return Restored{}, err
	}
	done, err := use(db)
	return done, errors.Join(err, db.Close())
}
