package config_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/config"
)

var update = flag.Bool("update", false, "write docs/reference/configuration.md")

const (
	reference  = "../../docs/reference/configuration.md"
	regenerate = "go test ./internal/config -run TestReference -update"
)

// TestReference: the manual is what the comments of the fields say.
func TestReference(t *testing.T) {
	t.Parallel()
	want := manual(t)
	if *update {
		if err := os.MkdirAll(filepath.Dir(reference), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(reference, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale; write it again with: %s", reference, regenerate)
	}
}

// TestReference_Examples: what the manual gives as an example is accepted.
func TestReference_Examples(t *testing.T) {
	t.Parallel()
	together := map[string]string{
		"database_password_file": "database: postgres://signet@localhost/signet", "tls_cert": "tls_key: k", "tls_key": "tls_cert: c",
		"brand.logo_dark": "logo: logo.svg", "smtp.host": "from: a@example.com", "smtp.from": "host: smtp.example.com",
		"smtp.port": "host: h.example.com, from: a@example.com", "smtp.tls": "host: h.example.com, from: a@example.com",
		"smtp.username":      "password_file: p, host: h.example.com, from: a@example.com",
		"smtp.password_file": "username: u, host: h.example.com, from: a@example.com",
	}
	for _, e := range entries(t) {
		text, rest := e.key+": "+e.parts["Example"]+"\n", together[e.key]
		if group, key, nested := strings.Cut(e.key, "."); nested {
			text = group + ": {" + key + ": " + e.parts["Example"]
			if rest != "" {
				text += ", " + rest
			}
			text += "}\n"
		} else if rest != "" {
			text += rest + "\n"
		}
		for line := range strings.Lines(minimal) {
			if key, _, _ := strings.Cut(line, ":"); key != e.key {
				text += line
			}
		}
		if _, err := load(t, text); err != nil {
			t.Errorf("%s: %v", e.key, err)
		}
	}
}

// entry is a key of the manual.
type entry struct {
	key, kind string
	text      []string          // paragraphs
	parts     map[string]string // "Default", "Example", "What breaks"
}

func (e entry) env() string {
	return "SIGNET_" + strings.ToUpper(strings.ReplaceAll(e.key, ".", "_"))
}

// TestGuides: what the guides show of a configuration can be read. Prometheus has its own.
func TestGuides(t *testing.T) {
	t.Parallel()
	shown := 0
	for _, guide := range []string{"operate.md", "offline.md", "start.md", "protect-a-service.md"} {
		text, err := os.ReadFile("../../docs/guide/" + guide)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(text), "```") {
			block, ok := strings.CutPrefix(part, "yaml\n")
			if i%2 == 0 || !ok || strings.HasPrefix(block, "scrape_configs:") || strings.HasPrefix(block, "groups:") {
				continue
			}
			shown++
			file := filepath.Join(t.TempDir(), "signet.yaml")
			if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := config.Read(file, nil); err != nil {
				t.Errorf("%s: %v\n%s", guide, err, block)
			}
		}
	}
	if shown < 3 {
		t.Errorf("only %d configurations were found", shown)
	}
}

func manual(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Configuration\n\n" +
		"<!-- Made from the comments in internal/config/config.go; do not edit. Write it again with:\n     " + regenerate + " -->\n\n" +
		"One YAML file. It is the first of: `--config FILE`, `$SIGNET_CONFIG`, `./signet.yaml`, `$XDG_CONFIG_HOME/signet/signet.yaml`\n" +
		"(without that variable `~/.config/signet/signet.yaml`), `/etc/signet/signet.yaml`. Every key is also an environment variable, which\n" +
		"wins; lists are separated by commas there. A file is not needed when the environment says enough.\n\n" +
		"A key that does not exist, or is given twice, is an error. Relative paths in the file begin at the file's directory, those in\n" +
		"variables at the working directory. Secrets are never values: keys that end in `_file` name the file that holds one.\n\n" +
		"The smallest configuration, behind a reverse proxy on the same machine:\n\n" +
		"```yaml\npublic_url: https://id.example.com\nkey_file: /etc/signet/key     # made with: signet key new /etc/signet/key\ntrusted_proxies: [127.0.0.1]\n```\n")
	group := ""
	for _, e := range entries(t) {
		if g, _, nested := strings.Cut(e.key, "."); nested && g != group {
			group = g
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", g, groupText(t, g))
		}
		level := "##"
		if strings.Contains(e.key, ".") {
			level = "###"
		}
		fmt.Fprintf(&b, "\n%s %s\n\n%s\n\n", level, e.key, strings.Join(e.text, "\n\n"))
		fmt.Fprintf(&b, "- Type: %s\n- Default: %s\n- Example: `%s`\n- Variable: `%s`\n- What breaks: %s\n",
			e.kind, e.parts["Default"], e.parts["Example"], e.env(), e.parts["What breaks"])
	}
	return b.String()
}

// entries reads the fields in order, and holds each to having all parts.
func entries(t *testing.T) []entry {
	t.Helper()
	var out []entry
	structs := parseStructs(t)
	for _, f := range structs["Config"].Fields.List {
		key := tag(t, f)
		name, isName := f.Type.(*ast.Ident)
		if sub := (*ast.StructType)(nil); isName {
			if sub = structs[name.Name]; sub != nil {
				for _, g := range sub.Fields.List {
					out = append(out, newEntry(t, key+"."+tag(t, g), g))
				}
				continue
			}
		}
		if key != "-" {
			out = append(out, newEntry(t, key, f))
		}
	}
	return out
}

func newEntry(t *testing.T, key string, f *ast.Field) entry {
	t.Helper()
	e := entry{key: key, parts: map[string]string{}, kind: kindOf(t, f.Type)}
	for _, paragraph := range strings.Split(strings.TrimSpace(f.Doc.Text()), "\n\n") {
		if !strings.HasPrefix(paragraph, "Default: ") {
			e.text = append(e.text, paragraph)
			continue
		}
		name := ""
		for _, line := range strings.Split(paragraph, "\n") {
			for _, part := range []string{"Default", "Example", "What breaks"} {
				if rest, ok := strings.CutPrefix(line, part+": "); ok {
					name, line = part, rest
				}
			}
			e.parts[name] = strings.TrimSpace(e.parts[name] + " " + line)
		}
	}
	if len(e.text) == 0 || len(e.parts) != 3 {
		t.Errorf("%s: the comment lacks its meaning, Default, Example or What breaks: %+v", key, e)
	}
	return e
}

func groupText(t *testing.T, key string) string {
	t.Helper()
	for _, f := range parseStructs(t)["Config"].Fields.List {
		if tag(t, f) == key {
			return strings.TrimSpace(f.Doc.Text())
		}
	}
	t.Fatalf("no group %s", key)
	return ""
}

func parseStructs(t *testing.T) map[string]*ast.StructType {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*ast.StructType{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if s, ok := spec.Type.(*ast.StructType); ok {
				structs[spec.Name.Name] = s
			}
		}
		return true
	})
	return structs
}

func tag(t *testing.T, f *ast.Field) string {
	t.Helper()
	if f.Tag == nil {
		t.Fatalf("field %v has no key", f.Names)
	}
	return reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
}

func kindOf(t *testing.T, x ast.Expr) string {
	t.Helper()
	switch x := x.(type) {
	case *ast.ArrayType:
		return "list of text"
	case *ast.SelectorExpr:
		return "time"
	case *ast.Ident:
		if kind, ok := map[string]string{"string": "text", "int": "number"}[x.Name]; ok {
			return kind
		}
	}
	t.Fatalf("a type that no text can set: %v", x)
	return ""
}

// Two keys must not share a variable, as smtp.host_x and smtp_host.x would.
func TestEnvironmentNames_Distinct(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, e := range entries(t) {
		if seen[e.env()] != "" {
			t.Errorf("%s and %s are both %s", e.key, seen[e.env()], e.env())
		}
		seen[e.env()] = e.key
	}
}
