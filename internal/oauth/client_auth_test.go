package oauth_test

import (
	"encoding/base64"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
)

func rawBasic(pair string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// CLI-01, CLI-02: one method, the registered one, in its one form.
func TestClientAuth_RFC6749_2_3(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.db.DisableClient(t.Context(), system(), "other", w.clock()))
	w.must(w.db.DeleteClient(t.Context(), system(), "own", w.clock()))
	web, legacy := url.QueryEscape(secrets["web"]), secrets["legacy"]
	for _, tt := range []struct {
		name   string
		header []string
		form   []string
		status int
		code   string // empty: the client is accepted, and only then asked for a code
	}{
		{"basic", []string{basic("web")}, nil, 400, ""},
		{"basic, scheme in other letters", []string{"bAsIc " + basic("web")[6:]}, nil, 400, ""},
		{"basic, and its name in the body", []string{basic("web")}, []string{"client_id", "web"}, 400, ""},
		{"basic, and an empty secret", []string{basic("web")}, []string{"client_secret", ""}, 400, ""},
		{"post", nil, []string{"client_id", "legacy", "client_secret", legacy}, 400, ""},
		{"none", nil, []string{"client_id", "spa"}, 400, ""},

		{"nothing", nil, nil, 401, "invalid_client"},
		{"wrong secret", []string{rawBasic("web:wrong")}, nil, 401, "invalid_client"},
		{"empty secret", []string{rawBasic("web:")}, nil, 401, "invalid_client"},
		{"no colon", []string{rawBasic("web")}, nil, 401, "invalid_client"},
		{"secret not encoded", []string{rawBasic("web:" + secrets["web"])}, nil, 401, "invalid_client"},
		{"secret encoded twice", []string{rawBasic("web:" + url.QueryEscape(web))}, nil, 401, "invalid_client"},
		{"secret with a blank", []string{rawBasic("web:" + web + " ")}, nil, 401, "invalid_client"},
		{"prefix of the secret", []string{rawBasic("web:" + web[:len(web)-1])}, nil, 401, "invalid_client"},
		{"base64 with padding that is not needed", []string{basic("web") + "===="}, nil, 401, "invalid_client"},
		{"base64 with a line feed", []string{"Basic " + basic("web")[6:] + "\n"}, nil, 401, "invalid_client"},
		{"no base64", []string{"Basic !"}, nil, 401, "invalid_client"},
		{"other scheme", []string{"Bearer x"}, nil, 401, "invalid_client"},
		{"unknown client", []string{rawBasic("nobody:x")}, nil, 401, "invalid_client"},
		{"unknown public client", nil, []string{"client_id", "nobody"}, 401, "invalid_client"},
		{"disabled client", []string{basic("other")}, nil, 401, "invalid_client"},
		{"deleted client", []string{basic("own")}, nil, 401, "invalid_client"},
		{"name in other letters", []string{rawBasic("WEB:" + web)}, nil, 401, "invalid_client"},
		{"long name", nil, []string{"client_id", strings.Repeat("c", 300)}, 401, "invalid_client"},
		{"basic, registered for post", []string{basic("legacy")}, nil, 401, "invalid_client"},
		{"post, registered for basic", nil, []string{"client_id", "web", "client_secret", secrets["web"]}, 401, "invalid_client"},
		{"confidential without a secret", nil, []string{"client_id", "web"}, 401, "invalid_client"},
		{"public with a secret", nil, []string{"client_id", "spa", "client_secret", "x"}, 401, "invalid_client"},
		{"public with basic", []string{rawBasic("spa:")}, nil, 401, "invalid_client"},
		{"public with basic and a secret", []string{rawBasic("spa:x")}, nil, 401, "invalid_client"},
		{"client assertion", nil, []string{"client_id", "web", "client_assertion", "x", "client_assertion_type", "urn:x"}, 401, "invalid_client"},

		{"basic and post", []string{basic("web")}, []string{"client_id", "web", "client_secret", secrets["web"]}, 400, "invalid_request"},
		{"basic and another name", []string{basic("web")}, []string{"client_id", "spa"}, 400, "invalid_request"},
		{"basic and an assertion", []string{basic("web")}, []string{"client_assertion", "x"}, 400, "invalid_request"},
		{"post and an assertion", nil, []string{"client_id", "legacy", "client_secret", legacy, "client_assertion", "x"}, 400, "invalid_request"},
		{"basic twice", []string{basic("web"), basic("web")}, nil, 400, "invalid_request"},
		{"basic twice, different", []string{basic("web"), basic("legacy")}, nil, 400, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			for _, path := range []string{"/token", "/revoke"} {
				var headers []string
				for _, h := range tt.header {
					headers = append(headers, "Authorization", h)
				}
				form := with(params(tt.form...), "grant_type", "authorization_code", "redirect_uri", webURI)
				a := w.send("POST", path, form, headers...)
				if tt.code == "" { // authenticated, but without what the endpoint is for
					if a.expect(400, "invalid_request"); !strings.Contains(a.json("error_description"), "is required") {
						t.Errorf("%s: %s", path, a.Body)
					}
					continue
				}
				if a.expect(tt.status, tt.code); strings.Contains(a.json("error_description"), "code is required") {
					t.Errorf("%s: authenticated", path)
				}
				if challenge := a.Header().Get("WWW-Authenticate"); (tt.status == 401) != strings.HasPrefix(challenge, "Basic realm=") {
					t.Errorf("%s: challenge %q", path, challenge)
				}
			}
		})
	}
}

// The secret in the query is not read (RFC 6749 §2.3.1).
func TestClientAuth_RFC6749_2_3_1_NotInTheQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := params("client_id", "legacy", "client_secret", secrets["legacy"]).Encode()
	w.send("POST", "/token?"+q, params("grant_type", "refresh_token")).expect(401, "invalid_client")
}

// CLI-03: unknown and known clients get the same answer after the same work: one
// look-up, one hash, one audit event.
func TestClientAuth_CLI03_SameAnswerSameWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.db.DisableClient(t.Context(), system(), "other", w.clock()))
	events := func() int {
		list, err := w.db.Events(t.Context(), "", 0, 1000)
		w.must(err)
		n := 0
		for _, e := range list {
			if e.Action == "client.authenticate" && e.Result == "refused" {
				n++
			}
		}
		return n
	}
	form := params("grant_type", "client_credentials")
	var want answer
	for i, header := range []string{rawBasic("robot:wrong"), rawBasic("nobody:wrong"), rawBasic("other:wrong"), basic("other"), rawBasic("spa:x"), basic("legacy")} {
		before := events()
		got := w.send("POST", "/token", form, "Authorization", header)
		if events() != before+1 {
			t.Errorf("%d: %d events", i, events()-before)
		}
		if i == 0 {
			want = got
			continue
		}
		got.Header().Set("X-Request-Id", want.Header().Get("X-Request-Id"))
		if got.Code != want.Code || got.Body.String() != want.Body.String() || len(got.Header()) != len(want.Header()) {
			t.Errorf("%d: %d %s; want %d %s", i, got.Code, got.Body, want.Code, want.Body)
		}
	}
}

// CLI-03: secrets and their hashes are compared in constant time, never with ==.
func TestClientAuth_CLI03_NoEqualsOnSecrets(t *testing.T) {
	t.Parallel()
	secretive := regexp.MustCompile(`(?i)secret|hash|csrf|verifier|challenge|presented|refresh`)
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool { return noEquals(t, secretive, n) })
	}
}

func noEquals(t *testing.T, secretive *regexp.Regexp, n ast.Node) bool {
	t.Helper()
	cmp, ok := n.(*ast.BinaryExpr)
	if !ok || cmp.Op != token.EQL && cmp.Op != token.NEQ {
		return true
	}
	for _, side := range []ast.Expr{cmp.X, cmp.Y} {
		if lit, ok := side.(*ast.BasicLit); ok && lit.Value == `""` {
			return true // whether there is one is no secret
		}
	}
	for _, side := range []ast.Expr{cmp.X, cmp.Y} {
		name := ""
		switch e := side.(type) {
		case *ast.Ident:
			name = e.Name
		case *ast.SelectorExpr:
			name = e.Sel.Name
		}
		if secretive.MatchString(name) {
			t.Errorf("%s is compared with %s", name, cmp.Op)
		}
	}
	return true
}

// A confidential client whose hash got lost is not open to everybody.
func TestClientAuth_NoHashIsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.alter("robot", func(c *idp.Client) { c.SecretHash = [32]byte{} })
	for _, pair := range []string{"robot:", "robot:x", "robot:" + strings.Repeat("%00", 32)} {
		w.send("POST", "/token", params("grant_type", "client_credentials"), "Authorization", rawBasic(pair)).expect(401, "invalid_client")
	}
	w.send("POST", "/token", params("grant_type", "client_credentials", "client_id", "robot")).expect(401, "invalid_client")
}
