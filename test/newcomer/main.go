//go:build unix

// Command newcomer does what somebody does in the first minutes with signet, and says how
// long it took since the program was started: until it was ready, until Ann had signed in at
// the calendar, until the printed command had a token, until an app of one's own was
// connected. What a person needs for reading and typing is not in it.
//
//	go build -o /tmp/signet ./cmd/signet
//	go run ./test/newcomer -rounds 5 /tmp/signet
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often; each begins with nothing")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: newcomer [-rounds n] path-of-signet")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "newcomer:", err)
		os.Exit(1)
	}
}

func run(binary string, rounds int) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	var names []string
	took := map[string][]time.Duration{}
	for range rounds {
		err := firstMinutes(binary, func(name string, d time.Duration) {
			if took[name] == nil {
				names = append(names, name)
			}
			took[name] = append(took[name], d)
		})
		if err != nil {
			return err
		}
	}
	for _, name := range names {
		all := took[name]
		slices.Sort(all)
		fmt.Printf("%-45s %6.2f s (%.2f to %.2f)\n", name, all[len(all)/2].Seconds(), all[0].Seconds(), all[len(all)-1].Seconds())
	}
	return nil
}

// firstMinutes is one newcomer, in an empty directory.
func firstMinutes(binary string, note func(string, time.Duration)) (err error) {
	dir, err := os.MkdirTemp("", "newcomer")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	began := time.Now()
	dev := exec.CommandContext(ctx, binary, "dev", "--port", "0", "--calendar-port", "0", "--scheduler-port", "0", "--console-port", "0")
	dev.Dir, dev.Stderr = dir, os.Stderr
	out, err := dev.StdoutPipe()
	if err != nil {
		return err
	}
	if err := dev.Start(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, dev.Process.Signal(syscall.SIGINT), dev.Wait())
	}()
	banner := map[string]string{}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "stop with Ctrl-C"; {
		if name, text, ok := strings.Cut(strings.TrimSpace(lines.Text()), "  "); ok {
			banner[name] = strings.TrimSpace(text)
		}
	}
	note("ready: everything is printed", time.Since(began))
	if err := signIn(ctx, banner["calendar"]); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	note("Ann has signed in at the calendar", time.Since(began))
	answer, err := shell(ctx, dir, binary, banner["a token"]+" -sf")
	if err != nil || !strings.Contains(answer, `"access_token"`) {
		return fmt.Errorf("a token: %w: %s", err, answer)
	}
	note("the printed command has a token", time.Since(began))
	if _, err := shell(ctx, dir, binary, "signet client add --template nextjs"); err != nil {
		return fmt.Errorf("client add: %w", err)
	}
	note("the files for an app of one's own", time.Since(began))
	return nil
}

// shell runs a command that was printed, with signet in the path.
func shell(ctx context.Context, dir, binary, command string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}
