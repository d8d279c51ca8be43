package oauth

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/revocation"
)

// revocationFeed is what the endpoint needs of the hub.
type revocationFeed interface {
	Follow(ctx context.Context, epoch string, after int64, send func(*revocation.Event) error) error
}

// RevocationsConfig bounds what the public can take. Zero values are the defaults.
//
// A verifier that finds no place becomes stale and refuses all tokens, so strangers must
// not have all places. 256 is a cluster of 30 services with four copies each behind one
// address, twice over while a deployment replaces them; whoever has more names its
// networks. To fill the strangers' places takes 16 addresses, or 8 where services are
// named, whose half they do not get.
type RevocationsConfig struct {
	MaxConnections int           // 4096
	MaxPerNetwork  int           // 256; of an IPv6 /48, four times as many
	Services       edge.Networks // of verifiers: for them half of the places is kept, if there are any
	MaxPerService  int           // 2048: from one network among them
	WriteTimeout   time.Duration // 10 seconds for one event; who reads slower is dropped
	Log            *slog.Logger  // nil: discard
	// Pushed is told when news was written to a follower that waited, and when the first of
	// it was made; nil: nobody is.
	Pushed func(since time.Time)
}

// Revocations is the feed that verifiers follow: GET <issuer>/revocations, server-sent
// events (WHATWG HTML §9.2) with one signed batch of revocation rules each. It is
// public: the rules name random identifiers, clients and keys, never a person.
type Revocations struct {
	feed revocationFeed
	cfg  RevocationsConfig

	mu        sync.Mutex // guards all below
	closed    bool
	open      map[*listener]struct{}
	strangers int            // how many of open
	byNetwork map[string]int // and site
	refused   int            // followers for whom there was no place
}

// NewRevocations makes the endpoint.
func NewRevocations(feed revocationFeed, cfg RevocationsConfig) *Revocations {
	cfg.MaxConnections = cmp.Or(cfg.MaxConnections, 4096)
	cfg.MaxPerNetwork = cmp.Or(cfg.MaxPerNetwork, 256)
	cfg.MaxPerService = cmp.Or(cfg.MaxPerService, 2048)
	cfg.WriteTimeout = cmp.Or(cfg.WriteTimeout, 10*time.Second)
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	if cfg.Pushed == nil {
		cfg.Pushed = func(time.Time) {}
	}
	return &Revocations{feed: feed, cfg: cfg, open: map[*listener]struct{}{}, byNetwork: map[string]int{}}
}

// ServeHTTP answers with the feed until the client, the hub or the server ends it.
func (e *Revocations) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*") // public, and never with credentials
	h.Set("Cache-Control", "no-store")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Allow-Headers", "Last-Event-ID")
		h.Set("Access-Control-Max-Age", "7200")
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if r.Method == http.MethodHead {
		setStreamHeaders(h)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	l := &listener{w: w, rc: http.NewResponseController(w), cancel: cancel, timeout: e.cfg.WriteTimeout, pushed: e.cfg.Pushed}
	if !e.enter(l, edge.ClientAddr(r)) {
		unavailable(w)
		return
	}
	defer e.leave(l)
	e.serve(ctx, l, r)
}

func (e *Revocations) serve(ctx context.Context, l *listener, r *http.Request) {
	// The server's limits are for requests that end. Without limits of our own a
	// reader that stops reading would keep its connection for ever.
	if err := l.takeDeadlines(); err != nil {
		e.cfg.Log.ErrorContext(ctx, "revocation feed: connection without deadlines", "cause", err)
		http.Error(l.w, "internal server error", http.StatusInternalServerError)
		return
	}
	epoch, after := lastEventID(r.Header)
	// Why it ended is of no use to anybody: the client comes back, and the hub itself
	// says when it cannot read the log.
	if err := e.feed.Follow(ctx, epoch, after, l.send); err != nil && !l.started {
		unavailable(l.w)
	}
}

// Followers returns how many follow, and how many found no place since the start.
func (e *Revocations) Followers() (following, refused int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.open), e.refused
}

// Close ends all connections and refuses new ones. It is for
// http.Server.RegisterOnShutdown, because Shutdown waits for connections to end.
func (e *Revocations) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for l := range e.open {
		l.cancel()
	}
}

func (e *Revocations) enter(l *listener, addr netip.Addr) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.network, l.stranger = edge.Network(addr), !e.cfg.Services.Contains(addr)
	if e.closed || len(e.open) >= e.cfg.MaxConnections || !e.roomFor(l) {
		e.refused++
		return false
	}
	e.open[l] = struct{}{}
	e.count(l, 1)
	return true
}

func (e *Revocations) roomFor(l *listener) bool {
	if !l.stranger {
		return e.byNetwork[l.network] < e.cfg.MaxPerService
	}
	places := e.cfg.MaxConnections
	if !e.cfg.Services.Empty() {
		places /= 2
	}
	return e.strangers < places && e.byNetwork[l.network] < e.cfg.MaxPerNetwork &&
		e.byNetwork[idp.Site(l.network)] < idp.SiteFactor*e.cfg.MaxPerNetwork
}

func (e *Revocations) leave(l *listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.open, l)
	e.count(l, -1)
}

func (e *Revocations) count(l *listener, n int) {
	if l.stranger {
		e.strangers += n
	}
	for _, name := range []string{l.network, idp.Site(l.network)} {
		if name == "" || name != l.network && !l.stranger {
			continue
		}
		if e.byNetwork[name] += n; e.byNetwork[name] == 0 {
			delete(e.byNetwork, name)
		}
	}
}

// listener is one connection.
type listener struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	cancel  context.CancelFunc
	timeout time.Duration
	pushed  func(since time.Time)
	started bool // the answer has begun

	network  string
	stranger bool // from no network that was named
}

func (l *listener) takeDeadlines() error {
	if err := l.rc.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	return l.rc.SetWriteDeadline(time.Time{})
}

// longAgo as a deadline makes a write that waits fail now.
var longAgo = time.Unix(1, 0)

// send writes an event within the time limit. A timer moves the deadline instead of a
// deadline set beforehand, which would need the real clock.
func (l *listener) send(ev *revocation.Event) error {
	waited := l.started
	if !l.started {
		l.started = true
		setStreamHeaders(l.w.Header())
	}
	fired := make(chan struct{})
	limit := time.AfterFunc(l.timeout, func() {
		defer close(fired)
		_ = l.rc.SetWriteDeadline(longAgo)
	})
	defer func() {
		if !limit.Stop() {
			<-fired // nobody touches the connection after this handler
		}
	}()
	if _, err := ev.WriteTo(l.w); err != nil {
		return err
	}
	if err := l.rc.Flush(); err != nil {
		return err
	}
	if waited && !ev.Since.IsZero() {
		l.pushed(ev.Since)
	}
	return nil
}

func setStreamHeaders(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "2")
	http.Error(w, "try again later", http.StatusServiceUnavailable)
}

// lastEventID reads where a follower wants to go on: "<epoch>.<seq>". Whatever else it
// says, it is a newcomer.
func lastEventID(h http.Header) (epoch string, after int64) {
	values := h.Values("Last-Event-ID")
	if len(values) != 1 || len(values[0]) > 100 {
		return "", 0
	}
	epoch, seq, ok := strings.Cut(values[0], ".")
	n, err := strconv.ParseInt(seq, 10, 64)
	if !ok || err != nil || n < 0 || strconv.FormatInt(n, 10) != seq {
		return "", 0
	}
	return epoch, n
}
