package oauth_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
)

// Whatever stands in a claims parameter: claims that exist or a refusal, never more than
// was asked for.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"userinfo":{"name":{"essential":true},"email":null},"id_token":{"acr":{"essential":true,"values":["aal1"]},"sub":{"value":"x"}}}`,
		`{"id_token":{"sub":{"values":["a","a"]}}}`, `{"userinfo":{"name":null,"name":null}}`, `{"Userinfo":{"name":null}}`, `{}`, `null`, `[[`, "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names, subject, acr, err := oauth.ParseClaims(text)
		if err != nil {
			return
		}
		var doc struct{ Userinfo, IDToken map[string]any }
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &members) != nil {
			t.Fatalf("accepted what is no object: %q", text)
		}
		for name, dst := range map[string]*map[string]any{"userinfo": &doc.Userinfo, "id_token": &doc.IDToken} {
			if value, there := members[name]; there && json.Unmarshal(value, dst) != nil {
				t.Fatalf("accepted %s, which is no object: %q", name, text)
			}
		}
		for _, list := range []struct {
			names []string
			asked map[string]any
		}{{names.Userinfo, doc.Userinfo}, {names.IDToken, doc.IDToken}} {
			for _, name := range list.names {
				if _, asked := list.asked[name]; !asked || idp.ClaimScope(name) == "" {
					t.Errorf("%q was not asked for in %q", name, text)
				}
			}
		}
		if slices.Contains(acr, "") || subject == "" && len(members) == 0 && len(acr) > 0 {
			t.Errorf("%q %q of %q", subject, acr, text)
		}
	})
}
