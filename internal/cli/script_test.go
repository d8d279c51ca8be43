package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/signet-id/signet/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"signet": func() { os.Exit(cli.Main(os.Args, os.Environ(), os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScript runs testdata/script/*.txt: what the command line does, seen from outside.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            time.Now().Add(8 * time.Minute), // a command that should have refused may serve for ever
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "freeport": freePort, "ready": ready, "shows": shows, "field": jsonField,
			"request": request, "sockets": sockets, "mode": mode, "lines": lines, "guide": guide, "signin": signIn, "examples": examples, "becomes": becomes,
		},
	})
}

const patience = time.Minute

// exits CODE PROGRAM ARGS… wants that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program args...")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		code = failed.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// freeport NAME… sets variables to ports that are free.
func freePort(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer ln.Close() // after all have been chosen
		ts.Setenv(name, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
	}
}

// poll asks again and again until the answer is yes.
func poll(ts *testscript.TestScript, what string, yes func() bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !yes(); <-tick.C {
		if time.Now().After(deadline) {
			ts.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// ready URL waits until a server answers 200.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, args[0], func() bool {
		res, err := http.Get(args[0])
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// shows FILE PATTERN waits until a file has the text.
func shows(ts *testscript.TestScript, _ bool, args []string) {
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	poll(ts, args[0], func() bool {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && re.Match(data)
	})
}

// field NAME FILE MEMBER sets a variable to a member of a JSON object, or of the first
// one of a list; FILE may be stdout.
func jsonField(ts *testscript.TestScript, _ bool, args []string) {
	var m [1]map[string]any
	doc := strings.TrimSpace(ts.ReadFile(args[1]))
	if !strings.HasPrefix(doc, "[") {
		doc = "[" + doc + "]"
	}
	ts.Check(json.Unmarshal([]byte(doc), &m))
	value, ok := m[0][args[2]].(string)
	if !ok {
		ts.Fatalf("no text %s in %s", args[2], args[1])
	}
	ts.Setenv(args[0], value)
}

// request METHOD URL [-u ID:SECRET] [-h NAME:VALUE] [name=value…] writes status and body to standard output.
func request(ts *testscript.TestScript, _ bool, args []string) {
	method, address, form, header := args[0], args[1], url.Values{}, http.Header{}
	var id, secret string
	for rest := args[2:]; len(rest) > 0; rest = rest[1:] {
		switch {
		case rest[0] == "-u":
			id, secret, _ = strings.Cut(rest[1], ":")
			rest = rest[1:]
		case rest[0] == "-h":
			name, value, _ := strings.Cut(rest[1], ":")
			header.Set(name, value)
			rest = rest[1:]
		default:
			name, value, _ := strings.Cut(rest[0], "=")
			form.Add(name, value)
		}
	}
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	ts.Check(err)
	req.Header, req.Host = header, header.Get("Host")
	if len(form) > 0 {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if id != "" {
		req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", body)
	fmt.Fprintf(ts.Stderr(), "status %d\n", res.StatusCode)
}

// sockets N wants that the background programs listen on N TCP ports together (Linux).
func sockets(ts *testscript.TestScript, _ bool, args []string) {
	if _, err := os.Stat("/proc/net/tcp"); err != nil {
		return
	}
	listening := map[string]bool{} // inodes
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(name)
		ts.Check(err)
		for line := range strings.Lines(string(data)) {
			const state, inode, listen = 3, 9, "0A"
			if f := strings.Fields(line); len(f) > inode && f[state] == listen {
				listening[f[inode]] = true
			}
		}
	}
	n := 0
	for _, cmd := range ts.BackgroundCmds() {
		fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", cmd.Process.Pid))
		ts.Check(err)
		for _, fd := range fds {
			target, err := os.Readlink(fd)
			if inode, ok := strings.CutPrefix(target, "socket:["); err == nil && ok && listening[strings.TrimSuffix(inode, "]")] {
				n++
			}
		}
	}
	if strconv.Itoa(n) != args[0] {
		ts.Fatalf("%d listening TCP sockets, want %s", n, args[0])
	}
}

// mode OCTAL FILE wants these permissions.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// lines MAX FILE wants at most that many lines.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	if n := strings.Count(ts.ReadFile(args[1]), "\n"); n > most {
		ts.Fatalf("%s has %d lines, want at most %d", args[1], n, most)
	}
}
