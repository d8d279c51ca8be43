package verifytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// DPoPKey is a client's key for proofs of possession (RFC 9449).
type DPoPKey struct {
	tb     testing.TB
	signer *jose.Signer
}

// NewDPoPKey makes a key for ES256.
func NewDPoPKey(tb testing.TB) *DPoPKey {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal("verifytest: make key:", err)
	}
	s, err := jose.NewSigner(jose.ES256, "-", private)
	if err != nil {
		tb.Fatal("verifytest: make signer:", err)
	}
	return &DPoPKey{tb: tb, signer: s}
}

// Thumbprint returns what a token's cnf has as jkt (RFC 9449 §6.1).
func (k *DPoPKey) Thumbprint() string {
	k.tb.Helper()
	hash, err := jose.Thumbprint(k.signer.Key().Public())
	if err != nil {
		k.tb.Fatal("verifytest: thumbprint:", err)
	}
	return hash
}

// Binding returns the claims of a token that is bound to the key, for Issuer.Token:
//
//	token := iss.Token(audience, key.Binding())
func (k *DPoPKey) Binding() Claims {
	return Claims{"cnf": map[string]string{"jkt": k.Thumbprint()}}
}

// Proof makes the DPoP header of one request with a token (RFC 9449 §4.2). The nonce is
// the one that the service asked for, or empty. The time is the real one; give "iat" where
// the issuer has another Clock.
func (k *DPoPKey) Proof(method, url, token, nonce string, overrides ...Claims) string {
	k.tb.Helper()
	hash := sha256.Sum256([]byte(token))
	claims := Claims{
		"jti": rand.Text(), "htm": method, "htu": url, "iat": time.Now().Unix(),
		"ath": base64.RawURLEncoding.EncodeToString(hash[:]),
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	for _, o := range overrides {
		maps.Copy(claims, o)
	}
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		k.tb.Fatal("verifytest: claims:", err)
	}
	proof, err := k.signer.SignEmbedded("dpop+jwt", payload)
	if err != nil {
		k.tb.Fatal("verifytest: sign:", err)
	}
	return proof
}

// Authorize puts token and a new proof into a request.
func (k *DPoPKey) Authorize(r *http.Request, token, nonce string) {
	k.tb.Helper()
	r.Header.Set("Authorization", "DPoP "+token)
	r.Header.Set("DPoP", k.Proof(r.Method, r.URL.String(), token, nonce))
}

// CertificateBinding returns the claims of a token that is bound to a client's TLS
// certificate (RFC 8705 §3.1), for Issuer.Token.
func CertificateBinding(c *x509.Certificate) Claims {
	hash := sha256.Sum256(c.Raw)
	return Claims{"cnf": map[string]string{"x5t#S256": base64.RawURLEncoding.EncodeToString(hash[:])}}
}
