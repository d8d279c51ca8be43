package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// confirmationStore records the answer.
type confirmationStore interface {
	deviceReader
	ConfirmAuthRequest(ctx context.Context, id string, browserHash [32]byte, sessionID string, at time.Time) error
	DenyAuthRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, sessionID string, at time.Time) error
}

// confirmationSubmit records whether the device is the person's own.
type confirmationSubmit struct {
	confirmationShow
	store confirmationStore
}

func (p confirmationSubmit) serve(w http.ResponseWriter, r *http.Request, form url.Values) error {
	now := p.now()
	req, v, err := p.asked(w, r, now)
	if err != nil || v.ID == "" {
		return err
	}
	switch form.Get("decision") {
	case "allow":
		err = p.store.ConfirmAuthRequest(r.Context(), req.ID, req.BrowserHash, v.ID, now)
	case "deny":
		err = p.store.DenyAuthRequest(r.Context(), edge.Actor(r, "user", v.UserID), req.ID, req.BrowserHash, v.ID, now)
	default:
		return badChoice("decision")
	}
	if err != nil {
		return stepError(err)
	}
	req.proceed(w)
	return nil
}
