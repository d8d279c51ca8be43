package authn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// UserCodeStore is what looking for a device by its code needs of the database.
type UserCodeStore interface {
	DeviceRequestByUserCode(ctx context.Context, userHash [32]byte, now time.Time) (idp.DeviceRequest, error)
	CountAttempt(ctx context.Context, limits []idp.Limit, now time.Time) (time.Duration, error)
	ForgiveAttempt(ctx context.Context, limits []idp.Limit, now time.Time) error
}

// UserCodes finds the device whose code a person types (RFC 8628 §3.3), and lets nobody
// guess one (§5.1, OAU-18).
type UserCodes struct {
	store UserCodeStore
	key   [32]byte
	now   func() time.Time
}

// NewUserCodes returns the codes that were hashed and sealed with the key.
func NewUserCodes(store UserCodeStore, key [32]byte, now func() time.Time) *UserCodes {
	return &UserCodes{store, key, now}
}

// A Typist is who types a code.
type Typist struct {
	Network string
	Browser string // a name of the browser; only its hash is stored
	UserID  string // empty: nobody is signed in
}

// Limits on wrong codes. Those in all are far above what people mistype, and so low that
// guessing is of no use: any ten minutes, the life of a code, touch at most two windows
// of each, which are 800 guesses, and at most 12,000 codes of 20^10 are alive. Strangers
// who use up theirs leave those who are signed in their own.
const (
	wrongByBrowser = 10
	wrongByUser    = 10
	wrongByNetwork = 20
	wrongInAll     = 200
	wrongWindow    = 10 * time.Minute
)

func (t Typist) limits() []idp.Limit {
	limit := func(key string, n int) idp.Limit { return idp.Limit{Key: key, Max: n, Window: wrongWindow} }
	limits := []idp.Limit{limit("device.browser:"+t.Browser, wrongByBrowser), limit("device.network:"+t.Network, wrongByNetwork)}
	if site := idp.Site(t.Network); site != "" {
		limits = append(limits, limit("device.site:"+site, idp.SiteFactor*wrongByNetwork))
	}
	if t.UserID != "" {
		return append(limits, limit("device.user:"+t.UserID, wrongByUser), limit("device.all.users", wrongInAll))
	}
	return append(limits, limit("device.all", wrongInAll))
}

// Find returns the device request that nobody has answered yet. Codes that are wrong,
// expired or used up are the same idp.ErrNotFound; too many of them is *Wait, which says
// nothing of the code. Each is counted before it is looked for, so that many at once get no
// further than one after another; a right one is taken back.
func (c *UserCodes) Find(ctx context.Context, typed string, by Typist) (idp.DeviceRequest, error) {
	code, err := secret.ParseUserCode(typed)
	if err != nil { // no device ever had it: nothing was tried
		return idp.DeviceRequest{}, fmt.Errorf("%w: %w", idp.ErrNotFound, err)
	}
	now, limits := c.now(), by.limits()
	wait, err := c.store.CountAttempt(ctx, limits, now)
	if err != nil {
		return idp.DeviceRequest{}, fmt.Errorf("count code: %w", err)
	}
	if wait > 0 {
		return idp.DeviceRequest{}, &Wait{RetryAfter: wait}
	}
	d, err := c.store.DeviceRequestByUserCode(ctx, secret.HashKeyed(c.key, "user_code", code), now)
	if err != nil {
		return idp.DeviceRequest{}, err
	}
	if err := c.store.ForgiveAttempt(context.WithoutCancel(ctx), limits, now); err != nil {
		return idp.DeviceRequest{}, fmt.Errorf("forgive code: %w", err)
	}
	return d, nil
}

// Code returns the code of a device request, for people to compare.
func (c *UserCodes) Code(d idp.DeviceRequest) (secret.Text, error) {
	code, err := secret.Open(c.key, d.SealedCode, []byte(d.ID))
	if errors.Is(err, secret.ErrSealed) {
		return secret.Text{}, fmt.Errorf("user code, of another key: %w", idp.ErrNotFound)
	}
	return secret.NewText(string(code)), err
}
