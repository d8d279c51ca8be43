package server

import (
	"cmp"
	"context"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/keyring"
)

// rotateEvery is how late a step in the life of a key may come.
const rotateEvery = time.Minute

// openKeys opens the signing keys under the key-encryption key or the one before it.
func (s *Server) openKeys(ctx context.Context, kek [32]byte) (err error) {
	c := keyring.Config{KEK: kek, Policy: cmp.Or(s.opts.Keys, keyPolicy(s.cfg))}
	if c.Previous, err = s.cfg.PreviousKey(); err != nil {
		return err
	}
	s.keys, err = keyring.Open(ctx, s.store, c, s.now())
	return err
}

// keyPolicy: a resource may ask for tokens of maxAccessLifetime, and the provider's own
// ones live as long as the configuration says.
func keyPolicy(cfg config.Config) keyring.Policy {
	l := cfg.Lifetimes
	return keyring.NewPolicy(max(maxAccessLifetime, l.AccessToken, l.IDToken), max(l.RefreshToken, l.Session))
}

// rotateKeys takes the steps that are due in the lives of signing keys, on one node at a
// time. Even if it were two, the store lets one win each step.
func (s *Server) rotateKeys(ctx context.Context) error {
	tick := time.NewTicker(rotateEvery)
	defer tick.Stop()
	for {
		err := s.store.Chore(ctx, "signing keys", func(ctx context.Context) error { return s.keys.Rotate(ctx, s.now()) })
		if err != nil && ctx.Err() == nil {
			s.metrics.WorkFailed("signing keys")
			s.log.Error("signing keys cannot be rotated; the old ones go on", "cause", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
