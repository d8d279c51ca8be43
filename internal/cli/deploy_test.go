package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/cli"
)

// TestDeploy_Unit: systemd reads the units without a complaint, and calls the service safe.
func TestDeploy_Unit(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze on this machine")
	}
	dir := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"signet.service", "signet.socket"} {
		text, err := os.ReadFile("../../deploy/" + name)
		if err != nil {
			t.Fatal(err)
		}
		// The program is not installed here; everything else is as it is shipped.
		unit := strings.ReplaceAll(string(text), "/usr/local/bin/signet", program)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(analyze, "verify", filepath.Join(dir, "signet.service"), filepath.Join(dir, "signet.socket")).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
	out, err = exec.Command(analyze, "security", "--offline=yes", "--threshold=20", filepath.Join(dir, "signet.service")).CombinedOutput() // in tenths
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestDeploy_Commands: what the units and the image run exists.
func TestDeploy_Commands(t *testing.T) {
	t.Parallel()
	for file, pattern := range map[string]string{
		"signet.service": `(?m)^ExecStart=\S+/signet (\S+)`, "Containerfile": `(?m)(?:CMD \["/signet", "|^CMD \[")(\w+)"\]`,
	} {
		text, err := os.ReadFile("../../deploy/" + file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s runs nothing", file)
		}
		for _, m := range found {
			if cmd, _, err := cli.Root().Find([]string{m[1]}); err != nil || cmd.Name() != m[1] {
				t.Errorf("%s runs %q, which is no command", file, m[1])
			}
		}
	}
}
