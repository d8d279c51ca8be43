package oauth_test

import (
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// TOK-10, OAU-20: whatever ends, ends everything that hangs on it, at its next use.
func TestStanding_TOK10_EveryUseAsksAgain(t *testing.T) {
	t.Parallel()
	user := idp.Actor{Kind: "user", ID: ann}
	for _, tt := range []struct {
		name    string
		end     func(*world, *browser) error
		offline string // what remains of an offline grant: "dead" or "alive"
		status  int    // of a refresh
	}{
		{"user disabled", func(w *world, _ *browser) error { return w.db.DisableUser(w.t.Context(), system(), ann, w.clock()) }, "dead", 400},
		{"user deleted", func(w *world, _ *browser) error { return w.db.DeleteUser(w.t.Context(), system(), ann, w.clock()) }, "dead", 400},
		{"password changed", func(w *world, _ *browser) error {
			return w.db.SetPassword(w.t.Context(), user, ann, "new hash", w.clock())
		}, "dead", 400},
		{"client disabled", func(w *world, _ *browser) error { return w.db.DisableClient(w.t.Context(), system(), "web", w.clock()) }, "dead", 401},
		{"client deleted", func(w *world, _ *browser) error { return w.db.DeleteClient(w.t.Context(), system(), "web", w.clock()) }, "dead", 401},
		{"app revoked", func(w *world, _ *browser) error {
			_, err := w.db.RevokeApp(w.t.Context(), user, ann, "web", w.clock())
			return err
		}, "dead", 400},
		{"session ended", func(w *world, b *browser) error {
			return w.db.EndSession(w.t.Context(), user, ann, b.session().ID, w.clock())
		}, "alive", 400},
		{"other sessions ended", func(w *world, _ *browser) error {
			_, err := w.db.EndOtherSessions(w.t.Context(), user, ann, "", w.clock())
			return err
		}, "alive", 400},
		{"session idle too long", func(w *world, _ *browser) error { w.pass(12*time.Hour + time.Second); return nil }, "alive", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, scope := range []string{"openid", "openid offline_access"} {
				w := newWorld(t)
				b := w.browser()
				got := w.redeem("web", b.code(ask("web", "scope", scope), ann)).ok()
				code := b.code(ask("web", "scope", scope), ann)
				w.userinfo(got.json("access_token")).ok()
				w.must(tt.end(w, b))
				refreshed, redeemed := w.refresh("web", got.json("refresh_token")), w.redeem("web", code)
				if scope != "openid" && tt.offline == "alive" {
					refreshed.ok()
					continue
				}
				if refreshed.Code != tt.status || redeemed.Code != tt.status {
					t.Errorf("%s: refresh %d %s, code %d %s", scope, refreshed.Code, refreshed.Body, redeemed.Code, redeemed.Body)
				}
				if a := w.userinfo(got.json("access_token")); a.Code != 401 {
					t.Errorf("%s: userinfo %d", scope, a.Code)
				}
			}
		})
	}
}

// OpenID Connect Core §11: an offline grant outlives the login, and its tokens carry no sid.
func TestToken_OIDC_11_OfflineAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	a := w.redeem("web", b.code(ask("web", "scope", "openid cal.read offline_access", "prompt", "consent"), ann)).ok()
	if claims(t, a.json("access_token"))["sid"] != nil {
		t.Error("sid in an offline access token")
	}
	w.must(w.db.EndSession(t.Context(), idp.Actor{Kind: "user", ID: ann}, ann, b.session().ID, w.clock()))
	w.refresh("web", a.json("refresh_token")).ok()
}
