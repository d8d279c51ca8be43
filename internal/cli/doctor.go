package cli

import (
	"fmt"
	"strings"

	"github.com/signet-id/signet/internal/doctor"
	"github.com/spf13/cobra"
)

func (a *app) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether an installation fits together, and say what to do if not",
		Long: "Look whether an installation fits together, while the server runs or before: configuration, files, listener,\n" +
			"database, keys, clock, DNS, certificate, what the reverse proxy makes of requests, cookies, and the SMTP server.\n" +
			"Each check is ok, a warning, a problem with its fix, or skipped with the reason. Nothing is changed, and no\n" +
			"mail is sent. Run it as the server's user. The exit code is 1 if there is a problem.",
		Example: "  signet doctor --config /etc/signet/signet.yaml\n  signet doctor --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := doctor.Examine(cmd.Context(), doctor.Config{Path: a.config, Env: a.env, Now: a.now})
			if err := a.writeFindings(found); err != nil {
				return err
			}
			if n := count(found, doctor.Problem); n > 0 {
				return &exitError{exitFailure, fmt.Sprintf("problems: %d, warnings: %d", n, count(found, doctor.Warning))}
			}
			return cmd.Context().Err()
		},
	}
	cmd.Flags().BoolVar(&a.json, "json", false, "write JSON")
	return cmd
}

func (a *app) writeFindings(found []doctor.Finding) error {
	if a.json {
		return writeJSON(a.stdout, found)
	}
	for _, f := range found {
		// What other machines answered must not look like a finding: its lines stand further in.
		text := visible(strings.ReplaceAll(f.Text, "\n", "\n"+strings.Repeat(" ", 23)))
		if _, err := fmt.Fprintf(a.stdout, "%-8s %-13s %s\n", f.State, f.Check, text); err != nil {
			return err
		}
		if f.Fix != "" {
			if _, err := fmt.Fprintf(a.stdout, "%-22s fix: %s\n", "", oneLine(f.Fix)); err != nil {
				return err
			}
		}
	}
	return nil
}

func count(found []doctor.Finding, s doctor.State) (n int) {
	for _, f := range found {
		if f.State == s {
			n++
		}
	}
	return n
}
