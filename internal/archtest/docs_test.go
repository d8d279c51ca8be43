package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	testName = regexp.MustCompile("`((?:Test|Fuzz|Example|Benchmark)[A-Za-z0-9_]*)(?:/([^`]*))?`")
	threatID = regexp.MustCompile(`^[A-Z]{3}-[0-9]{2}$`)
	fileName = regexp.MustCompile("`([a-z0-9_./-]+\\.(?:go|txt|sql|css|html))`")
)

// TestDocs_ThreatsAndConformance: a row without an existing test is a broken promise.
func TestDocs_ThreatsAndConformance(t *testing.T) {
	t.Parallel()
	tests, files := declaredTests(t)
	for _, doc := range []string{"docs/threats.md", "docs/conformance.md", "docs/interop.md"} {
		rows := tableRows(t, doc)
		if len(rows) < 10 {
			t.Errorf("%s: only %d rows; the table was not read", doc, len(rows))
		}
		for _, row := range rows {
			checkRow(t, doc, row, tests, files)
		}
	}
}

func checkRow(t *testing.T, doc, row string, tests, files map[string]bool) {
	t.Helper()
	names := testName.FindAllStringSubmatch(row, -1)
	if len(names) == 0 {
		t.Errorf("%s: row names no test: %s", doc, row)
	}
	for _, n := range names {
		if !tests[n[1]] {
			t.Errorf("%s: test %s does not exist: %s", doc, n[1], row)
		}
		if n[2] != "" && !tests["/"+n[2]] {
			t.Errorf("%s: test %s has no part %s: %s", doc, n[1], n[2], row)
		}
	}
	for _, f := range fileName.FindAllStringSubmatch(row, -1) {
		if !files[f[1]] && !files[path.Base(f[1])] {
			t.Errorf("%s: file %s does not exist: %s", doc, f[1], row)
		}
	}
}

// TestDocs_ThreatIDs: every row of docs/threats.md begins with an id, once each.
func TestDocs_ThreatIDs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range tableRows(t, "docs/threats.md") {
		id := strings.TrimSpace(strings.Split(strings.Trim(row, "|"), "|")[0])
		if !threatID.MatchString(id) || seen[id] {
			t.Errorf("row has no id of its own: %s", row)
		}
		seen[id] = true
	}
}

// TestDocs_Architecture: the files and functions that the map names exist.
func TestDocs_Architecture(t *testing.T) {
	t.Parallel()
	_, files := declaredTests(t)
	src, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fileName.FindAllStringSubmatch(string(src), -1) {
		if !files[f[1]] && !files[path.Base(f[1])] {
			t.Errorf("ARCHITECTURE.md names %s, which does not exist", f[1])
		}
	}
}

// tableRows returns the body rows of all tables of a document.
func tableRows(t *testing.T, doc string) []string {
	t.Helper()
	src, err := os.ReadFile("../../" + doc)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	body := false
	for _, line := range strings.Split(string(src), "\n") {
		switch {
		case !strings.HasPrefix(line, "|"):
			body = false
		case strings.HasPrefix(line, "|-") || strings.HasPrefix(line, "| -"):
			body = true
		case body:
			rows = append(rows, line)
		}
	}
	return rows
}

// declaredTests returns the names of all test functions, those of the parts of the suite of
// both engines and scripts with a slash before them, and the paths and base names of all files.
func declaredTests(t *testing.T) (tests, files map[string]bool) {
	t.Helper()
	tests, files = map[string]bool{}, map[string]bool{}
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && (d.Name() == "node_modules" || d.Name() == ".venv" || d.Name() == ".git") {
				return fs.SkipDir
			}
			return err
		}
		files[name], files[path.Base(name)] = true, true
		if script, ok := strings.CutPrefix(name, "internal/cli/testdata/script/"); ok {
			tests["/"+strings.TrimSuffix(script, ".txt")] = true
		}
		if !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "storetest/") {
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
				tests[fn.Name.Name] = true
			}
			if list, ok := decl.(*ast.GenDecl); ok && strings.Contains(name, "storetest/") {
				partsOf(list, tests)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests, files
}

// TestDocs_Errors: docs/reference/errors.md has a row for every code and page that is in the code.
func TestDocs_Errors(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, row := range tableRows(t, "docs/reference/errors.md") {
		known[strings.Trim(strings.TrimSpace(strings.Split(strings.Trim(row, "|"), "|")[0]), "`")] = true
	}
	for _, in := range []struct {
		file, pattern string
		least         int
	}{
		{"internal/oauth/errors.go", `Code += "([a-z_]+)"`, 27},
		{"internal/authn/next.go", `"([a-z_]+_required)"`, 4},
		{"internal/web/words_en.go", `"problem\.[a-z_]+\.title": +"([^"]+)"`, 8},
		{"internal/oauth/pages.go", `Title: +"([^"]+)"`, 6},
		{"internal/oauth/pages.go", `appErrorTitle = "([^"]+)"`, 1},
		{"verify/challenge.go", `(?:Error: |invalid = )"([a-z_]+)"`, 6},
		{"internal/admin", `Error\{[^}]*Code: +"([a-z_]+)"`, 10},
	} {
		found := regexp.MustCompile(in.pattern).FindAllStringSubmatch(sourceOf(t, in.file), -1)
		if len(found) < in.least {
			t.Errorf("%s: only %d codes were found", in.file, len(found))
		}
		for _, m := range found {
			if !known[m[1]] {
				t.Errorf("docs/reference/errors.md has no row for %q (%s)", m[1], in.file)
			}
		}
	}
}

// sourceOf reads a file, or all files of a package.
func sourceOf(t *testing.T, name string) string {
	t.Helper()
	files := []string{name}
	if path.Ext(name) == "" {
		var err error
		if files, err = fs.Glob(os.DirFS("../.."), name+"/*.go"); err != nil {
			t.Fatal(err)
		}
	}
	var all strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile("../../" + f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(src)
	}
	return all.String()
}

// TestDocs_GoSnippets: the Go of the README, the guides and the other documents is that of the SDK's
// Examples, which compile: every line of it stands in one, comments aside.
func TestDocs_GoSnippets(t *testing.T) {
	t.Parallel()
	var examples strings.Builder
	for _, pattern := range []string{"verify/*example_test.go", "verify/*/*example_test.go", "verify/*/readme_test.go", "verify/verifygrpc/*_test.go"} {
		files, err := fs.Glob(os.DirFS("../.."), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			src, err := os.ReadFile("../../" + f)
			if err != nil {
				t.Fatal(err)
			}
			examples.Write(src)
		}
	}
	comment := regexp.MustCompile(`\s+// .*$`)
	snippets := 0
	for _, doc := range documents(t) {
		for i, part := range strings.Split(sourceOf(t, doc), "```") {
			code, ok := strings.CutPrefix(part, "go\n")
			if !ok || i%2 == 0 {
				continue
			}
			snippets++
			for line := range strings.Lines(code) {
				if line = strings.TrimSpace(comment.ReplaceAllString(strings.TrimRight(line, "\n"), "")); !strings.Contains(examples.String(), line) {
					t.Errorf("%s: in no Example: %s", doc, line)
				}
			}
		}
	}
	if snippets < 5 {
		t.Errorf("only %d snippets were found", snippets)
	}
}

// documents are the README and everything below docs.
func documents(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md"}
	err := fs.WalkDir(os.DirFS("../.."), "docs", func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".md") {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDocs_Links: a link to a file of ours leads to one.
func TestDocs_Links(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, doc := range append(documents(t), "verify/README.md", "bench/README.md", "ARCHITECTURE.md", "CONTRIBUTING.md") {
		for _, m := range link.FindAllStringSubmatch(sourceOf(t, doc), -1) {
			if _, err := os.Stat("../../" + path.Join(path.Dir(doc), m[1])); err != nil {
				t.Errorf("%s: %s leads nowhere", doc, m[1])
			}
		}
	}
}

// partsOf adds the names in lists of tests, as "go test" writes them.
func partsOf(list *ast.GenDecl, tests map[string]bool) {
	ast.Inspect(list, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			tests["/"+strings.ReplaceAll(strings.Trim(lit.Value, `"`), " ", "_")] = true
		}
		return true
	})
}
