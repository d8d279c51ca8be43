package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// drainTime is how long requests may take to finish when the server stops.
const drainTime = 10 * time.Second

// Run serves the public side on ln and administration on its socket, with all work in
// the background, until ctx ends. Then it says that it is not ready, goes on for the drain
// delay, accepts no more, lets requests finish, and returns nil. An error means that it
// could not go on.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	socket, err := s.listenAdmin()
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	metricsSocket, err := s.listenMetrics()
	if err != nil {
		return errors.Join(err, ln.Close(), socket.Close())
	}
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	feed, endFeed := context.WithCancel(work)
	defer endFeed()
	var background sync.WaitGroup
	s.work(work, feed, &background)
	servers := []*http.Server{s.httpServer(s.public), s.httpServer(s.admin)}
	if metricsSocket != nil {
		servers = append(servers, s.httpServer(s.metrics.Handler(s.log)))
	}
	// The feed never ends by itself; when the server drains, its followers move on.
	servers[0].RegisterOnShutdown(endFeed)
	public := limit(ln, s.cfg.Limits.MaxConnections, s.isNamed)
	s.listening.Store(public)
	servers[0].ConnState = public.connState
	failed := make(chan error, len(servers))
	go func() { failed <- serve(servers[0], public, s.tls != nil, s.tlsConfig()) }()
	go func() { failed <- serve(servers[1], socket, false, nil) }()
	if metricsSocket != nil {
		go func() { failed <- serve(servers[2], metricsSocket, false, nil) }()
	}
	if s.opts.Serving != nil {
		s.opts.Serving()
	}
	ended, err := s.untilTold(ctx, failed)
	err = errors.Join(err, drain(servers))
	stopWork()
	for range len(servers) - ended {
		err = errors.Join(err, <-failed)
	}
	background.Wait()
	return err
}

// work starts all that no request asks for; it ends with ctx, and the revocation feed
// with its own.
func (s *Server) work(ctx, feed context.Context, all *sync.WaitGroup) {
	followKeys := func(ctx context.Context) error { return s.keys.Run(ctx, s.store.Watch, s.now, s.log) }
	runHub := func(context.Context) error { return s.hub.Run(feed) }
	for _, f := range []func(context.Context) error{runHub, s.dir.Run, s.pages.Run, s.logouts.Run, followKeys, s.rotateKeys, s.sweep, s.settle} {
		all.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil && feed.Err() == nil {
				s.metrics.WorkFailed("ended")
				s.log.Error("background work ended", "cause", err)
			}
		})
	}
}

// untilTold returns when ctx has ended and the drain delay is over, or when a server has
// ended by itself: then with its error.
func (s *Server) untilTold(ctx context.Context, failed <-chan error) (ended int, err error) {
	defer s.draining.Store(true)
	select {
	case <-ctx.Done():
	case err := <-failed:
		return 1, err
	}
	s.draining.Store(true)
	s.log.Info("stopping", "drain_delay", s.cfg.Limits.DrainDelay)
	delay := time.NewTimer(s.cfg.Limits.DrainDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
		return 0, nil
	case err := <-failed:
		return 1, err
	}
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: s.cfg.Limits.ReadHeaderTimeout,
		ReadTimeout:       s.cfg.Limits.ReadTimeout,
		WriteTimeout:      s.cfg.Limits.WriteTimeout,
		IdleTimeout:       s.cfg.Limits.IdleTimeout,
		MaxHeaderBytes:    s.cfg.Limits.MaxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100},
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

func serve(server *http.Server, ln net.Listener, secure bool, config *tls.Config) error {
	var err error
	if secure {
		server.TLSConfig = config
		err = server.ServeTLS(ln, "", "")
	} else {
		err = server.Serve(ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve %s: %w", ln.Addr(), err)
}

// drain lets what is being answered finish, and cuts what takes too long.
func drain(servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var all sync.WaitGroup
	for _, server := range servers {
		all.Go(func() {
			if server.Shutdown(ctx) != nil {
				_ = server.Close()
			}
		})
	}
	all.Wait()
	return nil
}

// listenAdmin opens the administration socket. The data directory is locked, so a socket
// that is there was left behind.
func (s *Server) listenAdmin() (net.Listener, error) {
	path := s.cfg.AdminSocket()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove old administration socket: %w", err)
	}
	ln, err := listenPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("administration socket %s: %w (is data_dir writable, and its path shorter than 100 characters?)", path, err)
	}
	return ln, nil
}

// settle does what is done once after a start. Then it gives back the memory that the start
// took, which the runtime would otherwise keep for minutes: reading the schema, fitting hashes.
func (s *Server) settle(ctx context.Context) error {
	defer debug.FreeOSMemory()
	return s.calibrate(ctx)
}

// calibrate fits the cost of password hashes to this machine once, some time after the
// first start, and keeps it.
func (s *Server) calibrate(ctx context.Context) error {
	if s.opts.InsecureCheapPasswords || s.opts.Dev {
		return nil
	}
	_, err := s.store.Setting(ctx, hashingSetting)
	if !errors.Is(err, idp.ErrNotFound) {
		return err
	}
	params, err := s.hasher.Calibrate(ctx)
	if err != nil {
		return err
	}
	value, err := json.Marshal(params)
	if err != nil {
		return err
	}
	s.log.Info("password hashing fitted to this machine", "memory_kib", params.Memory, "time", params.Time)
	_, err = s.store.PutSettingOnce(ctx, hashingSetting, value) // another node may have been faster
	return err
}

var errDraining = errors.New("shutting down")

func (s *Server) drainingError() error {
	if s.draining.Load() {
		return errDraining
	}
	return nil
}
