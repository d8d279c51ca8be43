package cli

import (
	"context"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/doctor"
	"github.com/spf13/cobra"
)

func (a *app) healthcheckCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server of this configuration on this machine whether it can do its work",
		Long: "Ask the server of this configuration on this machine whether it can do its work, as /readyz says it: for\n" +
			"container images without a shell. The exit code is 0 if it can, else 1 with the parts that are not ready.",
		Example: "  signet healthcheck\n  signet healthcheck --config /etc/signet/signet.yaml --timeout 2s",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Read(a.config, a.env)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			if _, err = doctor.Ready(ctx, cfg); err != nil {
				return err
			}
			address, err := doctor.LocalURL(cfg)
			if err != nil {
				return err
			}
			// Without a configuration it is the usual address, where another signet may listen.
			return a.say("%s answers: ready", address)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long to wait for an answer")
	return cmd
}
