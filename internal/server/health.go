package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	healthPause   = time.Second     // the parts are looked at once in it, however often somebody asks
	healthTimeout = 2 * time.Second // for all parts together
	maxClockSkew  = time.Second     // to the database's clock; a rule about "until now" forgives a little more
)

// livez says that the process answers; nothing more, so that a broken database
// does not make a supervisor restart a server that could recover.
func livez(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "ok")
}

// part is one thing that must be well.
type part struct {
	name string
	err  error
}

// health is how the parts were when they were last looked at. Strangers may ask, and
// looking writes to the disk: so one look serves all who ask meanwhile and a while after.
type health struct {
	mu      sync.Mutex // guards the next three
	parts   []part
	at      time.Time
	looking chan struct{} // closed when the look under way is over; nil if there is none

	failing map[string]int // looks in a row in which a part was not well; of the one look under way

	running sync.WaitGroup
}

var errNoAnswer = errors.New("no answer yet")

// of returns the parts as look finds them.
func (h *health) of(ctx context.Context, now time.Time, look func(context.Context) []part) []part {
	h.mu.Lock()
	if age := now.Sub(h.at); h.parts != nil && age >= 0 && age < healthPause {
		defer h.mu.Unlock()
		return h.parts
	}
	if h.looking == nil {
		h.looking = make(chan struct{})
		h.running.Go(func() { h.look(now, look) })
	}
	over := h.looking
	h.mu.Unlock()
	select {
	case <-over:
	case <-ctx.Done():
		return []part{{"database", errNoAnswer}}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.parts
}

func (h *health) look(now time.Time, look func(context.Context) []part) {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	parts := look(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parts, h.at = parts, now
	close(h.looking)
	h.looking = nil
}

// lookAround asks each part how it is.
func (s *Server) lookAround(ctx context.Context) []part {
	parts := []part{
		{"database", s.store.Ping(ctx)},
		{"clock", s.checkClock(ctx)},
		{"keys", s.keys.Ready()},
		{"revocations", s.hub.Ready(s.now())},
	}
	for _, p := range parts {
		s.health.note(s.log, p)
	}
	return parts
}

// note writes to the log when a part stays not well, and when it is again. Once is nothing:
// a server that starts, or meets a database that does, is not ready for a moment.
func (h *health) note(log *slog.Logger, p part) {
	if h.failing == nil {
		h.failing = map[string]int{}
	}
	if p.err == nil {
		if h.failing[p.name] >= 2 {
			log.Info("ready again", "part", p.name)
		}
		h.failing[p.name] = 0
		return
	}
	if h.failing[p.name]++; h.failing[p.name] == 2 {
		log.Warn("not ready; \"signet doctor\" says what to do", "part", p.name, "cause", p.err)
	}
}

// checkClock: revoking by the time of issue counts on clocks that agree.
func (s *Server) checkClock(ctx context.Context) error {
	skew, err := s.store.ClockSkew(ctx, s.now())
	if err == nil && skew.Abs() > maxClockSkew {
		err = fmt.Errorf("the clock is %v off the database's", skew)
	}
	return err
}

// parts says how each part is.
func (s *Server) parts(ctx context.Context) []part {
	parts := []part{{"accepting requests", s.drainingError()}}
	if parts[0].err == nil { // a node that goes says so at once
		parts = append(parts, s.health.of(ctx, s.now(), s.lookAround)...)
	}
	return parts
}

// readyz says whether this node can do its work. With ?verbose it names each part, though
// not what is wrong with it: that is for the log.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	s.probe.see(r, s.proxies)
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	parts := s.parts(ctx)
	code, text := http.StatusOK, ""
	for _, p := range parts {
		state := "ok"
		if p.err != nil {
			code, state = http.StatusServiceUnavailable, "not ready"
			s.log.Debug("not ready", "part", p.name, "cause", p.err)
		}
		text += p.name + ": " + state + "\n"
	}
	w.WriteHeader(code)
	if r.URL.Query().Has("verbose") {
		fmt.Fprint(w, text)
		return
	}
	if code == http.StatusOK {
		fmt.Fprintln(w, "ok")
	} else {
		fmt.Fprintln(w, "not ready")
	}
}
