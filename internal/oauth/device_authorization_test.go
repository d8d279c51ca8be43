package oauth_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/secret"
)

// TestDevice_RFC8628_3_2_Response: all members, both codes fresh each time, and of the
// codes only hashes in the database. OAU-18: at most ten minutes.
func TestDevice_RFC8628_3_2_Response(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.device("tv").ok(), w.device("tv").ok()
	user, code := first.json("user_code"), first.json("device_code")
	if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{5}-[BCDFGHJKLMNPQRSTVWXZ]{5}$`).MatchString(user) {
		t.Errorf("user_code %q", user)
	}
	if _, _, err := secret.Parse(secret.Device, code); err != nil {
		t.Errorf("device_code %q", code)
	}
	if user == second.json("user_code") || code == second.json("device_code") {
		t.Error("the same codes twice")
	}
	for name, want := range map[string]string{
		"verification_uri": issuer + "/device", "verification_uri_complete": issuer + "/device?user_code=" + user, "expires_in": "600", "interval": "5",
	} {
		if got := first.json(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if first.Header().Get("Cache-Control") != "no-store" || first.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%v", first.Header())
	}
	var dump strings.Builder
	w.must(w.db.Backup(t.Context(), system(), &dump, w.clock()))
	d, err := w.db.DeviceRequestByUserCode(t.Context(), secret.HashKeyed([32]byte{7}, "user_code", secret.NewText(user)), w.clock())
	w.must(err)
	if strings.Contains(string(d.SealedCode), user) || strings.Contains(dump.String(), user) || d.DeviceHash != secret.Hash("device_code", secret.NewText(code)) {
		t.Error("a code is stored as it is")
	}
	if d.ClientID != "tv" || d.Resource != calendar || strings.Join(d.Scopes, " ") != "openid profile cal.read" {
		t.Errorf("%+v", d)
	}
}

// TestDevice_RFC8628_3_1_Request: clients prove themselves as at the token endpoint and
// must be registered; scope and resource are checked as at the authorization endpoint.
func TestDevice_RFC8628_3_1_Request(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		name   string
		answer answer
		status int
		code   string
	}{
		{"confidential", w.device("box"), 200, ""},
		{"public", w.device("tv"), 200, ""},
		{"no client", w.send("POST", "/device_authorization", params("scope", "openid")), 401, "invalid_client"},
		{"unknown client", w.device("nobody"), 401, "invalid_client"},
		{"confidential without its secret", w.send("POST", "/device_authorization", params("client_id", "box", "scope", "openid")), 401, "invalid_client"},
		{"public with a secret", w.device("tv", "client_secret", "x"), 401, "invalid_client"},
		{"not registered", w.device("web"), 400, "unauthorized_client"},
		{"not registered, public", w.device("spa"), 400, "unauthorized_client"},
		{"no scope", w.device("tv", "scope", ""), 400, "invalid_scope"},
		{"unknown scope", w.device("tv", "scope", "nothing"), 400, "invalid_scope"},
		{"bad scope", w.device("tv", "scope", "a\"b"), 400, "invalid_scope"},
		{"one known scope", w.device("tv", "scope", "nothing openid"), 200, ""},
		{"two resources", w.device("tv", "scope", "cal.read mail.read"), 400, "invalid_target"},
		{"two resources, one named", w.device("tv", "scope", "cal.read mail.read", "resource", mail), 200, ""},
		{"unknown resource", w.device("tv", "resource", "https://nowhere.example"), 400, "invalid_target"},
		{"resource with a fragment", w.device("tv", "resource", calendar+"#x"), 400, "invalid_target"},
		{"resource without its scopes", w.device("tv", "resource", mail), 400, "invalid_target"},
		{"JSON", w.send("POST", "/device_authorization", params("client_id", "tv"), "Content-Type", "application/json"), 400, "invalid_request"},
		{"parameter twice", w.send("POST", "/device_authorization", params("client_id", "tv", "scope", "openid", "scope", "email")), 400, "invalid_request"},
		{"in the query", w.send("POST", "/device_authorization?scope=openid", params("client_id", "tv")), 400, "invalid_scope"},
	} {
		if tt.answer.Code != tt.status || tt.answer.json("error") != tt.code {
			t.Errorf("%s: %d %s; want %d %s", tt.name, tt.answer.Code, tt.answer.Body, tt.status, tt.code)
		}
	}
	if a := w.send("GET", "/device_authorization?client_id=tv&scope=openid", nil); a.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", a.Code)
	}
	w.must(w.db.DisableClient(t.Context(), system(), "tv", w.clock()))
	w.device("tv").expect(401, "invalid_client")
	w.alter("box", func(c *idp.Client) { c.GrantTypes = []string{idp.GrantClientCredentials} })
	w.device("box").expect(400, "unauthorized_client")
}

// TestDevice_DOS03_Quotas: what waits is bounded, also for who may answer their own; the
// life of the codes cannot be stretched. RFC 10027 §6.1.11.
func TestDevice_DOS03_Quotas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oauth.Config) {
		c.Devices.Quotas = idp.DeviceQuotas{PerNetwork: 3, PerClient: 100, Total: 100}
		c.Devices.Lifetime = 24 * 60 * 60 * 1e9
	})
	if got := w.device("tv").ok().json("expires_in"); got != "600" {
		t.Errorf("expires_in %s", got)
	}
	w.device("tv").ok()
	e := w.enter("tv")
	e.allow(ann)
	if a := w.device("box").expect(429, "temporarily_unavailable"); a.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.pass(10 * 60 * 1e9)
	w.device("tv").ok()
}
