package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/notify"
	"github.com/signet-id/signet/internal/secret"
)

// passwordChange sets a new password for whoever knows the old one. All sessions end with
// it, so this browser gets a new one.
type passwordChange struct {
	*site
	passwords Passwords
	outbox    *outbox
}

func (p passwordChange) serve(w http.ResponseWriter, r *http.Request, v visit, form url.Values) error {
	old, next := secret.NewText(form.Get("old_password")), secret.NewText(form.Get("new_password"))
	if form.Get("new_password") != form.Get("new_password_again") {
		return p.showPassword(w, r, http.StatusUnprocessableEntity, v, passwordTry{Field: "repeat", Error: "password.error.repeat"})
	}
	by, now := edge.Actor(r, "user", v.UserID), p.now()
	if err := p.passwords.Change(r.Context(), by, v.UserID, old, next); err != nil {
		return p.refused(w, r, v, err)
	}
	words := p.words(r, nil).forMail(v.User)
	p.outbox.post(notify.PasswordChanged(notify.Notice{
		To: v.User.Email, Lang: words.Lang, Brand: p.brand, Name: v.User.DisplayName(),
		At: now, IP: by.IP, URL: p.origin + p.base + "/account/security",
	}))
	if _, err := p.sessions.Start(w, r, by, v.UserID, idp.ACRPassword, []string{idp.AMRPassword}); err != nil {
		return fmt.Errorf("session after change of password: %w", err)
	}
	leaveNotice(w, "password_changed")
	p.redirect(w, "/account")
	return nil
}

func (p passwordChange) refused(w http.ResponseWriter, r *http.Request, v visit, err error) error {
	wait, limited := errors.AsType[*authn.Wait](err)
	unfit, unacceptable := errors.AsType[*authn.Unacceptable](err)
	try, status := passwordTry{}, http.StatusUnprocessableEntity
	switch {
	case limited:
		status, try = http.StatusTooManyRequests, passwordTry{Error: "login.error.wait", Wait: wait.RetryAfter}
	case errors.Is(err, idp.ErrUnavailable):
		status, try = http.StatusServiceUnavailable, passwordTry{Error: "login.error.busy", Wait: busyRetry}
	case unacceptable:
		try = passwordTry{Field: "new", Error: "password.error." + string(unfit.Reason)}
	case errors.Is(err, idp.ErrDenied):
		try = passwordTry{Field: "old", Error: "password.error.old"}
	default:
		return fmt.Errorf("change password: %w", err)
	}
	p.log.Info("password not changed", "status", status, "error", err, "request_id", edge.RequestID(r))
	setRetryAfter(w, try.Wait)
	return p.showPassword(w, r, status, v, try)
}
