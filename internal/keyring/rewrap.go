package keyring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// Rewrapped is what came of a Rewrap.
type Rewrapped struct {
	Keys     int // rows with something sealed
	Resealed int // by this call
	Left     int // still under the previous key
	Foreign  int // under neither: retired keys only, which are good for nothing then
}

// Rewrap seals again under the KEK what is sealed under the one before it. It may be
// interrupted and called again, and run on several nodes at once: each row is replaced
// only if it still is what was read.
func (r *Ring) Rewrap(ctx context.Context, by idp.Actor, now time.Time) (done Rewrapped, err error) {
	rows, err := r.store.SigningKeys(ctx)
	if err != nil {
		return done, fmt.Errorf("read signing keys: %w", err)
	}
	for _, k := range rows {
		sealed, err := r.reseal(k)
		if err != nil || sealed == nil {
			continue // counted below
		}
		switch err := r.store.ResealKey(ctx, by, k.ID, k.Sealed, sealed, now); {
		case err == nil:
			done.Resealed++
		case !errors.Is(err, idp.ErrConsumed):
			return done, fmt.Errorf("signing key %s: %w", k.ID, err)
		}
	}
	if rows, err = r.store.SigningKeys(ctx); err != nil {
		return done, fmt.Errorf("read signing keys: %w", err)
	}
	for _, k := range rows {
		if len(k.Sealed) == 0 {
			continue
		}
		done.Keys++
		switch sealed, err := r.reseal(k); {
		case err != nil:
			done.Foreign++
		case sealed != nil:
			done.Left++
		}
	}
	return done, r.Reload(ctx, now)
}

// reseal returns what is sealed in a row under the present KEK; nil if it is already, or
// if nothing is sealed.
func (r *Ring) reseal(k idp.SigningKey) ([]byte, error) {
	if len(k.Sealed) == 0 {
		return nil, nil
	}
	for _, at := range [...][]byte{place(k.ID, k.Alg), publicPlace(k.ID, k.Alg)} {
		plain, current, err := r.keys.open(k.Sealed, at)
		if err != nil {
			continue
		}
		defer clear(plain)
		if current {
			return nil, nil
		}
		return secret.Seal(r.keys[0], plain, at), nil
	}
	return nil, ErrKEK
}
