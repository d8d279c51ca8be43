package web

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// UserCodes finds devices by the code that they show. Its errors are those of package authn.
type UserCodes interface {
	Find(ctx context.Context, typed string, by authn.Typist) (idp.DeviceRequest, error)
	Code(d idp.DeviceRequest) (secret.Text, error)
}

// flowStore begins a flow.
type flowStore interface {
	CreateAuthRequest(ctx context.Context, r idp.AuthRequest, network string, perNetwork, total int, now time.Time) error
}

// How many flows may be under way that began with a code, as for those that began at an
// app (DOS-03). They share one table.
const (
	flowsPerNetwork = 1000
	flowsInAll      = 100_000
)

// deviceSubmit begins a flow for the device whose code was typed. It is a flow like that of
// an app: the same pages follow, decided in the same place.
type deviceSubmit struct {
	*site
	store     flowStore
	directory Directory
	codes     UserCodes
}

func (p deviceSubmit) serve(w http.ResponseWriter, r *http.Request, form url.Values) error {
	v, err := p.signedIn(r)
	if err != nil {
		return err
	}
	browser, err := p.sessions.FlowHash(r)
	if err != nil { // its form was taken, so there is one
		return gone(err)
	}
	network := edge.Network(edge.ClientAddr(r))
	typed := form.Get("user_code")
	d, err := p.find(r.Context(), typed, authn.Typist{Network: network, Browser: hex.EncodeToString(browser[:]), UserID: v.UserID})
	if err != nil {
		return p.refused(w, r, typed, err)
	}
	now := p.now()
	req := idp.AuthRequest{
		ID: secret.ID(), BrowserHash: browser, ClientID: d.ClientID, Scopes: d.Scopes, Resource: d.Resource, MaxAge: -1,
		CreatedAt: now, ExpiresAt: d.ExpiresAt, DeviceID: d.ID,
	}
	err = p.store.CreateAuthRequest(r.Context(), req, network, flowsPerNetwork, flowsInAll, now)
	if errors.Is(err, idp.ErrLimited) {
		return p.refused(w, r, typed, &authn.Wait{RetryAfter: time.Minute})
	}
	if err != nil {
		return fmt.Errorf("flow of a device: %w", err)
	}
	request{AuthRequest: req, base: p.base}.proceed(w)
	return nil
}

// find returns the device request. A client that may not ask any more is one whose code
// nobody knows.
func (p deviceSubmit) find(ctx context.Context, typed string, by authn.Typist) (idp.DeviceRequest, error) {
	d, err := p.codes.Find(ctx, typed, by)
	if err != nil {
		return d, err
	}
	client, err := p.directory.Client(ctx, d.ClientID)
	if err == nil && (client.Disabled() || !client.MayUse(idp.GrantDeviceCode)) {
		err = fmt.Errorf("app of the device: %w", idp.ErrNotFound)
	}
	return d, err
}

// refused shows the form again. Whoever tries learns that there is no such code now, or
// that they tried too often; never which of wrong, expired and used it was.
func (p deviceSubmit) refused(w http.ResponseWriter, r *http.Request, typed string, err error) error {
	try, status := codeTry{Code: typed}, 0
	wait, limited := errors.AsType[*authn.Wait](err)
	switch {
	case limited:
		status, try.Error, try.Wait = http.StatusTooManyRequests, "device.error.wait", wait.RetryAfter
	case errors.Is(err, idp.ErrNotFound):
		status, try.Error = http.StatusUnprocessableEntity, "device.error.unknown"
	default:
		return fmt.Errorf("code of a device: %w", err)
	}
	p.log.Info("device code refused", "status", status, "request_id", edge.RequestID(r))
	setRetryAfter(w, try.Wait)
	return p.showCode(w, r, status, try)
}
