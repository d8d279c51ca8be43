package server

import (
	"context"
	"errors"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// Seed is what a development server starts with.
type Seed struct {
	Users     []SeedUser
	Clients   []idp.Client
	Resources []idp.Resource
}

// SeedUser is a user with a password that everybody knows.
type SeedUser struct {
	idp.User
	Password string
}

// ErrNotDev says that well-known users are refused outside of development mode.
var ErrNotDev = errors.New("seeds are for development mode only")

// Seed writes what is not there yet. It is refused unless the server is for development:
// its passwords are in the source.
func (s *Server) Seed(ctx context.Context, seed Seed) error {
	if !s.opts.Dev {
		return ErrNotDev
	}
	by, now := idp.Actor{Kind: "system", ID: "dev"}, s.now()
	for _, r := range seed.Resources {
		if err := s.keys.Need(ctx, jose.Algorithm(r.Alg), now); err != nil {
			return err
		}
		if err := s.store.PutResource(ctx, by, r, now); err != nil {
			return err
		}
	}
	for _, c := range seed.Clients {
		if err := s.keys.NeedFor(ctx, c.ClientMetadata, now); err != nil {
			return err
		}
		if err := s.store.PutClient(ctx, by, c, now); err != nil {
			return err
		}
	}
	for _, u := range seed.Users {
		if err := s.seedUser(ctx, by, u); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) seedUser(ctx context.Context, by idp.Actor, u SeedUser) error {
	login, err := idp.CanonicalLogin(u.Username)
	if err != nil {
		return err
	}
	if _, _, err := s.store.UserByLogin(ctx, login); !errors.Is(err, idp.ErrNotFound) {
		return err
	}
	hash, err := s.hasher.Hash(ctx, secret.NewText(u.Password))
	if err != nil {
		return err
	}
	return s.store.CreateUser(ctx, by, u.User, hash, s.now())
}
