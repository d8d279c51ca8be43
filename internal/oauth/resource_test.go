package oauth_test

import (
	"net/http"
	"testing"

	"github.com/signet-id/signet/internal/idp"
)

// RFC 8707 §2: one audience per access token, chosen by the resource or the scopes.
func TestAuthorize_RFC8707_2_Audience(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		name, scope, resource string
		aud, granted          string
		err                   string
	}{
		{"one resource's scopes", "openid cal.read", "", calendar, "cal.read", ""},
		{"no API scope", "openid profile", "", issuer, "openid profile", ""},
		{"two resources' scopes", "cal.read mail.read", "", "", "", "invalid_target"},
		{"two resources' scopes, one named", "cal.read mail.read", mail, mail, "mail.read", ""},
		{"named and fitting", "cal.write cal.read", calendar, calendar, "cal.write cal.read", ""},
		{"slash after a bare host", "cal.read", calendar + "/", calendar, "cal.read", ""},
		{"slash after a path", "mail.read", mail + "/", "", "", "invalid_target"},
		{"issuer", "openid cal.read", issuer, issuer, "openid", ""},
		{"issuer with a slash", "openid", issuer + "/", issuer, "openid", ""},
		{"none of its scopes", "openid", calendar, "", "", "invalid_target"},
		{"unknown", "openid cal.read", "https://nowhere.example", "", "", "invalid_target"},
		{"fragment", "cal.read", calendar + "#", "", "", "invalid_target"},
		{"relative", "cal.read", "/calendar", "", "", "invalid_target"},
		{"other letters", "cal.read", "https://CALENDAR.example", "", "", "invalid_target"},
		{"more", "cal.read", calendar + "/x", "", "", "invalid_target"},
		{"port", "cal.read", calendar + ":443", "", "", "invalid_target"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			form := ask("web", "scope", tt.scope, "resource", tt.resource)
			b := w.browser()
			if tt.err != "" {
				refused(t, b.authorize(form), tt.err)
				return
			}
			a := w.redeem("web", b.code(form, ann)).ok()
			access := claims(t, a.json("access_token"))
			if access["aud"] != tt.aud || a.json("scope") != tt.granted {
				t.Errorf("%v, response says %q", access, a.json("scope"))
			}
		})
	}
}

// RFC 8707 §2.2: the token request may name another one that the grant covers.
func TestToken_RFC8707_2_2_Resource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code(ask("web", "scope", "openid cal.read mail.read", "resource", calendar), ann)
	a := w.redeem("web", code, "resource", mail).ok()
	access := claims(t, a.json("access_token"))
	if access["aud"] != mail || a.json("expires_in") != "120" {
		t.Errorf("%v %s", access, a.Body)
	}
	if claims(t, a.json("id_token"))["aud"] != "web" {
		t.Error("the ID token is for the client")
	}
}

// A resource that is gone gets no tokens any more, by no way.
func TestToken_RFC8707_2_ResourceDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rt := w.tokensFor("web", ann, "scope", "openid cal.read").json("refresh_token")
	w.must(w.db.DeleteResource(t.Context(), system(), calendar, w.clock()))
	w.refresh("web", rt).expect(400, "invalid_target")
	w.refresh("web", rt, "scope", "cal.read").expect(400, "invalid_scope")
	w.refresh("web", rt, "resource", issuer).ok()
}

// TOK-10: a scope that the client may not have any more is not in new tokens.
func TestToken_RFC6749_6_ClientLosesAScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rt := w.tokensFor("web", ann, "scope", "openid cal.read cal.write").json("refresh_token")
	w.alter("web", func(c *idp.Client) { c.Scopes = []string{"openid", "cal.read"} })
	a := w.refresh("web", rt).ok()
	if a.json("scope") != "cal.read" {
		t.Errorf("scope %q", a.json("scope"))
	}
	w.refresh("web", a.json("refresh_token"), "scope", "cal.write").expect(http.StatusBadRequest, "invalid_scope")
}
