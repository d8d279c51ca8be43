package cli_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/cli"
)

// The story is the end-to-end test of everything: TOK-02, TOK-12, OAU-03, OAU-04, OAU-09,
// OAU-10, OAU-16, OAU-20.
func TestDemo_StoryGoesAsExpected(t *testing.T) {
	t.Parallel()
	results, err := cli.PlayDemo(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if len(results) < 20 {
		t.Fatalf("only %d steps", len(results))
	}
	for _, r := range results {
		if !r.OK {
			t.Errorf("%s: expected %q, got %q", r.Step, r.Expected, r.Got)
		}
	}
}

// OPS-04: a web page whose name was turned to 127.0.0.1 is of the same origin as its own
// requests. It neither reads the demo's pages nor presses "Reset the demo".
func TestDemo_OPS04_OwnNamesOnly(t *testing.T) {
	t.Parallel()
	calendar, scheduler := cli.StartDemo(t)
	ask := func(method, address, host string) int {
		r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			r.Host = host
			r.Header.Set("Origin", "http://"+host)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for address, method := range map[string]string{
		calendar + "/": "GET", calendar + "/status": "GET", scheduler + "/": "GET", scheduler + "/reset": "POST",
	} {
		if code := ask(method, address, ""); code != http.StatusOK {
			t.Errorf("%s %s: %d", method, address, code)
		}
		if code := ask(method, address, "evil.example"+address[strings.LastIndex(address, ":"):strings.LastIndex(address, "/")]); code != http.StatusMisdirectedRequest {
			t.Errorf("%s %s under another name: %d", method, address, code)
		}
	}
}

func TestDemo_Report(t *testing.T) {
	t.Parallel()
	results := []cli.DemoResult{
		{Step: "one", Expected: "yes", Got: "yes", Milliseconds: 1.5, OK: true},
		{Step: "two", Expected: "yes", Got: "no", Milliseconds: 2},
	}
	var text, data strings.Builder
	if err := cli.WriteDemo(&text, results, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "ok") || !strings.HasSuffix(lines[1], "1.5") || !strings.HasPrefix(lines[2], "DIFFERS") {
		t.Errorf("table:\n%s", text.String())
	}
	if err := cli.WriteDemo(&data, results, true); err != nil {
		t.Fatal(err)
	}
	var read []cli.DemoResult
	if err := json.Unmarshal([]byte(data.String()), &read); err != nil || len(read) != 2 || read[1].Got != "no" || read[0].OK == read[1].OK {
		t.Errorf("JSON: %v %s", err, data.String())
	}
}
