package web

import (
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
	store sessionStore
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
			p.sessions.Clear(w)
			p.redirect(w, "/")
			return nil
		}
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
