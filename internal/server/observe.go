package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/metrics"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/tracing"
)

// The packages below are told of neither metrics nor traces: each calls a function that it
// was handed when something begins, and those are here.

// feedRoute is where verifiers stay for hours.
const feedRoute = "GET /revocations"

// beginObserving comes before everything that is observed.
func (s *Server) beginObserving() (err error) {
	s.metrics = metrics.New(s.opts.Build, s.sources(), feedRoute)
	s.log = slog.New(tracing.Handler(s.metrics.Counted(s.opts.Log.Handler())))
	s.traces, err = tracing.New(tracing.Config{
		URL: s.cfg.TracesURL(), Percent: s.cfg.TracesPercent, Service: s.cfg.OTel.Service, Version: s.opts.Build.Version, Log: s.log,
		Exported: func(spans int, err error) { s.metrics.Spans(spans, err != nil) },
	})
	return err
}

// listenMetrics opens the listener of the metrics; nil if there is none.
func (s *Server) listenMetrics() (net.Listener, error) {
	if s.cfg.MetricsListen == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", s.cfg.MetricsListen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("metrics_listen: address %s is taken by another program; choose another", s.cfg.MetricsListen)
	}
	if err != nil {
		return nil, fmt.Errorf("metrics_listen: %w", err)
	}
	s.log.Info("serving metrics", "listen", ln.Addr().String())
	return ln, nil
}

// observed is an observer that traces and, when something is over, records it.
func (s *Server) observed(prefix string, record func(what string, took time.Duration, err error)) idp.Observer {
	return func(ctx context.Context, what string) (context.Context, func(error)) {
		start := s.now()
		ctx, traced := s.traces.Begin(ctx, prefix, what)
		return ctx, func(err error) {
			record(what, s.now().Sub(start), err)
			traced(idp.Outcome(err))
		}
	}
}

func (s *Server) storeOptions() store.Options {
	return store.Options{
		Log: s.log, Faults: s.opts.Faults,
		Observe: s.observed("database: ", func(verb string, took time.Duration, err error) {
			s.metrics.Verb(verb, took, errors.Is(err, idp.ErrUnavailable))
		}),
		Commit: func(verbs int) func() {
			start := s.now()
			return func() { s.metrics.Commit(verbs, s.now().Sub(start)) }
		},
	}
}

func (s *Server) observeHashing() idp.Observer {
	return s.observed("", func(_ string, took time.Duration, _ error) { s.metrics.Hash(took) })
}

func (s *Server) observeSigning() idp.Observer {
	return s.observed("", func(string, time.Duration, error) {})
}

func (s *Server) observeCalls() idp.Observer {
	return s.observed("call: ", func(method string, took time.Duration, err error) { s.metrics.Call(method, took, err != nil) })
}

func (s *Server) observePush(since time.Time) { s.metrics.Push(s.now().Sub(since)) }

func (s *Server) observeRequest(ctx context.Context, r *http.Request) (context.Context, func(edge.Answer)) {
	ctx, traced := s.traces.Request(ctx, r, s.tracers.Sent(r))
	return ctx, func(a edge.Answer) {
		s.metrics.Request(a.Route, a.Status, a.Took, errors.Is(a.Err, idp.ErrLimited))
		traced(tracing.Answer{Route: a.Route, Status: a.Status, RequestID: a.RequestID, Outcome: idp.Outcome(a.Err)})
	}
}

// sources are read when somebody looks at the metrics: after build.
func (s *Server) sources() metrics.Sources {
	return metrics.Sources{
		Now:           s.now,
		Ready:         s.readyParts,
		Keys:          s.publishedKeys,
		Pools:         s.pools,
		Followers:     func() (int, int) { return s.feed.Followers() },
		RevocationLog: func() (string, int64, time.Time) { return s.hub.Position() },
		HashesWaiting: func() int { return s.hasher.Waiting() },
		HashesRefused: func() int64 { return s.hasher.Refused() },
		Connections:   func() metrics.Connections { return s.listening.Load().stats() },
	}
}

func (s *Server) readyParts() map[string]bool {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	parts := map[string]bool{}
	for _, p := range s.parts(ctx) {
		parts[p.name] = p.err == nil
	}
	return parts
}

func (s *Server) publishedKeys() []metrics.Key {
	var list []metrics.Key
	for _, k := range s.keys.Known() {
		since := map[keyring.State]time.Time{keyring.Staged: k.StagedAt, keyring.Active: k.ActiveAt, keyring.Retiring: k.RetiringAt}[k.State]
		if !since.IsZero() {
			list = append(list, metrics.Key{Alg: k.Alg, State: string(k.State), Since: since})
		}
	}
	return list
}

func (s *Server) pools() []metrics.Pool {
	var list []metrics.Pool
	for _, p := range s.store.Pools() {
		list = append(list, metrics.Pool(p))
	}
	return list
}
