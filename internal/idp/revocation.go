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
