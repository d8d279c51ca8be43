package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// CLI-04, CLI-07: a right to register is shown once, stored hashed, bounded and revocable.
func TestRegistrationTokens_CLI04(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	made := decode[admin.RegistrationTokenWithSecret](t, a.do(http.StatusCreated, "POST", "/registration-tokens", `{"name":"suite","uses":3,"security_profile":"oidc"}`))
	token, _, err := secret.Parse(secret.Invitation, made.Token)
	if err != nil || made.UsesLeft != 3 || made.Profile != idp.OIDC || !made.ExpiresAt.Equal(started.Add(24*time.Hour)) {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := a.db.RegistrationToken(t.Context(), secret.Hash("registration_token", token), a.now); err != nil {
		t.Error(err)
	}
	a.answers.Reset()
	list := decode[[]admin.RegistrationToken](t, a.do(http.StatusOK, "GET", "/registration-tokens", ""))
	if len(list) != 1 || list[0].Name != "suite" || strings.Contains(a.answers.String(), made.Token) {
		t.Errorf("%+v", list)
	}
	for _, body := range []string{
		`{"uses":0}`, `{"uses":1001}`, `{"uses":-1}`, `{"expires_in":59}`, `{"expires_in":7776001}`, `{"security_profile":"fapi2"}`, `{"name":"a\u202e"}`, `{"token":"x"}`,
	} {
		a.do(http.StatusBadRequest, "POST", "/registration-tokens", body)
	}
	a.do(http.StatusNoContent, "DELETE", "/registration-tokens/"+made.ID, "")
	a.do(http.StatusNotFound, "DELETE", "/registration-tokens/nobody", "")
	if _, err := a.db.RegistrationToken(t.Context(), secret.Hash("registration_token", token), a.now); err == nil {
		t.Error("still good")
	}
}

// An operator sees where a client came from, and cannot take its name before it comes.
func TestClients_Origin(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(http.StatusCreated, "POST", "/clients", `{"client_id":"wiki","client_name":"Wiki","redirect_uris":["https://wiki.example.com/cb"]}`)
	a.do(http.StatusBadRequest, "POST", "/clients", `{"client_id":"dyn-1","client_name":"Wiki","redirect_uris":["https://wiki.example.com/cb"]}`)
	a.do(http.StatusBadRequest, "POST", "/clients", `{"client_id":"https://wiki.example.com/client.json","client_name":"Wiki","redirect_uris":["https://wiki.example.com/cb"]}`)
	m := idp.ClientMetadata{Name: "S", ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthNone, Profile: idp.OAuth21, RedirectURIs: []string{"https://s.example/cb"},
		GrantTypes: []string{idp.GrantAuthorizationCode}, Scopes: []string{"openid"}}
	by := idp.Actor{Kind: "system"}
	if err := a.db.RegisterClient(t.Context(), by, idp.Client{ID: "dyn-1", RegistrationHash: [32]byte{1}, ClientMetadata: m}, [32]byte{}, 10, a.now); err != nil {
		t.Fatal(err)
	}
	const document = "https://s.example/client.json"
	if _, err := a.db.PutDocumentClient(t.Context(), by, idp.Client{ID: document, ClientMetadata: m}, 10, a.now); err != nil {
		t.Fatal(err)
	}
	for _, c := range decode[[]admin.Client](t, a.do(http.StatusOK, "GET", "/clients", "")) {
		if want := map[string]string{"wiki": "operator", "dyn-1": "registered", document: "document"}[c.ID]; c.Origin != want {
			t.Errorf("%s: %q", c.ID, c.Origin)
		}
	}
	a.do(http.StatusOK, "PATCH", "/clients/dyn-1", `{"first_party":true}`)
	path := "/clients/https:%2F%2Fs.example%2Fclient.json"
	a.do(http.StatusBadRequest, "PATCH", path, `{"client_name":"Other"}`)
	a.do(http.StatusNoContent, "POST", path+"/disable", "")
}
