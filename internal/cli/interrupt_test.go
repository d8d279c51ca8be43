//go:build unix

package cli_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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

// A server that waits until nobody sends it requests any more ends at once when it is told
// a second time.
func TestServe_SecondSignal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command("signet", "key", "new", filepath.Join(dir, "key")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("signet", "serve")
	cmd.Env = append(os.Environ(), "SIGNET_PUBLIC_URL=http://"+address, "SIGNET_LISTEN="+address, "SIGNET_KEY_FILE="+filepath.Join(dir, "key"),
		"SIGNET_DATA_DIR="+filepath.Join(dir, "data"), "SIGNET_LIMITS_DRAIN_DELAY=1m")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }() // does nothing if all went well
	answers := func(want int) {
		t.Helper()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(patience); ; <-tick.C {
			res, err := http.Get("http://" + address + "/readyz")
			if err == nil {
				_ = res.Body.Close()
				if res.StatusCode == want {
					return
				}
			}
			if time.Now().After(deadline) {
				t.Fatalf("/readyz never answers %d", want)
			}
		}
	}
	answers(http.StatusOK)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	answers(http.StatusServiceUnavailable)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var failed *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &failed) || failed.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v", err)
	}
	ln, err = net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
}
