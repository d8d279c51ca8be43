package verify

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/verify/internal/strictjson"
	"github.com/signet-id/signet/verify/jose"
)

// proofType is the "typ" of DPoP proofs (RFC 9449 §4.2).
const proofType = "dpop+jwt"

// checkDPoP checks the proof of a request with a bound token. What it leaves behind comes
// last: only a proof that is good is remembered, so nobody without a token and its key can
// fill the store.
func (v *Verifier) checkDPoP(ctx context.Context, now time.Time, c *Claims, token string, p Proof) (nonce string, err error) {
	good, nonce, err := v.proofs.examine(now, v.leeway, c.Confirmation.JKT, ProofRequest{
		DPoP: []string{p.DPoP}, Method: p.Method, URL: p.URL, Token: token,
	})
	if err != nil {
		return nonce, err
	}
	if err = good.useOnce(ctx, now, v.proofs.replay); errors.Is(err, ErrReplayStore) {
		v.noteTrouble("used proofs: " + err.Error()) // the client is told nothing of it
	}
	return nonce, err
}

// goodProof is a proof that is right in all but that it may have been used before.
type goodProof struct {
	jkt   string
	until time.Time // nobody whose clock is within maxLeeway of ours takes it from then on
	proofClaims
}

// examine checks a proof in the order of RFC 9449 §4.3. It must be by the key with the
// thumbprint; empty: by any. With an error, too, there may be a nonce for the client's next
// proofs.
func (r *proofRules) examine(now time.Time, leeway time.Duration, jkt string, p ProofRequest) (good goodProof, nonce string, err error) {
	if len(p.DPoP) != 1 || p.DPoP[0] == "" {
		return goodProof{}, "", wrong(ErrProof, "DPoP", "not exactly one header")
	}
	payload, by, err := r.open(jkt, p.DPoP[0])
	if err != nil {
		return goodProof{}, "", err
	}
	m, err := parseProof(payload)
	if err == nil && p.Token != "" && m.tokenHash == "" {
		err = errMissing
	}
	if err != nil {
		return goodProof{}, "", wrong(ErrProof, "claims", err.Error())
	}
	if err := r.match(m, now, leeway, p); err != nil {
		return goodProof{}, "", err
	}
	if r.nonces != nil && (m.nonce != "" || !p.NonceOptional) {
		var valid bool
		if nonce, valid = r.nonces.check(now, m.nonce); !valid {
			return goodProof{}, nonce, &NonceError{Nonce: nonce}
		}
	}
	return goodProof{by, m.issued.Add(r.window + maxLeeway), m}, nonce, nil
}

// open checks the signature, and returns the thumbprint of the key that made it.
func (r *proofRules) open(jkt, proof string) (payload []byte, by string, err error) {
	if jkt != "" {
		payload, err = jose.VerifyEmbeddedBy(jkt, proof, proofType, r.algorithms)
		by = jkt
	} else {
		var key *jose.Key
		if payload, key, err = jose.VerifyEmbedded(proof, proofType, r.algorithms); err == nil {
			by = key.ID()
		}
	}
	switch {
	case errors.Is(err, jose.ErrUnknownKey):
		return nil, "", wrong(ErrBound, "cnf", "another key")
	case err != nil:
		return nil, "", wrong(ErrProof, "DPoP", err.Error())
	}
	return payload, by, nil
}

// match compares a proof with its request.
func (r *proofRules) match(m proofClaims, now time.Time, leeway time.Duration, p ProofRequest) error {
	hash := sha256.Sum256([]byte(p.Token))
	switch {
	case m.method != p.Method:
		return wrong(ErrProof, "htm", "another method")
	case p.Token != "" && m.tokenHash != base64.RawURLEncoding.EncodeToString(hash[:]):
		return wrong(ErrProof, "ath", "another token")
	case m.issued.After(now.Add(r.window)):
		return wrong(ErrProof, "iat", "in the future")
	case m.issued.Before(now.Add(-r.window)):
		return wrong(ErrProof, "iat", "too long ago")
	case !m.expires.IsZero() && !now.Before(m.expires.Add(leeway)): // RFC 7519 §4.1.4
		return wrong(ErrProof, "exp", "over")
	case m.notBefore.After(now.Add(leeway)):
		return wrong(ErrProof, "nbf", "in the future")
	}
	want, err := r.target(p.URL)
	if err != nil {
		return err
	}
	if got, ok := normalURL(m.url); !ok || got != want {
		return wrong(ErrProof, "htu", "another URL")
	}
	return nil
}

// target returns the URL that a proof must be for. Dot segments are resolved in proofs
// only: a handler may see those of a request as they are, and take /admin/../orders for
// something below /admin, so that a stolen proof for /orders would be good for that.
func (r *proofRules) target(url string) (string, error) {
	if url == "" || url[0] == '/' {
		if r.base == "" {
			return "", wrong(ErrProof, "htu", "the address of this service is not known here (ExternalURL)")
		}
		url = r.base + url
	}
	origin, path, ok := splitURL(url)
	switch {
	case !ok:
		return "", wrong(ErrProof, "htu", "the request has no URL")
	case path == "":
		path = "/"
	case removeDots(path) != path:
		return "", wrong(ErrProof, "htu", "the request's path has dot segments")
	}
	return origin + path, nil
}

// useOnce: of many requests with one proof, one comes through.
func (p goodProof) useOnce(ctx context.Context, now time.Time, s ReplayStore) error {
	id := sha256.Sum256([]byte(p.jkt + "." + p.id))
	switch fresh, err := s.Use(ctx, id, now, p.until); {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrReplayStore, err)
	case !fresh:
		return wrong(ErrProof, "jti", "used before")
	}
	return nil
}

// proofClaims is the payload of a DPoP proof (RFC 9449 §4.2).
type proofClaims struct {
	id, method, url, tokenHash, nonce string
	issued, expires, notBefore        time.Time
}

var errMissing = errors.New("jti, htm, htu, iat or ath: missing")

// parseProof reads the payload: strictly, with all members that every request needs.
// Members without a meaning here are allowed.
func parseProof(payload []byte) (m proofClaims, err error) {
	var none present
	err = strictjson.Object(payload, func(name, value []byte) (err error) {
		switch string(name) {
		case "jti":
			err = none.text(0, &m.id, value)
		case "htm":
			err = none.text(0, &m.method, value)
		case "htu":
			err = none.text(0, &m.url, value)
		case "ath":
			err = none.text(0, &m.tokenHash, value)
		case "nonce":
			err = none.text(0, &m.nonce, value)
		case "iat":
			err = none.time(0, &m.issued, value)
		case "exp":
			err = none.time(0, &m.expires, value)
		case "nbf":
			err = none.time(0, &m.notBefore, value)
		}
		return named(name, err)
	})
	if err == nil && (m.id == "" || m.method == "" || m.url == "" || m.issued.IsZero()) {
		err = errMissing
	}
	return m, err
}
