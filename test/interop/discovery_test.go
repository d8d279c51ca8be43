package interop_test

import (
	"slices"
	"testing"
)

// Every chapter that a client plays rests on one of these: none of them may go silently.
func TestDiscovery_OffersAll(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *provider) {
		for _, member := range []string{
			"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint",
			"end_session_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint", "registration_endpoint",
			"backchannel_logout_supported", "backchannel_logout_session_supported", "frontchannel_logout_supported",
			"frontchannel_logout_session_supported", "authorization_response_iss_parameter_supported", "claims_parameter_supported",
			"request_parameter_supported", "client_id_metadata_document_supported",
		} {
			switch value := p.metadata[member].(type) {
			case bool:
				if value {
					continue
				}
			case string:
				if value != "" {
					continue
				}
			}
			t.Errorf("%s: %v", member, p.metadata[member])
		}
		for member, want := range map[string][]string{
			"grant_types_supported":                         {"authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"},
			"response_modes_supported":                      {"query", "form_post"},
			"code_challenge_methods_supported":              {"S256"},
			"token_endpoint_auth_methods_supported":         {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
			"id_token_signing_alg_values_supported":         {"RS256", "ES256", "EdDSA"},
			"userinfo_signing_alg_values_supported":         {"RS256", "ES256", "EdDSA"},
			"request_object_signing_alg_values_supported":   {"ES256"},
			"dpop_signing_alg_values_supported":             {"ES256", "EdDSA"},
			"introspection_endpoint_auth_methods_supported": {"client_secret_basic", "private_key_jwt"},
		} {
			offered, _ := p.metadata[member].([]any)
			for _, w := range want {
				if !slices.Contains(offered, any(w)) {
					t.Errorf("%s: %v is not in %v", member, w, offered)
				}
			}
		}
	})
}
