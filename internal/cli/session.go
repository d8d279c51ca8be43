package cli

import (
	"errors"
	"net/http"
	"strings"

	"github.com/signet-id/signet/internal/admin"
	"github.com/spf13/cobra"
)

func (a *app) sessionCommand() *cobra.Command {
	cmd := a.administration(&cobra.Command{Use: "session", Short: "See and end logins"})
	cmd.AddCommand(a.sessionList(), a.sessionEnd())
	return cmd
}

func (a *app) sessionList() *cobra.Command {
	return &cobra.Command{
		Use:     "list USER",
		Short:   "List a person's logins",
		Example: "  signet session list ann\n  signet session list ann --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var sessions []admin.Session
			if err := a.call(cmd.Context(), http.MethodGet, at("users", args[0], "sessions"), nil, &sessions); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, sessions)
			}
			rows := make([][]string, 0, len(sessions))
			for _, s := range sessions {
				rows = append(rows, []string{s.ID, stamp(s.AuthTime), stamp(s.LastSeenAt), stamp(s.ExpiresAt), s.IP, s.UserAgent})
			}
			return table(a.stdout, []string{"ID", "SIGNED IN", "LAST SEEN", "EXPIRES", "ADDRESS", "BROWSER"}, rows)
		},
	}
}

func (a *app) sessionEnd() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "end USER [SESSION]",
		Short:   "End a login, or with --all every one; its tokens end at once",
		Example: "  signet session end ann 3VzQ4kqP0XWmNf7rT2bYcL\n  signet session end ann --all",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 2) {
				return &usageError{cmd.CommandPath(), errors.New("name the session, or say --all")}
			}
			if !all {
				if err := a.call(cmd.Context(), http.MethodDelete, at("users", args[0], "sessions", args[1]), nil, nil); err != nil {
					return err
				}
				return a.say("%s: ended", args[1])
			}
			var n admin.Count
			if err := a.call(cmd.Context(), http.MethodDelete, at("users", args[0], "sessions"), nil, &n); err != nil {
				return err
			}
			return a.writeCount(n)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "end every login of the person")
	return cmd
}

func (a *app) grantCommand() *cobra.Command {
	cmd := a.administration(&cobra.Command{Use: "grant", Short: "See and revoke what people allowed apps to do"})
	cmd.AddCommand(a.grantList(), a.grantRevoke())
	return cmd
}

func (a *app) grantList() *cobra.Command {
	return &cobra.Command{
		Use:     "list USER",
		Short:   "List what a person allowed apps to do",
		Example: "  signet grant list ann\n  signet grant list ann --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var grants []admin.Grant
			if err := a.call(cmd.Context(), http.MethodGet, at("users", args[0], "grants"), nil, &grants); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, grants)
			}
			rows := make([][]string, 0, len(grants))
			for _, g := range grants {
				rows = append(rows, []string{g.ID, g.ClientID, g.Resource, strings.Join(g.Scopes, " "), stamp(g.CreatedAt), stamp(g.ExpiresAt)})
			}
			return table(a.stdout, []string{"ID", "CLIENT", "RESOURCE", "SCOPES", "CREATED", "EXPIRES"}, rows)
		},
	}
}

func (a *app) grantRevoke() *cobra.Command {
	var client string
	cmd := &cobra.Command{
		Use:     "revoke USER [GRANT]",
		Short:   "Revoke a grant, or with --client all that a client was allowed; tokens end at once",
		Example: "  signet grant revoke ann 3VzQ4kqP0XWmNf7rT2bYcL\n  signet grant revoke ann --client friendly-scheduler",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (client != "") == (len(args) == 2) {
				return &usageError{cmd.CommandPath(), errors.New("name the grant, or the client with --client")}
			}
			if client == "" {
				if err := a.call(cmd.Context(), http.MethodDelete, at("users", args[0], "grants", args[1]), nil, nil); err != nil {
					return err
				}
				return a.say("%s: revoked", args[1])
			}
			var n admin.Count
			if err := a.call(cmd.Context(), http.MethodDelete, at("users", args[0], "apps", client), nil, &n); err != nil {
				return err
			}
			return a.writeCount(n)
		},
	}
	cmd.Flags().StringVar(&client, "client", "", "revoke everything that this client was allowed, and forget the consent")
	return cmd
}

func (a *app) writeCount(n admin.Count) error {
	if a.json {
		return writeJSON(a.stdout, n)
	}
	return a.say("%d ended", n.Ended)
}
