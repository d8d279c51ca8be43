package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/notify"
)

// consentWriter records the answer.
type consentWriter interface {
	ConsentAuthRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, sessionID string, c idp.Consent, now time.Time) error
	DenyAuthRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, sessionID string, at time.Time) error
}

// consentSubmit records a yes or a no.
type consentSubmit struct {
	*site
	requests    requests
	store       consentStore
	permissions permissions
	outbox      *outbox
}

func (p consentSubmit) serve(w http.ResponseWriter, r *http.Request, form url.Values) error {
	now := p.now()
	req, err := p.requests.must(r, now)
	if err != nil {
		return err
	}
	v, err := p.visit(r)
	if errors.Is(err, errNobody) || err == nil && !req.belongsTo(v) {
		req.proceed(w)
		return nil
	}
	if err != nil {
		return err
	}
	by := edge.Actor(r, "user", v.UserID)
	switch form.Get("decision") {
	case "authorize":
		err = p.authorize(r, by, req, v, now)
	case "cancel":
		err = p.store.DenyAuthRequest(r.Context(), by, req.ID, req.BrowserHash, v.ID, now)
	default:
		return badChoice("decision")
	}
	if err != nil {
		return stepError(err)
	}
	req.proceed(w)
	return nil
}

// authorize records a yes to exactly what the stored request asks for: nothing of it
// comes from the form (OAU-16).
func (p consentSubmit) authorize(r *http.Request, by idp.Actor, req request, v visit, now time.Time) error {
	ctx := r.Context()
	before, err := p.store.Consent(ctx, v.UserID, req.ClientID, req.Resource)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return fmt.Errorf("consent before: %w", err)
	}
	consent := idp.Consent{UserID: v.UserID, ClientID: req.ClientID, Resource: req.Resource, Scopes: req.Permissions(), CreatedAt: now, UpdatedAt: now}
	if err := p.store.ConsentAuthRequest(ctx, by, req.ID, req.BrowserHash, v.ID, consent, now); err != nil {
		return err
	}
	if req.Client.FirstParty || req.OfDevice() || covers(before.Scopes, req.Permissions()) {
		return nil // a device is announced in the end, each time
	}
	p.announce(r, by, req, v, now)
	return nil
}

// announce tells the person by mail that an app may do something new. A mail that cannot
// be written is no reason to undo what they allowed.
func (p consentSubmit) announce(r *http.Request, by idp.Actor, req request, v visit, now time.Time) {
	words := p.words(r, req.UILocales).forMail(v.User)
	told, err := p.permissions.tell(r.Context(), words, req.Resource, req.Permissions())
	if err != nil {
		p.log.Warn("mail not written", "error", err, "request_id", edge.RequestID(r))
		return
	}
	p.outbox.post(notify.AppConnected(notify.Notice{
		To: v.User.Email, Lang: words.Lang, Brand: p.brand, Name: v.User.DisplayName(), App: appName(req.Client),
		At: now, IP: by.IP, URL: p.origin + p.base + "/account/apps", Scopes: told.titles(),
	}))
}

func covers(allowed, asked []string) bool {
	for _, s := range asked {
		if !slices.Contains(allowed, s) {
			return false
		}
	}
	return true
}
