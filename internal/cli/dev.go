package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/spf13/cobra"
)

const (
	devDirectory = "signet-dev"
	devPatience  = 15 * time.Second // for the parts to be ready
)

// devFlags are where a development stack lives.
type devFlags struct {
	address                            string
	data                               string
	ephemeral, bare, verbose           bool
	port, calendar, scheduler, console uint16
	scopes                             []string // of registration, beside the demo's
}

func (a *app) devCommand() *cobra.Command {
	var f devFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, with demo people and apps: for development only",
		Long: "Run a provider with demo people, a calendar and a scheduler that uses it, reachable from this machine only.\n" +
			"Needs no configuration and no network. Mail is caught and shown. What it stores stays in ./signet-dev.\n" +
			"Its passwords and secrets are known to everybody: nothing of it belongs on a network.",
		Example: "  signet dev\n  signet dev --ephemeral --port 9080 --calendar-port 9081 --scheduler-port 9082 --console-port 9083",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.dev(cmd.Context(), f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", devDirectory, "directory for the data")
	fl.BoolVar(&f.ephemeral, "ephemeral", false, "keep nothing: use a temporary directory and remove it at the end")
	fl.Uint16Var(&f.port, "port", 8080, "port of the provider; 0 takes a free one")
	fl.Uint16Var(&f.calendar, "calendar-port", 8081, "port of the calendar; 0 takes a free one")
	fl.Uint16Var(&f.scheduler, "scheduler-port", 8082, "port of the scheduler; 0 takes a free one")
	fl.Uint16Var(&f.console, "console-port", consolePort, "port of the console, where this server is managed; 0 takes a free one")
	fl.StringVar(&f.address, "address", "127.0.0.1", "address to listen on: loopback only")
	fl.BoolVar(&f.bare, "no-demo", false, "without calendar and scheduler")
	fl.StringArrayVar(&f.scopes, "registration-scope", nil, "scope of a service of yours that apps may have which register themselves or have a metadata document (repeat for more; see \"signet resource put\")")
	fl.BoolVar(&f.verbose, "verbose", false, "log every request")
	cmd.MarkFlagsMutuallyExclusive("data", "ephemeral")
	return cmd
}

func (a *app) dev(ctx context.Context, f devFlags) (err error) {
	if err := onlyLoopback(f.address); err != nil {
		return err
	}
	if f.ephemeral {
		if f.data, err = os.MkdirTemp("", "signet-dev-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(f.data)) }()
	}
	log := newDevLog(a.stderr)
	if f.verbose {
		log = a.logger(slog.LevelInfo.String(), "auto")
	}
	start := a.now()
	stack, err := startDevStack(ctx, devOptions{
		dataDir: f.data, issuerPort: f.port, calendarPort: f.calendar, schedPort: f.scheduler, consolePort: f.console,
		demo: !f.bare, console: true, scopes: f.scopes, now: a.now, log: log,
	})
	if err != nil {
		return f.explain(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- stack.wait() }()
	ready, cancel := context.WithTimeout(ctx, devPatience)
	defer cancel()
	if err := stack.at.ready(ready, !f.bare); err != nil {
		stack.cancel()
		err = errors.Join(err, <-ended)
		if ctx.Err() != nil {
			return nil // stopped before it was ready
		}
		return err
	}
	a.banner(stack.at, f, a.now().Sub(start))
	return <-ended
}

// onlyLoopback: passwords and secrets of development are in the source. Whoever reaches
// the port is in.
func onlyLoopback(address string) error {
	addr, err := netip.ParseAddr(address)
	switch {
	case address == "localhost" || err == nil && addr == netip.AddrFrom4([4]byte{127, 0, 0, 1}):
		return nil
	case err == nil && addr.IsLoopback():
		return refused("development mode listens on 127.0.0.1 only")
	}
	return refused("development mode listens on 127.0.0.1 only: its passwords are known to everybody, so whoever reached it from the network would be in; for a network there is \"signet serve\"")
}

// explain names the flag that helps.
func (f devFlags) explain(err error) error {
	err = explainPort(err, map[string]uint16{
		"--port": f.port, "--calendar-port": f.calendar, "--scheduler-port": f.scheduler, "--console-port": f.console,
	})
	if errors.Is(err, idp.ErrExists) {
		return fmt.Errorf("the data in %s was made for other ports; use those, or another directory with --data, or --ephemeral: %w", f.data, err)
	}
	return err
}

// ready waits until the provider has what it needs, and the calendar has keys and revocations.
func (at devAddresses) ready(ctx context.Context, demo bool) error {
	waiting := map[string]func(int) bool{at.issuer + "/readyz": func(status int) bool { return status == http.StatusOK }}
	if demo {
		// The verifier says 503 as long as it could not know whether a token is good.
		waiting[at.calendar+"/api/events"] = func(status int) bool { return status == http.StatusUnauthorized }
		waiting[at.scheduler+"/"] = func(status int) bool { return status < 500 }
	}
	for address, good := range waiting {
		for {
			status, err := probe(ctx, address)
			if err == nil && good(status) {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s is not ready: %w", address, errors.Join(ctx.Err(), err))
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	return nil
}

func probe(ctx context.Context, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer none")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// socketIn names the administration socket so that it is found from every directory.
func socketIn(data string) string {
	socket := filepath.Join(data, "admin.sock")
	if whole, err := filepath.Abs(socket); err == nil {
		return whole
	}
	return socket
}

// banner says where everything is, in at most 12 lines.
func (a *app) banner(at devAddresses, f devFlags, took time.Duration) {
	line := func(name, text string) { fmt.Fprintf(a.stdout, "  %-10s %s\n", name, text) }
	fmt.Fprintf(a.stdout, "signet is ready after %d ms (development mode: for this machine only)\n", took.Milliseconds())
	line("issuer", at.issuer)
	line("sign in", at.issuer+"/login")
	line("people", "ann, bob; password: "+devPassword)
	line("mail", at.issuer+"/dev/mail")
	if !f.bare {
		line("calendar", at.calendar)
		line("scheduler", at.scheduler+"  (somebody else's app: connect it to the calendar)")
	}
	line("console", at.console) // alone on its line: terminals make a link of it
	line("manage", "signet user list --socket "+shellWord(socketIn(f.data)))
	line("a token", "curl -u "+devReports+":"+devSecret(devReports).Reveal()+
		" -d grant_type=client_credentials -d scope="+scopeFreeBusy+" "+at.issuer+"/token")
	fmt.Fprintln(a.stdout, "stop with Ctrl-C")
}
