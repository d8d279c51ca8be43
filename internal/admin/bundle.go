package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/revocation"
)

// maxBundleLife: an offline verifier does not hear of what is revoked meanwhile.
const maxBundleLife = 30 * 24 * time.Hour

// Bundler makes bundles for verifiers without a network.
type Bundler interface {
	Bundle(ctx context.Context, valid time.Duration) (revocation.Bundle, error)
}

// BundleRequest says for how long a bundle may be used.
type BundleRequest struct {
	ValidSeconds int64 `json:"valid_seconds"`
}

// Bundle is keys and revocations of one moment, signed.
type Bundle struct {
	Bundle    string    `json:"bundle,omitempty"` // compact JWS
	Issuer    string    `json:"issuer"`
	Signer    string    `json:"signer"` // RFC 7638 thumbprint
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Keys      int       `json:"keys"`
	Rules     int       `json:"rules"`
}

type bundles struct{ bundler Bundler }

func (e bundles) create(w http.ResponseWriter, r *http.Request) error {
	var req BundleRequest
	if err := readJSON(r, &req); err != nil {
		return err
	}
	if most := int64(maxBundleLife / time.Second); req.ValidSeconds < 60 || req.ValidSeconds > most {
		return invalid("valid_seconds must be between 60 and %d: a bundle is good for a minute to 30 days", most)
	}
	b, err := e.bundler.Bundle(r.Context(), time.Duration(req.ValidSeconds)*time.Second)
	if errors.Is(err, revocation.ErrBundleSize) {
		return &Error{Status: http.StatusConflict, Code: "refused", Message: err.Error() + "; they are over after an hour", Cause: err}
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, Bundle{
		Bundle: b.Token, Issuer: b.Issuer, Signer: b.Signer, IssuedAt: b.IssuedAt.UTC(), ExpiresAt: b.ExpiresAt.UTC(), Keys: b.Keys, Rules: b.Rules,
	})
}
