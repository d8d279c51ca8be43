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

// checkDPoP checks the proof of a request in the order of RFC 9449 §4.3. What it leaves
// behind comes last: only a proof that is good is remembered, so nobody without a token
// and its key can fill the store.
func (v *Verifier) checkDPoP(ctx context.Context, now time.Time, c *Claims, token string, p Proof) (nonce string, err error) {
	jkt := c.Confirmation.JKT
	payload, err := jose.VerifyEmbeddedBy(jkt, p.DPoP, proofType, v.proofs.algorithms)
	switch {
	case errors.Is(err, jose.ErrUnknownKey):
		return "", wrong(ErrBound, "cnf", "another key")
	case err != nil:
		return "", wrong(ErrProof, "DPoP", err.Error())
	}
	m, err := parseProof(payload)
	if err != nil {
		return "", wrong(ErrProof, "claims", err.Error())
	}
	if err := v.matchProof(m, now, token, p); err != nil {
		return "", err
	}
	if v.proofs.nonces != nil {
		var valid bool
		if nonce, valid = v.proofs.nonces.check(now, m.nonce); !valid {
			return nonce, &NonceError{Nonce: nonce}
		}
	}
	return nonce, v.useOnce(ctx, now, jkt, m)
}

// matchProof compares a proof with its request.
func (v *Verifier) matchProof(m proofClaims, now time.Time, token string, p Proof) error {
	hash := sha256.Sum256([]byte(token))
	switch {
	case m.method != p.Method:
		return wrong(ErrProof, "htm", "another method")
	case m.tokenHash != base64.RawURLEncoding.EncodeToString(hash[:]):
		return wrong(ErrProof, "ath", "another token")
	case m.issued.After(now.Add(v.proofs.window)):
		return wrong(ErrProof, "iat", "in the future")
	case m.issued.Before(now.Add(-v.proofs.window)):
		return wrong(ErrProof, "iat", "too long ago")
	case !m.expires.IsZero() && !now.Before(m.expires.Add(v.leeway)): // RFC 7519 §4.1.4
		return wrong(ErrProof, "exp", "over")
	case m.notBefore.After(now.Add(v.leeway)):
		return wrong(ErrProof, "nbf", "in the future")
	}
	want, err := v.target(p.URL)
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
func (v *Verifier) target(url string) (string, error) {
	if url == "" || url[0] == '/' {
		if v.proofs.base == "" {
			return "", wrong(ErrProof, "htu", "the address of this service is not known here (ExternalURL)")
		}
		url = v.proofs.base + url
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

// useOnce: of many requests with one proof, one comes through. The proof is remembered
// until no node whose clock is within maxLeeway of ours would take it.
func (v *Verifier) useOnce(ctx context.Context, now time.Time, jkt string, m proofClaims) error {
	id := sha256.Sum256([]byte(jkt + "." + m.id))
	until := m.issued.Add(v.proofs.window + maxLeeway)
	switch fresh, err := v.proofs.replay.Use(ctx, id, now, until); {
	case err != nil:
		v.noteTrouble("used proofs: " + err.Error()) // the client is told nothing of it
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

// parseProof reads the payload: strictly, with all members that a request with a token
// needs. Members without a meaning here are allowed.
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
	if err == nil && (m.id == "" || m.method == "" || m.url == "" || m.tokenHash == "" || m.issued.IsZero()) {
		err = errMissing
	}
	return m, err
}
