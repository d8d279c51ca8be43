package oauth_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
	"github.com/signet-id/signet/verify/verifytest"
)

// FAPI 2.0 Security Profile §5.3: a client of the profile gets through with everything that it
// asks for, and with nothing less.
func TestFAPI2_5_3_WholeFlow(t *testing.T) {
	t.Parallel()
	w, key, signer := newWorld(t), verifytest.NewDPoPKey(t), newSigner(t, jose.ES256, "k")
	w.signing("bank", idp.FAPI2, signer)
	nonce := ""
	send := func(path string, form url.Values) answer {
		t.Helper()
		form = with(form, "client_assertion_type", jwtBearer, "client_assertion", sign(t, signer, "", w.assertion("bank", nil)))
		change := verifytest.Claims{}
		if nonce != "" {
			change["nonce"] = nonce
		}
		a := w.send("POST", path, form, "DPoP", w.prove(key, "POST", path, "", change))
		if fresh := a.Header().Get("DPoP-Nonce"); fresh != "" {
			nonce = fresh
		}
		return a
	}
	asked := ask("web", "client_id", "bank", "redirect_uri", "https://bank.example/cb", "scope", "openid cal.read")
	send("/par", asked).expect(400, "use_dpop_nonce")
	b := w.browser()
	if got := b.authorize(asked).query("error"); got != "invalid_request" { // §5.3.2.2: pushed, or not at all
		t.Errorf("not pushed: %q", got)
	}
	pushed := send("/par", asked)
	if pushed.Code != http.StatusCreated {
		t.Fatalf("push: %d %s", pushed.Code, pushed.Body)
	}
	back := b.through(b.authorize(params("client_id", "bank", "request_uri", pushed.json("request_uri"))), ann)
	exchange := params("grant_type", "authorization_code", "code", back.query("code"), "redirect_uri", "https://bank.example/cb", "code_verifier", verifier)

	other := verifytest.NewDPoPKey(t) // §5.3.2.2: the code is bound to the key that was proven when the request was pushed
	form := with(exchange, "client_assertion_type", jwtBearer, "client_assertion", sign(t, signer, "", w.assertion("bank", nil)))
	w.send("POST", "/token", form, "DPoP", w.prove(other, "POST", "/token", "", verifytest.Claims{"nonce": nonce})).expect(400, "invalid_grant")
	form = with(exchange, "client_assertion_type", jwtBearer, "client_assertion", sign(t, signer, "", w.assertion("bank", nil)))
	w.send("POST", "/token", form).expect(400, "invalid_dpop_proof") // §5.3.2.1: no token that a thief can use

	got := send("/token", exchange).ok()
	if got.json("token_type") != "DPoP" || claims(t, got.json("access_token"))["cnf"] == nil {
		t.Errorf("%s", got.Body)
	}
	refresh := got.json("refresh_token")
	again := send("/token", refreshForm(refresh)).ok()
	if again.json("refresh_token") != refresh { // §5.3.2.1: no rotation
		t.Errorf("the refresh token changed: %s", again.Body)
	}
	send("/token", params("grant_type", "client_credentials", "scope", "cal.read")).ok()
}

// FAPI 2.0 §5.4.1: PS256, ES256 or EdDSA, for ID tokens, userinfo and access tokens; a
// resource whose tokens have RS256 has none for clients of the profile, and goes on with all
// others.
func TestFAPI2_5_4_1_Algorithms(t *testing.T) {
	t.Parallel()
	w, key, signer := newWorld(t), verifytest.NewDPoPKey(t), newSigner(t, jose.ES256, "k")
	w.ownKeys()
	w.signing("bank", idp.FAPI2, signer)
	w.alter("bank", func(c *idp.Client) { c.IDTokenAlg, c.GrantTypes = "PS256", append(c.GrantTypes, idp.GrantDeviceCode) })
	w.must(w.keys.NeedFor(t.Context(), idp.ClientMetadata{IDTokenAlg: "PS256"}, w.clock()))
	nonce := ""
	send := func(path string, form map[string]string) answer {
		t.Helper()
		sent := params("client_assertion_type", jwtBearer, "client_assertion", sign(t, signer, "", w.assertion("bank", nil)))
		for name, value := range form {
			sent.Set(name, value)
		}
		change := verifytest.Claims{}
		if nonce != "" {
			change["nonce"] = nonce
		}
		a := w.send("POST", path, sent, "DPoP", w.prove(key, "POST", path, "", change))
		if fresh := a.Header().Get("DPoP-Nonce"); fresh != "" {
			nonce = fresh
		}
		return a
	}
	asked := map[string]string{
		"response_type": "code", "redirect_uri": "https://bank.example/cb", "scope": "openid cal.read",
		"code_challenge": challenge, "code_challenge_method": "S256",
	}
	send("/par", asked).expect(400, "use_dpop_nonce")
	tokens := func() answer {
		t.Helper()
		pushed := send("/par", asked)
		b := w.browser()
		back := b.through(b.authorize(params("client_id", "bank", "request_uri", pushed.json("request_uri"))), ann)
		return send("/token", map[string]string{
			"grant_type": "authorization_code", "code": back.query("code"), "redirect_uri": "https://bank.example/cb", "code_verifier": verifier,
		}).ok()
	}
	calendarSigns := func(alg string) {
		t.Helper()
		r, err := w.db.Resource(t.Context(), calendar)
		w.must(err)
		r.Alg = alg
		w.must(w.db.PutResource(t.Context(), system(), r, w.clock()))
	}
	var first answer
	for _, alg := range []string{"PS256", "ES256", "EdDSA"} {
		calendarSigns(alg)
		first = tokens()
		if got := header(t, first.json("id_token"))["alg"]; got != "PS256" {
			t.Errorf("ID token: %v", got)
		}
		if got := header(t, first.json("access_token"))["alg"]; got != alg {
			t.Errorf("access token: %v, want %s", got, alg)
		}
	}
	calendarSigns("RS256")
	send("/par", asked).expect(400, "invalid_target")
	send("/device_authorization", map[string]string{"scope": "cal.read"}).expect(400, "invalid_target")
	send("/token", map[string]string{"grant_type": "client_credentials", "scope": "cal.read"}).expect(400, "invalid_target")
	send("/token", map[string]string{"grant_type": "refresh_token", "refresh_token": first.json("refresh_token")}).expect(400, "invalid_target")
	if got := header(t, w.tokensFor("web", ann).json("access_token"))["alg"]; got != "RS256" {
		t.Errorf("of others: %v", got)
	}
	calendarSigns("EdDSA") // what was refused has ended nothing
	send("/token", map[string]string{"grant_type": "refresh_token", "refresh_token": first.json("refresh_token")}).ok()
}
