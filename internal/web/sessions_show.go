package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// sessionLister lists a person's live sessions.
type sessionLister interface {
	Sessions(ctx context.Context, userID string, now time.Time) ([]idp.Session, error)
}

// sessionStore is what the page of sessions needs of the database.
type sessionStore interface {
	sessionLister
	EndSession(ctx context.Context, by idp.Actor, userID, sid string, now time.Time) error
	EndOtherSessions(ctx context.Context, by idp.Actor, userID, keepSID string, now time.Time) (int, error)
	SessionClients(ctx context.Context, userID, sid string) ([]idp.Client, error)
}

// sessionsShow lists where the person is signed in (SES-03).
type sessionsShow struct {
	*site
	store sessionStore
}

type sessionsPage struct {
	view
	Sessions []sessionLine
	Others   int
}

// A sessionLine is a session in words.
type sessionLine struct {
	ID       string
	Current  bool
	Phone    bool   // for the picture
	Device   string // "Firefox on Linux"
	IP       string
	Began    instant
	LastSeen instant
}

func (p sessionsShow) serve(w http.ResponseWriter, r *http.Request, v visit) error {
	now := p.now()
	sessions, err := p.store.Sessions(r.Context(), v.UserID, now)
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	page := sessionsPage{view: p.accountView(w, r, v, "sessions")}
	for _, s := range sessions {
		device := deviceOf(s.UserAgent)
		page.Sessions = append(page.Sessions, sessionLine{
			ID: s.ID, Current: s.ID == v.ID, Phone: device.Phone, Device: page.Device(device), IP: s.IP,
			Began: page.instant(s.CreatedAt, now), LastSeen: page.instant(s.LastSeenAt, now),
		})
	}
	slices.SortStableFunc(page.Sessions, func(a, b sessionLine) int {
		switch {
		case a.Current == b.Current:
			return 0
		case a.Current:
			return -1
		}
		return 1
	})
	page.Others = len(sessions) - 1
	return p.render(w, "sessions", http.StatusOK, page, policy{})
}
