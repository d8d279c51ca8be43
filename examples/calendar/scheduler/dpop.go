package scheduler

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// proofKey is a key that the tokens of one session are bound to (RFC 9449). It never
// leaves this process: whoever steals a token cannot use it. A nil one makes no proofs,
// and the tokens are bearer tokens.
type proofKey struct{ signer *jose.Signer }

func newProofKey() (*proofKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.ES256, "proof", private)
	return &proofKey{signer}, err
}

// prove puts a proof into the request (RFC 9449 §4.2): for this method, this address, this
// token and once. Neither signet nor the calendar asks for a nonce (§8, §9); a client of
// others must be ready for one.
func (k *proofKey) prove(req *http.Request, token string, now time.Time) error {
	if k == nil {
		return nil
	}
	at := *req.URL
	at.RawQuery = ""
	claims := map[string]any{"jti": rand.Text(), "htm": req.Method, "htu": at.String(), "iat": now.Unix()}
	if token != "" {
		hash := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(hash[:])
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return err
	}
	proof, err := k.signer.SignEmbedded("dpop+jwt", payload)
	if err != nil {
		return err
	}
	req.Header.Set("DPoP", proof)
	return nil
}
