package admin_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
)

// inspect asks what a token is worth; neither question nor answer has the token.
func (a *api) inspect(tok string) admin.TokenAnswer {
	a.t.Helper()
	q, ok := admin.QuestionAbout(tok)
	if !ok {
		a.t.Fatalf("no question about %s", tok[:4])
	}
	asked, err := json.Marshal(q)
	if err != nil {
		a.t.Fatal(err)
	}
	answer := a.do(http.StatusOK, "POST", "/tokens/inspect", string(asked))
	if strings.Contains(answer+string(asked), tok) {
		a.t.Errorf("the token is in %s or %s", asked, answer)
	}
	return decode[admin.TokenAnswer](a.t, answer)
}

// newGrant writes a grant with a refresh token as the token endpoint does.
func (a *api) newGrant(userID, clientID, sid string) (grantID string, first secret.Text) {
	a.t.Helper()
	by := idp.Actor{Kind: "user", ID: userID}
	g := idp.Grant{
		ID: secret.ID(), UserID: userID, ClientID: clientID, SessionID: sid, Scopes: []string{"openid", "profile"}, AuthTime: started,
		ACR: idp.ACRPassword, CreatedAt: a.now, ExpiresAt: a.now.Add(24 * time.Hour),
	}
	code := idp.Code{Hash: [32]byte{1}, GrantID: g.ID, ClientID: clientID, ExpiresAt: a.now.Add(time.Minute)}
	if err := a.db.IssueCode(a.t.Context(), by, idp.Approval{SessionID: sid}, g, code, a.now); err != nil {
		a.t.Fatal(err)
	}
	first, handle, hash := token.NewRefresh()
	refresh := idp.RefreshToken{HandleHash: handle, CurrentHash: hash, GrantID: g.ID, ExpiresAt: g.ExpiresAt}
	if err := a.db.RedeemCode(a.t.Context(), by, code.Hash, &refresh, a.now); err != nil {
		a.t.Fatal(err)
	}
	return g.ID, first
}

func TestTokensInspect_Refresh(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.newUser("ann")
	a.newSession(ann, "session-1")
	a.do(http.StatusCreated, "POST", "/clients", `{"client_id":"shop","client_name":"Shop","redirect_uris":["https://shop.example/cb"]}`)
	grant, first := a.newGrant(ann, "shop", "session-1")

	got := a.inspect(first.Reveal())
	if got.State != "live" || got.ClientID != "shop" || got.Username != "ann" || got.UserID != ann || got.GrantID != grant ||
		strings.Join(got.Scopes, " ") != "openid profile" || !got.ExpiresAt.Equal(a.now.Add(24*time.Hour)) {
		t.Errorf("live: %+v", got)
	}
	// Asking used nothing up, and a used token ends nothing by being asked about.
	_, handle, hash, _ := token.ParseRefresh(first.Reveal())
	next, nextHash, sealed := token.NextRefresh(first, "")
	if r, _, err := a.db.RotateRefreshToken(t.Context(), idp.Actor{Kind: "client", ID: "shop"}, handle, hash, nextHash, sealed, 30*time.Second, a.now); err != nil || r != idp.Rotated {
		t.Fatal(r, err)
	}
	a.now = a.now.Add(time.Minute)
	if got := a.inspect(first.Reveal()); got.State != "dead" || !strings.Contains(got.Reason, "it was used") {
		t.Errorf("used: %+v", got)
	}
	if got := a.inspect(next.Reveal()); got.State != "live" {
		t.Errorf("successor: %+v", got)
	}
	a.do(http.StatusNoContent, "POST", "/clients/shop/disable", "")
	if got := a.inspect(next.Reveal()); got.State == "live" {
		t.Errorf("client disabled: %+v", got)
	}
}

func TestTokensInspect_Others(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := decode[admin.ClientWithSecret](t, a.do(http.StatusCreated, "POST", "/clients", `{"client_id":"shop","client_name":"Shop","redirect_uris":["https://shop.example/cb"]}`))
	invitation := decode[admin.RegistrationTokenWithSecret](t, a.do(http.StatusCreated, "POST", "/registration-tokens", `{}`))
	if got := a.inspect(c.Secret); got.State != "live" || got.ClientID != "shop" {
		t.Errorf("client secret: %+v", got)
	}
	if got := a.inspect(invitation.Token); got.State != "live" || got.ExpiresAt.IsZero() {
		t.Errorf("registration token: %+v", got)
	}
	for _, p := range []secret.Prefix{secret.Refresh, secret.Code, secret.Session, secret.Invitation, secret.ClientSecret, secret.Management} {
		if got := a.inspect(secret.New(p).Reveal()); got.State != "unknown" || got.Reason == "" {
			t.Errorf("%s: %+v", p, got)
		}
	}
	a.do(http.StatusNoContent, "POST", "/clients/shop/disable", "")
	if got := a.inspect(c.Secret); got.State != "dead" {
		t.Errorf("secret of a disabled client: %+v", got)
	}
	for _, tok := range []string{secret.New(secret.Device).Reveal(), "hello", "", strings.TrimPrefix(c.Secret, "sgs_")} {
		if q, ok := admin.QuestionAbout(tok); ok {
			t.Errorf("%q: %+v", tok, q)
		}
	}
	hash := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, body := range map[string]string{
		"nothing":             `{}`,
		"short hash":          `{"kind":"sgs_","hash":"AAAA"}`,
		"kind unknown":        `{"kind":"sgd_","hash":"` + hash + `"}`,
		"refresh, no handle":  `{"kind":"sgr_","hash":"` + hash + `"}`,
		"handle of no family": `{"kind":"sgs_","hash":"` + hash + `","handle":"` + hash + `"}`,
		"the token itself":    `{"token":"` + c.Secret + `"}`,
	} {
		if answer := a.do(http.StatusBadRequest, "POST", "/tokens/inspect", body); strings.Contains(answer, c.Secret) {
			t.Errorf("%s: %s", name, answer)
		}
	}
	// A client without a secret is found by none.
	a.do(http.StatusCreated, "POST", "/clients", `{"client_id":"desk","client_name":"Desk","application_type":"native","redirect_uris":["http://127.0.0.1/cb"]}`)
	if got := decode[admin.TokenAnswer](t, a.do(http.StatusOK, "POST", "/tokens/inspect", `{"kind":"sgs_","hash":"`+hash+`"}`)); got.State != "unknown" {
		t.Errorf("a hash of zeros: %+v", got)
	}
}

func TestAbout(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if got := decode[admin.About](t, a.do(http.StatusOK, "GET", "/about", "")); got.Issuer != issuer {
		t.Errorf("%+v", got)
	}
}
