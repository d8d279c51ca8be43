package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/cli"
	"github.com/signet-id/signet/internal/doctor"
)

// OPS-02: what people and browsers wrote does not drive the operator's terminal.
func TestOutput_OPS_02(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{"\x1b[2J", "\r", "\a", "\x9b2J", "\u009b2J", "\u202egnp", "\u2066x", "\u2028", "\x7f", "a\tb"} {
		if got := cli.Visible(evil); strings.ContainsAny(got, "\x1b\r\a\u009b\u202e\u2066\u2028\x7f\t") {
			t.Errorf("%q is shown as %q", evil, got)
		}
		var b strings.Builder
		if err := cli.WriteJSON(&b, map[string]string{"v": evil}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\r\a\u009b\u202e\u2066\u2028\x7f\t") {
			t.Errorf("%q is written as %q", evil, b.String())
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back["v"] != strings.ToValidUTF8(evil, "\ufffd") {
			t.Errorf("%q comes back as %q: %v", evil, back["v"], err)
		}
	}
	if got := cli.Visible("Zoë 👩‍🚀\nnext"); got != "Zoë 👩‍🚀\nnext" {
		t.Errorf("%q", got)
	}
}

// OPS-02: one field is one line, and one row is one: nobody writes the next.
func TestOutput_OPS_02_NoLineOfTheirs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := cli.Describe(&b, "name\nverdict", "x\nverdict: accepted"); err != nil {
		t.Fatal(err)
	}
	if err := cli.Table(&b, []string{"NAME"}, [][]string{{"ann\nroot"}}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n != 3 {
		t.Errorf("%d lines, want 3: %q", n, b.String())
	}
}

// OPS-02: what another machine answered stands in no line of its own that says "ok".
func TestDoctor_OPS_02_NoFindingOfTheirs(t *testing.T) {
	t.Parallel()
	const evil = "no\nok       certificate   all is well\x1b[2J"
	var b strings.Builder
	if err := cli.WriteFindings(&b, []doctor.Finding{{Check: "database", State: doctor.Problem, Text: evil, Fix: evil}}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "ok") || strings.Contains(line, "\x1b") {
			t.Errorf("%q in %q", line, b.String())
		}
	}
}

// OPS-02: a command that is shown to be copied does what it says, whatever a person is called.
func TestVerify_OPS_02_NamesInCommands(t *testing.T) {
	t.Parallel()
	for username, want := range map[string]string{
		"ann":          "signet session end ann s1",
		"$(id>/tmp/x)": "signet session end '$(id>/tmp/x)' s1",
		"a;reboot":     "signet session end 'a;reboot' s1",
		"a'`id`'b":     `signet session end 'a'\''` + "`id`" + `'\''b' s1`,
		"x|sh&":        "signet session end 'x|sh&' s1",
	} {
		if got := cli.HowToEndSession(username); got != want {
			t.Errorf("%q: %s, want %s", username, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 999 * time.Millisecond: "0 s", 59 * time.Second: "59 s", time.Minute: "1 min", 61 * time.Second: "1 min 1 s",
		time.Hour: "1 h", 90 * time.Minute: "1 h 30 min", 24 * time.Hour: "1 d", 50 * time.Hour: "2 d 2 h",
	} {
		if got := cli.Span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
