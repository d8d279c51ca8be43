package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/web"
	"github.com/spf13/cobra"
)

const consolePort = 8083

func (a *app) consoleCommand() *cobra.Command {
	var port uint16
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Manage a running server in the browser",
		Long: "Serve pages for administration, on this machine only, until Ctrl-C, until they are closed in the browser, or\n" +
			"until nobody has looked at them for half an hour. The link that it prints works once, for 15 minutes. What the pages do goes through the server's administration socket, as with the other commands.",
		Example: "  signet console\n  signet console --port 0 --socket /var/lib/signet/admin.sock",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			again := "signet console"
			for _, name := range []string{"port", "socket"} {
				if f := cmd.Flags().Lookup(name); f.Changed {
					again += " --" + name + " " + shellWord(f.Value.String())
				}
			}
			return a.console(cmd.Context(), port, again)
		},
	}
	cmd.Flags().StringVar(&a.socket, "socket", "", socketUsage)
	cmd.Flags().Uint16Var(&port, "port", consolePort, "port to listen on at 127.0.0.1; 0 takes a free one")
	return cmd
}

// consoleEnds says why the command ends.
var consoleEnds = map[web.ConsoleEnd]string{
	web.ConsoleClosed:   "the console was closed in the browser",
	web.ConsoleIdle:     "nobody has looked at the console for half an hour",
	web.ConsoleUnopened: "nobody opened the link within 15 minutes",
}

// console serves the pages for as long as somebody can come in.
func (a *app) console(ctx context.Context, port uint16, again string) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	// Who may not open the socket hears it here, not in the browser.
	if err := c.call(ctx, http.MethodGet, "/about", nil, nil); err != nil {
		return err
	}
	ln, err := listenLoopback(port)
	if err != nil {
		return explainPort(err, map[string]uint16{"--port": port})
	}
	pages, link, err := c.console(ln, web.ConsoleConfig{Again: again, Ends: true}, a.now, a.logger(slog.LevelWarn.String(), "auto"))
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	fmt.Fprintln(a.stdout, link)
	fmt.Fprintln(a.stderr, "open it in a browser on this machine: it works once, for 15 minutes; stop with Ctrl-C")
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan web.ConsoleEnd, 1)
	go func() {
		defer stop()
		ended <- pages.Wait(ctx)
	}()
	err = serveApp(ctx, ln, pages)
	stop()
	if why := <-ended; why != "" {
		fmt.Fprintln(a.stderr, consoleEnds[why]+"; for another link: "+again)
	}
	return err
}

// console returns the pages for this listener and the link that opens them. cfg holds what
// differs between commands.
func (c *api) console(ln net.Listener, cfg web.ConsoleConfig, now func() time.Time, log *slog.Logger) (pages *web.Console, link string, err error) {
	cfg.API, cfg.Explain, cfg.Origin, cfg.Version = c.pages, c.explainer(now), "http://"+ln.Addr().String(), version().Version
	cfg.Now, cfg.Log = now, log
	return web.NewConsole(cfg)
}

// pages is call for the console, which knows errors of its own.
func (c *api) pages(ctx context.Context, method, path string, in, out any) error {
	err := c.call(ctx, method, path, in, out)
	if e, ok := errors.AsType[*apiError](err); ok {
		return &web.APIError{Status: e.status, Message: e.message}
	}
	return err
}

// listenLoopback never listens on another address: whoever reaches it may try the link.
func listenLoopback(port uint16) (net.Listener, error) {
	return net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
}

// explainPort names the flag of a port that is taken.
func explainPort(err error, flags map[string]uint16) error {
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "listen" && e.Addr != nil {
		_, port, _ := net.SplitHostPort(e.Addr.String())
		for flag, value := range flags {
			if port == strconv.Itoa(int(value)) {
				return fmt.Errorf("port %s is taken by another program (another signet dev?); choose another with %s, or stop that program", port, flag)
			}
		}
	}
	return err
}
