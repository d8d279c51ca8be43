package oauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/internal/secret"
)

// registeredClient registers a public client and returns its id, the path of its
// registration and the headers that manage it.
func (w *world) registeredClient(body string) (id, path string, mine []string) {
	w.t.Helper()
	made := w.sendJSON("POST", "/register", body).created()
	id = fmt.Sprint(made["client_id"])
	return id, "/register/" + id, bearer(made["registration_access_token"])
}

const strangerBody = `"redirect_uris":["https://mcp.example/cb"],"client_name":"MCP","token_endpoint_auth_method":"none"`

// OAU-16: a yes was for the app as it described itself. Whoever holds the token of a
// registration could otherwise send the codes of everybody who said yes to another address.
func TestManage_OAU16_AskedAgainAfterChange(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	for name, tt := range map[string]struct {
		body   string
		target string
		again  bool
	}{
		"another address":     {strings.Replace(strangerBody, `/cb"`, `/cb","https://evil.example/cb"`, 1), "https://evil.example/cb", true},
		"another name":        {strings.Replace(strangerBody, "MCP", "Your bank", 1), "https://mcp.example/cb", true},
		"another home":        {strangerBody + `,"client_uri":"https://bank.example"`, "https://mcp.example/cb", true},
		"nothing":             {strangerBody, "https://mcp.example/cb", false},
		"what nobody is told": {strangerBody + `,"software_version":"2"`, "https://mcp.example/cb", false},
	} {
		id, path, mine := w.registeredClient("{" + strangerBody + "}")
		b := w.signedIn(ann)
		form := ask("web", "client_id", id, "redirect_uri", "https://mcp.example/cb", "scope", "openid")
		b.code(form, ann)
		if a := b.authorize(form); a.query("code") == "" {
			t.Fatalf("%s: a yes does not count: %s", name, a.Header().Get("Location"))
		}
		begun := b.authorize(with(form, "prompt", "consent")).query("flow")
		w.pass(time.Second)
		w.sendJSON("PUT", path, `{"client_id":"`+id+`",`+tt.body+`}`, mine...).ok()
		a := b.authorize(with(form, "redirect_uri", tt.target))
		if asked := a.page() == "/consent"; asked != tt.again {
			t.Errorf("%s: asked again %v: %s", name, asked, a.Header().Get("Location"))
		}
		if !tt.again {
			continue
		}
		// Nor does a page count that was open meanwhile: it showed another app.
		req, err := w.db.AuthRequest(t.Context(), begun, b.flowHash(), w.clock())
		w.must(err)
		c := idp.Consent{UserID: ann, ClientID: id, Resource: req.Resource, Scopes: req.Permissions()}
		if err := w.db.ConsentAuthRequest(t.Context(), system(), begun, b.flowHash(), b.session().ID, c, w.clock()); err == nil {
			t.Errorf("%s: a yes on a page from before counts", name)
		}
		if a := b.authorize(with(form, "redirect_uri", tt.target)); a.page() != "/consent" {
			t.Errorf("%s: %s", name, a.Header().Get("Location"))
		}
		b.code(with(form, "redirect_uri", tt.target), ann)
	}
}

// CLI-04: what an operator decides meanwhile is not undone by a change that began before;
// and a client that an operator made one of our own, whom nobody is asked about, gets no
// address from its own hand.
func TestManage_CLI04_OperatorsWordsStay(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	id, path, mine := w.registeredClient("{" + strangerBody + "}")
	w.alter(id, func(c *idp.Client) { c.FirstParty, c.Origins = true, []string{"https://mcp.example"} })
	a := w.sendJSON("PUT", path, `{"client_id":"`+id+`",`+strings.Replace(strangerBody, "/cb", "/evil", 1)+`}`, mine...)
	a.expect(http.StatusBadRequest, "invalid_redirect_uri")
	w.sendJSON("PUT", path, `{"client_id":"`+id+`",`+strangerBody+`,"software_version":"2"}`, mine...).ok()

	before, err := w.db.Client(t.Context(), id)
	w.must(err)
	if !before.FirstParty || len(before.Origins) != 1 {
		t.Errorf("a change took what an operator gave: %+v", before.ClientMetadata)
	}
	w.alter(id, func(c *idp.Client) { c.FirstParty, c.Origins, c.Scopes = false, nil, []string{"openid"} })
	// The verb gets what the endpoint read before the operator's decision.
	w.must(w.db.ChangeRegisteredClient(t.Context(), system(), id, before.RegistrationHash, before.ClientMetadata, w.clock()))
	now, err := w.db.Client(t.Context(), id)
	w.must(err)
	if now.FirstParty || now.Origins != nil {
		t.Errorf("%+v", now.ClientMetadata)
	}
	w.alter(id, func(c *idp.Client) { c.Profile = idp.OIDC })
	if err := w.db.ChangeRegisteredClient(t.Context(), system(), id, before.RegistrationHash, before.ClientMetadata, w.clock()); err == nil {
		t.Error("a change that was checked by the rules of another profile")
	}
}

// CLI-05, DOS-03: a registration that is refused for its list costs an initial access token
// no use, and yet this server has called somebody: not without end.
func TestRegister_CLI05_ListsThatAreRefused(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	list := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = w.Write([]byte(`[]`))
	}))
	t.Cleanup(list.Close)
	w := newWorld(t, func(c *oauth.Config) {
		c.Registration.Mode = oauth.RegistrationToken
		c.Outbound = outbound.New(outbound.Config{Loopback: true, Now: time.Now, RootCAs: list.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
	})
	token := secret.New(secret.Invitation)
	w.must(w.db.AddRegistrationToken(t.Context(), system(), idp.RegistrationToken{
		ID: "one", Hash: secret.Hash("registration_token", token), UsesLeft: 1, ExpiresAt: w.clock().Add(time.Hour),
	}, w.clock()))
	body := `{"redirect_uris":["https://mcp.example/cb"],"sector_identifier_uri":"` + list.URL + `/s.json"}`
	for range 30 {
		w.sendJSON("POST", "/register", body, bearer(token.Reveal())...)
	}
	if n := calls.Load(); n != 20 {
		t.Errorf("%d calls", n)
	}
	w.sendJSON("POST", "/register", plainBody, bearer(token.Reveal())...).created() // without a list it still counts
}
