package verify_test

import (
	"crypto/ed25519"
	"encoding/json"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// JOS-20, TOK-14: no payload of a proof makes the parser panic, and what is accepted says
// to any reader of JSON that it is for this request.
func FuzzProof(f *testing.F) {
	const (
		token = "token"
		ath   = "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A" // its hash
	)
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.Ed25519, "-", private)
	if err != nil {
		f.Fatal(err)
	}
	jkt, err := jose.Thumbprint(public)
	if err != nil {
		f.Fatal(err)
	}
	good := `{"jti":"1","htm":"GET","htu":"https://orders.example.com/orders","iat":1700000000,"ath":"` + ath + `"}`
	for _, seed := range []string{
		good, `{}`, ``, `[]`, good + `{}`, good[:len(good)-1] + `,"htm":"POST"}`, good[:len(good)-1] + `,"\u0068tm":"POST"}`,
		good[:len(good)-1] + `,"nonce":"n","exp":1700000000,"nbf":0,"x":[{"a":null}]}`, good[:len(good)-1] + `,"iat":17e8}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		v, err := verify.New(issuer, audience)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := signer.SignEmbedded("dpop+jwt", payload)
		if err != nil {
			t.Fatal(err)
		}
		now, request := time.Unix(1700000000, 0), verify.Proof{DPoP: proof, Method: "GET", URL: "/orders"}
		_, err = verify.CheckDPoP(v, now, jkt, token, request)
		if string(payload) == good && err != nil {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		var m struct {
			ID     string `json:"jti"`
			Method string `json:"htm"`
			URL    string `json:"htu"`
			Hash   string `json:"ath"`
			Issued int64  `json:"iat"`
		}
		if err := json.Unmarshal(payload, &m); err != nil || m.ID == "" || m.Method != "GET" || m.Hash != ath || m.Issued < 1700000000-60 || m.Issued > 1700000000+60 {
			t.Errorf("%q: %v %+v", payload, err, m)
		}
		if _, err := verify.CheckDPoP(v, now, jkt, token, request); err == nil {
			t.Errorf("%q: accepted twice", payload)
		}
	})
}
