package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/clientkey"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
	"github.com/spf13/cobra"
)

func (a *app) clientCommand() *cobra.Command {
	cmd := a.administration(&cobra.Command{Use: "client", Short: "Manage apps that ask for tokens"})
	cmd.AddCommand(
		a.clientAdd(), a.clientList(), a.clientShow(), a.clientSet(), a.clientSecret(),
		a.clientVerb("disable", "Keep a client from asking; its tokens end at once"),
		a.clientVerb("enable", "Let a client ask again"),
		a.clientDelete(), a.registrationTokenCommand(),
	)
	return cmd
}

// clientFlags are what flags can say of a client.
type clientFlags struct {
	name, kind, auth, profile, uri string
	logo, policy, terms            string
	jwks, jwksURI, authAlg, idAlg  string
	backchannel, frontchannel      string
	redirects, logouts, origins    []string
	scopes, grants, serves         []string
	firstParty, dpop, requirePAR   bool
}

func (f *clientFlags) flags(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "name that people see")
	fl.StringVar(&f.uri, "uri", "", "the app's home page, which people see")
	fl.StringVar(&f.kind, "type", "web", "web, or native for apps on a person's own device (no secret)")
	fl.StringVar(&f.auth, "auth", "", "client_secret_basic, client_secret_post, private_key_jwt or none (default: none for native, else client_secret_basic)")
	fl.StringVar(&f.jwks, "jwks", "", "file with its public keys, for private_key_jwt")
	fl.StringVar(&f.jwksURI, "jwks-uri", "", "address of its public keys, instead of --jwks")
	fl.StringVar(&f.authAlg, "auth-alg", "", "the one algorithm that it signs with for private_key_jwt (default: any)")
	fl.StringVar(&f.idAlg, "id-token-alg", "", "how its ID tokens are signed: RS256, ES256, EdDSA or PS256 (default: RS256)")
	fl.StringVar(&f.profile, "profile", "oauth21", "oauth21, oidc for relying parties that cannot do PKCE, or fapi2")
	fl.StringArrayVar(&f.redirects, "redirect", nil, "address that people return to (repeat for more)")
	fl.StringArrayVar(&f.logouts, "post-logout-redirect", nil, "address that people return to after signing out (repeat for more)")
	fl.StringVar(&f.backchannel, "backchannel-logout", "", "address that is told, server to server, when a login has ended")
	fl.StringVar(&f.frontchannel, "frontchannel-logout", "", "address that browsers load in a frame when a login has ended; browsers that block third-party cookies make it useless, so prefer --backchannel-logout")
	fl.StringArrayVar(&f.origins, "origin", nil, "origin of scripts that may ask from a browser (repeat for more)")
	fl.StringSliceVar(&f.scopes, "scope", nil, "scope that it may ask for (repeat for more; default: openid, profile, email)")
	fl.StringSliceVar(&f.grants, "grant", nil, "grant type (repeat for more; default: authorization_code, refresh_token); device_code stands for the whole name of RFC 8628")
	fl.StringSliceVar(&f.serves, "serves", nil, "resource that it is: it may introspect that one's tokens (repeat for more)")
	fl.StringVar(&f.logo, "logo", "", "address of its logo, which people see: PNG, JPEG or GIF, at most 64 KiB")
	fl.StringVar(&f.policy, "policy", "", "address of its privacy policy, which people see")
	fl.StringVar(&f.terms, "terms", "", "address of its terms of service, which people see")
	fl.BoolVar(&f.requirePAR, "require-par", false, "it must push its authorization requests (RFC 9126)")
	fl.BoolVar(&f.firstParty, "first-party", false, "yours: people are not asked for consent")
	fl.BoolVar(&f.dpop, "dpop", false, "it gets no tokens but those that are bound to a key of its own (RFC 9449)")
}

// changes returns the members whose flags were given.
func (f *clientFlags) changes(cmd *cobra.Command) (map[string]any, error) {
	m := map[string]any{}
	for _, c := range []struct {
		flag, member string
		value        any
	}{
		{"name", "client_name", f.name}, {"uri", "client_uri", f.uri}, {"type", "application_type", f.kind},
		{"auth", "token_endpoint_auth_method", f.auth}, {"profile", "security_profile", f.profile},
		{"redirect", "redirect_uris", f.redirects}, {"post-logout-redirect", "post_logout_redirect_uris", f.logouts},
		{"backchannel-logout", "backchannel_logout_uri", f.backchannel}, {"frontchannel-logout", "frontchannel_logout_uri", f.frontchannel},
		{"origin", "web_origins", f.origins}, {"scope", "scopes", f.scopes}, {"grant", "grant_types", wholeNames(f.grants)},
		{"first-party", "first_party", f.firstParty}, {"dpop", "dpop_bound_access_tokens", f.dpop},
		{"require-par", "require_pushed_authorization_requests", f.requirePAR},
		{"serves", "resources", f.serves}, {"logo", "logo_uri", f.logo}, {"policy", "policy_uri", f.policy},
		{"terms", "tos_uri", f.terms}, {"jwks-uri", "jwks_uri", f.jwksURI}, {"auth-alg", "token_endpoint_auth_signing_alg", f.authAlg},
		{"id-token-alg", "id_token_signed_response_alg", f.idAlg},
	} {
		if cmd.Flags().Changed(c.flag) {
			m[c.member] = c.value
		}
	}
	return m, f.keys(cmd, m)
}

// inFlags says of a refusal about an address which flag it came from: nobody has typed the
// name of a member.
func (f *clientFlags) inFlags(cmd *cobra.Command, err error) error {
	e, ok := errors.AsType[*apiError](err)
	if !ok {
		return err
	}
	for _, list := range []struct {
		flag, member string
		values       []string
	}{{"redirect", "redirect_uris", f.redirects}, {"post-logout-redirect", "post_logout_redirect_uris", f.logouts}, {"origin", "web_origins", f.origins}} {
		for i, value := range list.values {
			if rest, ok := strings.CutPrefix(e.message, fmt.Sprintf("%s[%d] ", list.member, i)); ok {
				return &apiError{e.status, fmt.Sprintf("--%s %s %s", list.flag, value, rest)}
			}
		}
	}
	if rest, ok := strings.CutPrefix(e.message, "redirect_uris[0] "); ok && cmd.Flags().Changed("uri") { // a template made it of that
		return &apiError{e.status, fmt.Sprintf("--uri %s %s", f.uri, rest)}
	}
	return err
}

// keys: they are in one place. Naming one takes the other away.
func (f *clientFlags) keys(cmd *cobra.Command, m map[string]any) error {
	file, uri := cmd.Flags().Changed("jwks"), cmd.Flags().Changed("jwks-uri")
	switch {
	case file && uri:
		return &usageError{cmd.CommandPath(), errors.New("give --jwks or --jwks-uri, not both")}
	case file:
		doc, err := os.ReadFile(f.jwks)
		if err != nil {
			return err
		}
		if jose.CheckObject(doc) != nil {
			return refused("the file of --jwks is not one JSON object without repeated names")
		}
		m["jwks"], m["jwks_uri"] = json.RawMessage(doc), ""
	case uri:
		m["jwks"] = nil
	}
	return nil
}

// wholeNames writes out the one grant type whose name nobody types.
func wholeNames(grants []string) []string {
	whole := slices.Clone(grants)
	for i, g := range whole {
		if g == "device_code" {
			whole[i] = idp.GrantDeviceCode
		}
	}
	return whole
}

func (a *app) clientAdd() *cobra.Command {
	var f clientFlags
	var id, kind string
	cmd := &cobra.Command{
		Use:   "add {--name NAME | --template TEMPLATE}",
		Short: "Add a client; its secret is shown this once",
		Long: "Add a client; its secret is shown this once. With --template it is made as a tool needs it, and what the tool must be\n" +
			"told is written as files, filled in; other flags win over the template. \"--template list\" names the templates.\n" +
			"A file alone is taken from what --json writes: signet client add … --json | jq -r '.snippets[0].text'",
		Example: "  signet client add --name Wiki --redirect https://wiki.example.com/callback\n" +
			"  signet client add --id reports --name Reports --grant client_credentials --scope orders:read\n" +
			"  signet client add --name Bank --auth private_key_jwt --jwks bank.json --redirect https://bank.example/cb\n" +
			"  signet client add --name Orders --grant client_credentials --serves https://orders.example.com\n" +
			"  signet client add --name 'Desk app' --type native --redirect http://127.0.0.1/callback\n" +
			"  signet client add --id tv --name 'TV' --type native --grant device_code --grant refresh_token\n" +
			"  signet client add --template list\n" +
			"  signet client add --template grafana --uri https://grafana.example.com\n" +
			"  signet client add --template mcp --name Assistant --scope notes:read",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if kind == "list" {
				return a.listTemplates()
			}
			if f.name == "" && kind == "" {
				return &usageError{cmd.CommandPath(), errors.New("give the client a name with --name")}
			}
			req, err := f.changes(cmd)
			if err != nil {
				return err
			}
			if id != "" {
				req["client_id"] = id
			}
			if kind != "" {
				t, err := findTemplate(kind)
				if err != nil {
					return &usageError{cmd.CommandPath(), err}
				}
				home, err := t.fill(cmd, &f, req)
				if err != nil {
					return err
				}
				return f.inFlags(cmd, a.addFromTemplate(cmd.Context(), t, home, req))
			}
			var c admin.ClientWithSecret
			if err := a.call(cmd.Context(), http.MethodPost, "/clients", req, &c); err != nil {
				return f.inFlags(cmd, err)
			}
			return a.writeClient(c)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&id, "id", "", "client id (default: a random one)")
	cmd.Flags().StringVar(&kind, "template", "", "tool that it is: "+templateNames()+"; or list")
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
					c.ID, c.Name, c.ApplicationType, string(c.TokenEndpointAuthMethod), c.Origin, yesNo(c.FirstParty), yesNo(!c.DisabledAt.IsZero()),
				})
			}
			return table(a.stdout, []string{"ID", "NAME", "TYPE", "AUTH", "ORIGIN", "FIRST-PARTY", "DISABLED"}, rows)
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
			changes, err := f.changes(cmd)
			if err != nil {
				return err
			}
			var c admin.ClientWithSecret
			if err := a.call(cmd.Context(), http.MethodPatch, at("clients", args[0]), changes, &c); err != nil {
				return f.inFlags(cmd, err)
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

// keysOf says where a client's public keys are.
func keysOf(c admin.Client) string {
	if len(c.JWKS) == 0 {
		return c.JWKSURI
	}
	set, err := clientkey.Parse(c.JWKS, jose.RS256)
	if err != nil {
		return "unusable"
	}
	var ids []string
	for _, k := range set.Keys() {
		ids = append(ids, k.ID())
	}
	return strings.Join(ids, " ")
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
		{"client id", c.ID}, {"client secret", c.Secret}, {"name", c.Name}, {"type", c.ApplicationType}, {"origin", c.Origin},
		{"authentication", string(c.TokenEndpointAuthMethod)}, {"profile", profile}, {"first-party", yesNo(c.FirstParty)},
		{"grant types", strings.Join(c.GrantTypes, " ")}, {"scopes", strings.Join(c.Scopes, " ")},
		{"redirect addresses", strings.Join(c.RedirectURIs, " ")}, {"after signing out", strings.Join(c.PostLogoutRedirectURIs, " ")},
		{"back-channel logout", c.BackchannelLogoutURI}, {"front-channel logout", c.FrontchannelLogoutURI},
		{"origins", strings.Join(c.Origins, " ")}, {"serves", strings.Join(c.Resources, " ")}, {"home page", c.ClientURI},
		{"logo", c.LogoURI}, {"privacy policy", c.PolicyURI}, {"terms", c.TermsURI}, {"keys", keysOf(c.Client)}, {"signs with", c.TokenEndpointAuthAlg},
		{"ID tokens", c.IDTokenAlg},
		{"created", stamp(c.CreatedAt)}, {"last used", stamp(c.LastUsedAt)}, {"disabled", stamp(c.DisabledAt)},
	})
}
