package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/signet-id/signet/examples/calendar/calendar"
	"github.com/signet-id/signet/examples/calendar/scheduler"
	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/server"
	"github.com/signet-id/signet/internal/web"
)

// devStack is a provider with the demo's calendar and scheduler, all on loopback and in
// one process. "signet dev" serves it; "signet demo --check" plays with it.
type devStack struct {
	at     devAddresses
	server *server.Server
	cancel context.CancelFunc
	ended  chan error // what each part ended with
	parts  int
}

// devOptions say where a devStack lives. Ports may be 0: any free one.
type devOptions struct {
	dataDir                             string
	issuerPort, calendarPort, schedPort uint16
	consolePort                         uint16
	demo                                bool     // with calendar and scheduler
	console                             bool     // with the pages for administration
	scopes                              []string // that clients may have which nobody added, beside the demo's
	now                                 func() time.Time
	log                                 *slog.Logger
	cheapPasswords                      bool // for tests
}

// startDevStack starts everything; ready says when it answers. It stops when ctx ends or
// a part cannot go on; the caller must call wait or stop.
func startDevStack(ctx context.Context, o devOptions) (_ *devStack, err error) {
	var listeners [4]net.Listener
	defer func() {
		for _, ln := range listeners {
			if err != nil && ln != nil {
				_ = ln.Close() // the start failed already
			}
		}
	}()
	for i, part := range [...]struct {
		port   uint16
		wanted bool
	}{{o.issuerPort, true}, {o.calendarPort, o.demo}, {o.schedPort, o.demo}, {o.consolePort, o.console}} {
		if !part.wanted {
			continue
		}
		if listeners[i], err = listenLoopback(part.port); err != nil {
			return nil, fmt.Errorf("listen: %w (does another signet dev run? choose other ports)", err)
		}
	}
	d := &devStack{at: addressesOf(listeners, o), ended: make(chan error, 6)}
	if d.server, err = newDevServer(ctx, d.at, listeners[0].Addr().String(), o); err != nil {
		return nil, err
	}
	ctx, d.cancel = context.WithCancel(ctx)
	d.run(func() error { return d.server.Run(ctx, listeners[0]) })
	if o.demo {
		if err := d.runDemo(ctx, listeners[1], listeners[2], o); err != nil {
			return nil, errors.Join(err, d.stop())
		}
	}
	if o.console {
		if err := d.runConsole(ctx, listeners[3], o); err != nil {
			return nil, errors.Join(err, d.stop())
		}
	}
	return d, nil
}

// runConsole starts the same pages as "signet console", on the server's own socket.
func (d *devStack) runConsole(ctx context.Context, ln net.Listener, o devOptions) error {
	pages, link, err := newAPI(socketIn(o.dataDir)).console(ln, web.ConsoleConfig{Dev: true, Again: "signet console --port 0"}, o.now, o.log.With("app", "console"))
	if err != nil {
		return err
	}
	d.at.console = link
	d.run(func() error { return serveApp(ctx, ln, pages) })
	return nil
}

// addressesOf names the parts: the provider by name and the apps by number, so that they
// do not share cookies, which ignore ports.
func addressesOf(listeners [4]net.Listener, o devOptions) devAddresses {
	port := func(i int, or uint16) string {
		if listeners[i] == nil {
			return strconv.Itoa(int(or))
		}
		return strconv.Itoa(listeners[i].Addr().(*net.TCPAddr).Port)
	}
	return devAddresses{
		issuer:    "http://localhost:" + port(0, o.issuerPort),
		calendar:  "http://127.0.0.1:" + port(1, o.calendarPort),
		scheduler: "http://127.0.0.1:" + port(2, o.schedPort),
	}
}

func newDevServer(ctx context.Context, at devAddresses, listen string, o devOptions) (*server.Server, error) {
	cfg := config.Config{
		PublicURL: at.issuer, Listen: listen, DataDir: o.dataDir, KeyFile: filepath.Join(o.dataDir, "key"),
		// Whoever reaches this port may do everything anyway, and MCP clients want one of the two.
		Registration: "open", ClientIDMetadataDocuments: "on", RegistrationScopes: append([]string{scopeFreeBusy, scopeMeetings}, o.scopes...),
	}.WithDefaults()
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("%w; name another directory with --data", err)
	}
	if err := config.NewKey(cfg.KeyFile); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("key: %w", err)
	}
	s, err := server.New(ctx, cfg, server.Options{
		Log: o.log, Now: o.now, Dev: true, AdminSocket: socketIn(o.dataDir), InsecureCheapPasswords: o.cheapPasswords,
	})
	if err != nil {
		return nil, err
	}
	if err := s.Seed(ctx, devSeed(at)); err != nil {
		return nil, errors.Join(fmt.Errorf("seed: %w", err), s.Close())
	}
	return s, nil
}

// runDemo starts the two apps, which know no more of the provider than its address.
func (d *devStack) runDemo(ctx context.Context, calendarLn, schedulerLn net.Listener, o devOptions) error {
	cal, err := calendar.New(calendar.Config{
		Issuer: d.at.issuer, URL: d.at.calendar, ClientID: devCalendar, ClientSecret: devSecret(devCalendar).Reveal(),
		Now: o.now, Log: o.log.With("app", devCalendar),
	})
	if err != nil {
		return err
	}
	sched, err := scheduler.New(scheduler.Config{
		Issuer: d.at.issuer, URL: d.at.scheduler, CalendarURL: d.at.calendar,
		ClientID: devScheduler, ClientSecret: devSecret(devScheduler).Reveal(), Reset: cal.Reset,
		Now: o.now, Log: o.log.With("app", devScheduler),
	})
	if err != nil {
		return err
	}
	d.run(func() error { return cal.Run(ctx) })
	d.run(func() error { return sched.Run(ctx) })
	d.run(func() error { return serveApp(ctx, calendarLn, server.OnlyOwnHost(d.at.calendar, cal.Handler())) })
	d.run(func() error { return serveApp(ctx, schedulerLn, server.OnlyOwnHost(d.at.scheduler, sched.Handler())) })
	return nil
}

// run starts a part. When one ends, all do.
func (d *devStack) run(part func() error) {
	d.parts++
	go func() {
		err := part()
		d.cancel()
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		d.ended <- err
	}()
}

// wait returns when everything has stopped, with what went wrong.
func (d *devStack) wait() error {
	var err error
	for range d.parts {
		err = errors.Join(err, <-d.ended)
	}
	return errors.Join(err, d.server.Close())
}

func (d *devStack) stop() error {
	d.cancel()
	return d.wait()
}

// serveApp serves a demo app until ctx ends.
func serveApp(ctx context.Context, ln net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.Shutdown(patience)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	<-ended
	return err
}
