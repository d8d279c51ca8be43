package oauth_test

import "testing"

// RFC 6749 §4.4, RFC 9068 §2.2: the client is the subject, and there is no person.
func TestToken_RFC6749_4_4_ClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		name, client string
		form         []string
		aud, scope   string
		err          string
	}{
		{"all that it has", "robot", nil, calendar, "cal.read cal.write", ""},
		{"one scope", "robot", []string{"scope", "cal.read"}, calendar, "cal.read", ""},
		{"resource", "robot", []string{"resource", calendar}, calendar, "cal.read cal.write", ""},
		{"two resources' scopes, none named", "web", nil, "", "", "invalid_target"},
		{"two resources' scopes, one named", "web", []string{"resource", mail}, mail, "mail.read", ""},
		{"another resource", "robot", []string{"resource", mail}, "", "", "invalid_target"},
		{"the issuer", "robot", []string{"resource", issuer}, issuer, "", ""},
		{"not registered", "robot", []string{"scope", "mail.read"}, "", "", "invalid_scope"},
		{"about a person", "web", []string{"scope", "openid"}, "", "", "invalid_scope"},
		{"offline", "web", []string{"scope", "offline_access"}, "", "", "invalid_scope"},
		{"unknown", "robot", []string{"scope", "cal.read no-such"}, "", "", "invalid_scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			a := w.as(tt.client, "/token", with(params(tt.form...), "grant_type", "client_credentials"))
			if tt.err != "" {
				a.expect(400, tt.err)
				return
			}
			c := claims(t, a.ok().json("access_token"))
			if c["aud"] != tt.aud || a.json("scope") != tt.scope || c["sub"] != tt.client || c["client_id"] != tt.client {
				t.Errorf("%v, response says %q", c, a.json("scope"))
			}
			for _, name := range []string{"sid", "grant_id", "auth_time", "acr", "amr", "groups"} {
				if c[name] != nil {
					t.Errorf("%s: %v", name, c[name])
				}
			}
			if a.json("refresh_token") != "" || a.json("id_token") != "" { // RFC 6749 §4.4.3
				t.Errorf("%s", a.Body)
			}
		})
	}
}
