package oauth_test

import (
	"encoding/json"
	"strings"
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

// RFC 9964 §3: keys of a kind that some clients do not know stand in a set of their own,
// with all others.
func TestJWKS_RFC9964_3_SetOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set, err := jose.ParseKeySet(w.send("GET", "/jwks-pq.json", nil).ok().Body.Bytes())
	if err != nil || len(set.Keys()) != 4 || set.Keys()[3].Algorithm() != jose.MLDSA65 {
		t.Errorf("%v, %v", set, err)
	}
	if usual := w.send("GET", "/jwks.json", nil).ok().Body.String(); strings.Contains(usual, "AKP") {
		t.Errorf("the usual set: %s", usual)
	}
}
