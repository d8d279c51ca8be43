package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	openidClient = []chapter{
		{"discovery", always},
		{"code flow", always},
		{"userinfo", always},
		{"refresh", always},
		{"client_secret_post", always},
		{"public client", always},
		{"EdDSA and ES256 ID tokens", always},
		{"client credentials", always},
		{"introspection", with("introspection_endpoint")},
		{"pushed authorization request", with("pushed_authorization_request_endpoint")},
		{"private_key_jwt", with(authMethods, "private_key_jwt")},
		{"request object", with("request_parameter_supported")},
		{"DPoP", with("dpop_signing_alg_values_supported")},
		{"device flow", with("device_authorization_endpoint")},
		{"registration", with("registration_endpoint")},
		{"revocation", always},
		{"logout", always},
	}

	oauth4webapi = []chapter{
		{"discovery", always},
		{"code flow", always},
		{"userinfo", always},
		{"challenge", always},
		{"refresh", always},
		{"JWT access token", always},
		{"client credentials", always},
		{"introspection", with("introspection_endpoint")},
		{"pushed authorization request", with("pushed_authorization_request_endpoint")},
		{"private_key_jwt", with(authMethods, "private_key_jwt")},
		{"request object", with("request_parameter_supported")},
		{"DPoP", with("dpop_signing_alg_values_supported")},
		{"device flow", with("device_authorization_endpoint")},
		{"registration", with("registration_endpoint")},
		{"revocation", always},
		{"refusal in the redirect", always},
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
	for _, name := range []string{"openid-client", "oauth4webapi", "oidc-client-ts", "@modelcontextprotocol/client"} {
		if _, err := os.Stat(filepath.Join("node", "node_modules", name, "package.json")); err != nil {
			missing(t, name+" (npm ci in test/interop/node)")
		}
	}
	return path
}
