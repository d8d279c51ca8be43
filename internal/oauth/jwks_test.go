package oauth_test

import (
	"encoding/json"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// RFC 7517 §5, JOS-21: public members only, each key with kid, alg and use.
func TestJWKS_RFC7517_5_KeySet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := w.send("GET", "/jwks.json", nil).ok().Body.Bytes()
	set, err := jose.ParseKeySet(body)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Keys()) != 3 {
		t.Errorf("%d keys", len(set.Keys()))
	}
	var doc struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	for _, k := range doc.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if _, there := k[private]; there {
				t.Errorf("%v has %s", k["kid"], private)
			}
		}
		if k["kid"] == nil || k["alg"] == nil || k["use"] != "sig" {
			t.Errorf("%v", k)
		}
	}
	tok := w.tokensFor("web", ann)
	if _, _, err := set.Verify(tok.json("access_token"), "at+jwt"); err != nil {
		t.Error(err)
	}
	if _, _, err := set.Verify(tok.json("id_token"), "JWT"); err != nil {
		t.Error(err)
	}
}
