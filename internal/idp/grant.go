package idp

import "time"

// Grant is one authorization: what a user allowed a client to do at one moment, and
// so one family of refresh tokens. ID is the "grant_id" of tokens.
type Grant struct {
	ID         string
	UserID     string
	ClientID   string
	SessionID  string   // the login it came from; empty for offline grants (they outlive it)
	Resource   string   // first audience asked for
	Scopes     []string // all granted, API and issuer scopes
	Claims     ClaimsRequest
	Nonce      string
	AuthTime   time.Time
	ACR        string
	AMR        []string
	CreatedAt  time.Time
	LastUsedAt time.Time // last code or refresh exchange
	ExpiresAt  time.Time // absolute end of its refresh tokens
	RevokedAt  time.Time
	// LoginSessionID is the login at which an offline grant was made, while that lives.
	LoginSessionID string
}

// Approval is what a new grant rests on: it must still stand at the moment at which the
// grant is stored, or somebody who was logged out, or an app that was revoked, gets one.
type Approval struct {
	SessionID string // the login at which it is made, also of an offline grant; empty if there is none
	Consent   bool   // the person has allowed the client these scopes, and that is why
	// PushedHash is of the pushed request that is answered at once, without a stored
	// authorization request; zero if there is none.
	PushedHash [32]byte
}

// Permissions are the scopes that a consent must have for the grant.
func (g Grant) Permissions() []string { return permissions(g.Scopes, g.Claims) }

// Offline reports whether the grant outlives the session (scope offline_access).
func (g Grant) Offline() bool { return g.SessionID == "" }

// Consent is what a user has said yes to for a client at a resource. It is what the
// account page shows and what saves asking twice.
type Consent struct {
	UserID    string
	ClientID  string
	Resource  string
	Scopes    []string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Code is an authorization code's row (RFC 6749 §4.1.2), bound to everything it was made for.
type Code struct {
	Hash          [32]byte // secret.Hash("code", …)
	GrantID       string
	ClientID      string
	RedirectURI   string
	CodeChallenge string
	JKT           string // thumbprint of the DPoP key that it must be redeemed with; empty: any, or none (RFC 9449 §10)
	ExpiresAt     time.Time
	RedeemedAt    time.Time
}

// RefreshToken is a family's row. The token's 256 bits are a random family handle
// (128) and a secret that changes with each rotation (128). Whoever shows the handle
// has held a token of the family, so a wrong secret is reuse, not a guess.
type RefreshToken struct {
	HandleHash  [32]byte // secret.Hash("refresh_family", …)
	CurrentHash [32]byte // secret.Hash("refresh", …) of the one live token
	GrantID     string
	JKT         string // thumbprint of the DPoP key that it must be used with; empty: none (RFC 9449 §5)
	Generation  int64
	ExpiresAt   time.Time
}

// Rotation is what became of a presented refresh token.
type Rotation string

// The outcomes. Retried carries the successor that was sealed for the first use;
// Reused means that the family has been revoked in the same transaction.
const (
	Rotated Rotation = "rotated"
	Retried Rotation = "retried"
	Reused  Rotation = "reused"
)

// Standing is everything about a grant that is asked again at each use: one query.
type Standing struct {
	Grant   Grant
	User    User
	Client  Client
	Session Session // zero for offline grants
	// SessionLive is false when the grant has a session and that session is over.
	SessionLive bool
}
