package server

import (
	"context"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/store"
)

// What Inspect can say when it could not look.
var (
	ErrInUse   = store.ErrInUse
	ErrUnclean = store.ErrUnclean
)

// MaxClockSkew is how far a node's clock may be off the database's.
const MaxClockSkew = maxClockSkew

// Inspection is what is known of a database without serving from it.
type Inspection struct {
	store.Inspection
	Sealed error // why key_file does not open the stored keys; nil: it does, or there are none
}

// Inspect looks at the configured database and changes nothing in it.
func Inspect(ctx context.Context, cfg config.Config, now time.Time) (Inspection, error) {
	password, err := cfg.DatabasePassword()
	if err != nil {
		return Inspection{}, err
	}
	found, err := store.Inspect(ctx, cfg.Database, store.Options{Password: password}, now)
	if err != nil {
		return Inspection{}, err
	}
	i := Inspection{Inspection: found}
	var keys keyring.Config
	if keys.KEK, i.Sealed = cfg.Key(); i.Sealed == nil {
		keys.Previous, i.Sealed = cfg.PreviousKey()
	}
	if i.Sealed == nil {
		i.Sealed = keyring.Opens(found.Keys, keys)
	}
	return i, nil
}
