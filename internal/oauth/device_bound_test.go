package oauth_test

import (
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/verifytest"
)

// TestToken_RFC9449_5_Device: what a device of a public client gets with a proof is bound to
// its key, the refresh token as well.
func TestToken_RFC9449_5_Device(t *testing.T) {
	t.Parallel()
	w, key, thief := newWorld(t), verifytest.NewDPoPKey(t), verifytest.NewDPoPKey(t)
	by := func(k *verifytest.DPoPKey) string { return w.prove(k, "POST", "/token", "") }
	e := w.enter("tv", "scope", "openid cal.read offline_access")
	e.allow(bob)
	a := w.token("tv", params("grant_type", idp.GrantDeviceCode, "device_code", e.code()), by(key)).ok()
	cnf, _ := claims(t, a.json("access_token"))["cnf"].(map[string]any)
	if a.json("token_type") != "DPoP" || cnf["jkt"] != key.Thumbprint() {
		t.Errorf("%s %v", a.json("token_type"), cnf)
	}
	rt := a.json("refresh_token")
	w.token("tv", refreshForm(rt)).expect(400, "invalid_grant")
	w.token("tv", refreshForm(rt), by(thief)).expect(400, "invalid_grant")
	w.token("tv", refreshForm(rt), by(key)).ok()
}
