package idp

import (
	"slices"
	"time"
)

// Session is a browser's login at signet. ID is the "sid" of tokens and never
// changes; the cookie's secret changes at every authentication (session fixation).
type Session struct {
	ID            string
	UserID        string
	CreatedAt     time.Time
	AuthTime      time.Time // when the person last proved who they are
	ACR           string    // what that proof was worth: see ACRPassword
	AMR           []string  // how (RFC 8176)
	LastSeenAt    time.Time // coarse: written at most once a minute
	IdleExpiresAt time.Time
	ExpiresAt     time.Time // absolute
	IP            string
	UserAgent     string
}

// Authentication context classes that we advertise; never empty in a token.
const (
	ACRPassword = "aal1" // one factor
	ACRMulti    = "aal2" // two factors
)

// MeetsACR reports whether a login of class have is worth one of the wanted ones. Two
// factors are worth one; what is not ours is worth itself.
func MeetsACR(have string, wanted []string) bool {
	return slices.Contains(wanted, have) || have == ACRMulti && slices.Contains(wanted, ACRPassword)
}

// AMRPassword is the method reference of a password (RFC 8176 §2).
const AMRPassword = "pwd"

// AuthRequest is an authorization request on its way through the pages. It lives
// in the database; the browser holds only its random ID and, in a cookie, the
// secret of the browser that started it (login CSRF: RFC 9700 §4.7).
type AuthRequest struct {
	ID          string
	BrowserHash [32]byte // secret.Hash("flow", cookie)

	// What the client asked; fixed once stored.
	ClientID      string
	RedirectURI   string
	State         string
	StateSent     bool
	Nonce         string
	Scopes        []string // what the client asked for and may have, in the order asked
	Resource      string   // the audience of the access token: a resource's ID or the issuer
	CodeChallenge string   // S256; empty only for confidential clients of profile OIDC
	JKT           string   // thumbprint of the DPoP key that the code is for; empty: not said (RFC 9449 §10)
	Prompt        []string
	MaxAge        time.Duration // negative: not asked
	LoginHint     string
	Subject       string   // the user whom id_token_hint or claims names: nobody else may finish; empty: anybody
	ACR           []string // the login must be worth one of these (see MeetsACR); empty: whatever there is
	Claims        ClaimsRequest
	ResponseMode  string   // "form_post", or empty for the query
	PushedHash    [32]byte // of the pushed request that it came from, which it uses up; zero if it was not pushed
	UILocales     []string // languages that the client asked for, best first (OpenID Connect Core §3.1.2.1)
	CreatedAt     time.Time
	ExpiresAt     time.Time

	// How far it came.
	SessionID   string    // the session that continues it; empty until a person did
	LoginAt     time.Time // when a person authenticated within this request; zero if not
	SelectedAt  time.Time // when a person chose the account (prompt=select_account)
	ConsentedAt time.Time // when a person said yes within this request
	DeniedAt    time.Time // when a person said no

	// A device's request (RFC 8628): it has no redirect URI and ends with an answer to the
	// device. DeviceID is empty for all others.
	DeviceID    string
	ConfirmedAt time.Time // when a person said that they began it, on a device before them
	ConfirmedBy string    // the session that said so
}

// OfDevice reports whether a device waits for the answer (RFC 8628).
func (r AuthRequest) OfDevice() bool { return r.DeviceID != "" }

// Prompted reports whether the client asked for the prompt (OpenID Connect Core §3.1.2.1).
func (r AuthRequest) Prompted(p string) bool {
	return slices.Contains(r.Prompt, p)
}

// Permissions are the scopes that a person has to allow: those asked for, and those that
// claims which are asked for by name belong to.
func (r AuthRequest) Permissions() []string { return permissions(r.Scopes, r.Claims) }
