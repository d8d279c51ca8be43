package idp

import "time"

// RuleKind says what a revocation rule names.
type RuleKind string

// The kinds. The first four are dead for ever; client and all kill tokens issued until Before.
const (
	RuleJTI     RuleKind = "jti"
	RuleGrant   RuleKind = "grant"
	RuleSession RuleKind = "session"
	RuleKey     RuleKind = "key"
	RuleClient  RuleKind = "client"
	RuleAll     RuleKind = "all"
)

// Rule is one revocation in the log that verifiers follow.
type Rule struct {
	Seq    int64 // gap-free, from 1; given by the store
	Kind   RuleKind
	ID     string
	Before time.Time // kinds client and all: tokens with iat ≤ Before are dead
	At     time.Time // when it was appended
	Until  time.Time // may be forgotten from then on
}

// TokenNames are what rules can call an access token by.
type TokenNames struct {
	JTI, ClientID, KeyID string
	IssuedAt             time.Time
}

// Hit reports whether a rule names the token by itself; its grant and session are asked
// for where they live.
func (n TokenNames) Hit(r Rule) bool {
	switch r.Kind {
	case RuleJTI:
		return r.ID == n.JTI
	case RuleKey:
		return r.ID == n.KeyID
	case RuleClient:
		return r.ID == n.ClientID && !n.IssuedAt.After(r.Before)
	case RuleAll:
		return !n.IssuedAt.After(r.Before)
	}
	return false
}
