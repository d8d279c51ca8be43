package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/signet-id/signet/internal/clientkey"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/registration"
)

// metadata is OpenID Connect Discovery §3 and RFC 8414 §2 in one: both documents are
// the same. Members without a meaning here are left out, never null; unknown ones
// would be frowned upon.
type metadata struct {
	Issuer                        string   `json:"issuer"`
	AuthorizationEndpoint         string   `json:"authorization_endpoint"`
	TokenEndpoint                 string   `json:"token_endpoint"`
	UserinfoEndpoint              string   `json:"userinfo_endpoint"`
	JWKSURI                       string   `json:"jwks_uri"`
	RevocationEndpoint            string   `json:"revocation_endpoint"`
	EndSessionEndpoint            string   `json:"end_session_endpoint"`
	DeviceAuthorizationEndpoint   string   `json:"device_authorization_endpoint"` // RFC 8628 §4
	PushedRequestEndpoint         string   `json:"pushed_authorization_request_endpoint"`
	BackchannelLogout             bool     `json:"backchannel_logout_supported"`
	BackchannelLogoutSession      bool     `json:"backchannel_logout_session_supported"`
	FrontchannelLogout            bool     `json:"frontchannel_logout_supported"`
	FrontchannelLogoutSession     bool     `json:"frontchannel_logout_session_supported"`
	ScopesSupported               []string `json:"scopes_supported"`
	ResponseTypesSupported        []string `json:"response_types_supported"`
	ResponseModesSupported        []string `json:"response_modes_supported"`
	GrantTypesSupported           []string `json:"grant_types_supported"`
	SubjectTypesSupported         []string `json:"subject_types_supported"`
	IDTokenAlgs                   []string `json:"id_token_signing_alg_values_supported"`
	UserinfoAlgs                  []string `json:"userinfo_signing_alg_values_supported"`
	RequestObjectAlgs             []string `json:"request_object_signing_alg_values_supported"`
	TokenEndpointAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	TokenEndpointAuthAlgs         []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevocationEndpointAuthMethods []string `json:"revocation_endpoint_auth_methods_supported"`
	DPoPAlgs                      []string `json:"dpop_signing_alg_values_supported"`
	RevocationEndpointAuthAlgs    []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectionEndpoint         string   `json:"introspection_endpoint"`
	IntrospectionAuthMethods      []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAuthAlgs         []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	CodeChallengeMethods          []string `json:"code_challenge_methods_supported"`
	PromptValuesSupported         []string `json:"prompt_values_supported"`
	ClaimTypesSupported           []string `json:"claim_types_supported"`
	ClaimsSupported               []string `json:"claims_supported"`
	ACRValuesSupported            []string `json:"acr_values_supported"`
	UILocalesSupported            []string `json:"ui_locales_supported"`
	AuthorizationResponseIss      bool     `json:"authorization_response_iss_parameter_supported"`
	ClaimsParameterSupported      bool     `json:"claims_parameter_supported"`
	RequestParameterSupported     bool     `json:"request_parameter_supported"`
	RequestURIParameterSupported  bool     `json:"request_uri_parameter_supported"` // its default is true
	RegistrationEndpoint          string   `json:"registration_endpoint,omitempty"`
	ClientIDMetadataDocuments     bool     `json:"client_id_metadata_document_supported,omitempty"`
}

// discovery renders the metadata, once.
func discovery(cfg *Config) []byte {
	issuer, register := cfg.Issuer, ""
	if cfg.Registration.Mode == RegistrationToken || cfg.Registration.Mode == RegistrationOpen {
		register = issuer + "/register"
	}
	confidential := []string{string(idp.AuthBasic), string(idp.AuthPost), string(idp.AuthPrivateKeyJWT)}
	methods := append(slices.Clone(confidential), string(idp.AuthNone))
	var assertionAlgs []string
	for _, alg := range clientkey.Algorithms(idp.OAuth21) {
		assertionAlgs = append(assertionAlgs, string(alg))
	}
	doc, err := json.Marshal(metadata{
		Issuer:                        issuer,
		AuthorizationEndpoint:         issuer + "/authorize",
		TokenEndpoint:                 issuer + "/token",
		UserinfoEndpoint:              issuer + "/userinfo",
		JWKSURI:                       issuer + "/jwks.json",
		RevocationEndpoint:            issuer + "/revoke",
		EndSessionEndpoint:            issuer + "/logout",
		DeviceAuthorizationEndpoint:   issuer + "/device_authorization",
		PushedRequestEndpoint:         issuer + "/par",
		BackchannelLogout:             true,
		BackchannelLogoutSession:      true,
		FrontchannelLogout:            true,
		FrontchannelLogoutSession:     true,
		ScopesSupported:               slices.Clone(idp.IssuerScopes[:]),
		ResponseTypesSupported:        []string{"code"},
		ResponseModesSupported:        modes[:],
		GrantTypesSupported:           []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken, idp.GrantClientCredentials, idp.GrantDeviceCode},
		SubjectTypesSupported:         []string{"public"},
		IDTokenAlgs:                   registration.SigningAlgorithms[:],
		UserinfoAlgs:                  registration.SigningAlgorithms[:],
		RequestObjectAlgs:             requestObjectAlgs,
		TokenEndpointAuthMethods:      methods,
		TokenEndpointAuthAlgs:         assertionAlgs,
		RevocationEndpointAuthMethods: methods,
		DPoPAlgs:                      proofAlgorithmNames(),
		RevocationEndpointAuthAlgs:    assertionAlgs,
		IntrospectionEndpoint:         issuer + "/introspect",
		IntrospectionAuthMethods:      confidential,
		IntrospectionAuthAlgs:         assertionAlgs,
		CodeChallengeMethods:          []string{"S256"},
		PromptValuesSupported:         prompts[:],
		ClaimTypesSupported:           []string{"normal"},
		ClaimsSupported: []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash",
			"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
			"gender", "birthdate", "zoneinfo", "locale", "updated_at", "email", "email_verified", "address",
			"phone_number", "phone_number_verified", "groups",
		},
		ACRValuesSupported:        classes[:],
		UILocalesSupported:        []string{"en", "de"},
		AuthorizationResponseIss:  true,
		ClaimsParameterSupported:  true,
		RequestParameterSupported: true,
		RegistrationEndpoint:      register,
		ClientIDMetadataDocuments: cfg.Documents.On,
	})
	if err != nil {
		panic("oauth: encode discovery: " + err.Error()) // strings always encode
	}
	return doc
}

// discoveryPaths are where clients look. For an issuer with a path that is after its
// path (OpenID Connect Discovery §4.1) and before it (RFC 8414 §3.1, §5).
func discoveryPaths(base string) []string {
	const openID, oauth = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
	if base == "" {
		return []string{openID, oauth}
	}
	return []string{base + openID, openID + base, oauth + base}
}

// document is public bytes that everybody may keep for a while.
type document struct {
	body []byte
	etag []string
	size []string
}

func newDocument(body []byte) *document {
	sum := sha256.Sum256(body)
	return &document{
		body: body,
		etag: []string{`"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`},
		size: []string{strconv.Itoa(len(body))},
	}
}

// Header values that are shared by all answers; net/http only reads them.
var (
	valueJSON   = []string{"application/json"}
	valueMaxAge = []string{"public, max-age=300"} // as long as a key is published before it signs, at least
	valueAny    = []string{"*"}
)

func (d *document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"] = valueJSON
	h["Cache-Control"] = valueMaxAge
	h["Access-Control-Allow-Origin"] = valueAny // public, and never with credentials
	h["Etag"] = d.etag
	if matches(r.Header["If-None-Match"], d.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Length"] = d.size
	_, _ = w.Write(d.body) // the other end went away: nobody is left to tell
}

// matches reads If-None-Match (RFC 9110 §13.1.2), which compares weakly.
func matches(lines []string, etag string) bool {
	for _, line := range lines {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.Trim(tag, " \t"), "W/")
			if tag == etag || tag == "*" {
				return true
			}
		}
	}
	return false
}
