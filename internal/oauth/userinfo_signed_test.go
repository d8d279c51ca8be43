package oauth_test

import (
	"net/http"
	"testing"

	"github.com/signet-id/signet/internal/idp"
)

// OpenID Connect Core §5.3.2: a JWT with iss and aud for who is registered for one; no
// nonce; and nobody takes it for an ID token.
func TestUserinfo_OIDC_5_3_2_Signed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		w.alter("web", func(c *idp.Client) { c.UserinfoAlg = alg })
		tokens := w.tokensFor("web", ann, "scope", "openid email", "claims", `{"userinfo":{"name":null}}`)
		bearer := tokens.json("access_token")
		for name, a := range map[string]answer{
			"GET":          w.userinfo(bearer),
			"POST":         w.send("POST", "/userinfo", nil, "Authorization", "Bearer "+bearer),
			"POST, body":   w.send("POST", "/userinfo", params("access_token", bearer)),
			"other Accept": w.send("GET", "/userinfo", nil, "Authorization", "Bearer "+bearer, "Accept", "application/json"),
		} {
			if a.Code != http.StatusOK || a.Header().Get("Content-Type") != "application/jwt" || a.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("%s %s: %d %v %s", alg, name, a.Code, a.Header(), a.Body)
			}
			payload, key, err := w.keys.Keys().Verify(a.Body.String(), "")
			if err != nil || string(key.Algorithm()) != alg {
				t.Fatalf("%s %s: %v %s", alg, name, err, payload)
			}
			got := claims(t, a.Body.String())
			if got["iss"] != issuer || got["aud"] != "web" || got["sub"] != ann || got["email"] != "ann@example.com" || got["name"] != "Ann Example" {
				t.Errorf("%s %s: %v", alg, name, got)
			}
			for _, absent := range []string{"nonce", "exp", "auth_time"} {
				if got[absent] != nil {
					t.Errorf("%s %s: has %s", alg, name, absent)
				}
			}
			if _, _, _, err := w.tokens.IDTokenHint(a.Body.String()); err == nil {
				t.Errorf("%s: taken for an ID token", alg)
			}
			if w.userinfo(a.Body.String()).Code != http.StatusUnauthorized {
				t.Errorf("%s: taken for an access token", alg)
			}
		}
	}
	tokens := w.tokensFor("web", ann, "scope", "openid")
	w.keys.broken = true
	if a := w.userinfo(tokens.json("access_token")); a.Code != http.StatusServiceUnavailable {
		t.Errorf("no key: %d %s", a.Code, a.Body)
	}
}
