package browser_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

// addresses are where a development stack lives.
type addresses struct{ issuer, calendar, scheduler, console, socket string }

// binary builds signet once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "signet-browser-")
	if err != nil {
		return "", err
	}
	built = filepath.Join(dir, "signet")
	out, err := exec.Command("go", "build", "-o", built, "../../cmd/signet").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return built, nil
})

// built is where the binary lies; empty if nobody asked for it.
var built string

// TestMain removes the binary.
func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(filepath.Dir(built)) // nothing depends on it
	}
	os.Exit(code)
}

// line is what "signet dev" prints of each part.
var line = regexp.MustCompile(`^\s+(issuer|calendar|scheduler|console|manage)\s+(?:signet user list --socket )?(\S+)`)

// startStack runs "signet dev" on free ports until the test ends.
func startStack(t *testing.T) addresses {
	t.Helper()
	return startStackWith(t, "--ephemeral")
}

func startStackWith(t *testing.T, data ...string) addresses {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		missing(t, "chromium")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"dev", "--port", "0", "--calendar-port", "0", "--scheduler-port", "0", "--console-port", "0"}, data...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // its code says that it was interrupted
	})
	found := map[string]string{}
	for lines := bufio.NewScanner(out); len(found) < 5 && lines.Scan(); {
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			found[m[1]] = m[2]
		}
	}
	if len(found) < 5 {
		t.Fatalf("signet dev does not say where it is: %v", found)
	}
	return addresses{found["issuer"], found["calendar"], found["scheduler"], found["console"], found["manage"]}
}
