package cli

import (
	"net/http"
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/spf13/cobra"
)

// registrationTokenCommand manages the rights of others to register clients.
func (a *app) registrationTokenCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "registration-token", Short: "Manage tokens with which apps register themselves (RFC 7591)"}
	cmd.AddCommand(a.registrationTokenAdd(), a.registrationTokenList(), a.registrationTokenRevoke())
	group(cmd)
	return cmd
}

func (a *app) registrationTokenAdd() *cobra.Command {
	var req admin.NewRegistrationToken
	var profile string
	var lifetime time.Duration
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Make a token, shown this once; the configuration must have registration: token (or open)",
		Example: "  signet client registration-token add\n" +
			"  signet client registration-token add --name 'test suite' --uses 50 --expires 168h --profile oidc",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req.Profile, req.ExpiresIn = idp.SecurityProfile(profile), int64(lifetime/time.Second)
			var t admin.RegistrationTokenWithSecret
			if err := a.call(cmd.Context(), http.MethodPost, "/registration-tokens", req, &t); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, t)
			}
			if err := a.say("keep the token: it is not shown again"); err != nil {
				return err
			}
			return describe(a.stdout, []field{
				{"token", t.Token}, {"id", t.ID}, {"name", t.Name}, {"profile", string(t.Profile)},
				{"uses", strconv.Itoa(t.UsesLeft)}, {"expires", stamp(t.ExpiresAt)},
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&req.Name, "name", "", "what it is for")
	fl.IntVar(&req.Uses, "uses", 1, "how many clients it registers, at most 1000")
	fl.DurationVar(&lifetime, "expires", 24*time.Hour, "how long it lives, at most 90 days (2160h)")
	fl.StringVar(&profile, "profile", "oauth21", "of its clients: oauth21, or oidc for relying parties that cannot do PKCE")
	return cmd
}

func (a *app) registrationTokenList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the tokens that have not expired",
		Example: "  signet client registration-token list\n  signet client registration-token list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var tokens []admin.RegistrationToken
			if err := a.call(cmd.Context(), http.MethodGet, "/registration-tokens", nil, &tokens); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, tokens)
			}
			rows := make([][]string, 0, len(tokens))
			for _, t := range tokens {
				rows = append(rows, []string{t.ID, t.Name, string(t.Profile), strconv.Itoa(t.UsesLeft), stamp(t.ExpiresAt), stamp(t.RevokedAt)})
			}
			return table(a.stdout, []string{"ID", "NAME", "PROFILE", "USES-LEFT", "EXPIRES", "REVOKED"}, rows)
		},
	}
}

func (a *app) registrationTokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID",
		Short:   "End a token; the clients that it registered stay",
		Example: "  signet client registration-token revoke 4fJ2sS0q1xv8Yb3mT7cQwe",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.call(cmd.Context(), http.MethodDelete, at("registration-tokens", args[0]), nil, nil); err != nil {
				return err
			}
			return a.say("%s: revoked", args[0])
		},
	}
}
