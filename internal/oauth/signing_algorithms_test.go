package oauth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/verify/jose"
)

// ownKeys gives the world keys of its own, as at a first start: the usual ones are shared.
func (w *world) ownKeys() {
	w.t.Helper()
	r, err := keyring.Open(w.t.Context(), w.db, keyring.Config{KEK: [32]byte{2}}, w.clock())
	w.must(err)
	w.keys.Ring = r
}

// published returns the usual key set.
func (w *world) published() *jose.KeySet {
	w.t.Helper()
	set, err := jose.ParseKeySet(w.send("GET", "/jwks.json", nil).ok().Body.Bytes())
	w.must(err)
	return set
}

// signedWith runs a flow of a public client, and says how the ID token and userinfo are
// signed, both by a key of the usual set.
func (w *world) signedWith(id, redirect string) (idToken, userinfo jose.Algorithm) {
	w.t.Helper()
	code := w.browser().code(ask("web", "client_id", id, "redirect_uri", redirect, "scope", "openid"), ann)
	tokens := w.send("POST", "/token", params("grant_type", "authorization_code", "client_id", id, "code", code, "redirect_uri", redirect,
		"code_verifier", verifier)).ok()
	set := w.published()
	_, key, err := set.Verify(tokens.json("id_token"), "JWT")
	w.must(err)
	if info := w.userinfo(tokens.json("access_token")).ok(); info.Header().Get("Content-Type") == "application/jwt" {
		_, infoKey, err := set.Verify(info.Body.String(), "")
		w.must(err)
		userinfo = infoKey.Algorithm()
	}
	return key.Algorithm(), userinfo
}

// OpenID Connect Discovery §3: what is listed can be had, by whoever may register. A key of
// PS256 is there from the first client on that wants one, and not before.
func TestDiscovery_OIDC_3_AlgorithmsCanBeHad(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	w.ownKeys()
	if n := len(w.published().Keys()); n != 3 {
		t.Errorf("%d keys before anybody asks", n)
	}
	var doc struct {
		ID       []string `json:"id_token_signing_alg_values_supported"`
		Userinfo []string `json:"userinfo_signing_alg_values_supported"`
	}
	if err := json.Unmarshal(w.send("GET", "/.well-known/openid-configuration", nil).ok().Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(doc.ID, " "); got != "RS256 ES256 EdDSA PS256" || strings.Join(doc.Userinfo, " ") != got {
		t.Errorf("listed: %v, %v", doc.ID, doc.Userinfo)
	}
	for _, alg := range doc.ID {
		id, _, _ := w.registeredClient(`{` + strangerBody + `,"id_token_signed_response_alg":"` + alg + `","userinfo_signed_response_alg":"` + alg + `"}`)
		if idToken, userinfo := w.signedWith(id, "https://mcp.example/cb"); string(idToken) != alg || string(userinfo) != alg {
			t.Errorf("%s: ID token %s, userinfo %s", alg, idToken, userinfo)
		}
	}
	if n := len(w.published().Keys()); n != 4 {
		t.Errorf("%d keys in the end", n)
	}
}

// A client that changes its registration, and one that a document describes, get their key
// as well; one that is refused adds none.
func TestSigningAlgorithms_KeysOnDemand(t *testing.T) {
	t.Parallel()
	t.Run("changed", func(t *testing.T) {
		t.Parallel()
		w := openWorld(t)
		w.ownKeys()
		id, path, mine := w.registeredClient(`{` + strangerBody + `}`)
		body := `{"client_id":"` + id + `",` + strangerBody + `,"id_token_signed_response_alg":"PS256"`
		if a := w.sendJSON("PUT", path, body+`,"subject_type":"pairwise"}`, mine...); a.Code != http.StatusBadRequest || len(w.published().Keys()) != 3 {
			t.Errorf("%d, %d keys", a.Code, len(w.published().Keys()))
		}
		w.sendJSON("PUT", path, body+`}`, mine...).ok()
		if alg, userinfo := w.signedWith(id, "https://mcp.example/cb"); alg != jose.PS256 || userinfo != "" {
			t.Errorf("ID token %s, userinfo %s", alg, userinfo)
		}
	})
	t.Run("document", func(t *testing.T) {
		t.Parallel()
		w, p := documentWorld(t), newPublisher(t)
		w.ownKeys()
		p.set(func(p *publisher) {
			p.body = strings.Replace(p.body, `{`, `{"id_token_signed_response_alg":"PS256",`, 1)
		})
		if alg, _ := w.signedWith(p.URL+"/client.json", "http://127.0.0.1:4711/cb"); alg != jose.PS256 {
			t.Errorf("ID token %s", alg)
		}
	})
}
