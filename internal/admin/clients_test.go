package admin_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

func TestClients_Life(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := decode[admin.ClientWithSecret](t, a.do(http.StatusCreated, "POST", "/clients",
		`{"client_name":"Wiki","redirect_uris":["https://wiki.example.com/cb"]}`))
	switch {
	case secret.IsID(c.ID), !strings.HasPrefix(c.ID, "c-"):
		t.Errorf("id %q", c.ID)
	case c.TokenEndpointAuthMethod != idp.AuthBasic, c.Profile != idp.OAuth21, c.ApplicationType != "web", c.FirstParty:
		t.Errorf("defaults: %+v", c)
	case strings.Join(c.GrantTypes, " ") != "authorization_code refresh_token", strings.Join(c.Scopes, " ") != "openid profile email":
		t.Errorf("defaults: %+v", c)
	}
	stored := func() idp.Client {
		got, err := a.db.Client(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if stored().SecretHash != secret.Hash("client_secret", secret.NewText(c.Secret)) {
		t.Error("another secret is stored")
	}
	path := "/clients/" + c.ID
	a.do(http.StatusConflict, "POST", "/clients", `{"client_id":"`+c.ID+`","client_name":"Wiki","redirect_uris":["https://wiki.example.com/cb"]}`)

	updated := decode[admin.Client](t, a.do(http.StatusOK, "PATCH", path, `{"redirect_uris":["https://wiki.example.org/cb"]}`))
	if updated.Name != "Wiki" || len(updated.RedirectURIs) != 1 || updated.RedirectURIs[0] != "https://wiki.example.org/cb" {
		t.Errorf("%+v", updated)
	}
	if stored().SecretHash != secret.Hash("client_secret", secret.NewText(c.Secret)) {
		t.Error("an update changed the secret")
	}
	a.do(http.StatusBadRequest, "PATCH", path, `{"redirect_uris":["https://wiki.example.org/*"]}`)
	a.do(http.StatusBadRequest, "PATCH", path, `{"token_endpoint_auth_method":"none"}`)
	a.do(http.StatusBadRequest, "PATCH", path, `{"client_id":"other"}`)
	a.do(http.StatusBadRequest, "PATCH", path, `{"SecretHash":[1]}`)

	renewed := decode[admin.ClientWithSecret](t, a.do(http.StatusOK, "POST", path+"/secret", ""))
	if stored().SecretHash != secret.Hash("client_secret", secret.NewText(renewed.Secret)) {
		t.Error("the new secret is not stored")
	}
	a.do(http.StatusNoContent, "POST", path+"/disable", "")
	if !stored().Disabled() {
		t.Error("not disabled")
	}
	a.do(http.StatusNoContent, "POST", path+"/enable", "")
	a.do(http.StatusNoContent, "DELETE", path, "")
	a.do(http.StatusNotFound, "GET", path, "")
	// A recycled id would take over the tokens that still name it.
	a.do(http.StatusConflict, "POST", "/clients", `{"client_id":"`+c.ID+`","client_name":"Wiki","redirect_uris":["https://wiki.example.com/cb"]}`)
}

func TestClients_Public(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := decode[admin.ClientWithSecret](t, a.do(http.StatusCreated, "POST", "/clients",
		`{"client_id":"desk","client_name":"Desk","application_type":"native","redirect_uris":["http://127.0.0.1/cb","com.example.desk:/cb"]}`))
	if c.Secret != "" || c.TokenEndpointAuthMethod != idp.AuthNone {
		t.Errorf("%+v", c)
	}
	a.do(http.StatusBadRequest, "POST", "/clients/desk/secret", "")
	a.do(http.StatusBadRequest, "PATCH", "/clients/desk", `{"token_endpoint_auth_method":"client_secret_basic"}`)
	a.do(http.StatusBadRequest, "PATCH", "/clients/desk", `{"application_type":"web"}`) // its private-use scheme
}

// Ids of users and clients are both subjects of tokens: no client can be called like a user.
func TestClients_ID(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	small := strings.Repeat("a", 22) // an id of 128 bits, in small letters only
	if !secret.IsID("0" + small[1:]) {
		t.Fatal("the test's id is none")
	}
	for id, want := range map[string]int{
		"wiki": 201, "a": 201, "0.b_c-d": 201, strings.Repeat("a", 63): 201,
		secret.ID(): 400, "0" + small[1:]: 400, strings.Repeat("a", 64): 400, "Wiki": 400, "-wiki": 400, ".wiki": 400,
		"wi ki": 400, "wi/ki": 400, "wïki": 400, "wiki\n": 400,
	} {
		body, err := json.Marshal(map[string]any{"client_id": id, "client_name": "Wiki", "redirect_uris": []string{"https://wiki.example.com/cb"}})
		if err != nil {
			t.Fatal(err)
		}
		if got, answer := a.send(request("POST", "/clients", string(body))); got != want {
			t.Errorf("%q: status %d, want %d: %s", id, got, want, answer)
		}
	}
}

// OAU-01, OAU-08, RFC 9700 §2.1, RFC 8252 §7: what may be registered as redirect URI.
func TestClients_RedirectURIs_OAU_01_OAU_08(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const web, native, both, none = 1, 2, 3, 0
	for uri, where := range map[string]int{
		"https://app.example.com/cb":          both,
		"https://app.example.com":             both,
		"https://app.example.com:8443/cb?x=1": both,
		"http://127.0.0.1:3000/cb":            both,
		"http://[::1]/cb":                     both,
		"http://localhost/cb":                 both,
		"com.example.app:/cb":                 native,
		"com.example.app://cb":                native,

		"":                                                     none,
		"/cb":                                                  none,
		"//app.example.com/cb":                                 none,
		"app.example.com/cb":                                   none,
		"http://app.example.com/cb":                            none,
		"http://127.0.0.1.evil.example/cb":                     none,
		"http://localhost.evil.example/cb":                     none,
		"http://10.0.0.1/cb":                                   none,
		"https:///cb":                                          none,
		"https:app.example.com/cb":                             none,
		"https://app.example.com:/cb":                          none,
		"https://app.example.com/cb#":                          none,
		"https://app.example.com/cb#frag":                      none,
		"https://user@app.example.com/cb":                      none,
		"https://app.example.com@evil.example/":                none,
		"https://*.example.com/cb":                             none,
		"https://app.example.com/*":                            none,
		"HTTPS://app.example.com/cb":                           none,
		"https://App.example.com/cb":                           none,
		"https://app.example.com/a/../cb":                      none,
		"https://app.example.com/a/..;/cb":                     none,
		"https://app.example.com/a/%2e%2e/cb":                  none,
		"https://app.example.com/./cb":                         none,
		`https://app.example.com\@evil.example/`:               none,
		"https://app.example.com/c b":                          none,
		"https://app.example.com/cb\r\nX: y":                   none,
		"https://app.exämple.com/cb":                           none,
		"https://app.example.com/<x>":                          none,
		"https://app.example.com/cb?code=x":                    none,
		"https://app.example.com/cb?a=1&state=x":               none,
		"https://app.example.com/cb?iss=x":                     none,
		"https://app.example.com/cb?%65rror=x":                 none,
		"https://app.example.com/cb?access_token=":             none,
		"https://app.example.com/cb?a=1;b=2":                   none,
		"javascript:alert(1)":                                  none,
		"javascript://app.example.com/%0aalert(1)":             none,
		"data:text/html,x":                                     none,
		"myapp://cb":                                           none,
		"mailto:ann@example.com":                               none,
		"https://app.example.com/" + strings.Repeat("a", 2048): none,
	} {
		for kind, bit := range map[string]int{"web": web, "native": native} {
			for _, member := range []string{"redirect_uris", "post_logout_redirect_uris"} {
				m := map[string]any{"client_name": "App", "application_type": kind, "redirect_uris": []string{"https://app.example.com/first"}}
				m[member] = []string{uri}
				body, err := json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				want := http.StatusBadRequest
				if where&bit != 0 {
					want = http.StatusCreated
				}
				if got, answer := a.send(request("POST", "/clients", string(body))); got != want {
					t.Errorf("%s of a %s client: %q: status %d, want %d: %s", member, kind, uri, got, want, answer)
				}
			}
		}
	}
}

func TestClients_Rules(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(http.StatusOK, "PUT", "/resources/https:%2F%2Forders.example.com",
		`{"name":"Orders","scopes":[{"name":"orders:read","title":{"en":"See your orders"}}]}`)
	const uri = `"redirect_uris":["https://app.example.com/cb"]`
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"code":                    {`{"client_name":"App",` + uri + `}`, 201},
		"machine":                 {`{"client_name":"App","grant_types":["client_credentials"],"scopes":["orders:read"]}`, 201},
		"api scope":               {`{"client_name":"App","scopes":["openid","orders:read"],` + uri + `}`, 201},
		"oidc":                    {`{"client_name":"App","security_profile":"oidc","id_token_signed_response_alg":"ES256",` + uri + `}`, 201},
		"origin":                  {`{"client_name":"App","web_origins":["https://app.example.com","http://localhost:3000"],` + uri + `}`, 201},
		"no name":                 {`{` + uri + `}`, 400},
		"name of controls":        {`{"client_name":"App\u0007",` + uri + `}`, 400},
		"name that turns":         {`{"client_name":"App\u202e",` + uri + `}`, 400},
		"long name":               {`{"client_name":"` + strings.Repeat("a", 81) + `",` + uri + `}`, 400},
		"type":                    {`{"client_name":"App","application_type":"mobile",` + uri + `}`, 400},
		"auth method":             {`{"client_name":"App","token_endpoint_auth_method":"client_secret_jwt",` + uri + `}`, 400},
		"profile":                 {`{"client_name":"App","security_profile":"fapi2",` + uri + `}`, 400},
		"alg none":                {`{"client_name":"App","id_token_signed_response_alg":"none",` + uri + `}`, 400},
		"alg symmetric":           {`{"client_name":"App","id_token_signed_response_alg":"HS256",` + uri + `}`, 400},
		"device alone":            {`{"client_name":"App","application_type":"native","grant_types":["` + idp.GrantDeviceCode + `","refresh_token"]}`, 201},
		"device, confidential":    {`{"client_name":"App","grant_types":["` + idp.GrantDeviceCode + `"]}`, 201},
		"device by half a name":   {`{"client_name":"App","grant_types":["device_code"]}`, 400},
		"device and an address":   {`{"client_name":"App","grant_types":["` + idp.GrantDeviceCode + `"],` + uri + `}`, 400},
		"implicit":                {`{"client_name":"App","grant_types":["implicit"],` + uri + `}`, 400},
		"password grant":          {`{"client_name":"App","grant_types":["password"]}`, 400},
		"no grant":                {`{"client_name":"App","grant_types":[]}`, 400},
		"grant twice":             {`{"client_name":"App","grant_types":["authorization_code","authorization_code"],` + uri + `}`, 400},
		"code without address":    {`{"client_name":"App"}`, 400},
		"address without code":    {`{"client_name":"App","grant_types":["client_credentials"],` + uri + `}`, 400},
		"refresh without code":    {`{"client_name":"App","grant_types":["refresh_token"]}`, 400},
		"machine without secret":  {`{"client_name":"App","token_endpoint_auth_method":"none","grant_types":["client_credentials"]}`, 400},
		"unknown scope":           {`{"client_name":"App","scopes":["orders:write"],` + uri + `}`, 400},
		"scope twice":             {`{"client_name":"App","scopes":["openid","openid"],` + uri + `}`, 400},
		"address twice":           {`{"client_name":"App","redirect_uris":["https://app.example.com/cb","https://app.example.com/cb"]}`, 400},
		"origin with path":        {`{"client_name":"App","web_origins":["https://app.example.com/"],` + uri + `}`, 400},
		"origin null":             {`{"client_name":"App","web_origins":["null"],` + uri + `}`, 400},
		"origin wildcard":         {`{"client_name":"App","web_origins":["*"],` + uri + `}`, 400},
		"origin plain http":       {`{"client_name":"App","web_origins":["http://app.example.com"],` + uri + `}`, 400},
		"origin with usual port":  {`{"client_name":"App","web_origins":["https://app.example.com:443"],` + uri + `}`, 400},
		"script as home page":     {`{"client_name":"App","client_uri":"javascript:alert(1)",` + uri + `}`, 400},
		"plain http as home page": {`{"client_name":"App","client_uri":"http://app.example.com/",` + uri + `}`, 400},
	} {
		if got, answer := a.send(request("POST", "/clients", c.body)); got != c.want {
			t.Errorf("%s: status %d, want %d: %s", name, got, c.want, answer)
		}
	}
}
