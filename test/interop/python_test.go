package interop_test

import (
	"os"
	"testing"
)

var (
	authlib = []string{
		"code flow", "userinfo", "refresh", "client_secret_post", "public client", "EdDSA and ES256 ID tokens", "client credentials",
		"introspection", "private_key_jwt", "revocation",
	}

	requestsOAuthlib = []string{"code flow", "userinfo", "refresh", "client credentials", "revocation"}
)

func TestAuthlib(t *testing.T) {
	t.Parallel()
	python := needPython(t)
	onEach(t, func(t *testing.T, p *provider) { play(t, p, python, "python/authlib_client.py", authlib, p.cast(t)) })
}

func TestRequestsOAuthlib(t *testing.T) {
	t.Parallel()
	python := needPython(t)
	onEach(t, func(t *testing.T, p *provider) {
		play(t, p, python, "python/requests_oauthlib_client.py", requestsOAuthlib, p.cast(t))
	})
}

// needPython returns the interpreter of the environment in which pip has installed what
// the scripts drive.
func needPython(t *testing.T) string {
	t.Helper()
	const path = "python/.venv/bin/python"
	if _, err := os.Stat("python/.venv/installed"); err != nil {
		missing(t, "what pip installs (./check setup)")
	}
	return path
}
