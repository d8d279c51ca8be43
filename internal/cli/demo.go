package cli

import (
	"errors"
	"log/slog"

	"github.com/spf13/cobra"
)

func (a *app) demoCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "demo --check",
		Short: "Play the story of the calendar and the scheduler, and report each step",
		Long: "Play the story of the calendar and the scheduler over plain HTTP, on free ports and in a directory that\n" +
			"is removed afterwards, and report each step: what was expected, what came, how long it took.\n" +
			"The exit code is 0 when everything went as expected. \"signet dev\" is the same story for people.",
		Example: "  signet demo --check\n  signet demo --check --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !check {
				return &usageError{cmd.CommandPath(), errors.New("say --check; to try it by hand, run signet dev")}
			}
			return runDemoCheck(cmd.Context(), a.stdout, a.json, a.logger(slog.LevelWarn.String(), "auto"))
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "play the story")
	cmd.Flags().BoolVar(&a.json, "json", false, "write JSON")
	return cmd
}
