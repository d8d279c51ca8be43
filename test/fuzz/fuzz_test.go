package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Every target of the tree is found, here and in packages of other names.
func TestList(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, module := range []string{"../..", "../../verify", "../../bench"} {
		targets, err := list(module)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range targets {
			found[target.pkg+" "+target.name] = true
		}
	}
	const root = "github.com/signet-id/signet/"
	for _, want := range []string{"internal/edge FuzzForm", "internal/secret FuzzParse", "verify FuzzFeed", "verify/jose FuzzVerify", "bench/differ FuzzToken", "bench/differ FuzzKeySet"} {
		if !found[root+want] {
			t.Errorf("not found: %s", want)
		}
	}
}

// The end of the time alone is no finding.
func TestFound(t *testing.T) {
	t.Parallel()
	const (
		progress = "fuzz: elapsed: 2s, execs: 5460 (3020/sec), new interesting: 0 (total: 1)\n"
		late     = "--- FAIL: FuzzGood (1.81s)\n    context deadline exceeded\nFAIL\nexit status 1\nFAIL\texample.com/m\t1.816s\n"
		finding  = "--- FAIL: FuzzBad (0.02s)\n    --- FAIL: FuzzBad (0.00s)\n        m_test.go:6: -13\n    \n    Failing input written to testdata/fuzz/FuzzBad/1eb4\nFAIL\n"
		inside   = "--- FAIL: FuzzBad (0.02s)\n    --- FAIL: FuzzBad (0.00s)\n        m_test.go:6: context deadline exceeded\nFAIL\n"
	)
	failed := errors.New("exit status 1")
	for out, want := range map[string]bool{progress + late: false, progress + finding: true, inside: true, finding + late: true, "build failed\n": true} {
		if found(failed, []byte(out)) != want {
			t.Errorf("%q: want %v", out, want)
		}
	}
	if found(nil, []byte(progress)) {
		t.Error("no failure is a finding")
	}
}

// A target with a finding must not be reported as good.
func TestFuzz_AFindingFails(t *testing.T) {
	if testing.Short() {
		t.Skip("builds with fuzzing instrumentation")
	}
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\n" +
			"func FuzzGood(f *testing.F) { f.Fuzz(func(t *testing.T, n int) {}) }\n" +
			"func FuzzBad(f *testing.F) { f.Add(1); f.Fuzz(func(t *testing.T, n int) { if n != 1 { t.Fatal(n) } }) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	targets, err := list(dir)
	if err != nil || len(targets) != 2 {
		t.Fatalf("%v, %v: want two targets", targets, err)
	}
	for _, target := range targets {
		if good := target.fuzz(time.Second, 1); good != (target.name == "FuzzGood") {
			t.Errorf("%s: good = %v", target.name, good)
		}
	}
	if err := run([]string{dir}, 1, "Bad", []string{"1s"}); err == nil || !strings.Contains(err.Error(), "1 targets") {
		t.Errorf("a run with a finding: %v", err)
	}
	for _, args := range [][]string{nil, {"x"}, {"1ms"}, {"1s", "2s"}} {
		if err := run([]string{dir}, 1, "", args); err == nil {
			t.Errorf("%v: accepted", args)
		}
	}
}
