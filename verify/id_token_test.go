package verify_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
)

// OpenID Connect Core §3.1.3.7: the rules of a relying party.
func TestVerifyIDToken_OIDCCore_3_1_3_7(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		now := time.Now().Unix()
		id := func(changes map[string]any) string {
			c := map[string]any{
				"iss": issuer, "sub": "user", "aud": "app", "iat": now, "exp": now + 300, "nonce": "n", "auth_time": now - 5,
				"acr": "aal1", "amr": []string{"pwd"}, "sid": "sid", "at_hash": "hash", "name": "Ann",
			}
			for k, x := range changes {
				if c[k] = x; x == nil {
					delete(c, k)
				}
			}
			return w.sign(w.signer, "JWT", c)
		}
		c, err := v.VerifyIDToken(background, id(map[string]any{"azp": "app"}), "app", "n")
		if err != nil {
			t.Fatal(err)
		}
		if c.Subject != "user" || c.SessionID != "sid" || c.AccessTokenHash != "hash" || c.ACR != "aal1" || c.AMR[0] != "pwd" || c.AuthTime.Unix() != now-5 || c.KeyID != "key-1" {
			t.Errorf("got %+v", c)
		}
		if _, err := v.VerifyIDToken(background, id(map[string]any{"nonce": nil}), "app", ""); err != nil {
			t.Error("without nonce:", err)
		}
		for name, tc := range map[string]struct {
			token         string
			client, nonce string
			want          error
		}{
			"other client":       {id(nil), "app2", "n", verify.ErrAudience},
			"no client":          {id(nil), "", "n", verify.ErrAudience},
			"our audience":       {id(map[string]any{"aud": audience}), "app", "n", verify.ErrAudience},
			"list":               {id(map[string]any{"aud": []string{"app"}}), "app", "n", verify.ErrMalformed},
			"azp of another":     {id(map[string]any{"azp": "app2"}), "app", "n", verify.ErrAudience},
			"other issuer":       {id(map[string]any{"iss": issuer + "/"}), "app", "n", verify.ErrIssuer},
			"other nonce":        {id(nil), "app", "m", verify.ErrNonce},
			"nonce not asked":    {id(nil), "app", "", verify.ErrNonce},
			"nonce missing":      {id(map[string]any{"nonce": nil}), "app", "n", verify.ErrNonce},
			"nonce empty":        {id(map[string]any{"nonce": ""}), "app", "", verify.ErrMalformed},
			"expired":            {id(map[string]any{"iat": now - 300, "exp": now - 60}), "app", "n", verify.ErrExpired},
			"from the future":    {id(map[string]any{"iat": now + 61}), "app", "n", verify.ErrNotYetValid},
			"no sub":             {id(map[string]any{"sub": nil}), "app", "n", verify.ErrMalformed},
			"no iat":             {id(map[string]any{"iat": nil}), "app", "n", verify.ErrMalformed},
			"no exp":             {id(map[string]any{"exp": nil}), "app", "n", verify.ErrMalformed},
			"exp before iat":     {id(map[string]any{"exp": now - 1}), "app", "n", verify.ErrMalformed},
			"auth_time a string": {id(map[string]any{"auth_time": "1"}), "app", "n", verify.ErrMalformed},
			// TOK-01: an access token is no proof of a login.
			"access token": {w.token(map[string]any{"aud": "app", "nonce": "n"}), "app", "n", verify.ErrType},
			"other key":    {w.sign(newSigner(t, "key-1"), "JWT", w.claims(map[string]any{"aud": "app"})), "app", "n", verify.ErrSignature},
		} {
			if _, err := v.VerifyIDToken(background, tc.token, tc.client, tc.nonce); !errors.Is(err, tc.want) {
				t.Errorf("%s: %v, want %v", name, err, tc.want)
			}
		}
		w.revoke("session", "sid")
		synctest.Wait()
		if _, err := v.VerifyIDToken(background, id(nil), "app", "n"); !errors.Is(err, verify.ErrRevoked) {
			t.Error("ended session:", err)
		}
	})
}
