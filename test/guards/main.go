// Command guards removes guards one at a time and sees their tests fail: a guard
// whose test stays green is a guard that nobody would miss.
//
// It reads guards.txt beside it. Nothing in the tree is changed: the compiler is
// given the altered file through go test -overlay.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// guard is one entry of guards.txt.
type guard struct {
	name    string // threat id and what the line prevents
	file    string // from the project's root
	old     string // a substring that stands in the file exactly once
	new     string
	module  string // directory of the module whose test it is
	pkg     string // package pattern inside the module
	pattern string // name of the test that must fail
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "guards:", err)
		os.Exit(1)
	}
}

func run(only []string) error {
	guards, err := read("test/guards/guards.txt")
	if err != nil {
		return err
	}
	passed, failed := 0, 0
	green := map[string]bool{} // tests that were seen to pass with all guards in place
	for _, g := range guards {
		named := func(part string) bool { return strings.Contains(g.name, part) }
		if len(only) > 0 && !slices.ContainsFunc(only, named) {
			continue
		}
		if err := g.prove(green); err != nil {
			failed++
			fmt.Printf("MISSED  %s: %v\n", g.name, err)
			continue
		}
		passed++
		fmt.Printf("caught  %s (%s)\n", g.name, g.pattern)
	}
	fmt.Printf("\n%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return fmt.Errorf("%d guards can be removed without a test noticing", failed)
	}
	return nil
}

// prove runs the guard's test as it is, once for all guards it belongs to, and without
// the guard.
func (g guard) prove(green map[string]bool) error {
	src, err := os.ReadFile(g.file)
	if err != nil {
		return err
	}
	if n := strings.Count(string(src), g.old); n != 1 {
		return fmt.Errorf("%q stands %d times in %s", g.old, n, g.file)
	}
	dir, err := os.MkdirTemp("", "guard")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := g.overlay(dir, strings.Replace(string(src), g.old, g.new, 1))
	if err != nil {
		return err
	}
	if name := g.module + g.pkg + g.pattern; !green[name] {
		out, ok := g.test()
		if !ok {
			return fmt.Errorf("its test is red with the guard in place:\n%s", out)
		}
		green[name] = true
	}
	out, ok := g.test("-overlay", overlay)
	if ok {
		return fmt.Errorf("%s stays green without it", g.pattern)
	}
	if !strings.Contains(out, "--- FAIL") && !strings.Contains(out, "panic:") {
		return fmt.Errorf("the altered file does not compile:\n%s", out)
	}
	return nil
}

func (g guard) overlay(dir, text string) (string, error) {
	altered := filepath.Join(dir, "altered.go")
	if err := os.WriteFile(altered, []byte(text), 0o600); err != nil {
		return "", err
	}
	original, err := filepath.Abs(g.file)
	if err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: altered}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}

func (g guard) test(flags ...string) (output string, ok bool) {
	// Without its guard a test may wait for ever; that is a failure, too.
	args := append([]string{"test", "-count=1", "-timeout=90s", "-run", "^" + g.pattern + "$"}, flags...)
	cmd := exec.Command("go", append(args, g.pkg)...)
	cmd.Dir = g.module
	out, err := cmd.CombinedOutput()
	if err == nil && strings.Contains(string(out), "no tests to run") {
		return string(out), false
	}
	return string(out), err == nil
}

// read parses guards.txt: blocks of "guard", "file", "-", "+", "test" lines.
func read(name string) ([]guard, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var guards []guard
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		key, value, _ := strings.Cut(lines.Text(), " ")
		if key == "guard" {
			guards = append(guards, guard{name: value})
			continue
		}
		if key == "" || key == "#" {
			continue
		}
		if len(guards) == 0 {
			return nil, fmt.Errorf("%s:%d: no guard begun", name, n)
		}
		g := &guards[len(guards)-1]
		switch key {
		case "file":
			g.file = value
		case "-":
			g.old = value
		case "+":
			g.new = value
		case "test":
			if _, err := fmt.Sscan(value, &g.module, &g.pkg, &g.pattern); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
		default:
			return nil, fmt.Errorf("%s:%d: unknown line %q", name, n, key)
		}
	}
	return guards, lines.Err()
}
