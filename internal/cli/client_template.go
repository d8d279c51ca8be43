package cli

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
	"github.com/spf13/cobra"
)

// clientTemplate is a tool that we know how to connect: what it must be as a client, and
// the files that tell it of us (templates/NAME.tmpl).
type clientTemplate struct {
	name, title string
	home        string   // where the tool is if nobody says otherwise; empty: somebody must
	redirects   []string // addresses it returns people to; those that begin with / are below its home
	origin      bool     // its scripts ask from a browser
	api         bool     // it is no use without a scope of a service
	files       []string // in the order in which they are shown
	metadata    idp.ClientMetadata
}

var loginGrants = []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken}

// clientTemplates are all of them. Which cannot do PKCE, or cannot be relied on to do it,
// are of profile oidc; which cannot read EdDSA get RS256, as everybody does who asks for
// nothing else.
var clientTemplates = []clientTemplate{
	{
		name: "argocd", title: "Argo CD", redirects: []string{"/auth/callback"},
		files:    []string{"argocd-cm.yaml", "signet-oidc.yaml"},
		metadata: webApp(idp.OIDC, idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeEmail, idp.ScopeGroups),
	},
	{
		name: "gitea", title: "Gitea", home: "http://localhost:3000", redirects: []string{"/user/oauth2/signet/callback"},
		files:    []string{"add-signet.sh"},
		metadata: webApp(idp.OIDC, idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeEmail, idp.ScopeGroups),
	},
	{
		name: "grafana", title: "Grafana", home: "http://localhost:3000", redirects: []string{"/login/generic_oauth"},
		files:    []string{"grafana.ini"},
		metadata: webApp(idp.OAuth21, idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeEmail, idp.ScopeGroups),
	},
	{
		name: "kubectl", title: "kubectl", redirects: []string{"http://localhost:8000", "http://localhost:18000"},
		files:    []string{"kubeconfig.yaml", "authentication.yaml"},
		metadata: publicApp("native", idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeGroups),
	},
	{
		name: "mcp", title: "MCP client", redirects: []string{"http://localhost/callback", "http://localhost/oauth/callback", "http://127.0.0.1/"},
		api:      true,
		files:    []string{".mcp.json", "oauth-protected-resource.json"},
		metadata: publicApp("native"),
	},
	{
		name: "native", title: "Native app", redirects: []string{"http://127.0.0.1/callback"},
		files:    []string{"signet.json"},
		metadata: publicApp("native", idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeEmail),
	},
	{
		name: "nextjs", title: "Next.js app", home: "http://localhost:3000", redirects: []string{"/api/auth/callback/signet"},
		files:    []string{".env.local", "auth.ts", "app/api/auth/[...nextauth]/route.ts"},
		metadata: webApp(idp.OAuth21, idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeEmail),
	},
	{
		name: "spa", title: "Single-page app", home: "http://localhost:5173", redirects: []string{"/callback"}, origin: true,
		files:    []string{"signet.ts"},
		metadata: publicApp("web", idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeEmail),
	},
	{
		name: "spring", title: "Spring Boot app", home: "http://localhost:8080", redirects: []string{"/login/oauth2/code/signet"},
		files:    []string{"application.yaml"},
		metadata: webApp(idp.OIDC, idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeEmail),
	},
}

// webApp has a server, and a secret there.
func webApp(p idp.SecurityProfile, scopes ...string) idp.ClientMetadata {
	return idp.ClientMetadata{
		ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: p, GrantTypes: loginGrants, Scopes: scopes, IDTokenAlg: "RS256",
	}
}

// publicApp is whole in the hands of whoever uses it: it has no secret.
func publicApp(kind string, scopes ...string) idp.ClientMetadata {
	return idp.ClientMetadata{
		ApplicationType: kind, TokenEndpointAuthMethod: idp.AuthNone, Profile: idp.OAuth21, GrantTypes: loginGrants, Scopes: scopes, IDTokenAlg: "RS256",
	}
}

func templateNames() string {
	var names []string
	for _, t := range clientTemplates {
		names = append(names, t.name)
	}
	return strings.Join(names, ", ")
}

func findTemplate(name string) (clientTemplate, error) {
	i := slices.IndexFunc(clientTemplates, func(t clientTemplate) bool { return t.name == name })
	if i < 0 {
		return clientTemplate{}, fmt.Errorf("there is no template of this name, but %s", templateNames())
	}
	return clientTemplates[i], nil
}

// fill adds to a request for a client what no flag has said, and returns the address of
// the tool's home; empty for those that have none.
func (t clientTemplate) fill(cmd *cobra.Command, f *clientFlags, req map[string]any) (home string, err error) {
	if home, err = t.homeOf(f); err != nil {
		return "", &usageError{cmd.CommandPath(), err}
	}
	if t.api && !slices.ContainsFunc(f.scopes, func(s string) bool { return !slices.Contains(idp.IssuerScopes[:], s) }) {
		return "", &usageError{cmd.CommandPath(), errors.New("name a scope of your service with --scope; make the service known with \"signet resource put\" before")}
	}
	var redirects []string
	for _, r := range t.redirects {
		if strings.HasPrefix(r, "/") {
			r = home + r
		}
		redirects = append(redirects, r)
	}
	m := t.metadata
	for member, value := range map[string]any{
		"client_name": t.title, "application_type": m.ApplicationType, "token_endpoint_auth_method": m.TokenEndpointAuthMethod,
		"security_profile": m.Profile, "grant_types": m.GrantTypes, "scopes": m.Scopes, "id_token_signed_response_alg": m.IDTokenAlg,
		"redirect_uris": redirects,
	} {
		if _, said := req[member]; !said {
			req[member] = value
		}
	}
	if _, said := req["web_origins"]; t.origin && !said {
		req["web_origins"] = []string{origin(home)}
	}
	return home, nil
}

// homeOf: what --uri says, else what --redirect tells, else what the tool's own default is.
func (t clientTemplate) homeOf(f *clientFlags) (string, error) {
	below := slices.ContainsFunc(t.redirects, func(r string) bool { return strings.HasPrefix(r, "/") })
	switch {
	case !below:
		return "", nil
	case f.uri != "" && !strings.Contains(f.uri, "://"):
		return "", fmt.Errorf("--uri is an address: write https://%s", f.uri)
	case f.uri != "":
		return strings.TrimSuffix(f.uri, "/"), nil
	case len(f.redirects) > 0:
		for _, r := range t.redirects {
			if home, ok := strings.CutSuffix(f.redirects[0], r); ok {
				return home, nil
			}
		}
		return origin(f.redirects[0]), nil
	case t.home == "":
		return "", fmt.Errorf("say where %s is, with --uri https://…", t.title)
	}
	return t.home, nil
}

// origin is the scheme, host and port of an address.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // the server says what is wrong with it
	}
	return u.Scheme + "://" + u.Host
}
