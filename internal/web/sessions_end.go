package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// sessionsEnd signs the person out somewhere.
type sessionsEnd struct {
	*site
	store    sessionStore
	notifier LogoutNotifier
}

// LogoutNotifier tells the apps of a session that has just ended, and comes back when they
// know it or after a short while.
type LogoutNotifier interface {
	Deliver(ctx context.Context, sid string)
}

func (p sessionsEnd) serve(w http.ResponseWriter, r *http.Request, v visit, form url.Values) error {
	ctx, by, now := r.Context(), edge.Actor(r, "user", v.UserID), p.now()
	switch form.Get("action") {
	case "end":
		sid := form.Get("session")
		// Whose session it may be is the store's condition: another person's is not found,
		// and nothing tells it from one that is over (STO-08).
		err := p.store.EndSession(ctx, by, v.UserID, sid, now)
		if err != nil && !errors.Is(err, idp.ErrNotFound) {
			return fmt.Errorf("end session: %w", err)
		}
		if sid == v.ID {
			return p.here(w, r, v)
		}
		p.notifier.Deliver(ctx, sid)
		leaveNotice(w, "session_ended")
	case "end_others":
		if _, err := p.store.EndOtherSessions(ctx, by, v.UserID, v.ID, now); err != nil {
			return fmt.Errorf("end other sessions: %w", err)
		}
		leaveNotice(w, "others_ended")
	default:
		return badChoice("action")
	}
	p.redirect(w, "/account/sessions")
	return nil
}

// here says goodbye at the browser that was signed out itself.
func (p sessionsEnd) here(w http.ResponseWriter, r *http.Request, v visit) error {
	p.sessions.Clear(w)
	p.notifier.Deliver(r.Context(), v.ID)
	clients, err := p.store.SessionClients(r.Context(), v.UserID, v.ID)
	if err != nil {
		return fmt.Errorf("apps of the session: %w", err)
	}
	return p.loggedOut(w, r, Farewell{Apps: idp.LeftApps(clients, p.issuer, v.ID)})
}
