package cli

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/config"
	"github.com/spf13/cobra"
)

func (a *app) keyCommand() *cobra.Command {
	cmd := a.administration(&cobra.Command{Use: "key", Short: "Make the key-encryption key; see the signing keys"})
	cmd.AddCommand(
		&cobra.Command{
			Use:   "new FILE",
			Short: "Write a new key-encryption key (key_file) to a file that does not exist yet",
			Long: "Write a new key-encryption key (key_file) to a file that does not exist yet. It seals the signing keys in\n" +
				"the database: keep a copy, and not beside the backup of the database.",
			Example: "  signet key new /etc/signet/key",
			Args:    cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				if err := config.NewKey(args[0]); err != nil {
					return err
				}
				return a.say("wrote %s; keep a copy of it, and not beside the backup of the database", args[0])
			},
		},
		&cobra.Command{
			Use:     "list",
			Short:   "List the signing keys",
			Example: "  signet key list\n  signet key list --json",
			Args:    cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				var keys []admin.Key
				if err := a.call(cmd.Context(), http.MethodGet, "/keys", nil, &keys); err != nil {
					return err
				}
				if a.json {
					return writeJSON(a.stdout, keys)
				}
				rows := make([][]string, 0, len(keys))
				for _, k := range keys {
					rows = append(rows, []string{k.ID, k.Alg, k.State, stamp(k.ActiveAt)})
				}
				return table(a.stdout, []string{"ID", "ALG", "STATE", "ACTIVE SINCE"}, rows)
			},
		},
	)
	return cmd
}

func (a *app) auditCommand() *cobra.Command {
	var user string
	var limit int
	cmd := a.administration(&cobra.Command{
		Use:     "audit",
		Short:   "Show what was done and refused, newest first",
		Example: "  signet audit --limit 20\n  signet audit --user ann --json",
	})
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q := url.Values{"limit": {strconv.Itoa(limit)}}
		if user != "" {
			q.Set("user", user)
		}
		var events []admin.Event
		if err := a.call(cmd.Context(), http.MethodGet, "/events?"+q.Encode(), nil, &events); err != nil {
			return err
		}
		if a.json {
			return writeJSON(a.stdout, events)
		}
		rows := make([][]string, 0, len(events))
		for _, e := range events {
			rows = append(rows, []string{stamp(e.At), e.Result, e.Action, e.Target, e.ActorKind + " " + e.ActorID, e.IP, e.Reason})
		}
		return table(a.stdout, []string{"TIME", "RESULT", "ACTION", "TARGET", "BY", "ADDRESS", "REASON"}, rows)
	}
	cmd.Flags().StringVar(&user, "user", "", "only what concerns this person")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many, at most 1000")
	return cmd
}
