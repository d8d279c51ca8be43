package cli_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestGuide_CommandsAreRun: no guide shows a command that no test runs. Each has a script of
// its own name in testdata/script, which runs its commands one by one ("exits 0 …"), or whole
// blocks of them ("guide …"). A guide without a script fails.
func TestGuide_CommandsAreRun(t *testing.T) {
	t.Parallel()
	guides, err := filepath.Glob("../../docs/guide/*.md")
	if err != nil || len(guides) < 3 {
		t.Fatalf("%v: only %q", err, guides)
	}
	for _, file := range append(guides, "../../README.md") {
		name := strings.ToLower(strings.TrimSuffix(filepath.Base(file), ".md"))
		checkGuide(t, file, "testdata/script/"+name+".txt")
	}
	checkGuide(t, "../../verify/README.md", "testdata/script/sdk.txt")
}

func checkGuide(t *testing.T, guideFile, scriptFile string) {
	t.Helper()
	blocks, err := guideBlocks(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(scriptFile)
	if err != nil {
		t.Errorf("%s has no script: %v", guideFile, err)
		return
	}
	name, _ := filepath.Rel("../..", guideFile)
	for i, block := range blocks {
		if strings.Contains(string(script), "\nguide "+filepath.ToSlash(name)+" "+strconv.Itoa(i+1)+"\n") {
			continue
		}
		for line := range strings.Lines(block) {
			if !runs(string(script), strings.TrimSpace(line)) {
				t.Errorf("%s: no test runs: %s", name, line)
			}
		}
	}
	text, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if command := strings.TrimSpace(line); strings.HasPrefix(line, "    signet ") && !runs(string(script), command) {
			t.Errorf("%s: no test runs: %s", name, command)
		}
	}
}

// runs reports whether a script runs a command. What does not end by itself is run in the
// background, with other ports; ./check is what runs the tests.
func runs(script, command string) bool {
	command = strings.Replace(command, "go run ./cmd/signet", "signet", 1)
	switch command {
	case "", "./check", "go install ./cmd/signet":
		return true
	case "signet dev", "signet console", "signet serve --config signet.yaml":
		return strings.Contains(script, "exec "+command)
	}
	return strings.Contains(script, "\nexits 0 "+command+"\n")
}
