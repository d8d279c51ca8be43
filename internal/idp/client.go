package idp

import (
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
	Scopes                  []string        `json:"scopes"`                                 // all that it may ask for, API scopes included
	Origins                 []string        `json:"web_origins,omitempty"`                  // browser origins that may read our answers (CORS)
	ClientURI               string          `json:"client_uri,omitempty"`                   // shown to people
	PolicyURI               string          `json:"policy_uri,omitempty"`                   // shown to people
	TermsURI                string          `json:"tos_uri,omitempty"`                      // shown to people
	IDTokenAlg              string          `json:"id_token_signed_response_alg,omitempty"` // empty: RS256
}

// AuthMethod is how a client proves itself at the token endpoint (RFC 7591 §2).
type AuthMethod string

// The methods that exist today.
const (
	AuthNone  AuthMethod = "none"
	AuthBasic AuthMethod = "client_secret_basic"
	AuthPost  AuthMethod = "client_secret_post"
)

// SecurityProfile is the set of rules that a client is held to.
type SecurityProfile string

// The profiles. OAuth21 is the default; OIDC is for older relying parties.
const (
	OAuth21 SecurityProfile = "oauth21"
	OIDC    SecurityProfile = "oidc"
	FAPI2   SecurityProfile = "fapi2"
)

// Grant types (RFC 6749, RFC 7591 §2).
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
)

// Public reports whether the client has no secret (RFC 6749 §2.1).
func (c Client) Public() bool { return c.TokenEndpointAuthMethod == AuthNone }

// Native reports whether the client runs on the person's own device (RFC 8252).
func (c Client) Native() bool { return c.ApplicationType == "native" }

// Disabled reports whether the client may not ask for anything.
func (c Client) Disabled() bool { return !c.DisabledAt.IsZero() }

// MayUse reports whether the client registered the grant type.
func (c Client) MayUse(grantType string) bool { return slices.Contains(c.GrantTypes, grantType) }
