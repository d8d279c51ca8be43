package idp

import (
	"encoding/json"
	"slices"
	"time"
)

// Client is an app that asks for tokens (RFC 6749 §2). The part under Metadata is
// stored as JSON; the secret is stored as a hash that only the store sees.
type Client struct {
	ID         string
	SecretHash [32]byte  // secret.Hash("client_secret", …); zero for public clients
	DisabledAt time.Time // zero while the client may ask
	CreatedAt  time.Time
	Origin     Origin    // where what is known of it comes from
	LastUsedAt time.Time // of clients that no operator added, to the day; zero: never

	// RegistrationHash is of the token by which a registered client manages itself
	// (RFC 7592): secret.Hash("registration_access", …); zero for all others.
	RegistrationHash [32]byte
	ClientMetadata
}

// ClientMetadata is what an operator says of a client (names of RFC 7591 §2 where it has them).
type ClientMetadata struct {
	Name                    string          `json:"client_name"`
	FirstParty              bool            `json:"first_party,omitempty"` // ours: no consent page
	ApplicationType         string          `json:"application_type"`      // "web" or "native"
	TokenEndpointAuthMethod AuthMethod      `json:"token_endpoint_auth_method"`
	Profile                 SecurityProfile `json:"security_profile"`
	RedirectURIs            []string        `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs  []string        `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes              []string        `json:"grant_types"`
	Scopes                  []string        `json:"scopes"`                     // all that it may ask for, API scopes included
	Origins                 []string        `json:"web_origins,omitempty"`      // browser origins that may read our answers (CORS)
	Resources               []string        `json:"resources,omitempty"`        // identifiers of the resources that it serves: it may introspect their tokens
	ResponseModes           []string        `json:"response_modes,omitempty"`   // that it may ask for; empty: query and form_post
	ClientURI               string          `json:"client_uri,omitempty"`       // shown to people
	LogoURI                 string          `json:"logo_uri,omitempty"`         // shown to people
	PolicyURI               string          `json:"policy_uri,omitempty"`       // shown to people
	TermsURI                string          `json:"tos_uri,omitempty"`          // shown to people
	Contacts                []string        `json:"contacts,omitempty"`         // e-mail addresses of who is responsible for it
	SoftwareID              string          `json:"software_id,omitempty"`      // the same for every installation
	SoftwareVersion         string          `json:"software_version,omitempty"` //
	JWKS                    json.RawMessage `json:"jwks,omitempty"`             // its public keys; never together with jwks_uri
	JWKSURI                 string          `json:"jwks_uri,omitempty"`         // where its public keys are
	TokenEndpointAuthAlg    string          `json:"token_endpoint_auth_signing_alg,omitempty"`
	IDTokenAlg              string          `json:"id_token_signed_response_alg,omitempty"` // empty: RS256
	UserinfoAlg             string          `json:"userinfo_signed_response_alg,omitempty"` // empty: plain JSON
	RequestObjectAlg        string          `json:"request_object_signing_alg,omitempty"`   // empty: any that its keys allow
	RequireSignedRequest    bool            `json:"require_signed_request_object,omitempty"`
	RequirePAR              bool            `json:"require_pushed_authorization_requests,omitempty"`
	DPoPBound               bool            `json:"dpop_bound_access_tokens,omitempty"` // it gets no tokens without a proof (RFC 9449 §5.2)
	DefaultMaxAge           *int64          `json:"default_max_age,omitempty"`          // seconds; nil: none
	RequireAuthTime         bool            `json:"require_auth_time,omitempty"`        // auth_time is in every ID token of people here anyway
	DefaultACRValues        []string        `json:"default_acr_values,omitempty"`
	SectorIdentifierURI     string          `json:"sector_identifier_uri,omitempty"`
	InitiateLoginURI        string          `json:"initiate_login_uri,omitempty"` // where a login can be begun at the client
	BackchannelLogoutURI    string          `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSID    bool            `json:"backchannel_logout_session_required,omitempty"`
	FrontchannelLogoutURI   string          `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelLogoutSID   bool            `json:"frontchannel_logout_session_required,omitempty"`
}

// AuthMethod is how a client proves itself at the token endpoint (RFC 7591 §2).
type AuthMethod string

// The methods that there are.
const (
	AuthNone          AuthMethod = "none"
	AuthBasic         AuthMethod = "client_secret_basic"
	AuthPost          AuthMethod = "client_secret_post"
	AuthPrivateKeyJWT AuthMethod = "private_key_jwt"
)

// Secret reports whether the method shows a secret that we made.
func (m AuthMethod) Secret() bool { return m == AuthBasic || m == AuthPost }

// SecurityProfile is the set of rules that a client is held to.
type SecurityProfile string

// The profiles. OAuth21 is the default; OIDC is for older relying parties.
const (
	OAuth21 SecurityProfile = "oauth21"
	OIDC    SecurityProfile = "oidc"
	FAPI2   SecurityProfile = "fapi2"
)

// Grant types (RFC 6749, RFC 7591 §2, RFC 8628).
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628 §3.4
)

// Public reports whether the client has no secret (RFC 6749 §2.1).
func (c Client) Public() bool { return c.TokenEndpointAuthMethod == AuthNone }

// RequiresPAR reports whether the client may begin an authorization by a pushed request
// only (RFC 9126 §5, §6; FAPI 2.0 §5.3.2.2).
func (c Client) RequiresPAR() bool { return c.RequirePAR || c.Profile == FAPI2 }

// RequiresDPoP reports whether the client gets only tokens that are bound to a key
// (RFC 9449 §5.2; FAPI 2.0 §5.3.2.1).
func (c Client) RequiresDPoP() bool { return c.DPoPBound || c.Profile == FAPI2 }

// Native reports whether the client runs on the person's own device (RFC 8252).
func (c Client) Native() bool { return c.ApplicationType == "native" }

// Disabled reports whether the client may not ask for anything.
func (c Client) Disabled() bool { return !c.DisabledAt.IsZero() }

// MayUse reports whether the client registered the grant type.
func (c Client) MayUse(grantType string) bool { return slices.Contains(c.GrantTypes, grantType) }
