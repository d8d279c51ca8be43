package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/cli"
	"go.yaml.in/yaml/v4"
)

// filledIn has what an operator may well have, and no notation forgives unquoted.
var filledIn = cli.SnippetData{
	Issuer: "https://id.example.com/it's", ClientID: "c-1.b_2", ClientSecret: "sgs_0aZ", Scopes: []string{"openid", "profile", "notes:read"},
	APIScopes: []string{"notes:read"}, Home: "https://tool.example.com/a", Redirect: "https://tool.example.com/a/callback",
	Resource: "https://notes.example.com/mcp", Service: `my-"notes"`,
}

// TestClientTemplate_FilesAreWellFormed: each file is what its name says, and names issuer
// and client.
func TestClientTemplate_FilesAreWellFormed(t *testing.T) {
	t.Parallel()
	for _, name := range cli.TemplateNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := ""
			for _, f := range cli.Snippets(t, name, filledIn) {
				all += f.Text
				if strings.Contains(f.Text, "<no value>") || strings.Contains(f.Text, "{{") || !strings.HasSuffix(f.Text, "\n") {
					t.Errorf("%s:\n%s", f.File, f.Text)
				}
				wellFormed(t, f.File, f.Text)
			}
			for _, want := range []string{"c-1.b_2", "https://id.example.com/it"} {
				if !strings.Contains(all, want) {
					t.Errorf("no %s in\n%s", want, all)
				}
			}
		})
	}
}

func wellFormed(t *testing.T, file, text string) {
	t.Helper()
	switch path.Ext(file) {
	case ".json":
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v\n%s", file, err, text)
		}
	case ".yaml":
		readYAML(t, text)
	case ".sh":
		if out, err := exec.Command("sh", "-n", "-c", text).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s\n%s", file, err, out, text)
		}
	case ".ini", ".local":
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if name, _, ok := strings.Cut(line, "="); line != "" && line[0] != '[' && line[0] != '#' && (!ok || strings.ContainsAny(strings.TrimSpace(name), " \"'")) {
				t.Errorf("%s: %s", file, line)
			}
		}
		if path.Ext(file) == ".ini" && strings.ContainsAny(text, "#;`\\") { // comments and quotes, for who reads it (gopkg.in/ini.v1)
			t.Errorf("%s:\n%s", file, text)
		}
	case ".ts":
		if strings.Count(text, "{") != strings.Count(text, "}") || strings.Count(text, `"`)%2 != 0 {
			t.Errorf("%s:\n%s", file, text)
		}
		parsedByNode(t, file, text)
	default:
		t.Errorf("%s: a kind of file that nobody checks", file)
	}
}

// parsedByNode: none of our scripts has a word that is TypeScript only.
func parsedByNode(t *testing.T, file, text string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Error("there is no node, and CI=true")
		}
		t.Logf("%s: not read by node, which is not on this machine", file)
		return
	}
	script := filepath.Join(t.TempDir(), "script.mjs")
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(node, "--check", script).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", file, err, out)
	}
}

func readYAML(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

// at goes down a tree of YAML or JSON; numbers are places in lists.
func at(v any, keys ...any) any {
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[k]
		case int:
			l, _ := v.([]any)
			if k >= len(l) {
				return nil
			}
			v = l[k]
		}
	}
	return v
}

// TestClientTemplate_Keys: the values stand at the keys that the tools' manuals name.
func TestClientTemplate_Keys(t *testing.T) {
	t.Parallel()
	file := func(template string, n int) string { return cli.Snippets(t, template, filledIn)[n].Text }
	cm := readYAML(t, file("argocd", 0))
	oidc, _ := at(cm, "data", "oidc.config").(string)
	secret := readYAML(t, file("argocd", 1))
	kube, auth := readYAML(t, file("kubectl", 0)), readYAML(t, file("kubectl", 1))
	spring := readYAML(t, file("spring", 0))
	var mcp, metadata any
	for n, v := range []*any{&mcp, &metadata} {
		if err := json.Unmarshal([]byte(file("mcp", n)), v); err != nil {
			t.Fatal(err)
		}
	}
	registration := []any{"spring", "security", "oauth2", "client", "registration", "signet"}
	for _, c := range []struct {
		what string
		got  any
		want string
	}{
		{"argocd issuer", at(readYAML(t, oidc), "issuer"), filledIn.Issuer},
		{"argocd id", at(readYAML(t, oidc), "clientID"), filledIn.ClientID},
		{"argocd secret", at(readYAML(t, oidc), "clientSecret"), "$" + at(secret, "metadata", "name").(string) + ":clientSecret"},
		{"argocd scopes", at(readYAML(t, oidc), "requestedScopes", 1), "profile"},
		{"argocd url", at(cm, "data", "url"), filledIn.Home},
		{"argocd stored secret", at(secret, "stringData", "clientSecret"), filledIn.ClientSecret},
		{"argocd label", at(secret, "metadata", "labels", "app.kubernetes.io/part-of"), "argocd"},
		{"kubelogin issuer", at(kube, "users", 0, "user", "exec", "args", 2), "--oidc-issuer-url=" + filledIn.Issuer},
		{"kubelogin id", at(kube, "users", 0, "user", "exec", "args", 3), "--oidc-client-id=" + filledIn.ClientID},
		{"kubelogin claims", at(kube, "users", 0, "user", "exec", "args", 6), `--oidc-auth-request-extra-params=claims={"id_token":{"preferred_username":null,"groups":null}}`},
		{"argocd groups", fmt.Sprint(at(readYAML(t, oidc), "requestedIDTokenClaims", "groups", "essential")), "true"},
		{"kubelogin scope", at(kube, "users", 0, "user", "exec", "args", 4), "--oidc-extra-scope=profile"},
		{"apiserver issuer", at(auth, "jwt", 0, "issuer", "url"), filledIn.Issuer},
		{"apiserver audience", at(auth, "jwt", 0, "issuer", "audiences", 0), filledIn.ClientID},
		{"apiserver user", at(auth, "jwt", 0, "claimMappings", "username", "claim"), "preferred_username"},
		{"apiserver groups", at(auth, "jwt", 0, "claimMappings", "groups", "claim"), "groups"},
		{"spring id", at(spring, append(registration, "client-id")...), filledIn.ClientID},
		{"spring secret", at(spring, append(registration, "client-secret")...), filledIn.ClientSecret},
		{"spring redirect", at(spring, append(registration, "redirect-uri")...), "{baseUrl}/login/oauth2/code/{registrationId}"},
		{"spring scope", fmt.Sprint(at(spring, append(registration, "scope")...)), "[openid profile]"},
		{"spring issuer", at(spring, "spring", "security", "oauth2", "client", "provider", "signet", "issuer-uri"), filledIn.Issuer},
		{"mcp address", at(mcp, "mcpServers", filledIn.Service, "url"), filledIn.Resource},
		{"mcp id", at(mcp, "mcpServers", filledIn.Service, "oauth", "clientId"), filledIn.ClientID},
		{"mcp resource", at(metadata, "resource"), filledIn.Resource},
		{"mcp issuer", at(metadata, "authorization_servers", 0), filledIn.Issuer},
		{"mcp scope", at(metadata, "scopes_supported", 0), "notes:read"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %s", c.what, c.got, c.want)
		}
	}
	if text := file("nextjs", 1); !strings.Contains(text, `scope: "openid profile notes:read", resource: process.env.AUTH_SIGNET_ISSUER }`) || !strings.Contains(text, "resource="+filledIn.Resource+"\n") {
		t.Errorf("nextjs: the login is not for userinfo, or nobody says how to get the service's token:\n%s", text)
	}
	if text := file("gitea", 0); strings.Contains(text, "notes:read") {
		t.Errorf("gitea asks for a service's scope, and userinfo would refuse it:\n%s", text)
	}
	for template, want := range map[string][]string{
		"grafana": {"[auth.generic_oauth]", "\nclient_id = c-1.b_2\n", "\nauth_url = " + filledIn.Issuer + "/authorize\n", "\ntoken_url = " + filledIn.Issuer + "/token\n",
			"\napi_url = " + filledIn.Issuer + "/userinfo\n", "\nuse_pkce = true\n", "\nroot_url = " + filledIn.Home + "/\n", "\nscopes = openid profile\n"},
		"gitea": {`--provider openidConnect`, `--key 'c-1.b_2'`, `--secret 'sgs_0aZ'`, `--auto-discover-url 'https://id.example.com/it'\''s/.well-known/openid-configuration'`,
			`--scopes 'profile'`},
		"spa": {`authority: "` + filledIn.Issuer + `"`, `client_id: "c-1.b_2"`, `redirect_uri: "` + filledIn.Redirect + `"`, `scope: "openid profile notes:read"`,
			`resource: "` + filledIn.Issuer + `", `, `signinSilent({ resource: "` + filledIn.Resource + `", extraTokenParams: { scope: "notes:read" } })`},
		"nextjs": {`AUTH_SIGNET_ISSUER="` + filledIn.Issuer + `"`, `AUTH_SIGNET_ID="c-1.b_2"`, `AUTH_SIGNET_SECRET="sgs_0aZ"`},
	} {
		for _, w := range want {
			if text := file(template, 0); !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", template, w, text)
			}
		}
	}
}
