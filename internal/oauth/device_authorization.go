package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// Devices is what the device grant needs to know.
type Devices struct {
	// Key hashes and seals user codes: they are short, so a database alone must not be
	// enough to find them (RFC 8628 §5.1).
	Key      [32]byte
	Lifetime time.Duration    // of both codes; 0: 10 min, and never more
	Quotas   idp.DeviceQuotas // zero values: 300 of a network, 4,800 of a client, 9,600 in all
}

// setQuotas: Total is small on purpose. The pages allow 800 wrong codes in all within the
// life of a code (authn.UserCodes); with at most 12,000 codes alive (Total and a quarter)
// of 20^10, guessing finds one with a probability below 1e-6 (OAU-18).
func (d *Devices) setQuotas() {
	d.Lifetime = min(d.Lifetime, 10*time.Minute)
	for _, q := range [...]struct {
		value    *int
		fallback int
	}{{&d.Quotas.PerNetwork, 300}, {&d.Quotas.PerClient, 4800}, {&d.Quotas.Total, 9600}} {
		if *q.value <= 0 {
			*q.value = q.fallback
		}
	}
}

// pollInterval is how long a device waits between two polls (RFC 8628 §3.2).
const pollInterval = 5 * time.Second

// maxDeviceForm is more than any request has.
const maxDeviceForm = 16 << 10

// deviceStore is what the device authorization endpoint needs of the database.
type deviceStore interface {
	CreateDeviceRequest(ctx context.Context, d idp.DeviceRequest, network string, q idp.DeviceQuotas, now time.Time) error
}

// deviceEndpoint is POST /device_authorization (RFC 8628 §3.1): a device without a browser
// gets one code to show to a person, and one to ask the token endpoint with.
type deviceEndpoint struct {
	issuer    string
	clients   *clientAuth
	audiences audiences
	store     deviceStore
	cors      crossOrigin
	cfg       Devices
	now       func() time.Time
}

// deviceResponse is RFC 8628 §3.2.
type deviceResponse struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int64  `json:"expires_in"`
	Interval                int64  `json:"interval"`
}

func (e *deviceEndpoint) serve(w http.ResponseWriter, r *http.Request) error {
	e.cors.vary(w)
	form, err := edge.Form(w, r, maxDeviceForm)
	if err != nil {
		return formError(err)
	}
	c, err := e.clients.authenticate(r, form) // RFC 8628 §3.1: as at the token endpoint
	if err != nil {
		return err
	}
	e.cors.allow(w, r, c.Client)
	if !c.Client.MayUse(idp.GrantDeviceCode) {
		return refuse(UnauthorizedClient, "the client is not registered for this grant type")
	}
	now, by := e.now(), edge.Actor(r, "client", c.ID)
	d := idp.DeviceRequest{
		ClientID: c.ID, IP: by.IP, UserAgent: by.UserAgent, CreatedAt: now, ExpiresAt: now.Add(e.cfg.Lifetime), Interval: pollInterval,
	}
	if d.Scopes, err = e.audiences.allowed(r.Context(), c.Client, form.Get("scope")); err != nil {
		return err
	}
	t, err := e.audiences.choose(r.Context(), form.Get("resource"), d.Scopes)
	if err != nil {
		return err
	}
	if err := fits(c.Client, t.resource); err != nil {
		return err
	}
	d.Resource = t.audience
	answer, err := e.begin(r.Context(), d, edge.Network(edge.ClientAddr(r)), now)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// begin stores the request under new codes.
func (e *deviceEndpoint) begin(ctx context.Context, d idp.DeviceRequest, network string, now time.Time) (deviceResponse, error) {
	device, user := secret.New(secret.Device), secret.NewUserCode()
	d.ID, d.DeviceHash, d.UserHash = secret.ID(), secret.Hash("device_code", device), secret.HashKeyed(e.cfg.Key, "user_code", user)
	d.SealedCode = secret.Seal(e.cfg.Key, []byte(user.Reveal()), []byte(d.ID))
	err := e.store.CreateDeviceRequest(ctx, d, network, e.cfg.Quotas, now)
	switch {
	case errors.Is(err, idp.ErrLimited):
		return deviceResponse{}, &Error{Code: TemporarilyUnavailable, Description: "too many devices are waiting; try again in a few minutes", Cause: err}
	case err != nil: // also a code that is in use: one of ten billion requests asks again
		return deviceResponse{}, err
	}
	uri := e.issuer + "/device"
	return deviceResponse{
		DeviceCode: device.Reveal(), UserCode: user.Reveal(), VerificationURI: uri,
		VerificationURIComplete: uri + "?" + url.Values{"user_code": {user.Reveal()}}.Encode(),
		ExpiresIn:               int64(e.cfg.Lifetime / time.Second), Interval: int64(pollInterval / time.Second),
	}, nil
}
