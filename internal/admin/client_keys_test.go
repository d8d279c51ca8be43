package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

const (
	edJWK  = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1"}`
	keysOf = `"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[` + edJWK + `]}`
	named  = `"client_name":"A","redirect_uris":["https://a.example/cb"]`
)

// RFC 7591 §2: keys in one place, public ones, and for whom they are.
func TestClients_RFC7591_2_Keys(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for name, tt := range map[string]struct {
		members string
		status  int
	}{
		"jwks":              {keysOf, 201},
		"jwks_uri":          {`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://a.example/jwks"`, 201},
		"its algorithm":     {keysOf + `,"token_endpoint_auth_signing_alg":"EdDSA"`, 201},
		"keys and secret":   {`"jwks":{"keys":[` + edJWK + `]}`, 201}, // for what it signs besides
		"jwks null":         {`"jwks":null`, 201},
		"neither":           {`"token_endpoint_auth_method":"private_key_jwt"`, 400},
		"null":              {`"token_endpoint_auth_method":"private_key_jwt","jwks":null`, 400},
		"both":              {keysOf + `,"jwks_uri":"https://a.example/jwks"`, 400},
		"http":              {`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"http://a.example/jwks"`, 400},
		"file":              {`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"file:///etc/passwd"`, 400},
		"user in address":   {`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://u:p@a.example/jwks"`, 400},
		"private":           {strings.Replace(keysOf, `"kid"`, `"d":"AA","kid"`, 1), 400},
		"symmetric":         {`"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[{"kty":"oct","k":"AAAA","kid":"1"}]}`, 400},
		"no kid":            {strings.Replace(keysOf, `,"kid":"1"`, ``, 1), 400},
		"no keys":           {`"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[]}`, 400},
		"none":              {keysOf + `,"token_endpoint_auth_signing_alg":"none"`, 400},
		"HS256":             {keysOf + `,"token_endpoint_auth_signing_alg":"HS256"`, 400},
		"alg with secret":   {`"token_endpoint_auth_signing_alg":"EdDSA"`, 400},
		"client_secret_jwt": {`"token_endpoint_auth_method":"client_secret_jwt"`, 400},
		"logo":              {`"logo_uri":"https://a.example/logo.png","policy_uri":"https://a.example/p","tos_uri":"https://a.example/t"`, 201},
		"logo script":       {`"logo_uri":"javascript:alert(1)"`, 400},
		"logo data":         {`"logo_uri":"data:image/png;base64,AA"`, 400},
		"policy http":       {`"policy_uri":"http://a.example/p"`, 400},
		"terms script":      {`"tos_uri":"javascript:alert(1)"`, 400},
		"unknown resource":  {`"resources":["https://nobody.example"]`, 400},
	} {
		c := a.do(tt.status, "POST", "/clients", "{"+named+","+tt.members+"}")
		if tt.status != 201 {
			continue
		}
		made := decode[admin.ClientWithSecret](t, c)
		if hasSecret := made.Secret != ""; hasSecret != made.TokenEndpointAuthMethod.Secret() {
			t.Errorf("%s: secret %v", name, hasSecret)
		}
	}
}

// CLI-01: a client has one way to prove itself: its old secret is dead when it signs, and it
// gets a new one when it goes back.
func TestClients_CLI01_ChangeOfMethod(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := decode[admin.ClientWithSecret](t, a.do(http.StatusCreated, "POST", "/clients", "{"+named+"}"))
	path := "/clients/" + c.ID
	stored := func() idp.Client {
		got, err := a.db.Client(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if signs := decode[admin.ClientWithSecret](t, a.do(http.StatusOK, "PATCH", path, "{"+keysOf+"}")); signs.Secret != "" || stored().SecretHash != [32]byte{} {
		t.Error("the secret lives")
	}
	a.do(http.StatusBadRequest, "POST", path+"/secret", "")
	a.do(http.StatusBadRequest, "PATCH", path, `{"jwks_uri":"https://a.example/jwks"}`)
	a.do(http.StatusOK, "PATCH", path, `{"jwks":null,"jwks_uri":"https://a.example/jwks"}`)
	if got := stored(); got.JWKS != nil || got.JWKSURI == "" {
		t.Errorf("%+v", got)
	}
	back := decode[admin.ClientWithSecret](t, a.do(http.StatusOK, "PATCH", path, `{"token_endpoint_auth_method":"client_secret_post"}`))
	if back.Secret == "" || back.Secret == c.Secret || stored().SecretHash != secret.Hash("client_secret", secret.NewText(back.Secret)) {
		t.Error("no new secret")
	}
	a.do(http.StatusBadRequest, "PATCH", path, `{"token_endpoint_auth_method":"none"}`)
}

// FAPI 2.0 §5.3.2, §5.4.1: what the profile promises, its clients can do.
func TestClients_FAPI2_5_3_2_Rules(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	good := `"security_profile":"fapi2","id_token_signed_response_alg":"ES256",` + keysOf
	made := decode[admin.Client](t, a.do(http.StatusCreated, "POST", "/clients", "{"+named+","+good+"}"))
	if c := (idp.Client{ClientMetadata: made.ClientMetadata}); !c.RequiresPAR() || !c.RequiresDPoP() {
		t.Error("requests that are not pushed, or bearer tokens")
	}
	for _, alg := range []string{"PS256", "EdDSA"} {
		a.do(http.StatusCreated, "POST", "/clients", "{"+named+","+strings.ReplaceAll(good, "ES256", alg)+`,"userinfo_signed_response_alg":"`+alg+`"}`)
	}
	for name, bad := range map[string]string{
		"RS256 by default":   strings.Replace(good, `"id_token_signed_response_alg":"ES256",`, "", 1),
		"RS256":              strings.Replace(good, "ES256", "RS256", 1),
		"RS256 assertions":   good + `,"token_endpoint_auth_signing_alg":"RS256"`,
		"RS256 userinfo":     good + `,"userinfo_signed_response_alg":"RS256"`,
		"RS256 requests":     good + `,"request_object_signing_alg":"RS256"`,
		"a secret":           `"security_profile":"fapi2","id_token_signed_response_alg":"ES256"`,
		"a public client":    `"security_profile":"fapi2","id_token_signed_response_alg":"ES256","token_endpoint_auth_method":"none"`,
		"a native client":    good + `,"application_type":"native"`,
		"another profile":    strings.Replace(good, "fapi2", "fapi1", 1),
		"profile in capital": strings.Replace(good, "fapi2", "FAPI2", 1),
	} {
		if got := a.do(http.StatusBadRequest, "POST", "/clients", "{"+named+","+bad+"}"); !strings.Contains(got, "security_profile") &&
			!strings.Contains(got, "profile fapi2") {
			t.Errorf("%s: %s", name, got)
		}
	}
}
