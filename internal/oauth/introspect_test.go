package oauth_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/verifytest"
)

// introspect asks as a client and returns the answer's members.
func (w *world) introspect(client, tok string, more ...string) map[string]any {
	w.t.Helper()
	a := w.as(client, "/introspect", params(append([]string{"token", tok}, more...)...)).ok()
	if a.Header().Get("Cache-Control") != "no-store" || a.Header().Get("Content-Type") != "application/json" {
		w.t.Errorf("headers %v", a.Header())
	}
	var m map[string]any
	w.must(json.Unmarshal(a.Body.Bytes(), &m))
	return m
}

// dead checks that the answer says that the token is not active, and nothing else.
func (w *world) dead(what string, m map[string]any) {
	w.t.Helper()
	if !reflect.DeepEqual(m, map[string]any{"active": false}) {
		w.t.Errorf("%s: %v", what, m)
	}
}

// serving makes the client "robot" the service of a resource.
func (w *world) serving(resource string) {
	w.t.Helper()
	w.alter("robot", func(c *idp.Client) { c.Resources = []string{resource} })
}

// RFC 7662 §2.2: what the token says, to the service that it was made for and the client.
func TestIntrospect_RFC7662_2_2_AccessToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serving(calendar)
	tok := w.tokensFor("web", ann, "scope", "openid cal.read cal.write").json("access_token")
	said := claims(t, tok)
	if said["aud"] != calendar {
		t.Fatal(said)
	}
	for _, client := range []string{"robot", "web"} {
		for _, hint := range []string{"", "access_token", "refresh_token", "unknown"} {
			m := w.introspect(client, tok, "token_type_hint", hint)
			if m["active"] != true || m["token_type"] != "Bearer" || m["username"] != "ann" {
				t.Errorf("%s %s: %v", client, hint, m)
			}
			for _, name := range []string{"scope", "client_id", "exp", "iat", "sub", "aud", "iss", "jti", "sid", "grant_id", "auth_time", "acr"} {
				if m[name] == nil || m[name] != said[name] {
					t.Errorf("%s: %s is %v, the token says %v", client, name, m[name], said[name])
				}
			}
		}
	}
	own := w.as("web", "/token", params("grant_type", "client_credentials", "scope", "cal.read")).ok().json("access_token")
	if m := w.introspect("robot", own); m["active"] != true || m["sub"] != "web" || m["username"] != nil || m["sid"] != nil {
		t.Errorf("a client's own: %v", m)
	}
}

func TestIntrospect_RFC7662_2_2_RefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serving(calendar)
	a := w.tokensFor("web", ann, "scope", "openid cal.read")
	rt, said := a.json("refresh_token"), claims(t, a.json("access_token"))
	m := w.introspect("web", rt, "token_type_hint", "access_token")
	if m["active"] != true || m["sub"] != ann || m["client_id"] != "web" || m["grant_id"] != said["grant_id"] || m["sid"] != said["sid"] ||
		m["scope"] != "openid cal.read" || m["exp"] == nil || m["token_type"] != nil {
		t.Errorf("%v", m)
	}
	w.dead("of another client", w.introspect("other", rt))
	w.dead("to the service", w.introspect("robot", rt))
	next := w.refresh("web", rt).ok().json("refresh_token")
	w.dead("used", w.introspect("web", rt))
	if m := w.introspect("web", next); m["active"] != true { // to ask about a used one is no use of it
		t.Errorf("the successor: %v", m)
	}
}

// RFC 9449 §6.2: of a bound token the service hears the key and the type.
func TestIntrospect_RFC9449_6_2_Confirmation(t *testing.T) {
	t.Parallel()
	w, key := newWorld(t), verifytest.NewDPoPKey(t)
	w.serving(calendar)
	m := w.introspect("robot", w.boundFor("web", key).json("access_token"))
	if cnf, _ := m["cnf"].(map[string]any); m["active"] != true || m["token_type"] != "DPoP" || len(cnf) != 1 || cnf["jkt"] != key.Thumbprint() {
		t.Errorf("%v", m)
	}
	if m := w.introspect("robot", w.tokensFor("web", ann).json("access_token")); m["token_type"] != "Bearer" || m["cnf"] != nil {
		t.Errorf("%v", m)
	}
}

// TOK-11: whoever is neither the service nor the client hears nothing, and pays with his
// own authentication.
func TestIntrospect_TOK11_Oracle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serving(mail)
	a := w.tokensFor("web", ann, "scope", "openid cal.read")
	tok := a.json("access_token")
	for _, client := range []string{"other", "legacy", "own", "robot"} {
		w.dead(client, w.introspect(client, tok))
	}
	for name, made := range map[string]string{
		"garbage": "x", "ID token": a.json("id_token"), "cut": tok[:len(tok)-3], "another signature": tok[:len(tok)-8] + "AAAAAAAA", "no refresh token": "sgr_x",
	} {
		w.dead(name, w.introspect("web", made))
	}
	w.as("spa", "/introspect", params("token", w.tokensFor("spa", ann).json("access_token"))).expect(400, "unauthorized_client")
	w.send("POST", "/introspect", params("token", tok)).expect(401, "invalid_client")
	w.send("POST", "/introspect", params("token", tok, "client_id", "web")).expect(401, "invalid_client")
	w.send("POST", "/introspect", params("token", tok), "Authorization", "Bearer "+tok).expect(401, "invalid_client")
	w.as("web", "/introspect", params()).expect(400, "invalid_request")
	if got := w.send("GET", "/introspect?token="+tok, nil, "Authorization", basic("web")); got.Code != 405 {
		t.Errorf("GET: %d", got.Code)
	}
}

// TOK-10: whatever ends a refresh ends the answer, too.
func TestIntrospect_TOK10_Standing(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, tok string){
		"user disabled":    func(w *world, _ string) { w.must(w.db.DisableUser(w.t.Context(), system(), ann, w.clock())) },
		"user deleted":     func(w *world, _ string) { w.must(w.db.DeleteUser(w.t.Context(), system(), ann, w.clock())) },
		"password changed": func(w *world, _ string) { w.must(w.db.SetPassword(w.t.Context(), system(), ann, "new", w.clock())) },
		"client disabled":  func(w *world, _ string) { w.must(w.db.DisableClient(w.t.Context(), system(), "web", w.clock())) },
		"client deleted":   func(w *world, _ string) { w.must(w.db.DeleteClient(w.t.Context(), system(), "web", w.clock())) },
		"app removed":      func(w *world, _ string) { w.must2(w.db.RevokeApp(w.t.Context(), system(), ann, "web", w.clock())) },
		"grant revoked": func(w *world, tok string) {
			w.must(w.db.RevokeGrant(w.t.Context(), system(), claims(w.t, tok)["grant_id"].(string), "", w.clock()))
		},
		"session ended": func(w *world, tok string) {
			w.must(w.db.EndSession(w.t.Context(), system(), ann, claims(w.t, tok)["sid"].(string), w.clock()))
		},
		"token revoked": func(w *world, tok string) { w.as("web", "/revoke", params("token", tok)).ok() },
		"everything":    func(w *world, _ string) { w.must2(w.db.BeginEpoch(w.t.Context(), system(), w.clock())) },
		"expired":       func(w *world, _ string) { w.pass(5 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.serving(calendar)
			a := w.tokensFor("web", ann, "scope", "openid cal.read")
			tok := a.json("access_token")
			if w.introspect("robot", tok)["active"] != true || w.introspect("web", a.json("refresh_token"))["active"] != true {
				t.Fatal("not active before")
			}
			end(w, tok)
			w.dead("access token", w.introspect("robot", tok))
			if name != "token revoked" && name != "expired" && name != "client disabled" && name != "client deleted" {
				w.dead("refresh token", w.introspect("web", a.json("refresh_token")))
				w.refresh("web", a.json("refresh_token")).expect(400, "invalid_grant")
			}
		})
	}
	// The same for a client's own token.
	w := newWorld(t)
	w.serving(calendar)
	tok := w.as("web", "/token", params("grant_type", "client_credentials", "scope", "cal.read")).ok().json("access_token")
	w.must(w.db.DisableClient(t.Context(), system(), "web", w.clock()))
	w.dead("of a disabled client", w.introspect("robot", tok))
	w.must(w.db.EnableClient(t.Context(), system(), "web", w.clock()))
	w.dead("of a client that was disabled", w.introspect("robot", tok))
}

func (w *world) must2(_ any, err error) {
	w.t.Helper()
	w.must(err)
}
