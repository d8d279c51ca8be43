package server

import (
	"context"
	"time"

	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/revocation"
)

// bundler knows the two things that are in a bundle.
type bundler struct {
	keys *keyring.Ring
	hub  *revocation.Hub
}

func (b bundler) Bundle(ctx context.Context, valid time.Duration) (revocation.Bundle, error) {
	return b.hub.Bundle(ctx, b.keys.Keys(), valid)
}
