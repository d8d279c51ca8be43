package oauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// deviceAnswerStore is what the end of a device's flow needs of the database.
type deviceAnswerStore interface {
	FinishDeviceRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, a idp.Approval, g idp.Grant, now time.Time) error
	RefuseDeviceRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, now time.Time) error
}

// DeviceAnswer is how a device's flow ended, for the page that says so.
type DeviceAnswer struct {
	Allowed  bool
	ClientID string
	Resource string
	Scopes   []string
	// UILocales are the languages that the client asked for, best first.
	UILocales []string
}

// deviceAnswer ends a flow that a person began by entering a device's code (RFC 8628
// §3.3). Nothing goes to a redirect URI: the device learns the answer by polling.
type deviceAnswer struct {
	store deviceAnswerStore
	pages Pages
}

// device is get for a request that a device waits for.
func (e *continueEndpoint) device(w http.ResponseWriter, r *http.Request, req idp.AuthRequest, client idp.Client, now time.Time) error {
	if !client.MayUse(idp.GrantDeviceCode) { // taken away since
		return correctable("The client \""+client.ID+"\" is not registered for the device grant. Allow it with:",
			"signet client set "+shellWord(client.ID)+" --grant device_code", nil)
	}
	sess, consent, err := present(r, e.sessions, e.store, req)
	if err != nil {
		return err
	}
	step := authn.Next(req, sess, client, consent, now)
	switch step.Kind {
	case authn.StepDone:
		g := e.codes.grant(req, client, *sess, now)
		return e.devices.approve(w, r, req, idp.Approval{SessionID: sess.ID, Consent: step.Consented}, g, now)
	case authn.StepError:
		by := edge.Actor(r, "anonymous", "")
		if sess != nil {
			by = edge.Actor(r, "user", sess.UserID)
		}
		return e.devices.refuse(w, r, req, by, now)
	}
	seeOther(w, e.base+pagePath[step.Kind]+"?flow="+req.ID)
	return nil
}

// approve gives the device its grant, for exactly one caller.
func (a deviceAnswer) approve(w http.ResponseWriter, r *http.Request, req idp.AuthRequest, approval idp.Approval, g idp.Grant, now time.Time) error {
	err := a.store.FinishDeviceRequest(r.Context(), edge.Actor(r, "user", g.UserID), req.ID, req.BrowserHash, approval, g, now)
	if gone(err) || errors.Is(err, idp.ErrDenied) {
		return flowGone(err)
	}
	if err != nil {
		return err
	}
	a.show(w, r, req, true)
	return nil
}

// refuse tells the device no, for exactly one caller.
func (a deviceAnswer) refuse(w http.ResponseWriter, r *http.Request, req idp.AuthRequest, by idp.Actor, now time.Time) error {
	err := a.store.RefuseDeviceRequest(r.Context(), by, req.ID, req.BrowserHash, now)
	if gone(err) {
		return flowGone(err)
	}
	if err != nil {
		return err
	}
	a.show(w, r, req, false)
	return nil
}

func (a deviceAnswer) show(w http.ResponseWriter, r *http.Request, req idp.AuthRequest, allowed bool) {
	w.Header().Set("Cache-Control", "no-store")
	a.pages.DeviceAnswered(w, r, DeviceAnswer{
		Allowed: allowed, ClientID: req.ClientID, Resource: req.Resource, Scopes: req.Scopes, UILocales: req.UILocales,
	})
}
