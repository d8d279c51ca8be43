package idp

import "time"

// Resource is a service that accepts tokens. Its ID is an absolute URI: the "aud" of
// its tokens, compared byte for byte (RFC 8707 §2).
type Resource struct {
	ID                  string        `json:"id"`
	Name                string        `json:"name"`
	TokenFormat         string        `json:"token_format"`          // "jwt"
	Alg                 string        `json:"alg"`                   // of its access tokens; "EdDSA" by default
	AccessTokenLifetime time.Duration `json:"access_token_lifetime"` // 0: the server's default
	Scopes              []Scope       `json:"scopes"`
}

// Scope is a right at a resource, with the words that people consent to.
// A scope's name belongs to one resource only.
type Scope struct {
	Name string `json:"name"`
	// Texts by language ("en", "de"). "en" always exists.
	Title  map[string]string `json:"title"`            // "See when you are busy"
	Detail map[string]string `json:"detail,omitempty"` // "Not titles, guests or places"
	Write  bool              `json:"write,omitempty"`  // changes something; consent groups by it
}

// OpenID Connect scopes; they belong to the issuer itself (OpenID Connect Core §5.4, §11).
const (
	ScopeOpenID        = "openid"
	ScopeProfile       = "profile"
	ScopeEmail         = "email"
	ScopeAddress       = "address"
	ScopePhone         = "phone"
	ScopeGroups        = "groups"
	ScopeOfflineAccess = "offline_access"
)

// IssuerScopes are the scopes that need no resource.
var IssuerScopes = [...]string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopeAddress, ScopePhone, ScopeGroups, ScopeOfflineAccess}
