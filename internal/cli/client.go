package cli

import (
	"errors"
	"net/http"
	"strings"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/spf13/cobra"
)

func (a *app) clientCommand() *cobra.Command {
	cmd := a.administration(&cobra.Command{Use: "client", Short: "Manage apps that ask for tokens"})
	cmd.AddCommand(
		a.clientAdd(), a.clientList(), a.clientShow(), a.clientSet(), a.clientSecret(),
		a.clientVerb("disable", "Keep a client from asking; its tokens end at once"),
		a.clientVerb("enable", "Let a client ask again"),
		a.clientDelete(),
	)
	return cmd
}

// clientFlags are what flags can say of a client.
type clientFlags struct {
	name, kind, auth, profile, uri string
	backchannel, frontchannel      string
	redirects, logouts, origins    []string
	scopes, grants                 []string
	firstParty                     bool
}

func (f *clientFlags) flags(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "name that people see")
	fl.StringVar(&f.uri, "uri", "", "the app's home page, which people see")
	fl.StringVar(&f.kind, "type", "web", "web, or native for apps on a person's own device (no secret)")
	fl.StringVar(&f.auth, "auth", "", "client_secret_basic, client_secret_post or none (default: none for native, else client_secret_basic)")
	fl.StringVar(&f.profile, "profile", "oauth21", "oauth21, or oidc for relying parties that cannot do PKCE")
	fl.StringArrayVar(&f.redirects, "redirect", nil, "address that people return to (repeat for more)")
	fl.StringArrayVar(&f.logouts, "post-logout-redirect", nil, "address that people return to after signing out (repeat for more)")
	fl.StringVar(&f.backchannel, "backchannel-logout", "", "address that is told, server to server, when a login has ended")
	fl.StringVar(&f.frontchannel, "frontchannel-logout", "", "address that browsers load in a frame when a login has ended; browsers that block third-party cookies make it useless, so prefer --backchannel-logout")
	fl.StringArrayVar(&f.origins, "origin", nil, "origin of scripts that may ask from a browser (repeat for more)")
	fl.StringSliceVar(&f.scopes, "scope", nil, "scope that it may ask for (repeat for more; default: openid, profile, email)")
	fl.StringSliceVar(&f.grants, "grant", nil, "grant type (repeat for more; default: authorization_code, refresh_token)")
	fl.BoolVar(&f.firstParty, "first-party", false, "yours: people are not asked for consent")
}

// changes returns the members whose flags were given.
func (f *clientFlags) changes(cmd *cobra.Command) map[string]any {
	m := map[string]any{}
	for _, c := range []struct {
		flag, member string
		value        any
	}{
		{"name", "client_name", f.name}, {"uri", "client_uri", f.uri}, {"type", "application_type", f.kind},
		{"auth", "token_endpoint_auth_method", f.auth}, {"profile", "security_profile", f.profile},
		{"redirect", "redirect_uris", f.redirects}, {"post-logout-redirect", "post_logout_redirect_uris", f.logouts},
		{"backchannel-logout", "backchannel_logout_uri", f.backchannel}, {"frontchannel-logout", "frontchannel_logout_uri", f.frontchannel},
		{"origin", "web_origins", f.origins}, {"scope", "scopes", f.scopes}, {"grant", "grant_types", f.grants},
		{"first-party", "first_party", f.firstParty},
	} {
		if cmd.Flags().Changed(c.flag) {
			m[c.member] = c.value
		}
	}
	return m
}

func (a *app) clientAdd() *cobra.Command {
	var f clientFlags
	var id string
	cmd := &cobra.Command{
		Use:   "add --name NAME",
		Short: "Add a client; its secret is shown this once",
		Example: "  signet client add --name Wiki --redirect https://wiki.example.com/callback\n" +
			"  signet client add --id reports --name Reports --grant client_credentials --scope orders:read\n" +
			"  signet client add --name 'Desk app' --type native --redirect http://127.0.0.1/callback",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.name == "" {
				return &usageError{cmd.CommandPath(), errors.New("give the client a name with --name")}
			}
			req := f.changes(cmd)
			if id != "" {
				req["client_id"] = id
			}
			var c admin.ClientWithSecret
			if err := a.call(cmd.Context(), http.MethodPost, "/clients", req, &c); err != nil {
				return err
			}
			return a.writeClient(c)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&id, "id", "", "client id (default: a random one)")
	return cmd
}

func (a *app) clientList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List all clients",
		Example: "  signet client list\n  signet client list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var clients []admin.Client
			if err := a.call(cmd.Context(), http.MethodGet, "/clients", nil, &clients); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, clients)
			}
			rows := make([][]string, 0, len(clients))
			for _, c := range clients {
				rows = append(rows, []string{
					c.ID, c.Name, c.ApplicationType, string(c.TokenEndpointAuthMethod), yesNo(c.FirstParty), yesNo(!c.DisabledAt.IsZero()),
				})
			}
			return table(a.stdout, []string{"ID", "NAME", "TYPE", "AUTH", "FIRST-PARTY", "DISABLED"}, rows)
		},
	}
}

func (a *app) clientShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show CLIENT",
		Short:   "Show a client",
		Example: "  signet client show reports\n  signet client show reports --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var c admin.ClientWithSecret
			if err := a.call(cmd.Context(), http.MethodGet, at("clients", args[0]), nil, &c); err != nil {
				return err
			}
			return a.writeClient(c)
		},
	}
}

func (a *app) clientSet() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "set CLIENT",
		Short: "Change a client; a list that is given replaces the old one, what no flag names stays",
		Example: "  signet client set wiki --redirect https://wiki.example.com/callback --redirect https://wiki.example.org/callback\n" +
			"  signet client set wiki --name 'The Wiki'",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var c admin.ClientWithSecret
			if err := a.call(cmd.Context(), http.MethodPatch, at("clients", args[0]), f.changes(cmd), &c); err != nil {
				return err
			}
			return a.writeClient(c)
		},
	}
	f.flags(cmd)
	return cmd
}

func (a *app) clientSecret() *cobra.Command {
	return &cobra.Command{
		Use:     "secret CLIENT",
		Short:   "Make a new secret, shown this once; the old one ends at once",
		Example: "  signet client secret wiki",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var c admin.ClientWithSecret
			if err := a.call(cmd.Context(), http.MethodPost, at("clients", args[0], "secret"), nil, &c); err != nil {
				return err
			}
			return a.writeClient(c)
		},
	}
}

func (a *app) clientVerb(name, short string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " CLIENT",
		Short:   short,
		Example: "  signet client " + name + " wiki",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.call(cmd.Context(), http.MethodPost, at("clients", args[0], name), nil, nil); err != nil {
				return err
			}
			return a.say("%s: %sd", args[0], name)
		},
	}
}

func (a *app) clientDelete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "delete CLIENT --yes",
		Short:   "Delete a client for ever; its tokens end at once",
		Example: "  signet client delete wiki --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return refused("this cannot be undone, and the id never comes back; say --yes if you mean it (\"signet client disable\" can be undone)")
			}
			if err := a.call(cmd.Context(), http.MethodDelete, at("clients", args[0]), nil, nil); err != nil {
				return err
			}
			return a.say("%s: deleted", args[0])
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "delete it")
	return cmd
}

func (a *app) writeClient(c admin.ClientWithSecret) error {
	if a.json {
		return writeJSON(a.stdout, c)
	}
	if c.Secret != "" {
		if err := a.say("keep the secret: it is not shown again"); err != nil {
			return err
		}
	}
	profile := ""
	if c.Profile != idp.OAuth21 {
		profile = string(c.Profile)
	}
	return describe(a.stdout, []field{
		{"client id", c.ID}, {"client secret", c.Secret}, {"name", c.Name}, {"type", c.ApplicationType},
		{"authentication", string(c.TokenEndpointAuthMethod)}, {"profile", profile}, {"first-party", yesNo(c.FirstParty)},
		{"grant types", strings.Join(c.GrantTypes, " ")}, {"scopes", strings.Join(c.Scopes, " ")},
		{"redirect addresses", strings.Join(c.RedirectURIs, " ")}, {"after signing out", strings.Join(c.PostLogoutRedirectURIs, " ")},
		{"back-channel logout", c.BackchannelLogoutURI}, {"front-channel logout", c.FrontchannelLogoutURI},
		{"origins", strings.Join(c.Origins, " ")}, {"home page", c.ClientURI},
		{"created", stamp(c.CreatedAt)}, {"disabled", stamp(c.DisabledAt)},
	})
}
