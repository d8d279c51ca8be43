package web

import (
	"context"
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

// loginStore notes that a person signed in within a request.
type loginStore interface {
	LoginAuthRequest(ctx context.Context, id string, browserHash [32]byte, sessionID string, at time.Time) error
}

// loginSubmit checks a name and a password.
type loginSubmit struct {
	*site
	requests  requests
	store     loginStore
	passwords Passwords
}

func (p loginSubmit) serve(w http.ResponseWriter, r *http.Request, form url.Values) error {
	now := p.now()
	req, err := p.requests.load(r, now)
	inFlow := !errors.Is(err, errNoFlow)
	if inFlow && err != nil {
		return err
	}
	flow := &req
	if !inFlow {
		flow = nil
	}
	username, password := form.Get("username"), secret.NewText(form.Get("password"))
	if username == "" || password.Empty() {
		return p.showLogin(w, r, http.StatusUnprocessableEntity, flow, loginTry{Username: username, Error: "login.error.empty"})
	}
	user, err := p.passwords.Check(r.Context(), edge.Actor(r, "anonymous", ""), edge.Network(edge.ClientAddr(r)), username, password)
	if err != nil {
		return p.refused(w, r, flow, username, err)
	}
	by := edge.Actor(r, "user", user.ID)
	sess, err := p.sessions.Start(w, r, by, user.ID, idp.ACRPassword, []string{idp.AMRPassword})
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	if flow == nil {
		p.redirect(w, "/account")
		return nil
	}
	if err := p.store.LoginAuthRequest(r.Context(), flow.ID, flow.BrowserHash, sess.ID, sess.AuthTime); err != nil {
		return stepError(err)
	}
	flow.proceed(w)
	return nil
}

// refused shows the form again. Whoever tries learns one of three things: these do not
// belong together, too often, or we are busy; never whether the name exists (LOG-01).
func (p loginSubmit) refused(w http.ResponseWriter, r *http.Request, flow *request, username string, err error) error {
	try, status := loginTry{Username: username}, 0
	wait, limited := errors.AsType[*authn.Wait](err)
	switch {
	case limited:
		status, try.Error, try.Wait = http.StatusTooManyRequests, "login.error.wait", wait.RetryAfter
	case errors.Is(err, idp.ErrUnavailable):
		status, try.Error, try.Wait = http.StatusServiceUnavailable, "login.error.busy", busyRetry
	case errors.Is(err, idp.ErrDenied):
		status, try.Error = http.StatusForbidden, "login.error.wrong"
	default:
		return fmt.Errorf("login: %w", err)
	}
	p.log.Info("login refused", "status", status, "error", err, "request_id", edge.RequestID(r))
	setRetryAfter(w, try.Wait)
	return p.showLogin(w, r, status, flow, try)
}
