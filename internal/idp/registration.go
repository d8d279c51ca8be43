package idp

import "time"

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
