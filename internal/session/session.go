// Package session turns the cookies of a browser into an idp.Session and makes, renews and
// clears them. Cookies hold 256 random bits; the database holds their hashes, so a stolen
// database opens no session.
//
// There are two cookies (RFC 6265bis): __Host-signet is the login, __Host-signet-flow marks
// the browser before and during a login (login CSRF, RFC 9700 §4.7). Anti-CSRF values of
// forms are derived from both and stored nowhere.
//
// It deliberately decides neither who may log in nor what a login is worth.
package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// Store is what sessions need of the database.
type Store interface {
	CreateSession(ctx context.Context, by idp.Actor, s idp.Session, secretHash [32]byte) error
	RenewSession(ctx context.Context, by idp.Actor, s idp.Session, oldHash, newHash [32]byte, now time.Time) error
	Session(ctx context.Context, secretHash [32]byte, now time.Time) (idp.Session, idp.User, error)
	TouchSession(ctx context.Context, sid string, idleExpiresAt, now time.Time) error
	EndSession(ctx context.Context, by idp.Actor, userID, sid string, now time.Time) error
}

// Lifetimes say when a session ends by itself.
type Lifetimes struct {
	Idle     time.Duration // without a visit; 0: 12 h
	Absolute time.Duration // since the last authentication; 0: 30 days
}

const (
	defaultIdle     = 12 * time.Hour
	defaultAbsolute = 30 * 24 * time.Hour
	touchEvery      = time.Minute // at most one write per session and minute
	maxUserAgent    = 256         // bytes kept
)

// Manager reads and writes the cookies.
type Manager struct {
	store     Store
	lifetimes Lifetimes
	now       func() time.Time
}

// New returns a Manager.
func New(store Store, lifetimes Lifetimes, now func() time.Time) *Manager {
	if lifetimes.Idle <= 0 {
		lifetimes.Idle = defaultIdle
	}
	if lifetimes.Absolute <= 0 {
		lifetimes.Absolute = defaultAbsolute
	}
	return &Manager{store: store, lifetimes: lifetimes, now: now}
}

// FromRequest returns the session of the request's cookie and its user. idp.ErrNotFound:
// nobody is logged in; also ErrDuplicate is one, so that whoever does not ask treats a
// tampered browser as nobody.
func (m *Manager) FromRequest(r *http.Request) (idp.Session, idp.User, error) {
	hash, err := m.sessionHash(r)
	if err != nil {
		return idp.Session{}, idp.User{}, err
	}
	now := m.now()
	s, u, err := m.store.Session(r.Context(), hash, now)
	if err != nil {
		return idp.Session{}, idp.User{}, fmt.Errorf("session: %w", err)
	}
	if now.Sub(s.LastSeenAt) < touchEvery {
		return s, u, nil
	}
	s.LastSeenAt, s.IdleExpiresAt = now, earlier(now.Add(m.lifetimes.Idle), s.ExpiresAt)
	if err := m.store.TouchSession(r.Context(), s.ID, s.IdleExpiresAt, now); err != nil {
		return idp.Session{}, idp.User{}, fmt.Errorf("touch session: %w", err)
	}
	return s, u, nil
}

// Start records that the person at this browser has just proved to be the user, and always
// sends a new cookie (SES-01). If the same user was logged in here already, the session
// keeps its ID: it is the "sid" of tokens, which go on living. Another user's session ends.
// acr and amr are what the session is worth from now on.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, by idp.Actor, userID, acr string, amr []string) (idp.Session, error) {
	now, cookie := m.now(), secret.New(secret.Session)
	s := idp.Session{
		ID: secret.ID(), UserID: userID,
		CreatedAt: now, AuthTime: now, ACR: acr, AMR: amr, LastSeenAt: now,
		IdleExpiresAt: earlier(now.Add(m.lifetimes.Idle), now.Add(m.lifetimes.Absolute)),
		ExpiresAt:     now.Add(m.lifetimes.Absolute),
		IP:            by.IP, UserAgent: clip(by.UserAgent),
	}
	err := m.replace(r, by, &s, hashOf(cookie), now)
	if err != nil {
		return idp.Session{}, fmt.Errorf("start session: %w", err)
	}
	setCookie(w, r, sessionCookie, cookie)
	return s, nil
}

// replace stores s under newHash, in place of the session that the browser has now.
func (m *Manager) replace(r *http.Request, by idp.Actor, s *idp.Session, newHash [32]byte, now time.Time) error {
	ctx := r.Context()
	oldHash, err := m.sessionHash(r)
	if err != nil { // no cookie, or one that is not to be believed
		return m.store.CreateSession(ctx, by, *s, newHash)
	}
	old, _, err := m.store.Session(ctx, oldHash, now)
	switch {
	case errors.Is(err, idp.ErrNotFound):
		return m.store.CreateSession(ctx, by, *s, newHash)
	case err != nil:
		return err
	case old.UserID != s.UserID:
		if err := m.store.EndSession(ctx, by, old.UserID, old.ID, now); err != nil && !errors.Is(err, idp.ErrNotFound) {
			return err
		}
		return m.store.CreateSession(ctx, by, *s, newHash)
	}
	renewed := *s
	renewed.ID, renewed.CreatedAt = old.ID, old.CreatedAt
	err = m.store.RenewSession(ctx, by, renewed, oldHash, newHash, now)
	if errors.Is(err, idp.ErrNotFound) { // renewed or ended by a request beside this one
		return m.store.CreateSession(ctx, by, *s, newHash)
	}
	if err == nil {
		*s = renewed
	}
	return err
}

// sessionHash returns the hash under which the browser's session is stored.
func (m *Manager) sessionHash(r *http.Request) ([32]byte, error) {
	cookie, err := readCookie(r, sessionCookie)
	if err != nil {
		return [32]byte{}, err
	}
	return hashOf(cookie), nil
}

func hashOf(cookie secret.Text) [32]byte { return secret.Hash("session", cookie) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// clip keeps what fits of a User-Agent, as valid UTF-8.
func clip(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxUserAgent)], "")
}
