// Command fuzz runs every fuzz target of every module, one at a time, and prints a line
// for each. A finding is kept by go test under the package's testdata/fuzz, from where
// the ordinary tests run it from then on.
//
//	go run ./test/fuzz [-parallel 1] [-only Token] 30m
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// target is one fuzz function.
type target struct{ module, pkg, name string }

func main() {
	modules := flag.String("modules", ". verify bench", "directories of the modules, with spaces between")
	parallel := flag.Int("parallel", 1, "workers of a target")
	only := flag.String("only", "", "targets whose package or name contains this")
	flag.Parse()
	if err := run(strings.Fields(*modules), *parallel, *only, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

func run(modules []string, parallel int, only string, args []string) error {
	if len(args) != 1 {
		return errors.New("say for how long each target shall run, such as 30m")
	}
	duration, err := time.ParseDuration(args[0])
	if err != nil || duration < time.Second {
		return errors.New("the duration must be a second at least, such as 30m")
	}
	var targets []target
	for _, m := range modules {
		some, err := list(m)
		if err != nil {
			return err
		}
		for _, t := range some {
			if strings.Contains(t.pkg+" "+t.name, only) {
				targets = append(targets, t)
			}
		}
	}
	if len(targets) == 0 {
		return errors.New("no target")
	}
	failed := 0
	for _, t := range targets {
		if !t.fuzz(duration, parallel) {
			failed++
		}
	}
	fmt.Printf("\n%d targets, %d failed\n", len(targets), failed)
	if failed > 0 {
		return fmt.Errorf("%d targets have findings", failed)
	}
	return nil
}

// function finds fuzz targets in a file.
var function = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(\w+ \*testing\.F\)`)

// list finds the targets of a module in the files that go list names. Nothing is built.
func list(module string) ([]target, error) {
	cmd := exec.Command("go", "list", "-f", "{{$p := .}}{{range .TestGoFiles}}{{$p.ImportPath}} {{$p.Dir}} {{.}}\n{{end}}{{range .XTestGoFiles}}{{$p.ImportPath}} {{$p.Dir}} {{.}}\n{{end}}", "./...")
	cmd.Dir = module
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages of %s: %w\n%s", module, err, trouble.Bytes())
	}
	var targets []target
	for line := range strings.Lines(string(out)) {
		pkg, file, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		cut := strings.LastIndexByte(file, ' ') // the directory may have spaces
		if cut < 0 {
			continue
		}
		src, err := os.ReadFile(filepath.Join(file[:cut], file[cut+1:]))
		if err != nil {
			return nil, err
		}
		for _, name := range function.FindAllSubmatch(src, -1) {
			targets = append(targets, target{module, pkg, string(name[1])})
		}
	}
	return targets, nil
}

// progress is the last line that go test prints about a target that goes on.
var progress = regexp.MustCompile(`execs: (\d+).*new interesting: \d+ \(total: (\d+)\)`)

// overdue is how go test ends, now and then, when a busy machine's worker has not answered at
// the end of the time that it was given: it failed, but it found nothing.
var overdue = regexp.MustCompile(`(?m)^--- FAIL: \w+ \([0-9.]+s\)\n    context deadline exceeded\nFAIL\n`)

// found reports whether go test failed by a finding, or by anything else that is a failure.
func found(err error, out []byte) bool {
	return err != nil && (!overdue.Match(out) || bytes.Contains(out, []byte("Failing input")))
}

// fuzz runs one target and prints its line; with a finding, all that go test said.
func (t target) fuzz(d time.Duration, parallel int) bool {
	begin := time.Now()
	cmd := exec.Command("go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+d.String(), "-fuzzminimizetime=200x", fmt.Sprint("-parallel=", parallel), t.pkg)
	cmd.Dir = t.module
	out, err := cmd.CombinedOutput()
	verdict, bad := "ok     ", found(err, out)
	if bad {
		verdict = "FAILED "
	}
	execs, corpus := "0", "0"
	if all := progress.FindAllSubmatch(out, -1); len(all) > 0 {
		execs, corpus = string(all[len(all)-1][1]), string(all[len(all)-1][2])
	}
	fmt.Printf("%s %s %s: %s executions, %s inputs of interest, %s\n", verdict, t.pkg, t.name, execs, corpus, time.Since(begin).Round(time.Second))
	if bad {
		fmt.Printf("%s\n", out)
	}
	return !bad
}
