package verify_test

import (
	"os"
	"os/exec"
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

// The commands for a copy of the repository make a module that builds, with no network.
func TestREADME_Copy(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("(?m)^go mod .*$").FindAllString(string(readme), -1)
	if len(commands) != 2 {
		t.Fatalf("found %q", commands)
	}
	dir := t.TempDir()
	const program = "package main\n\nimport \"github.com/signet-id/signet/verify\"\n\nfunc main() { _, _ = verify.New(\"https://a.example\", \"https://b.example\") }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range append(append([]string{"go mod init orders"}, commands...), "go vet .") {
		words := strings.Fields(strings.ReplaceAll(command, "/path/to/signet/verify", here))
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
}
