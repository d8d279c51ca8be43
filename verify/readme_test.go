package verify_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The snippets of the README are the Examples and the tests that are read here; every error
// and every option is explained there.
func TestREADME(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	readme := read("README.md")
	example := read("example_test.go") + read("verifytest/readme_test.go") + read("verifygrpc/verifygrpc_test.go") + read("accel/example_test.go")
	snippet := strings.Join(regexp.MustCompile("(?s)```go\n.*?```").FindAllString(readme, -1), "")
	snippet = strings.NewReplacer("```go\n", "", "```", "").Replace(snippet)
	for _, line := range strings.Split(strings.TrimSpace(snippet), "\n") {
		if !strings.Contains(example, strings.TrimSpace(line)) {
			t.Errorf("README: not in an Example: %s", line)
		}
	}
	names := regexp.MustCompile(`\bErr[A-Z]\w+`).FindAllString(read("errors.go"), -1)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	options := regexp.MustCompile(`(?m)^func ([A-Z]\w*)\(.*\) Option\b`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, match := range options.FindAllStringSubmatch(read(file), -1) {
			names = append(names, match[1])
		}
	}
	if len(names) < 30 {
		t.Errorf("found only %q", names)
	}
	for _, name := range names {
		if row := regexp.MustCompile("(?m)^\\| `" + name + "[(`]"); len(row.FindAllString(readme, -1)) != 1 {
			t.Errorf("README: %s does not stand in exactly one row of a table", name)
		}
	}
}
