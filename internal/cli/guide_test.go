package cli_test

import (
	"os"
	"strings"
	"testing"
)

// TestGuide_CommandsAreRun: a guide shows no command that no test runs.
func TestGuide_CommandsAreRun(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/guide/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/operate.txt")
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
	if commands < 8 {
		t.Errorf("only %d commands were found", commands)
	}
}
