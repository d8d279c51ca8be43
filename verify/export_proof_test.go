package verify

import (
	"context"
	"time"
)

// Seams for tests of proofs.

// CheckDPoP checks a proof for a token with the thumbprint, whatever else the token is.
func CheckDPoP(v *Verifier, now time.Time, jkt, token string, p Proof) (nonce string, err error) {
	return v.checkDPoP(context.Background(), now, &Claims{Confirmation: Confirmation{JKT: jkt}}, token, p)
}

// NormalURL is the form in which URLs are compared.
func NormalURL(raw string) (string, bool) { return normalURL(raw) }

// ReplaySize returns the number of remembered proofs and of the buckets that they are in.
func ReplaySize(m *ReplayMemory) (proofs, buckets int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.size, len(m.buckets)
}

// NonceAt makes the nonce of a time.
func NonceAt(v *Verifier, t time.Time) string { return v.proofs.nonces.of(t.Unix() / nonceStretch) }
