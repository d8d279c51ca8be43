package cli

import (
	"errors"
	"fmt"
	"net"
	"slices"
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
			"\"signet user add\" adds the first one through the server's socket.",
		Example: "  signet serve --config /etc/signet/signet.yaml\n" +
			"  SIGNET_PUBLIC_URL=https://id.example.com SIGNET_KEY_FILE=/run/secrets/key SIGNET_TRUSTED_PROXIES=10.0.0.2 signet serve\n" +
			"  signet serve --database 'postgres://signet@db.example.com/signet?sslmode=verify-full'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, err := config.Load(a.config, withDatabase(a.env, database))
			if err != nil {
				return err
			}
			log := a.logger(cfg.Log.Level, cfg.Log.Format)
			for _, text := range cfg.Loosened() {
				log.Warn("configuration is looser than the default", "what", text)
			}
			ctx := cmd.Context()
			ln, err := listen(cfg.Listen, "choose another with \"listen\" in the configuration")
			if err != nil {
				return err
			}
			s, err := server.New(ctx, cfg, server.Options{Log: log, Now: a.now, Build: buildInfo()})
			if err != nil {
				return errors.Join(err, ln.Close())
			}
			log.Info("serving", "public_url", cfg.PublicURL, "listen", ln.Addr().String(), "tls", cfg.TLSCert != "",
				"data_dir", cfg.DataDir, "configuration", cfg.File, "version", version().Version)
			err = s.Run(ctx, ln)
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

// listen opens a TCP address and says which way out there is when it is taken.
func listen(address, way string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is taken by another program; %s", address, way)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s; use a port above 1023, or give the capability CAP_NET_BIND_SERVICE: %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	return ln, nil
}
