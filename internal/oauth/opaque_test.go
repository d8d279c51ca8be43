package oauth_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-id/signet/internal/secret"
)

// TOK-09, TOK-08: every opaque kind, real where it can be, and each with the same 256
// bits as the right one, at every place that takes one.
func TestOpaque_TOK09_KindsTimesEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	code := b.code(ask("web"), ann)
	a := w.redeem("web", b.code(ask("web"), ann)).ok()
	refresh, access, id := a.json("refresh_token"), a.json("access_token"), a.json("id_token")
	kinds := map[string]string{
		"refresh": refresh, "code": code, "access": access, "id": id, "session": b.cookies["__Host-signet"], "flow": b.cookies["__Host-signet-flow"],
		"client secret": secret.New(secret.ClientSecret).Reveal(),
	}
	for _, p := range []secret.Prefix{secret.Access, secret.Personal, secret.ServiceKey, secret.Device, secret.Invitation, secret.Pushed, secret.Code, secret.Refresh, secret.Session, secret.Flow} {
		for name, real := range map[string]string{"code": code, "refresh": refresh} {
			_, bits, err := secret.Parse(secret.Prefix(real[:4]), real)
			if err != nil {
				t.Fatal(err)
			}
			if twin := secret.FromBytes(p, bits).Reveal(); twin != real {
				kinds[string(p)+" with the bits of a "+name] = twin
			}
		}
		kinds[string(p)+" random"] = secret.New(p).Reveal()
	}
	for name, value := range kinds {
		if name != "code" {
			w.redeem("web", value).expect(400, "invalid_grant")
		}
		if name != "refresh" {
			w.refresh("web", value).expect(400, "invalid_grant")
		}
		if got := w.userinfo(value); got.Code != 401 {
			t.Errorf("%s at userinfo: %d", name, got.Code)
		}
		if got := b.authorize(ask("web", "id_token_hint", value)); name != "id" && got.query("error") != "invalid_request" {
			t.Errorf("%s as id_token_hint: %s", name, got.Header().Get("Location"))
		}
		for cookie, real := range b.cookies {
			if value == real {
				continue
			}
			thief := w.browser()
			thief.cookies[cookie] = value
			if thief.alive() {
				t.Errorf("%s as %s", name, cookie)
			}
		}
		if name != "refresh" && name != "access" {
			w.dead(name, w.introspect("web", value))
			w.as("web", "/revoke", params("token", value)).ok()
		}
	}
	for n := range len(refresh) { // TOK-08
		w.refresh("web", refresh[:n]+"x"+refresh[n:]).expect(400, "invalid_grant")
		if n > 0 {
			w.refresh("web", refresh[:n]).expect(400, "invalid_grant")
			w.redeem("web", code[:n]).expect(400, "invalid_grant")
		}
	}
	w.redeem("web", code).ok() // none of it changed anything
	w.refresh("web", refresh).ok()
}

// RFC 6749 §10.3, §10.4, §10.5: nothing that was given out stands in the database's files,
// neither as it was written nor the bits of it.
func TestOpaque_RFC6749_10_3_NotInTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	a := w.redeem("web", b.code(ask("web"), ann)).ok()
	next := w.refresh("web", a.json("refresh_token")).ok()
	given := map[string]string{
		"code": b.code(ask("web"), ann), "refresh token": a.json("refresh_token"), "next refresh token": next.json("refresh_token"),
		"access token": a.json("access_token"), "device code": w.device("tv").ok().json("device_code"), "pushed request": w.push("web", ask("web")),
		"client secret": secrets["web"], "session": b.cookies["__Host-signet"], "flow": b.cookies["__Host-signet-flow"],
	}
	files, err := filepath.Glob(w.file + "*")
	w.must(err)
	var stored []byte
	for _, name := range files {
		content, err := os.ReadFile(name)
		w.must(err)
		stored = append(stored, content...)
	}
	if grant := claims(t, given["access token"])["grant_id"].(string); !bytes.Contains(stored, []byte(grant)) {
		t.Fatal("the test does not see what is stored")
	}
	for name, value := range given {
		value = value[max(0, len(value)-secret.TokenLen):]
		if len(value) < 10 {
			t.Fatalf("%s: %q", name, value)
		}
		if bytes.Contains(stored, []byte(value)) {
			t.Errorf("%s is stored", name)
		}
		if _, bits, err := secret.Parse(secret.Prefix(value[:4]), value); err == nil && bytes.Contains(stored, bits[:]) {
			t.Errorf("the bits of %s are stored", name)
		}
	}
}
