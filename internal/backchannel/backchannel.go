// Package backchannel tells relying parties that a login has ended (OpenID Connect
// Back-Channel Logout 1.0). Whoever ends a login queues a notice for each client in the
// same transaction; here they are claimed, signed and sent, and what became of each
// attempt is recorded.
//
// A relying party that hangs or is down delays nobody else: each has few places among
// the attempts that run at the same time, and each attempt has little time.
//
// It deliberately decides neither who is told nor when a login is over, follows no
// redirect and believes no answer: the status is all that it looks at.
package backchannel

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// Config is what a Sender needs.
type Config struct {
	Store   Store
	Clients Clients
	Tokens  Tokens
	Post    Poster
	Now     func() time.Time
	Log     *slog.Logger
}

// Store is what the sender needs of the database.
type Store interface {
	DueLogouts(ctx context.Context, sid string, limit int, now time.Time) (clientIDs []string, err error)
	ClaimLogouts(ctx context.Context, clientID, sid string, limit int, until, now time.Time) ([]idp.LogoutNotice, error)
	RecordLogout(ctx context.Context, by idp.Actor, n idp.LogoutNotice, o idp.LogoutOutcome, now time.Time) error
	Chore(ctx context.Context, name string, f func(context.Context) error) error
	Watch() (events <-chan struct{}, stop func())
}

// Clients knows clients.
type Clients interface {
	Client(ctx context.Context, id string) (idp.Client, error)
}

// Tokens signs logout tokens.
type Tokens interface {
	Logout(c idp.Client, userID, sid string, now time.Time) (string, error)
}

// Poster sends a body to a URL and returns the status of the answer. It keeps away from
// addresses that strangers must not reach through us, and follows no redirect.
type Poster interface {
	Post(ctx context.Context, url, contentType string, body []byte) (status int, err error)
}

const (
	maxTotal  = 32 // attempts at the same time: as many as the outbound client has places for
	maxClient = 4  // of them for one client
	// of them for clients that no operator added: who registers many slow ones and leaves
	// them all keeps nobody else from being told (NET-02)
	maxStrangers = 16

	attemptTime = 5 * time.Second
	// lease is how long a claim holds: an attempt and its record, with room. A server that
	// dies in between loses nothing; the notice is sent again.
	lease = 30 * time.Second

	// waitTime is how long somebody who is being signed out waits for it (§2.5).
	waitTime = time.Second

	lookEvery = 2 * time.Second // for notices whose time has come
)

// Sender sends notices.
type Sender struct {
	cfg Config

	claiming sync.Mutex // held from asking for notices until they are among the flights

	mu      sync.Mutex // guards what follows
	flights map[*flight]struct{}
	busy    map[string]int // places taken, by client
	total   int
	strange int // of total: for clients that no operator added

	landed chan struct{} // a place is free again
	all    sync.WaitGroup
}

// A flight is an attempt that is under way.
type flight struct {
	notice   idp.LogoutNotice
	stranger bool // the client is one that no operator added
	done     chan struct{}
}

// New returns a Sender.
func New(cfg Config) *Sender {
	return &Sender{cfg: cfg, flights: map[*flight]struct{}{}, busy: map[string]int{}, landed: make(chan struct{}, 1)}
}

// Run sends what is due until ctx ends, and returns when all attempts are over.
func (s *Sender) Run(ctx context.Context) error {
	events, stop := s.cfg.Store.Watch()
	defer stop()
	defer s.all.Wait()
	timer := time.NewTicker(lookEvery)
	defer timer.Stop()
	failed := false
	for {
		err := s.cfg.Store.Chore(ctx, "logout notices", s.round)
		if err != nil && ctx.Err() == nil && !failed {
			s.cfg.Log.Error("logout notices; they are tried again", "cause", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-events:
		case <-s.landed:
		}
	}
}

// round claims what is due and lets it go.
func (s *Sender) round(ctx context.Context) error {
	clients, err := s.cfg.Store.DueLogouts(ctx, "", 4*maxTotal, s.cfg.Now())
	if err != nil {
		return err
	}
	// Two rounds: everybody gets a first place before anybody gets a second one.
	for _, places := range [...]int{1, maxClient} {
		for _, id := range clients {
			if err := s.claim(ctx, id, "", places); err != nil {
				return err
			}
		}
	}
	return nil
}

// Deliver sends the notices of a session that has just ended and waits until the first
// attempts are over, but not for long: the person is at the browser. What is not through
// by then goes on without it.
func (s *Sender) Deliver(ctx context.Context, sid string) {
	ctx, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	if err := s.deliver(ctx, sid); err != nil && ctx.Err() == nil {
		s.cfg.Log.ErrorContext(ctx, "logout notices; they are tried again", "cause", err)
	}
}

func (s *Sender) deliver(ctx context.Context, sid string) error {
	clients, err := s.cfg.Store.DueLogouts(ctx, sid, maxTotal, s.cfg.Now())
	if err != nil {
		return err
	}
	for _, id := range clients {
		if err := s.claim(ctx, id, sid, maxClient); err != nil {
			return err
		}
	}
	for _, f := range s.flightsOf(sid) {
		select {
		case <-f.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *Sender) flightsOf(sid string) (found []*flight) {
	s.claiming.Lock() // what Run has claimed is among them then
	defer s.claiming.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.flights {
		if f.notice.SessionID == sid {
			found = append(found, f)
		}
	}
	return found
}

// claim starts attempts for a client until it has so many places, if there are any left.
func (s *Sender) claim(ctx context.Context, clientID, sid string, places int) error {
	s.claiming.Lock()
	defer s.claiming.Unlock()
	c, err := s.cfg.Clients.Client(ctx, clientID)
	if err != nil && !errors.Is(err, idp.ErrNotFound) { // of one that is gone, that is written down
		return err
	}
	stranger := c.Origin != idp.OriginOperator
	free := s.free(clientID, places, stranger)
	if free <= 0 {
		return nil
	}
	now := s.cfg.Now()
	notices, err := s.cfg.Store.ClaimLogouts(ctx, clientID, sid, free, now.Add(lease), now)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range notices {
		f := &flight{n, stranger, make(chan struct{})}
		s.flights[f] = struct{}{}
		s.busy[clientID]++
		s.total++
		if stranger {
			s.strange++
		}
		// Who is signed out may close the browser, and the server may stop: an attempt
		// that has begun goes on to its end, which is near.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lease/2)
		s.all.Go(func() {
			defer cancel()
			s.attempt(ctx, f.notice)
			s.land(f)
		})
	}
	return nil
}

func (s *Sender) free(clientID string, places int, stranger bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	free := min(places-s.busy[clientID], maxTotal-s.total)
	if stranger {
		free = min(free, maxStrangers-s.strange)
	}
	return free
}

func (s *Sender) land(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flights, f)
	s.total--
	if f.stranger {
		s.strange--
	}
	if s.busy[f.notice.ClientID]--; s.busy[f.notice.ClientID] == 0 {
		delete(s.busy, f.notice.ClientID)
	}
	close(f.done)
	select {
	case s.landed <- struct{}{}:
	default:
	}
}
