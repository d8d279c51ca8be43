package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	openidClient = []string{
		"discovery", "code flow", "userinfo", "signed userinfo", "refresh", "client_secret_post", "public client", "EdDSA and ES256 ID tokens",
		"client credentials", "introspection", "pushed authorization request", "private_key_jwt", "request object", "form_post", "DPoP", "FAPI 2.0",
		"device flow", "registration", "revocation", "logout",
	}

	oauth4webapi = []string{
		"discovery", "code flow", "userinfo", "signed userinfo", "challenge", "refresh", "JWT access token", "client credentials", "introspection",
		"pushed authorization request", "private_key_jwt", "request object", "form_post", "DPoP", "FAPI 2.0", "device flow", "registration",
		"revocation", "refusal in the redirect",
	}
)

func TestOpenIDClient(t *testing.T) {
	t.Parallel()
	node := needNode(t)
	onEach(t, func(t *testing.T, p *provider) { play(t, p, node, "node/openid-client.mjs", openidClient, p.cast(t)) })
}

func TestOAuth4WebAPI(t *testing.T) {
	t.Parallel()
	node := needNode(t)
	onEach(t, func(t *testing.T, p *provider) { play(t, p, node, "node/oauth4webapi.mjs", oauth4webapi, p.cast(t)) })
}

// needNode returns Node's path, if npm has installed what the scripts drive.
func needNode(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	for _, name := range []string{"openid-client", "oauth4webapi", "oidc-client-ts", "@modelcontextprotocol/client", "jose"} {
		if _, err := os.Stat(filepath.Join("node", "node_modules", name, "package.json")); err != nil {
			missing(t, name+" (npm ci in test/interop/node)")
		}
	}
	return path
}
