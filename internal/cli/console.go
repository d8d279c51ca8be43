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
		Long: "Serve pages for administration, on this machine only, until Ctrl-C. The link that it prints works once, for\n" +
			"15 minutes. What the pages do goes through the server's administration socket, as with the other commands.",
		Example: "  signet console\n  signet console --port 0 --socket /var/lib/signet/admin.sock",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.console(cmd.Context(), port)
		},
	}
	cmd.Flags().StringVar(&a.socket, "socket", "", socketUsage)
	cmd.Flags().Uint16Var(&port, "port", consolePort, "port to listen on at 127.0.0.1; 0 takes a free one")
	return cmd
}

func (a *app) console(ctx context.Context, port uint16) error {
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
	pages, link, err := c.console(ln, false, a.now, a.logger(slog.LevelWarn.String(), "auto"))
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	fmt.Fprintln(a.stdout, link)
	fmt.Fprintln(a.stderr, "open it in a browser on this machine: it works once, for 15 minutes; stop with Ctrl-C")
	return serveApp(ctx, ln, pages)
}

// console returns the pages for this listener and the link that opens them.
func (c *api) console(ln net.Listener, dev bool, now func() time.Time, log *slog.Logger) (pages *web.Console, link string, err error) {
	return web.NewConsole(web.ConsoleConfig{
		API: c.pages, Explain: c.explainer(now), Origin: "http://" + ln.Addr().String(), Version: version().Version, Dev: dev, Now: now, Log: log,
	})
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
