package verify_test

import (
	"strings"
	"testing"

	"github.com/signet-id/signet/verify"
)

// FuzzBundle: whatever stands in a bundle, reading it ends, and what is taken is in order.
func FuzzBundle(f *testing.F) {
	const keys = `"keys":{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	const good = `{"iss":"i","aud":"i/bundle","iat":1,"exp":2,"now":1000,"epoch":"e","from":0,"to":1,"head":1,` + keys +
		`,"rules":[{"seq":1,"kind":"jti","id":"a","at":1,"until":9}]}`
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(good, `"exp":2`, `"exp":1`, 1)))
	f.Add([]byte(strings.Replace(good, `"head":1`, `"head":2`, 1)))
	f.Add([]byte(strings.Replace(good, `"OKP"`, `"oct"`, 1)))
	f.Add([]byte(`{`))
	if n, err := verify.ParseBundle([]byte(good)); n != 1 || err != nil {
		f.Fatalf("%d rules, %v", n, err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if n, err := verify.ParseBundle(payload); err == nil && n > len(payload)/20 {
			t.Errorf("%d rules of %d bytes", n, len(payload))
		}
	})
}

// FuzzCache: whatever stands in a file, reading it ends, and nothing of a bad one is used.
func FuzzCache(f *testing.F) {
	keys := newWorld(f).jwks(newSigner(f, "key"))
	s := verify.NewRuleSet()
	s.Add([]verify.Rule{{Seq: 1, Kind: verify.RuleJTI, ID: "a", At: at(1), Until: at(2)}}, false)
	var file strings.Builder
	if err := verify.WriteCache(&file, s, keys); err != nil {
		f.Fatal(err)
	}
	f.Add(file.String())
	f.Add(file.String()[:100])
	f.Add(file.String() + "end \n")
	f.Add("signet-verifier-cache 1\nlog {}\nend ")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := verify.ReadCache(strings.NewReader(text)); err != nil && n != 0 {
			t.Errorf("%d rules with %v", n, err)
		}
	})
}
