package accel_test

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/accel"
)

// checkOff fails unless an accelerator does nothing, for the reason.
func checkOff(t *testing.T, reason string, opts ...accel.Option) {
	t.Helper()
	var log bytes.Buffer
	a := accel.New(append(opts, accel.Logger(slog.New(slog.NewTextHandler(&log, nil))))...)
	if s := a.Status(); s.Off != reason || s.Bytes != 0 {
		t.Errorf("status: %+v, want off for %q", s, reason)
	}
	if !strings.Contains(log.String(), reason) {
		t.Errorf("log: %s", log.String())
	}
	keys := newKeys(t, 2)
	checks := a.Use(keys)
	if len(checks) != len(keys) || checks[0] != nil || checks[1] != nil {
		t.Errorf("it has checks: %v", checks)
	}
}

func TestNew_Off(t *testing.T) {
	t.Parallel()
	checkOff(t, "switched off by the program", accel.Off())
}

func TestNew_OffByEnvironment(t *testing.T) {
	for _, value := range []string{"off", "OFF", "0", "false"} {
		t.Setenv("SIGNET_ACCEL", value)
		checkOff(t, "SIGNET_ACCEL="+value)
	}
}

// TestNew_JOS23_OffInFIPSMode runs itself again in that mode, which is for whole processes.
func TestNew_JOS23_OffInFIPSMode(t *testing.T) {
	t.Parallel()
	const child = "SIGNET_TEST_FIPS"
	if os.Getenv(child) != "" {
		checkOff(t, "FIPS 140 mode")
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestNew_JOS23_OffInFIPSMode$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1", "GODEBUG=fips140=on")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestNew_JOS23_OffInFIPSMode") {
		t.Errorf("in FIPS mode: %v\n%s", err, out)
	}
}

func TestSelfTest_JOS23(t *testing.T) {
	t.Parallel()
	if s := accel.New().Status(); s.Off != "" {
		t.Fatalf("off: %s", s.Off)
	}
	always := func(valid, decided bool) func(_, _, _ []byte) (bool, bool) {
		return func(_, _, _ []byte) (bool, bool) { return valid, decided }
	}
	good := accel.TestBoth(accel.VerifyEd25519, accel.VerifyES256)
	if good != nil {
		t.Errorf("self-test: %v", good)
	}
	for name, v := range map[string]func(_, _, _ []byte) (bool, bool){
		"panics":      func(_, _, _ []byte) (bool, bool) { panic("a table without an entry") },
		"accepts all": always(true, true), "refuses all": always(false, true), "decides nothing": always(false, false),
		"decides nothing and says yes": always(true, false),
	} {
		if err := accel.TestBoth(v, accel.VerifyES256); err == nil || err.Error() != "Ed25519 is wrong" {
			t.Errorf("Ed25519 %s: %v", name, err)
		}
		if err := accel.TestBoth(accel.VerifyEd25519, v); err == nil || err.Error() != "P-256 is wrong" {
			t.Errorf("P-256 %s: %v", name, err)
		}
	}
}
