package verify

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// retryAfter is how many seconds a client should wait when the verifier cannot decide;
// the issuer's next heartbeat comes within that time.
const retryAfter = "5"

// problem is the body of a refusal.
type problem struct {
	Error       string `json:"error,omitempty"`
	Description string `json:"error_description"`
	Scope       string `json:"scope,omitempty"`
	RevokedAt   int64  `json:"revoked_at,omitempty"` // unix milliseconds
	HeardAt     int64  `json:"heard_at,omitempty"`   // unix milliseconds

	parameters string // of the challenge only
}

// challenge answers a request that was refused.
func (v *Verifier) challenge(w http.ResponseWriter, r *http.Request, err error, scope string) {
	status, p := explain(err)
	switch status {
	case http.StatusServiceUnavailable:
		v.reportIdle(err)
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusForbidden:
		p.Scope = scope
		fallthrough
	default:
		var stepUp *StepUpError
		if errors.As(err, &stepUp) {
			p.parameters = stepUp.parameters()
		}
		w.Header()["Www-Authenticate"] = v.challenges(v.schemeOf(r), p)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone if this fails
}

// schemeOf returns the scheme that a refused request has used, or should have.
func (v *Verifier) schemeOf(r *http.Request) string {
	scheme, _, err := credential(r.Header.Values("Authorization"))
	switch {
	case err == nil:
		return scheme
	case v.proofs.required && v.proofs.base != "":
		return schemeDPoP
	}
	return schemeBearer
}

// challenges writes one challenge for each scheme (RFC 9449 §7.1, §7.2): what is wrong
// goes with the one that was used. Without a token there is no error (RFC 6750 §3.1).
// Another scheme cannot help with what a token does not allow, nor is DPoP offered where
// no proof can be checked, or Bearer where proofs are required and no certificate can come:
// tokens that are bound to one have the scheme Bearer (RFC 8705 §3).
func (v *Verifier) challenges(used string, p problem) []string {
	all := []string{v.challengeHeader(used, p)}
	switch {
	case p.Scope != "" || p.parameters != "":
	case used == schemeBearer && v.proofs.base != "":
		all = append(all, v.challengeHeader(schemeDPoP, problem{}))
	case used == schemeDPoP && (!v.proofs.required || v.proofs.takesCertificates()):
		all = append(all, v.challengeHeader(schemeBearer, problem{}))
	}
	return all
}

func (v *Verifier) challengeHeader(scheme string, p problem) string {
	h := scheme + ` realm="` + v.audience + `"`
	if p.Error != "" {
		h += `, error="` + p.Error + `", error_description="` + p.Description + `"`
	}
	if p.Scope != "" {
		h += `, scope="` + p.Scope + `"`
	}
	h += p.parameters
	if scheme == schemeDPoP {
		h += `, algs="` + strings.Join(v.proofAlgorithms(), " ") + `"`
	}
	if v.metadataURL != "" { // RFC 9728 §5.1
		h += `, resource_metadata="` + v.metadataURL + `"`
	}
	return h
}

func (v *Verifier) proofAlgorithms() []string {
	names := make([]string, len(v.proofs.algorithms))
	for i, alg := range v.proofs.algorithms {
		names[i] = string(alg)
	}
	return names
}

// explain translates an error into a status and fixed words (RFC 6750 §3.1). What is not
// listed is a token that is no good.
func explain(err error) (int, problem) {
	const invalid = "invalid_token"
	var revoked *RevokedError
	switch {
	case errors.Is(err, ErrNotReady), errors.Is(err, ErrStale), errors.Is(err, ErrReplayStore):
		return http.StatusServiceUnavailable, problem{Error: "temporarily_unavailable", Description: "tokens cannot be checked at the moment"}
	case errors.Is(err, errNoToken):
		return http.StatusUnauthorized, problem{Description: "an access token is needed in the Authorization header"}
	case errors.Is(err, errRequest):
		return http.StatusBadRequest, problem{Error: "invalid_request", Description: "the Authorization header must carry one token, once"}
	case errors.Is(err, errProofBeside):
		return http.StatusBadRequest, problem{Error: "invalid_request", Description: "a DPoP proof goes with a token of the scheme DPoP"}
	case errors.Is(err, ErrScope):
		return http.StatusForbidden, problem{Error: "insufficient_scope", Description: "the token does not allow this"}
	case errors.As(err, &revoked):
		return http.StatusUnauthorized, problem{
			Error: invalid, Description: "the token was revoked",
			RevokedAt: revoked.At.UnixMilli(), HeardAt: revoked.HeardAt.UnixMilli(),
		}
	case errors.Is(err, ErrExpired):
		return http.StatusUnauthorized, problem{Error: invalid, Description: "the token has expired"}
	case errors.Is(err, ErrAudience):
		return http.StatusUnauthorized, problem{Error: invalid, Description: "the token is for another service"}
	case errors.Is(err, ErrBound):
		return http.StatusUnauthorized, problem{Error: invalid, Description: "the token is bound to a key that was not proven"}
	case errors.Is(err, ErrUnbound):
		return http.StatusUnauthorized, problem{Error: invalid, Description: "a token that is bound to a key is needed"}
	case errors.Is(err, ErrProof):
		return http.StatusUnauthorized, problem{Error: "invalid_dpop_proof", Description: proofFault(err)}
	case errors.Is(err, ErrProofNonce):
		return http.StatusUnauthorized, problem{Error: "use_dpop_nonce", Description: "the proof needs the nonce of this answer"}
	case errors.Is(err, ErrStepUp):
		return http.StatusUnauthorized, problem{Error: "insufficient_user_authentication", Description: "another or a newer login is needed"}
	}
	return http.StatusUnauthorized, problem{Error: invalid, Description: "the token is not valid"}
}

// proofFault says which part of a proof was wrong: a client that makes proofs can do
// nothing with "wrong". The words are this package's, and name nothing of the input.
func proofFault(err error) string {
	text := strings.TrimPrefix(err.Error(), ErrProof.Error()+": ")
	if !quotable(text) {
		return "the DPoP proof is not valid"
	}
	return "the DPoP proof is not valid: " + text
}
