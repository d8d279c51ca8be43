package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"syscall"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/server"
	"github.com/spf13/cobra"
)

func (a *app) serveCommand() *cobra.Command {
	var database string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the provider",
		Long: "Run the provider until it is told to stop (SIGINT or SIGTERM): then it lets requests finish; a second\n" +
			"signal ends it at once. There are no users to begin with, and no default password:\n" +
			"\"signet user add\" adds the first one through the server's socket.\n\n" +
			"SIGHUP makes it read the configuration again: certificates, log.level, and the server that takes mail change at\n" +
			"once, and the log names the changed keys that wait for a restart. A configuration with a mistake changes nothing.",
		Example: "  signet serve --config /etc/signet/signet.yaml\n" +
			"  SIGNET_PUBLIC_URL=https://id.example.com SIGNET_KEY_FILE=/run/secrets/key SIGNET_TRUSTED_PROXIES=10.0.0.2 signet serve\n" +
			"  signet serve --database 'postgres://signet@db.example.com/signet?sslmode=verify-full'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			env := withDatabase(a.env, database)
			cfg, err := config.Load(a.config, env)
			if err != nil {
				return err
			}
			var level slog.LevelVar
			level.Set(logLevel(cfg.Log.Level))
			log := a.adjustableLogger(&level, cfg.Log.Format)
			reload := newReloading(env, &level, log)
			for _, text := range cfg.Loosened() {
				log.Warn("configuration is looser than the default", "what", text)
			}
			for _, text := range cfg.OTel.Ignored {
				log.Warn("environment variable does not count", "what", text)
			}
			ctx := cmd.Context()
			ln, err := a.listenPublic(cfg.Listen)
			if err != nil {
				return err
			}
			tell := func(state string) {
				if err := a.tellSystemd(state); err != nil {
					log.Error("systemd is not told", "state", state, "cause", err)
				}
			}
			s, err := server.New(ctx, cfg, server.Options{Log: log, Now: a.now, Build: buildInfo(), Serving: func() { tell("READY=1") }})
			if err != nil {
				return errors.Join(err, ln.Close())
			}
			log.Info("serving", "public_url", cfg.PublicURL, "listen", ln.Addr().String(), "tls", cfg.TLSCert != "",
				"data_dir", cfg.DataDir, "configuration", cfg.File, "version", version().Version)
			var background sync.WaitGroup
			running, ended := context.WithCancel(ctx)
			background.Go(func() { reload.run(running, cfg.File, s) })
			background.Go(func() { <-running.Done(); tell("STOPPING=1") })
			err = s.Run(ctx, ln)
			ended()
			background.Wait()
			log.Info("stopped")
			return errors.Join(err, s.Close())
		},
	}
	cmd.Flags().StringVar(&database, "database", "", "the database, instead of the configuration's: sqlite:PATH or postgres://USER@HOST/NAME")
	return cmd
}

// withDatabase puts a flag in the place of the environment variable that says the same.
func withDatabase(env []string, database string) []string {
	if database == "" {
		return env
	}
	return append(slices.Clip(env), "SIGNET_DATABASE="+database)
}

// listenPublic takes the socket that systemd hands over, else opens the configured address.
func (a *app) listenPublic(address string) (net.Listener, error) {
	if ln, err := a.inherited(); ln != nil || err != nil {
		return ln, err
	}
	return listen(address, "choose another with \"listen\" in the configuration")
}

// listen opens a TCP address and says which way out there is when it is taken.
func listen(address, way string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is taken by another program, perhaps by signet itself; %s", address, way)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s; use a port above 1023, or give the capability CAP_NET_BIND_SERVICE: %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	return ln, nil
}
