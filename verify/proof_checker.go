package verify

import (
	"context"
	"time"
)

// ProofChecker checks DPoP proofs by themselves (RFC 9449 §4.3). It is for those who have
// no Verifier, such as an authorization server at its token endpoint, where the proof comes
// before there is a token to be bound. Services that accept tokens need none: Require and
// VerifyProof check the proof with its token.
type ProofChecker struct {
	rules  proofRules
	leeway time.Duration
}

// ProofRequest is the request that a DPoP proof must be for.
type ProofRequest struct {
	DPoP        []string // all values of the header; there must be one
	Method, URL string   // as in Proof
	// Token is the access token that came with it: the proof must be for it, and by the
	// key that it is bound to. Empty where none comes.
	Token string
	// Thumbprint is that of the key that the proof must be by, the token's cnf.jkt.
	// Without a token it may be empty: CheckedProof then says which key it is by.
	Thumbprint string
	// NonceOptional accepts a proof without a nonce although there are ProofNonces, and
	// offers none: who was given one must use it (RFC 9449 §11.3). One that is there must be
	// right all the same.
	NonceOptional bool
}

// CheckedProof is a proof that is good, unless it was used before: see Use.
type CheckedProof struct {
	Thumbprint string // of the key that made it (RFC 7638)
	Nonce      string // the client's next proofs should have it; empty if this one had it, or needs none
	good       goodProof
}

// NewProofChecker makes a checker for a service whose addresses begin with externalURL, as
// clients write them (see ExternalURL). Of the options ProofWindow, ProofAlgorithms,
// ProofNonces and Leeway count.
func NewProofChecker(externalURL string, opts ...Option) (*ProofChecker, error) {
	v := &Verifier{leeway: maxLeeway, proofs: proofRules{window: defaultProofWindow}}
	for _, o := range append(opts[:len(opts):len(opts)], ExternalURL(externalURL)) {
		o(v)
	}
	if err := checkLeeway(v.leeway); err != nil {
		return nil, err
	}
	if err := checkBase(externalURL); err != nil {
		return nil, err
	}
	if err := v.proofs.check(externalURL); err != nil {
		return nil, err
	}
	return &ProofChecker{rules: v.proofs, leeway: v.leeway}, nil
}

// Check accepts a proof that fits its request at a time, or says why not: ErrProof,
// ErrBound if it is by another key, ErrUnbound if there is a token that is bound to none,
// or a *NonceError. It does no I/O and remembers nothing: CheckedProof.Use
// must come after it, before anything is done for the client.
func (c *ProofChecker) Check(now time.Time, r ProofRequest) (*CheckedProof, error) {
	if r.Token != "" && r.Thumbprint == "" {
		return nil, ErrUnbound // any key would do (RFC 9449 §7.1)
	}
	good, nonce, err := c.rules.examine(now, c.leeway, r.Thumbprint, r)
	if err != nil {
		return nil, err
	}
	return &CheckedProof{Thumbprint: good.jkt, Nonce: nonce, good: good}, nil
}

// Use notes in a store that the proof was used. A second time it is ErrProof;
// ErrReplayStore says that the store cannot tell.
func (p *CheckedProof) Use(ctx context.Context, now time.Time, s ReplayStore) error {
	return p.good.useOnce(ctx, now, s)
}
