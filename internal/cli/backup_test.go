//go:build unix

package cli_test

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/backup"
)

// TestBackup_BrokenOff: a backup that breaks off leaves nothing behind, and the one before
// stays as it was.
func TestBackup_BrokenOff(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "s") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var whole bytes.Buffer
	w, err := backup.NewWriter(&whole, backup.Header{Time: time.Unix(1, 0), Epoch: "e"})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "sock")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(whole.Bytes()[:whole.Len()-1]) // and ends as if that were all
	})}
	go func() { _ = srv.Serve(ln) }()
	defer srv.Close()

	out := t.TempDir()
	old := filepath.Join(out, "old.backup")
	if err := os.WriteFile(old, []byte("the one before"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{filepath.Join(out, "new.backup")}, {"--force", old}, {"-"}} {
		said, err := exec.Command("signet", append([]string{"backup", "--socket", socket}, args...)...).CombinedOutput()
		var failed *exec.ExitError
		if !errors.As(err, &failed) || failed.ExitCode() != 1 || !strings.Contains(string(said), "damaged or not complete") {
			t.Errorf("%v: %v: %s", args, err, said)
		}
	}
	files, err := os.ReadDir(out)
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	if data, err := os.ReadFile(old); err != nil || string(data) != "the one before" {
		t.Errorf("the one before: %q, %v", data, err)
	}
}
