package oauth_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/verify/jose"
)

func split(jwt string) []string { return strings.Split(jwt, ".") }

// knownMetadata are registered names (RFC 8414 §7.1.2, OpenID Connect Discovery §3,
// RP-Initiated Logout §2.1, Back-Channel Logout §2.1, Front-Channel Logout §3, RFC 9207 §3, Initiating User Registration §4).
var knownMetadata = strings.Fields(`issuer authorization_endpoint token_endpoint userinfo_endpoint jwks_uri revocation_endpoint end_session_endpoint
	backchannel_logout_supported backchannel_logout_session_supported frontchannel_logout_supported frontchannel_logout_session_supported
	scopes_supported response_types_supported response_modes_supported grant_types_supported subject_types_supported
	id_token_signing_alg_values_supported token_endpoint_auth_methods_supported revocation_endpoint_auth_methods_supported
	dpop_signing_alg_values_supported code_challenge_methods_supported prompt_values_supported claim_types_supported claims_supported acr_values_supported
	token_endpoint_auth_signing_alg_values_supported revocation_endpoint_auth_signing_alg_values_supported introspection_endpoint
	introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported device_authorization_endpoint
	authorization_response_iss_parameter_supported claims_parameter_supported request_parameter_supported request_uri_parameter_supported
	pushed_authorization_request_endpoint userinfo_signing_alg_values_supported request_object_signing_alg_values_supported ui_locales_supported`)

// OpenID Connect Discovery §3, RFC 8414 §2: complete, known members only, one document
// at both places; OAU-06: the issuer is the URL that was used.
func TestDiscovery_RFC8414_2_Metadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.send("GET", "/.well-known/openid-configuration", nil).ok()
	second := w.send("GET", "/.well-known/oauth-authorization-server", nil).ok()
	if first.Body.String() != second.Body.String() {
		t.Error("the documents differ")
	}
	if err := jose.CheckObject(first.Body.Bytes()); err != nil {
		t.Error(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(first.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for name, value := range doc {
		if !slices.Contains(knownMetadata, name) || value == nil || value == "" {
			t.Errorf("%s: %v", name, value)
		}
		if list, ok := value.([]any); ok && len(list) == 0 {
			t.Errorf("%s is empty", name)
		}
		if strings.HasSuffix(name, "_endpoint") || name == "jwks_uri" {
			if !strings.HasPrefix(value.(string), issuer+"/") || strings.ContainsAny(value.(string), "?#") { // RFC 6749 §3.1, §3.2
				t.Errorf("%s: %v", name, value)
			}
		}
	}
	for _, name := range knownMetadata {
		if _, there := doc[name]; !there {
			t.Errorf("%s is missing", name)
		}
	}
	for name, want := range map[string]string{
		"dpop_signing_alg_values_supported": `["ES256","EdDSA","Ed25519","PS256"]`, // RFC 9449 §5.1
		"issuer":                            `"https://id.example"`, "response_types_supported": `["code"]`, "response_modes_supported": `["query","form_post"]`,
		"prompt_values_supported":          `["none","login","consent","select_account"]`, // prompt=create §4.2: all of them
		"code_challenge_methods_supported": `["S256"]`, "authorization_response_iss_parameter_supported": "true",
		"request_uri_parameter_supported": "false", "request_parameter_supported": "true", "claims_parameter_supported": "true", "subject_types_supported": `["public"]`,
		"backchannel_logout_supported": "true", "backchannel_logout_session_supported": "true",
		"frontchannel_logout_supported": "true", "frontchannel_logout_session_supported": "true",
		"grant_types_supported":                         `["authorization_code","refresh_token","client_credentials","urn:ietf:params:oauth:grant-type:device_code"]`,
		"token_endpoint_auth_methods_supported":         `["client_secret_basic","client_secret_post","private_key_jwt","none"]`,
		"introspection_endpoint_auth_methods_supported": `["client_secret_basic","client_secret_post","private_key_jwt"]`,
	} {
		if got, _ := json.Marshal(doc[name]); string(got) != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// RFC 8414 §3.1, §5 and OpenID Connect Discovery §4.1: all three places for an issuer
// with a path, and all endpoints under the path.
func TestDiscovery_RFC8414_3_1_IssuerWithPath(t *testing.T) {
	t.Parallel()
	const tenant = "https://id.example/tenant/1"
	w := newWorld(t, func(c *oauth.Config) { c.Issuer = tenant })
	for _, path := range []string{
		"/.well-known/openid-configuration/tenant/1", "/.well-known/oauth-authorization-server/tenant/1", "/tenant/1/.well-known/openid-configuration",
	} {
		a := w.send("GET", path, nil).ok()
		if a.json("issuer") != tenant || a.json("token_endpoint") != tenant+"/token" {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/token", "/jwks.json"} {
		if a := w.send("GET", path, nil); a.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
	w.send("GET", "/tenant/1/jwks.json", nil).ok()
	if a := w.send("GET", "/tenant/1/authorize?"+ask("web").Encode(), nil); !strings.HasPrefix(a.Header().Get("Location"), "/tenant/1/login?flow=") {
		t.Errorf("%d %s", a.Code, a.Header().Get("Location"))
	}
}

// The bytes are ready, may be kept, and need not be sent again.
func TestDiscovery_RFC9110_13_1_2_Caching(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		a := w.send("GET", path, nil).ok()
		etag := a.Header().Get("ETag")
		if a.Header().Get("Cache-Control") != "public, max-age=300" || a.Header().Get("Content-Type") != "application/json" || len(etag) < 10 {
			t.Errorf("%s: %v", path, a.Header())
		}
		for _, sent := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
			if a := w.send("GET", path, nil, "If-None-Match", sent); a.Code != http.StatusNotModified || a.Body.Len() != 0 {
				t.Errorf("%s: %s: %d", path, sent, a.Code)
			}
		}
		if a := w.send("GET", path, nil, "If-None-Match", `"x"`); a.Code != http.StatusOK {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
}

func TestNew_Issuer(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "id.example", "https://id.example/", "https://id.example/x/", "https://id.example?x", "https://id.example#x", "https://u@id.example", "ftp://id.example", "https://"} {
		if _, err := oauth.New(oauth.Config{Issuer: bad}); err == nil {
			t.Errorf("%q", bad)
		}
	}
}
