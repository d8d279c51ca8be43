//go:build unix

package cli_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// A command that is interrupted while it waits ends with 130 and says nothing more; for a
// server, being told to stop is the orderly end.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		token := encode([]byte(`{"alg":"EdDSA","typ":"at+jwt","kid":"k"}`)) + "." +
			encode(fmt.Appendf(nil, `{"iss":"http://%s","aud":"https://orders.example.com"}`, ln.Addr())) + ".AA"
		cmd := exec.Command("signet", "verify", "-", "--timeout", "1m")
		cmd.Stdin = strings.NewReader(token)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		conn, err := ln.Accept() // now it waits for an answer
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		var failed *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &failed) || failed.ExitCode() != 130 {
			t.Errorf("%v: %v, want exit code 130", sig, err)
		}
		if out.String() != "" {
			t.Errorf("%v: %q", sig, out.String())
		}
		if err := errors.Join(conn.Close(), ln.Close()); err != nil {
			t.Error(err)
		}
	}
}
