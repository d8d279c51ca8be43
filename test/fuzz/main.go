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

// list finds the targets of a module.
func list(module string) ([]target, error) {
	cmd := exec.Command("go", "test", "-list", "^Fuzz", "./...")
	cmd.Dir = module
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("list the targets of %s: %w\n%s%s", module, err, out.Bytes(), trouble.Bytes())
	}
	return parseList(module, out.String()), nil
}

// parseList reads what go test -list prints: names, and then a line "ok" with the
// package that they are in.
func parseList(module, out string) (targets []target) {
	var names []string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) > 1 && fields[0] == "ok":
			for _, n := range names {
				targets = append(targets, target{module, fields[1], n})
			}
			names = nil
		}
	}
	return targets
}

// progress is the last line that go test prints about a target that goes on.
var progress = regexp.MustCompile(`execs: (\d+).*new interesting: \d+ \(total: (\d+)\)`)

// fuzz runs one target and prints its line; with a finding, all that go test said.
func (t target) fuzz(d time.Duration, parallel int) bool {
	begin := time.Now()
	cmd := exec.Command("go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+d.String(), "-fuzzminimizetime=200x", fmt.Sprint("-parallel=", parallel), t.pkg)
	cmd.Dir = t.module
	out, err := cmd.CombinedOutput()
	verdict := "ok     "
	if err != nil {
		verdict = "FAILED "
	}
	execs, corpus := "0", "0"
	if all := progress.FindAllSubmatch(out, -1); len(all) > 0 {
		execs, corpus = string(all[len(all)-1][1]), string(all[len(all)-1][2])
	}
	fmt.Printf("%s %s %s: %s executions, %s inputs of interest, %s\n", verdict, t.pkg, t.name, execs, corpus, time.Since(begin).Round(time.Second))
	if err != nil {
		fmt.Printf("%s\n", out)
	}
	return err == nil
}
