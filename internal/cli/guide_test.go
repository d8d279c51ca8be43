package cli_test

import (
	"os"
	"strings"
	"testing"
)

// TestGuide_CommandsAreRun: a guide shows no command that no test runs.
func TestGuide_CommandsAreRun(t *testing.T) {
	t.Parallel()
	for _, g := range []struct {
		guide, script string
		least         int // commands
	}{{"operate.md", "operate.txt", 12}, {"offline.md", "bundle.txt", 3}} {
		checkGuide(t, "../../docs/guide/"+g.guide, "testdata/script/"+g.script, g.least)
	}
}

func checkGuide(t *testing.T, guideFile, scriptFile string, least int) {
	t.Helper()
	guide, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(scriptFile)
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for i, part := range strings.Split(string(guide), "```") {
		block, shell := strings.CutPrefix(part, "sh\n")
		if i%2 == 0 || !shell {
			continue
		}
		for line := range strings.Lines(block) {
			commands++
			if !strings.Contains(string(script), "\nexits 0 "+line) {
				t.Errorf("no test runs: %s", line)
			}
		}
	}
	if commands < least {
		t.Errorf("%s: only %d commands were found", guideFile, commands)
	}
}
