package oauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/internal/secret"
)

// openWorld lets everybody register, also for the calendar's scope.
func openWorld(t testing.TB, change ...func(*oauth.Config)) *world {
	t.Helper()
	return newWorld(t, append([]func(*oauth.Config){func(c *oauth.Config) {
		c.Registration = oauth.RegistrationConfig{Mode: oauth.RegistrationOpen, Scopes: []string{"cal.read", "gone.read"}}
	}}, change...)...)
}

// sendJSON sends a document.
func (w *world) sendJSON(method, target, body string, headers ...string) answer {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, target, strings.NewReader(body))
	r.Host = "id.example"
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return w.serve(r)
}

func (a answer) created() map[string]any {
	a.t.Helper()
	if a.Code != http.StatusCreated || a.Header().Get("Content-Type") != "application/json" || a.Header().Get("Cache-Control") != "no-store" {
		a.t.Fatalf("%d %v %s", a.Code, a.Header(), a.Body)
	}
	var doc map[string]any
	if err := json.Unmarshal(a.Body.Bytes(), &doc); err != nil {
		a.t.Fatal(err)
	}
	return doc
}

func bearer(token any) []string { return []string{"Authorization", fmt.Sprint("Bearer ", token)} }

const plainBody = `{"redirect_uris":["https://mcp.example/cb"],"client_name":"MCP"}`

// OPS-06: what is off has no route and is not advertised.
func TestRegister_OPS06_OffByDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if a := w.sendJSON("POST", "/register", plainBody); a.Code != http.StatusNotFound {
		t.Errorf("%d", a.Code)
	}
	if a := w.sendJSON("GET", "/register/dyn-x", ""); a.Code != http.StatusNotFound {
		t.Errorf("%d", a.Code)
	}
	metadata := w.send("GET", "/.well-known/openid-configuration", nil).ok()
	if metadata.json("registration_endpoint") != "" || metadata.json("client_id_metadata_document_supported") != "" {
		t.Errorf("%s", metadata.Body)
	}
	on := openWorld(t).send("GET", "/.well-known/oauth-authorization-server", nil).ok()
	if on.json("registration_endpoint") != issuer+"/register" {
		t.Errorf("%s", on.Body)
	}
}

func TestRegister_RFC7591_3_2_1_Response(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	got := w.sendJSON("POST", "/register", `{"redirect_uris":["https://mcp.example/cb"],"client_name":"MCP",
		"grant_types":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code"],"response_types":["code"],
		"scope":"openid cal.read cal.write groups","contacts":["ann@mcp.example"],"logo_uri":"https://mcp.example/logo.png","policy_uri":"https://mcp.example/p",
		"software_id":"4NRB1-0XZABZI9E6-5SM3R","software_version":"2","example_extension_parameter":"x","client_uri":null,
		"first_party":true,"security_profile":"oidc","web_origins":["https://mcp.example"],"resources":["https://calendar.example"],"First_Party":true}`).created()
	for member, want := range map[string]any{
		"client_name": "MCP", "application_type": "web", "token_endpoint_auth_method": "client_secret_basic", "scope": "openid cal.read",
		"grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"}, "redirect_uris": []any{"https://mcp.example/cb"},
		"contacts": []any{"ann@mcp.example"}, "logo_uri": "https://mcp.example/logo.png", "policy_uri": "https://mcp.example/p",
		"software_id": "4NRB1-0XZABZI9E6-5SM3R", "software_version": "2", "subject_type": "public", "id_token_signed_response_alg": "RS256",
		"client_id_issued_at": float64(w.clock().Unix()), "client_secret_expires_at": float64(0),
		"registration_client_uri": issuer + "/register/" + fmt.Sprint(got["client_id"]),
	} {
		if fmt.Sprint(got[member]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", member, got[member], want)
		}
	}
	for _, member := range []string{
		"client_uri", "jwks_uri", "tos_uri", "example_extension_parameter", "first_party", "security_profile", "web_origins", "resources", "scopes", "First_Party",
	} {
		if v, there := got[member]; there {
			t.Errorf("%s is %v, want none", member, v)
		}
	}
	if id := fmt.Sprint(got["client_id"]); !strings.HasPrefix(id, "dyn-") || secret.IsID(id) {
		t.Errorf("id %q", id)
	}
	c, err := w.db.Client(t.Context(), fmt.Sprint(got["client_id"]))
	w.must(err)
	if c.FirstParty || c.Profile != idp.OAuth21 || len(c.Origins) > 0 || len(c.Resources) > 0 || c.Origin != idp.OriginRegistered {
		t.Errorf("%+v", c)
	}
	// It can be used at once.
	a := w.send("POST", "/token", params("grant_type", "authorization_code", "code", "x", "redirect_uri", "https://mcp.example/cb"),
		"Authorization", basicAuth(c.ID, fmt.Sprint(got["client_secret"])))
	a.expect(http.StatusBadRequest, "invalid_grant")
}

func basicAuth(id, key string) string {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth(id, key)
	return r.Header.Get("Authorization")
}

// What is omitted has the defaults of RFC 7591 §2; an empty registration has a name that
// says where people are sent.
func TestRegister_RFC7591_2_Defaults(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	got := w.sendJSON("POST", "/register", `{"redirect_uris":["https://mcp.example/cb"]}`).created()
	if fmt.Sprint(got["grant_types"]) != "[authorization_code]" || got["token_endpoint_auth_method"] != "client_secret_basic" || got["client_name"] != "mcp.example" ||
		got["scope"] != "openid profile email offline_access cal.read" {
		t.Errorf("%v", got)
	}
	native := w.sendJSON("POST", "/register", `{"redirect_uris":["http://127.0.0.1:33418","http://localhost:8090/cb"],"application_type":"native","token_endpoint_auth_method":"none"}`).created()
	if native["client_secret"] != nil || native["client_secret_expires_at"] != nil || native["client_name"] != "Unnamed app" {
		t.Errorf("%v", native)
	}
	if a := w.sendJSON("POST", "/register", `{"redirect_uris":["http://localhost:3334/cb"],"token_endpoint_auth_method":"none"}`); a.Code != http.StatusCreated {
		t.Errorf("loopback of a client that does not say what it is: %d %s", a.Code, a.Body)
	}
}

func TestRegister_RFC7591_3_2_2_Errors(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	const uri = `"redirect_uris":["https://mcp.example/cb"]`
	for name, tt := range map[string]struct{ body, code string }{
		"no body":                   {``, "invalid_client_metadata"},
		"no object":                 {`[]`, "invalid_client_metadata"},
		"two values":                {`{` + uri + `}{}`, "invalid_client_metadata"},
		"a name twice":              {`{` + uri + `,"client_name":"A","client_name":"B"}`, "invalid_client_metadata"},
		"wrong type":                {`{"redirect_uris":"https://mcp.example/cb"}`, "invalid_redirect_uri"},
		"wrong type of a name":      {`{` + uri + `,"client_name":{}}`, "invalid_client_metadata"},
		"too large":                 {`{` + uri + `,"x":"` + strings.Repeat("a", 33<<10) + `"}`, "invalid_client_metadata"},
		"no redirect URI":           {`{"client_name":"A"}`, "invalid_redirect_uri"},
		"fragment":                  {`{"redirect_uris":["https://mcp.example/cb#f"]}`, "invalid_redirect_uri"},
		"plain http":                {`{"redirect_uris":["http://mcp.example/cb"]}`, "invalid_redirect_uri"},
		"script":                    {`{"redirect_uris":["javascript:alert(1)"]}`, "invalid_redirect_uri"},
		"data":                      {`{"redirect_uris":["data:text/html,x"],"application_type":"native"}`, "invalid_redirect_uri"},
		"scheme of a web client":    {`{"redirect_uris":["com.example.app:/cb"]}`, "invalid_redirect_uri"},
		"wildcard":                  {`{"redirect_uris":["https://*.example/cb"]}`, "invalid_redirect_uri"},
		"http initiate_login_uri":   {`{` + uri + `,"initiate_login_uri":"http://mcp.example/login"}`, "invalid_client_metadata"},
		"loopback initiate":         {`{` + uri + `,"initiate_login_uri":"http://localhost/login"}`, "invalid_client_metadata"},
		"logo of script":            {`{` + uri + `,"logo_uri":"javascript:alert(1)"}`, "invalid_client_metadata"},
		"policy of script":          {`{` + uri + `,"policy_uri":"javascript:alert(1)"}`, "invalid_client_metadata"},
		"http home page":            {`{` + uri + `,"client_uri":"http://mcp.example/"}`, "invalid_client_metadata"},
		"pairwise":                  {`{` + uri + `,"subject_type":"pairwise"}`, "invalid_client_metadata"},
		"sector that is not there":  {`{` + uri + `,"sector_identifier_uri":"https://127.0.0.1/s.json"}`, "invalid_client_metadata"},
		"sector by http":            {`{` + uri + `,"sector_identifier_uri":"http://mcp.example/s.json"}`, "invalid_client_metadata"},
		"software statement":        {`{` + uri + `,"software_statement":"e30.e30."}`, "unapproved_software_statement"},
		"machine":                   {`{"grant_types":["client_credentials"],"client_name":"A"}`, "invalid_client_metadata"},
		"implicit":                  {`{` + uri + `,"grant_types":["implicit"]}`, "invalid_client_metadata"},
		"response type":             {`{` + uri + `,"response_types":["code","id_token"]}`, "invalid_client_metadata"},
		"no response type":          {`{` + uri + `,"response_types":[]}`, "invalid_client_metadata"},
		"client_secret_jwt":         {`{` + uri + `,"token_endpoint_auth_method":"client_secret_jwt"}`, "invalid_client_metadata"},
		"alg none":                  {`{` + uri + `,"id_token_signed_response_alg":"none"}`, "invalid_client_metadata"},
		"type":                      {`{` + uri + `,"application_type":"mobile"}`, "invalid_client_metadata"},
		"scope of nobody":           {`{` + uri + `,"scope":"gone.read mail.read"}`, "invalid_client_metadata"},
		"no scope":                  {`{` + uri + `,"scope":""}`, "invalid_client_metadata"},
		"contact":                   {`{` + uri + `,"contacts":["ann"]}`, "invalid_client_metadata"},
		"both key sets":             {`{` + uri + `,"jwks":{"keys":[]},"jwks_uri":"https://mcp.example/jwks"}`, "invalid_client_metadata"},
		"long software id":          {`{` + uri + `,"software_id":"` + strings.Repeat("a", 256) + `"}`, "invalid_client_metadata"},
		"name that turns (CLI-06)":  {`{` + uri + `,"client_name":"A\u202e"}`, "invalid_client_metadata"},
		"name of controls (CLI-06)": {`{` + uri + `,"client_name":"A\u0000"}`, "invalid_client_metadata"},
		"long name (CLI-06)":        {`{` + uri + `,"client_name":"` + strings.Repeat("a", 81) + `"}`, "invalid_client_metadata"},
	} {
		a := w.sendJSON("POST", "/register", tt.body)
		if a.Code != http.StatusBadRequest || a.json("error") != tt.code {
			t.Errorf("%s: %d %s, want %s", name, a.Code, a.Body, tt.code)
		}
		for _, c := range []byte(a.json("error_description")) {
			if c < ' ' || c > '~' || c == '"' || c == '\\' {
				t.Errorf("%s: description %q", name, a.json("error_description"))
				break
			}
		}
	}
	r := w.sendJSON("POST", "/register", plainBody, "Content-Type", "text/plain")
	r.expect(http.StatusBadRequest, "invalid_client_metadata")
	all, err := w.db.Clients(t.Context())
	w.must(err)
	if len(all) != len(clients()) {
		t.Errorf("%d clients", len(all))
	}
}

func TestRegister_RFC7591_3_InitialAccessToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oauth.Config) { c.Registration.Mode = oauth.RegistrationToken })
	give := func(id string, profile idp.SecurityProfile, uses int) secret.Text {
		token := secret.New(secret.Invitation)
		w.must(w.db.AddRegistrationToken(t.Context(), system(), idp.RegistrationToken{
			ID: id, Hash: secret.Hash("registration_token", token), Profile: profile, UsesLeft: uses, ExpiresAt: w.clock().Add(time.Hour),
		}, w.clock()))
		return token
	}
	token := give("one", idp.OIDC, 1)
	none := w.sendJSON("POST", "/register", plainBody)
	none.expect(http.StatusUnauthorized, "invalid_token")
	if none.Header().Get("WWW-Authenticate") != `Bearer realm="`+issuer+`"` {
		t.Errorf("%q", none.Header().Get("WWW-Authenticate"))
	}
	for name, value := range map[string]string{
		"another kind": secret.New(secret.Management).Reveal(), "unknown": secret.New(secret.Invitation).Reveal(), "nonsense": "x", "empty": "",
	} {
		a := w.sendJSON("POST", "/register", plainBody, bearer(value)...)
		if a.Code != http.StatusUnauthorized || !strings.Contains(a.Header().Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
	w.sendJSON("POST", "/register", `{"redirect_uris":[]}`, bearer(token.Reveal())...).expect(http.StatusBadRequest, "invalid_redirect_uri") // costs no use
	made := w.sendJSON("POST", "/register", plainBody, bearer(token.Reveal())...).created()
	c, err := w.db.Client(t.Context(), fmt.Sprint(made["client_id"]))
	w.must(err)
	if c.Profile != idp.OIDC {
		t.Errorf("profile %s", c.Profile)
	}
	w.sendJSON("POST", "/register", plainBody, bearer(token.Reveal())...).expect(http.StatusUnauthorized, "invalid_token")
	revoked, late := give("two", idp.OAuth21, 5), give("three", idp.OAuth21, 5)
	w.must(w.db.RevokeRegistrationToken(t.Context(), system(), "two", w.clock()))
	w.sendJSON("POST", "/register", plainBody, bearer(revoked.Reveal())...).expect(http.StatusUnauthorized, "invalid_token")
	w.pass(time.Hour)
	w.sendJSON("POST", "/register", plainBody, bearer(late.Reveal())...).expect(http.StatusUnauthorized, "invalid_token")
}

// DOS-03: one network has its share, and the rest of the world goes on.
func TestRegister_DOS03_Quota(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	from := func(addr string) answer {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/register", strings.NewReader(plainBody))
		r.Host, r.RemoteAddr = "id.example", addr
		r.Header.Set("Content-Type", "application/json")
		return w.serve(r)
	}
	for i := range 20 {
		if a := from(fmt.Sprintf("[2001:db8:1::%x]:1", i+1)); a.Code != http.StatusCreated {
			t.Fatalf("%d: %d %s", i, a.Code, a.Body)
		}
	}
	full := from("[2001:db8:1::ffff]:1")
	full.expect(http.StatusTooManyRequests, "temporarily_unavailable")
	if full.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if a := from("192.0.2.9:1"); a.Code != http.StatusCreated {
		t.Errorf("another network: %d %s", a.Code, a.Body)
	}
	w.pass(time.Hour)
	if a := from("[2001:db8:1::1]:1"); a.Code != http.StatusCreated {
		t.Errorf("an hour later: %d %s", a.Code, a.Body)
	}
}

func TestRegister_OIDC_5_SectorIdentifier(t *testing.T) {
	t.Parallel()
	list := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`["https://mcp.example/cb","https://mcp.example/two"]`))
	}))
	t.Cleanup(list.Close)
	pool := list.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	w := openWorld(t, func(c *oauth.Config) {
		c.Outbound = outbound.New(outbound.Config{Loopback: true, Now: time.Now, RootCAs: pool})
	})
	body := func(uris string) string {
		return `{"redirect_uris":[` + uris + `],"sector_identifier_uri":"` + list.URL + `/s.json"}`
	}
	got := w.sendJSON("POST", "/register", body(`"https://mcp.example/cb"`)).created()
	if got["sector_identifier_uri"] != list.URL+"/s.json" {
		t.Errorf("%v", got)
	}
	w.sendJSON("POST", "/register", body(`"https://mcp.example/cb","https://mcp.example/three"`)).expect(http.StatusBadRequest, "invalid_client_metadata")
}

func TestManage_RFC7592_2_Life(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	made := w.sendJSON("POST", "/register", plainBody).created()
	id, path, mine := fmt.Sprint(made["client_id"]), "/register/"+fmt.Sprint(made["client_id"]), bearer(made["registration_access_token"])
	other := w.sendJSON("POST", "/register", plainBody).created()

	// §2.1: all but the secret, which is never shown again (CLI-07).
	read := w.sendJSON("GET", path, "", mine...).ok()
	if read.json("client_name") != "MCP" || read.json("registration_access_token") != made["registration_access_token"] || read.json("client_id") != id {
		t.Errorf("%s", read.Body)
	}
	if strings.Contains(read.Body.String(), fmt.Sprint(made["client_secret"])) || read.json("client_secret") != "" {
		t.Error("the secret is shown again")
	}

	// §2.2: everything is replaced; what is not said is gone.
	changed := w.sendJSON("PUT", path, `{"client_id":"`+id+`","client_secret":"`+fmt.Sprint(made["client_secret"])+`","redirect_uris":["https://mcp.example/two"],"tos_uri":"https://mcp.example/t"}`, mine...).ok()
	if changed.json("client_name") != "mcp.example" || changed.json("tos_uri") != "https://mcp.example/t" || changed.json("client_secret") != "" ||
		changed.json("client_id_issued_at") != read.json("client_id_issued_at") {
		t.Errorf("%s", changed.Body)
	}
	for name, body := range map[string]string{
		"no id":               `{"redirect_uris":["https://mcp.example/cb"]}`,
		"another id":          `{"client_id":"` + fmt.Sprint(other["client_id"]) + `","redirect_uris":["https://mcp.example/cb"]}`,
		"its token":           `{"client_id":"` + id + `","redirect_uris":["https://mcp.example/cb"],"registration_access_token":"x"}`,
		"its address":         `{"client_id":"` + id + `","redirect_uris":["https://mcp.example/cb"],"registration_client_uri":"x"}`,
		"its secret's end":    `{"client_id":"` + id + `","redirect_uris":["https://mcp.example/cb"],"client_secret_expires_at":0}`,
		"its age":             `{"client_id":"` + id + `","redirect_uris":["https://mcp.example/cb"],"client_id_issued_at":0}`,
		"a secret of its own": `{"client_id":"` + id + `","redirect_uris":["https://mcp.example/cb"],"client_secret":"chosen"}`,
		"no secret any more":  `{"client_id":"` + id + `","redirect_uris":["https://mcp.example/cb"],"token_endpoint_auth_method":"none"}`,
	} {
		if a := w.sendJSON("PUT", path, body, mine...); a.Code != http.StatusBadRequest || a.json("error") != "invalid_client_metadata" {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
	w.sendJSON("PUT", path, `{"client_id":"`+id+`","redirect_uris":["http://mcp.example/cb"]}`, mine...).expect(http.StatusBadRequest, "invalid_redirect_uri")
	w.alter(id, func(c *idp.Client) { c.FirstParty = true }) // what an operator decided stays the operator's
	w.sendJSON("PUT", path, `{"client_id":"`+id+`","redirect_uris":["https://mcp.example/two"],"first_party":false,"scope":"openid mail.read","tos_uri":null}`, mine...).ok()
	c, err := w.db.Client(t.Context(), id)
	w.must(err)
	if !c.FirstParty || fmt.Sprint(c.Scopes) != "[openid]" || c.TermsURI != "" {
		t.Errorf("CLI-04: %+v", c)
	}

	// A token is good for its client alone, and nothing else is a token.
	for name, tt := range map[string]struct {
		path    string
		headers []string
	}{
		"another client's token": {path, bearer(other["registration_access_token"])}, "no token": {path, nil}, "unknown token": {path, bearer(secret.New(secret.Management).Reveal())},
		"the client's secret": {path, bearer(made["client_secret"])}, "an operator's client": {"/register/web", mine}, "no such client": {"/register/dyn-none", mine},
		"secret as Basic": {path, []string{"Authorization", basicAuth(id, fmt.Sprint(made["client_secret"]))}},
	} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			a := w.sendJSON(method, tt.path, `{"client_id":"`+id+`","redirect_uris":["https://mcp.example/cb"]}`, tt.headers...)
			if a.Code != http.StatusUnauthorized || a.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %s: %d %s", name, method, a.Code, a.Body)
			}
		}
	}

	// §2.3
	if a := w.sendJSON("DELETE", path, "", mine...); a.Code != http.StatusNoContent || a.Body.Len() != 0 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	w.sendJSON("GET", path, "", mine...).expect(http.StatusUnauthorized, "invalid_token")
	if _, err := w.db.Client(t.Context(), id); err == nil {
		t.Error("still there")
	}
}

// CLI-04: what an operator has disabled does not come back by its own hand.
func TestManage_CLI04_DisabledStaysDisabled(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	made := w.sendJSON("POST", "/register", plainBody).created()
	id, mine := fmt.Sprint(made["client_id"]), bearer(made["registration_access_token"])
	w.must(w.db.DisableClient(t.Context(), system(), id, w.clock()))
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		w.sendJSON(method, "/register/"+id, `{"client_id":"`+id+`","redirect_uris":["https://mcp.example/cb"]}`, mine...).expect(http.StatusForbidden, "access_denied")
	}
	c, err := w.db.Client(t.Context(), id)
	w.must(err)
	if !c.Disabled() {
		t.Error("enabled again")
	}
}
