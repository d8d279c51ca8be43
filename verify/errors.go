package verify

import (
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// Why a token was refused. Compare with errors.Is; the text says which claim it was.
var (
	ErrMalformed   = jose.ErrMalformed                   // not a token, or a claim is missing or has the wrong form
	ErrSignature   = jose.ErrSignature                   // not made by this issuer, or changed on the way
	ErrAlgorithm   = jose.ErrAlgorithm                   // not the algorithm of the key
	ErrUnknownKey  = jose.ErrUnknownKey                  // its key is not published, or not yet known here
	ErrType        = jose.ErrType                        // another kind of token, such as an ID token
	ErrIssuer      = errors.New("wrong issuer")          // made by somebody else
	ErrAudience    = errors.New("wrong audience")        // made for another service
	ErrExpired     = errors.New("expired token")         // its time is over
	ErrNotYetValid = errors.New("token not valid yet")   // its time has not begun
	ErrRevoked     = errors.New("revoked token")         // see RevokedError
	ErrBound       = errors.New("token bound to a key")  // whose proof did not come with it
	ErrUnbound     = errors.New("token bound to no key") // a bearer token where a bound one is needed
	ErrProof       = errors.New("wrong DPoP proof")      // not well made, for another request, or used before
	ErrProofNonce  = errors.New("DPoP nonce needed")     // see NonceError
	ErrStepUp      = errors.New("login not enough")      // see StepUpError
	ErrNonce       = errors.New("wrong nonce")           // an ID token of another login
	ErrScope       = errors.New("insufficient scope")    // Require: the token is good but allows less
	ErrNotReady    = errors.New("verifier not ready")    // Run was not called, or has no keys or no revocations yet
	ErrStale       = errors.New("revocations too stale") // nothing heard of revocations for too long, or the bundle is too old
	ErrReplayStore = errors.New("no replay store")       // the store of used proofs is full or out of reach
)

// RevokedError says which rule a token fell under. It matches ErrRevoked.
type RevokedError struct {
	Rule    Rule
	At      time.Time // when it was revoked, by the issuer's clock
	HeardAt time.Time // when this verifier heard of it, by its own clock
}

// Error names what was revoked, and the rule by its place in the log.
func (e *RevokedError) Error() string {
	return fmt.Sprintf("%v: %s (rule %d)", ErrRevoked, e.Rule.Kind.fate(), e.Rule.Seq)
}

// Is reports whether target is ErrRevoked.
func (e *RevokedError) Is(target error) bool { return target == ErrRevoked }

// wrong wraps a sentinel with the name of the claim and what is wrong with it.
func wrong(sentinel error, claim, what string) error {
	return fmt.Errorf("%w: %s: %s", sentinel, claim, what)
}
