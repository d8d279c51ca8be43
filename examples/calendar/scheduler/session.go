package scheduler

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	cookieName  = "scheduler_session"
	connectTime = 10 * time.Minute // from "connect" to coming back
	sessionTime = 12 * time.Hour
	maxSessions = 10_000
)

// session is one browser. When its grant is over, all of it is forgotten.
type session struct {
	state, verifier string // of the connection under way; empty once connected
	ends            time.Time
	key             *proofKey // that the tokens are bound to, or nil

	mu     sync.Mutex // one call at a time
	tokens tokens
	booked []meeting

	// For the panel and its cheats; an app that is no demo keeps neither.
	trace trace
	spent url.Values // what the code was redeemed with
}

// scheme is how the tokens are used: as "token_type" and in the Authorization header.
func (s *session) scheme() string {
	if s.key != nil {
		return "DPoP"
	}
	return "Bearer"
}

// meeting is one that we booked.
type meeting struct {
	ID    string    `json:"id"`
	Title string    `json:"title"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// sessions are kept by the random value of the browser's cookie.
type sessions struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]*session
}

// start gives the browser a new cookie for s; false when there are too many.
func (c *sessions) start(w http.ResponseWriter, s *session, life time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for id, old := range c.all {
		if old.ends.Before(now) {
			delete(c.all, id)
		}
	}
	if len(c.all) >= maxSessions {
		return false
	}
	id := rand.Text()
	s.ends = now.Add(life)
	c.all[id] = s
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return true
}

// find returns the browser's session, or nil.
func (c *sessions) find(r *http.Request) *session {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.all[cookie.Value]
	if s == nil || s.ends.Before(c.now()) {
		return nil
	}
	return s
}

// connected returns the session of a browser whose calendar we may use, or nil.
func (c *sessions) connected(r *http.Request) *session {
	if s := c.find(r); s != nil && s.state == "" {
		return s
	}
	return nil
}

// end forgets the browser and returns what it was, or nil.
func (c *sessions) end(w http.ResponseWriter, r *http.Request) *session {
	s := c.find(r)
	if s == nil {
		return nil
	}
	cookie, _ := r.Cookie(cookieName)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, cookie.Value)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return s
}

// forget ends all sessions.
func (c *sessions) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.all)
}
