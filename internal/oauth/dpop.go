package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// proofAlgorithms are those of FAPI 2.0 §5.4.1, for everybody. Their order is that of the
// metadata and of challenges.
var proofAlgorithms = []jose.Algorithm{jose.ES256, jose.EdDSA, jose.Ed25519, jose.PS256}

func proofAlgorithmNames() []string {
	names := make([]string, len(proofAlgorithms))
	for i, alg := range proofAlgorithms {
		names[i] = string(alg)
	}
	return names
}

// usedStore remembers what was used, for all nodes.
type usedStore interface {
	UseOnce(ctx context.Context, purpose string, id [32]byte, expiresAt, now time.Time) error
}

// proofs checks the proofs of possession that come with requests (RFC 9449). What makes a
// proof good is decided by package verify, as it is for services.
type proofs struct {
	checker *verify.ProofChecker
	store   usedStore
}

// newProofs makes the checks for the endpoints below the issuer. Proofs are for that
// address: what a request says of itself is the sender's word. The key is that of the
// nonces, the same on all nodes.
func newProofs(issuer string, nonceKey [32]byte, store usedStore) (*proofs, error) {
	checker, err := verify.NewProofChecker(issuer, verify.ProofAlgorithms(proofAlgorithms...), verify.ProofNonces(nonceKey[:]))
	return &proofs{checker, store}, err
}

// possession is the key that the sender of a request has proven. The zero value is none.
type possession struct {
	jkt    string // its thumbprint (RFC 7638)
	proof  *verify.CheckedProof
	usedAs string // what it is remembered as
}

// needsNonce reports whether a client's proofs must have a nonce of ours. The others are not
// given one: who was, must use it (RFC 9449 §11.3).
func needsNonce(c idp.Client) bool { return c.Profile == idp.FAPI2 }

// ofClient checks the proof that came with a client's request to an endpoint where the
// client authenticates, such as /token and /par, if one came. Nothing is remembered yet: the
// endpoint calls use when it knows that the client gets what it asks for, so that who may
// have nothing leaves nothing behind (DOS-03).
func (p *proofs) ofClient(w http.ResponseWriter, r *http.Request, path string, c idp.Client, now time.Time) (possession, error) {
	lines := r.Header.Values("DPoP")
	if len(lines) == 0 {
		return possession{}, nil
	}
	return p.check(w, usedAs(path, c.ID), now, verify.ProofRequest{DPoP: lines, Method: r.Method, URL: path, NonceOptional: !needsNonce(c)})
}

// ofToken checks the proof that came with an access token which is bound to the key with
// the thumbprint jkt.
func (p *proofs) ofToken(w http.ResponseWriter, r *http.Request, path string, claims *verify.Claims, tok string, nonce bool, now time.Time) (possession, error) {
	return p.check(w, usedAs(path, claims.ClientID), now, verify.ProofRequest{
		DPoP: r.Header.Values("DPoP"), Method: r.Method, URL: path, Token: tok, Thumbprint: claims.Confirmation.JKT, NonceOptional: !nonce,
	})
}

// check also tells the client which nonce to use next, if it does not (RFC 9449 §8, §8.2).
func (p *proofs) check(w http.ResponseWriter, usedAs string, now time.Time, r verify.ProofRequest) (possession, error) {
	good, err := p.checker.Check(now, r)
	if needed, ok := errors.AsType[*verify.NonceError](err); ok {
		w.Header().Set("DPoP-Nonce", needed.Nonce)
	}
	if err != nil {
		return possession{}, proofError(err)
	}
	if good.Nonce != "" {
		w.Header().Set("DPoP-Nonce", good.Nonce)
	}
	return possession{good.Thumbprint, good, usedAs}, nil
}

// use lets one of all requests with the same proof through (RFC 9449 §11.1). It comes last
// before something is done for the client.
func (p *proofs) use(ctx context.Context, by possession, now time.Time) error {
	if by.proof == nil {
		return nil
	}
	if err := by.proof.Use(ctx, now, usedProofs{p.store, by.usedAs}); err != nil {
		return proofError(err)
	}
	return nil
}

// usedAs names the places for a client's used proofs. It can fill nobody's but its own; and
// since at /par a public client is whoever says so, that endpoint has places of its own: a
// proof for it is none for another one (RFC 9449 §4.3 step 9).
func usedAs(path, clientID string) string {
	if path == parPath {
		return "dpop" + path + " " + clientID
	}
	return "dpop " + clientID
}

// usedProofs are those of one name.
type usedProofs struct {
	store usedStore
	name  string
}

// Use implements verify.ReplayStore.
func (u usedProofs) Use(ctx context.Context, id [32]byte, now, until time.Time) (fresh bool, err error) {
	err = u.store.UseOnce(ctx, u.name, id, until, now)
	if errors.Is(err, idp.ErrConsumed) {
		return false, nil
	}
	return err == nil, err
}

// proofError explains what is wrong with a proof (RFC 9449 §5, §7.1, §8).
func proofError(err error) error {
	switch {
	case errors.Is(err, verify.ErrProofNonce):
		return &Error{Code: UseDPoPNonce, Description: "the DPoP proof needs the nonce of this answer", Cause: err}
	case errors.Is(err, verify.ErrReplayStore):
		return &Error{Code: TemporarilyUnavailable, Description: "used proofs cannot be told at the moment", Cause: err}
	case errors.Is(err, verify.ErrBound), errors.Is(err, verify.ErrUnbound):
		return badToken(err)
	}
	return &Error{Code: InvalidDPoPProof, Description: proofFault(err), Cause: err}
}

// proofFault says which part was wrong. The words are those of package verify, which name
// nothing of the input; whatever else they were, they must fit into a header.
func proofFault(err error) string {
	const fault = "the DPoP proof is not valid"
	what, found := strings.CutPrefix(err.Error(), verify.ErrProof.Error())
	if !found || strings.ContainsFunc(what, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
		return fault
	}
	return fault + what
}

// errNoProof: RFC 9449 §5.2.
var errNoProof = refuse(InvalidDPoPProof, "this client needs a DPoP proof for its tokens")

// errOtherKey is for what was bound to a key before (RFC 9449 §5, §10).
func errOtherKey(what string) error {
	return refuse(InvalidGrant, what+" is bound to a DPoP key that was not proven")
}

// checkDPoPKey keeps the key that the code must be redeemed with (RFC 9449 §10): the one
// that the client names, or that it has proven with a pushed request (§10.1), or both.
func checkDPoPKey(_ context.Context, a *asking) error {
	jkt := a.form.Get("dpop_jkt")
	switch {
	case jkt == "":
		a.req.JKT = a.key.jkt
		return nil
	case !isThumbprint(jkt):
		return refuse(InvalidRequest, "dpop_jkt is not the SHA-256 thumbprint of a key")
	case a.key.jkt != "" && a.key.jkt != jkt:
		return refuse(InvalidDPoPProof, "dpop_jkt names another key than that of the DPoP proof")
	}
	a.req.JKT = jkt
	return nil
}

// isThumbprint: RFC 7638 with SHA-256, in its one spelling.
func isThumbprint(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == sha256.Size && !strings.ContainsAny(s, "\r\n")
}
