package idp

import (
	"slices"
	"time"
)

// Origin is where what is known of a client comes from.
type Origin string

// The origins. Nobody has checked what the last two say of themselves.
const (
	OriginOperator   Origin = ""           // an operator added it
	OriginRegistered Origin = "registered" // it registered itself (RFC 7591)
	OriginDocument   Origin = "document"   // its id is the address of a document that says it
)

// Unverified reports whether nobody has checked who the client is.
func (c Client) Unverified() bool { return c.Origin != OriginOperator }

// SameTo reports whether a client is to people what it was before, so that what they
// allowed still counts: they read its name and where it is at home, and know where they are
// sent. Fewer addresses are no other app.
func (m ClientMetadata) SameTo(before ClientMetadata) bool {
	return m.Name == before.Name && m.ClientURI == before.ClientURI && !m.MoreRedirects(before)
}

// MoreRedirects reports whether codes may be sent to an address that was not there before.
func (m ClientMetadata) MoreRedirects(before ClientMetadata) bool {
	return slices.ContainsFunc(m.RedirectURIs, func(uri string) bool { return !slices.Contains(before.RedirectURIs, uri) })
}

// RegistrationToken is a right to register clients, given out by an operator (RFC 7591
// §1.2: an initial access token).
type RegistrationToken struct {
	ID        string
	Hash      [32]byte        // secret.Hash("registration_token", …)
	Name      string          // what the operator calls it
	Profile   SecurityProfile // of the clients that it registers
	UsesLeft  int
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time
}
