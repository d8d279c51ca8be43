package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// Session is a browser's login as the API shows it. The cookie's secret is not known here.
type Session struct {
	ID         string    `json:"sid"`
	UserID     string    `json:"user_id"`
	CreatedAt  time.Time `json:"created_at"`
	AuthTime   time.Time `json:"auth_time"`
	ACR        string    `json:"acr"`
	AMR        []string  `json:"amr"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	IP         string    `json:"ip,omitempty"`
	UserAgent  string    `json:"user_agent,omitempty"`
}

// Grant is what a person allowed a client to do, as the API shows it.
type Grant struct {
	ID         string    `json:"grant_id"`
	UserID     string    `json:"user_id"`
	ClientID   string    `json:"client_id"`
	SessionID  string    `json:"sid,omitempty"` // empty: it outlives the login
	Resource   string    `json:"resource"`
	Scopes     []string  `json:"scopes"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// Count says how many were ended.
type Count struct {
	Ended int `json:"ended"`
}

type sessionStore interface {
	Sessions(ctx context.Context, userID string, now time.Time) ([]idp.Session, error)
	EndSession(ctx context.Context, by idp.Actor, userID, sid string, now time.Time) error
	EndOtherSessions(ctx context.Context, by idp.Actor, userID, keepSID string, now time.Time) (int, error)
}

type grantStore interface {
	Grants(ctx context.Context, userID string, now time.Time) ([]idp.Grant, error)
	RevokeGrant(ctx context.Context, by idp.Actor, grantID, reason string, now time.Time) error
	RevokeApp(ctx context.Context, by idp.Actor, userID, clientID string, now time.Time) (int, error)
}

// sessions are a person's logins and what apps may do for the person. Every verb names the
// owner: an id from elsewhere is not found (STO-08).
type sessions struct {
	users    users
	sessions sessionStore
	grants   grantStore
	clients  clientStore
	now      func() time.Time
}

func (e sessions) list(w http.ResponseWriter, r *http.Request) error {
	u, err := e.users.find(r)
	if err != nil {
		return err
	}
	found, err := e.sessions.Sessions(r.Context(), u.ID, e.now())
	if err != nil {
		return err
	}
	answer := make([]Session, 0, len(found))
	for _, s := range found {
		answer = append(answer, Session{
			ID: s.ID, UserID: s.UserID, CreatedAt: s.CreatedAt, AuthTime: s.AuthTime, ACR: s.ACR, AMR: s.AMR,
			LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt, IP: s.IP, UserAgent: s.UserAgent,
		})
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (e sessions) end(w http.ResponseWriter, r *http.Request) error {
	u, err := e.users.find(r)
	if err != nil {
		return err
	}
	if err := e.sessions.EndSession(r.Context(), operator(r), u.ID, r.PathValue("session"), e.now()); err != nil {
		return named("session", r.PathValue("session"), err)
	}
	return done(w)
}

func (e sessions) endAll(w http.ResponseWriter, r *http.Request) error {
	u, err := e.users.find(r)
	if err != nil {
		return err
	}
	n, err := e.sessions.EndOtherSessions(r.Context(), operator(r), u.ID, "", e.now())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, Count{n})
}

func (e sessions) listGrants(w http.ResponseWriter, r *http.Request) error {
	u, err := e.users.find(r)
	if err != nil {
		return err
	}
	found, err := e.grants.Grants(r.Context(), u.ID, e.now())
	if err != nil {
		return err
	}
	answer := make([]Grant, 0, len(found))
	for _, g := range found {
		answer = append(answer, Grant{
			ID: g.ID, UserID: g.UserID, ClientID: g.ClientID, SessionID: g.SessionID, Resource: g.Resource, Scopes: g.Scopes,
			CreatedAt: g.CreatedAt, LastUsedAt: g.LastUsedAt, ExpiresAt: g.ExpiresAt,
		})
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (e sessions) revokeGrant(w http.ResponseWriter, r *http.Request) error {
	u, err := e.users.find(r)
	if err != nil {
		return err
	}
	now, id := e.now(), r.PathValue("grant")
	found, err := e.grants.Grants(r.Context(), u.ID, now)
	if err != nil {
		return err
	}
	// A grant never changes its owner, so asking first is no race.
	if !slices.ContainsFunc(found, func(g idp.Grant) bool { return g.ID == id }) {
		return named("grant", id, idp.ErrNotFound)
	}
	if err := e.grants.RevokeGrant(r.Context(), operator(r), id, "operator", now); err != nil {
		return err
	}
	return done(w)
}

func (e sessions) revokeApp(w http.ResponseWriter, r *http.Request) error {
	u, err := e.users.find(r)
	if err != nil {
		return err
	}
	client := r.PathValue("client")
	n, err := e.grants.RevokeApp(r.Context(), operator(r), u.ID, client, e.now())
	if err != nil {
		return err
	}
	if n == 0 { // nothing was allowed, or the name is wrong
		if _, err := e.clients.Client(r.Context(), client); err != nil {
			return named("client", client, err)
		}
	}
	return writeJSON(w, http.StatusOK, Count{n})
}
