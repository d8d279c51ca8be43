package oauth_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/verify/jose"
)

// RFC 6749 §5.1, §5.2, RFC 6750 §3, RFC 7591 §3.2, RFC 7662 §2.2, RFC 8628 §3.2, RFC 9126
// §2.2, §2.3: what programs read, good or bad, is JSON that nobody keeps; each 401 has a
// challenge, and no 400 has one but at the userinfo endpoint.
func TestAnswers_RFC6749_5_1_HeadersEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oauth.Config) { c.Registration.Mode = oauth.RegistrationOpen })
	tok := w.tokensFor("web", ann, "scope", "openid").json("access_token")
	made := w.sendJSON("POST", "/register", plainBody).created()
	manage, mine := "/register/"+made["client_id"].(string), bearer(made["registration_access_token"])
	for name, tt := range map[string]struct {
		answer answer
		status int
	}{
		"token":                   {w.as("robot", "/token", params("grant_type", "client_credentials")), 200},
		"token, bad":              {w.as("web", "/token", params("grant_type", "x")), 400},
		"token, twice":            {w.send("POST", "/token", params("scope", "a", "scope", "b")), 400},
		"token, nobody":           {w.send("POST", "/token", params("grant_type", "x")), 401},
		"token, wrong secret":     {w.send("POST", "/token", params("grant_type", "x"), "Authorization", rawBasic("web:x")), 401},
		"token, other scheme":     {w.send("POST", "/token", params("grant_type", "x"), "Authorization", "Bearer x"), 401},
		"push":                    {w.as("web", "/par", ask("web")), 201},
		"push, bad":               {w.as("web", "/par", ask("web", "response_type", "token")), 400},
		"push, too large":         {w.as("web", "/par", ask("web", "x", strings.Repeat("x", 40<<10))), 413},
		"push, nobody":            {w.send("POST", "/par", params("x", "y")), 401},
		"introspection":           {w.as("web", "/introspect", params("token", tok)), 200},
		"introspection, dead":     {w.as("web", "/introspect", params("token", "x")), 200},
		"introspection, bad":      {w.as("web", "/introspect", params("x", "y")), 400},
		"introspection, nobody":   {w.send("POST", "/introspect", params("token", tok)), 401},
		"device":                  {w.device("tv"), 200},
		"device, bad":             {w.device("web"), 400},
		"device, nobody":          {w.device("nobody"), 401},
		"revocation, bad":         {w.as("web", "/revoke", params("x", "y")), 400},
		"revocation, too large":   {w.as("web", "/revoke", params("token", strings.Repeat("x", 40<<10))), 400},
		"revocation, nobody":      {w.send("POST", "/revoke", params("token", tok)), 401},
		"userinfo":                {w.userinfo(tok), 200},
		"userinfo, wrong token":   {w.userinfo("x"), 401},
		"userinfo, two ways":      {w.send("POST", "/userinfo", params("access_token", tok), "Authorization", "Bearer "+tok), 400},
		"registration, bad":       {w.sendJSON("POST", "/register", "{}"), 400},
		"registration, bad token": {w.sendJSON("POST", "/register", plainBody, bearer("x")...), 401},
		"management":              {w.sendJSON("GET", manage, "", mine...), 200},
		"management, bad":         {w.sendJSON("PUT", manage, "{}", mine...), 400},
		"management, nobody":      {w.sendJSON("GET", manage, ""), 401},
	} {
		a := tt.answer
		h := a.Header()
		if a.Code != tt.status || h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", name, a.Code, h)
		}
		if err := jose.CheckObject(a.Body.Bytes()); err != nil || (tt.status >= 400) != (a.json("error") != "") {
			t.Errorf("%s: %s (%v)", name, a.Body, err)
		}
		if challenged := h.Get("WWW-Authenticate") != ""; challenged != (tt.status == 401 || name == "userinfo, two ways") {
			t.Errorf("%s: challenge %q", name, h.Get("WWW-Authenticate"))
		}
	}
	empty := w.as("web", "/revoke", params("token", "x"))
	none := w.sendJSON("GET", "/userinfo", "")
	gone := w.sendJSON("DELETE", manage, "", mine...)
	for a, status := range map[*answer]int{&empty: 200, &none: 401, &gone: 204} { // without a body
		if a.Code != status || a.Body.Len() != 0 || a.Header().Get("Cache-Control") != "no-store" || (status == 401) != (a.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%d %v %s", a.Code, a.Header(), a.Body)
		}
	}
}

// RFC 6749 §4.1.2.1, §5.2, RFC 6750 §3: codes and descriptions are printable ASCII without
// '"' and '\': every text that this package has for one. Nothing has an error_uri.
func TestErrors_RFC6749_5_2_DescriptionCharacters(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	text := func(e ast.Expr) {
		ast.Inspect(e, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			s, err := strconv.Unquote(lit.Value)
			if seen++; err != nil || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
				t.Errorf("%s", lit.Value)
			}
			return true
		})
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if fn, ok := n.Fun.(*ast.Ident); ok && (fn.Name == "refuse" || fn.Name == "badObject") {
					text(n.Args[len(n.Args)-1])
					text(n.Args[len(n.Args)-2])
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Description" {
					text(n.Value)
				}
			case *ast.ValueSpec:
				if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "Code" {
					text(n.Values[0])
				}
			case *ast.Field:
				if n.Tag != nil && strings.Contains(n.Tag.Value, "error_uri") {
					t.Errorf("%s: %s", name, n.Tag.Value)
				}
			}
			return true
		})
	}
	if seen < 80 {
		t.Fatalf("only %d texts", seen)
	}
}

// RFC 8414 §2, RFC 9126 §2, RFC 8628 §3.1: each method that the metadata lists works at each
// endpoint that it is listed for, also where the token endpoint's list counts; the others do
// not. Public clients may come everywhere but to introspection.
func TestDiscovery_RFC8414_2_AuthMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var doc map[string]any
	w.must(json.Unmarshal(w.send("GET", "/.well-known/oauth-authorization-server", nil).ok().Body.Bytes(), &doc))
	key := newSigner(t, jose.ES256, "k")
	w.signing("signs", idp.OAuth21, key)
	for path, member := range map[string]string{
		"/token": "token_endpoint", "/par": "token_endpoint", "/device_authorization": "token_endpoint", "/revoke": "revocation_endpoint", "/introspect": "introspection_endpoint",
	} {
		listed := doc[member+"_auth_methods_supported"].([]any)
		for method, proof := range map[idp.AuthMethod][]string{
			idp.AuthBasic:         {},
			idp.AuthPost:          {"client_id", "legacy", "client_secret", secrets["legacy"]},
			idp.AuthNone:          {"client_id", "spa"},
			idp.AuthPrivateKeyJWT: {"client_assertion", sign(t, key, "JWT", w.assertion("signs", nil)), "client_assertion_type", jwtBearer},
		} {
			var headers []string
			if method == idp.AuthBasic {
				headers = []string{"Authorization", basic("web")}
			}
			a := w.send("POST", path, params(proof...), headers...)
			// Who is let in is asked for the rest of the request.
			in := a.json("error") != "invalid_client" && !strings.Contains(a.json("error_description"), "clients that can prove themselves")
			if a.Code >= 500 || in != slices.Contains(listed, any(string(method))) {
				t.Errorf("%s %s: %d %s, listed %v", path, method, a.Code, a.Body, listed)
			}
		}
		if len(listed) > 4 || slices.Contains(doc[member+"_auth_signing_alg_values_supported"].([]any), any("none")) {
			t.Errorf("%s: %v", member, doc)
		}
	}
	for _, name := range []string{"introspection_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint", "revocation_endpoint", "token_endpoint"} {
		path := strings.TrimPrefix(doc[name].(string), issuer)
		if a := w.send("POST", path, params("x", "y")); a.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
}

// RFC 8414 §2, OpenID Connect Discovery §3: of the algorithms that clients sign with, exactly
// those that the metadata lists are taken.
func TestDiscovery_RFC8414_2_Algorithms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var doc map[string]any
	w.must(json.Unmarshal(w.send("GET", "/.well-known/oauth-authorization-server", nil).ok().Body.Bytes(), &doc))
	for _, alg := range []jose.Algorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA, jose.Ed25519,
	} {
		key := newSigner(t, alg, "k")
		w.signing("signs", idp.OAuth21, key)
		claims := w.inObject(ask("signs", "redirect_uri", "https://signs.example/cb", "scope", "openid"), nil)
		proven := w.present(sign(t, key, "JWT", w.assertion("signs", nil))).Code == 200
		object := w.signObject(key, objectType, claims)
		for _, registered := range []string{"", "EdDSA", "Ed25519"} {
			if registered != "" {
				w.alter("signs", func(c *idp.Client) { c.RequestObjectAlg = registered })
			}
			want := slices.Contains(doc["request_object_signing_alg_values_supported"].([]any), any(string(alg))) &&
				(registered == "" || alg == jose.EdDSA || alg == jose.Ed25519) // RFC 9864 §2.2: two names of one
			if taken := w.browser().authorize(params("client_id", "signs", "request", object)).page() == "/login"; taken != want {
				t.Errorf("request object, registered for %q: %s is taken: %v", registered, alg, taken)
			}
		}
		for _, endpoint := range []string{"token", "revocation", "introspection"} {
			if listed := slices.Contains(doc[endpoint+"_endpoint_auth_signing_alg_values_supported"].([]any), any(string(alg))); listed != proven {
				t.Errorf("%s: %s is taken: %v, listed: %v", endpoint, alg, proven, listed)
			}
		}
	}
}

// SES-05: until the client is known, there is no origin to allow, so a refusal at
// the userinfo endpoint cannot be read by scripts, and neither can one of an unknown client.
func TestCORS_SES05_RefusalsBeforeTheClient(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	for name, a := range map[string]answer{
		"no token":      w.send("GET", "/userinfo", nil, "Origin", "https://spa.example"),
		"garbage":       w.send("GET", "/userinfo", nil, "Origin", "https://spa.example", "Authorization", "Bearer x"),
		"two ways":      w.send("POST", "/userinfo", params("access_token", "x"), "Origin", "https://spa.example", "Authorization", "Bearer x"),
		"no client":     w.send("POST", "/token", params("x", "y"), "Origin", "https://spa.example"),
		"broken form":   w.send("POST", "/token", params("x", "y", "x", "z"), "Origin", "https://spa.example"),
		"introspection": w.send("OPTIONS", "/introspect", nil, "Origin", "https://spa.example"),
		"push":          w.send("POST", "/par", params("client_id", "nobody"), "Origin", "https://spa.example"),
		"registration":  w.send("OPTIONS", "/register", nil, "Origin", "https://spa.example"),
	} {
		if a.Code < 400 || a.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", name, a.Code, a.Header())
		}
	}
}
