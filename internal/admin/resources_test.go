package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
)

const orders = `"name":"Orders","scopes":[{"name":"orders:read","title":{"en":"See your orders","de":"Ihre Bestellungen sehen"}}]`

func resourcePath(id string) string { return "/resources/" + url.PathEscape(id) }

func TestResources_Life(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := "https://orders.example.com/v1"
	r := decode[admin.Resource](t, a.do(http.StatusOK, "PUT", resourcePath(id), `{"access_token_lifetime":120,`+orders+`}`))
	if r.ID != id || r.Alg != "EdDSA" || r.TokenFormat != "jwt" || r.AccessTokenLifetime != 120 {
		t.Fatalf("%+v", r)
	}
	stored, err := a.db.Resource(t.Context(), id)
	if err != nil || stored.AccessTokenLifetime != 2*time.Minute {
		t.Fatalf("%+v %v", stored, err)
	}
	all := decode[[]admin.Resource](t, a.do(http.StatusOK, "GET", "/resources", ""))
	if len(all) != 1 || all[0].Scopes[0].Title["de"] != "Ihre Bestellungen sehen" {
		t.Fatalf("%+v", all)
	}
	a.do(http.StatusConflict, "PUT", resourcePath("https://other.example.com"), `{`+orders+`}`) // its scope has an owner
	a.do(http.StatusConflict, "PUT", resourcePath(id+"/"), `{"name":"Twin","scopes":[{"name":"twin","title":{"en":"x"}}]}`)
	a.do(http.StatusBadRequest, "PUT", resourcePath(id), `{"id":"https://elsewhere.example.com",`+orders+`}`)
	a.do(http.StatusNoContent, "DELETE", resourcePath(id), "")
	a.do(http.StatusNotFound, "DELETE", resourcePath(id), "")
}

func TestResources_Rules(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, id := range []string{
		issuer, issuer + "/", issuer + "/revocations", "orders", "urn:orders", "http://orders.example.com", "https://orders.example.com#x",
		"https://orders.example.com?x=1", "https://orders.example.com?", "https://a@orders.example.com", "https://Orders.example.com",
		"https://*.example.com", "https://orders.example.com/../x", "javascript:alert(1)", "https://",
	} {
		if got, answer := a.send(request("PUT", resourcePath(id), `{`+orders+`}`)); got != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400: %s", id, got, answer)
		}
	}
	scope := func(s string) string { return `{"name":"Orders","scopes":[` + s + `]}` }
	for name, body := range map[string]string{
		"no name":           `{"scopes":[{"name":"a","title":{"en":"x"}}]}`,
		"no scope":          `{"name":"Orders"}`,
		"opaque":            `{"token_format":"opaque",` + orders + `}`,
		"alg none":          `{"alg":"none",` + orders + `}`,
		"alg symmetric":     `{"alg":"HS256",` + orders + `}`,
		"short life":        `{"access_token_lifetime":59,` + orders + `}`,
		"long life":         `{"access_token_lifetime":3601,` + orders + `}`,
		"overflowing life":  `{"access_token_lifetime":9223372036854775807,` + orders + `}`,
		"negative life":     `{"access_token_lifetime":-1,` + orders + `}`,
		"openid":            scope(`{"name":"openid","title":{"en":"x"}}`),
		"twice":             scope(`{"name":"a","title":{"en":"x"}},{"name":"a","title":{"en":"x"}}`),
		"blank in scope":    scope(`{"name":"a b","title":{"en":"x"}}`),
		"quote in scope":    scope(`{"name":"a\"b","title":{"en":"x"}}`),
		"no text":           scope(`{"name":"a"}`),
		"no English":        scope(`{"name":"a","title":{"de":"x"}}`),
		"empty German":      scope(`{"name":"a","title":{"en":"x","de":""}}`),
		"language":          scope(`{"name":"a","title":{"en":"x","../de":"x"}}`),
		"text that turns":   scope(`{"name":"a","title":{"en":"x\u202e"}}`),
		"detail of escapes": scope(`{"name":"a","title":{"en":"x"},"detail":{"en":"\u001b[2J"}}`),
		"long text":         scope(`{"name":"a","title":{"en":"` + strings.Repeat("x", 257) + `"}}`),
	} {
		if got, answer := a.send(request("PUT", resourcePath("https://orders.example.com"), body)); got != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400: %s", name, got, answer)
		}
	}
	if all := decode[[]admin.Resource](t, a.do(http.StatusOK, "GET", "/resources", "")); len(all) != 0 {
		t.Errorf("refused requests left %d resources", len(all))
	}
}

// STO-08: a grant is revoked only under its owner; then its rule is in the log.
func TestGrants_STO_08(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.newUser("ann")
	a.newUser("bob")
	a.do(http.StatusCreated, "POST", "/clients", `{"client_id":"wiki","client_name":"Wiki","redirect_uris":["https://wiki.example.com/cb"]}`)
	for _, id := range []string{"first", "second"} {
		g := idp.Grant{
			ID: id, UserID: ann, ClientID: "wiki", Resource: issuer, Scopes: []string{"openid", "offline_access"},
			AuthTime: started, CreatedAt: started, ExpiresAt: started.Add(time.Hour),
		}
		err := a.db.IssueCode(t.Context(), idp.Actor{Kind: "user", ID: ann}, idp.Approval{}, g, idp.Code{
			Hash: [32]byte{id[0]}, GrantID: id, ClientID: "wiki", RedirectURI: "https://wiki.example.com/cb", ExpiresAt: started.Add(time.Minute),
		}, started)
		if err != nil {
			t.Fatal(err)
		}
	}
	a.do(http.StatusNotFound, "DELETE", "/users/bob/grants/first", "")
	if got := decode[[]admin.Grant](t, a.do(http.StatusOK, "GET", "/users/ann/grants", "")); len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	a.do(http.StatusNoContent, "DELETE", "/users/ann/grants/first", "")
	if got := decode[admin.Count](t, a.do(http.StatusOK, "DELETE", "/users/bob/apps/wiki", "")); got.Ended != 0 {
		t.Errorf("%d of bob's ended", got.Ended)
	}
	if got := decode[admin.Count](t, a.do(http.StatusOK, "DELETE", "/users/ann/apps/wiki", "")); got.Ended != 1 {
		t.Errorf("%d of ann's ended", got.Ended)
	}
	rules, err := a.db.Rules(t.Context(), 0, 10, started)
	if err != nil || len(rules) != 2 || rules[0].ID != "first" || rules[1].ID != "second" {
		t.Errorf("%+v %v", rules, err)
	}
}
