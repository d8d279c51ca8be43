package metrics_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/metrics"
)

var update = flag.Bool("update", false, "write docs/reference/metrics.md")

const (
	reference  = "../../docs/reference/metrics.md"
	regenerate = "go test ./internal/metrics -run TestReference -update"
)

// TestReference: the reference is what the declarations say.
func TestReference(t *testing.T) {
	t.Parallel()
	want := manual(t)
	if *update {
		if err := os.WriteFile(reference, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale; write it again with: %s", reference, regenerate)
	}
}

func manual(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Metrics\n\n" +
		"<!-- Made from the declarations in internal/metrics/metrics.go; do not edit. Write it again with:\n     " + regenerate + " -->\n\n" +
		"`metrics_listen: 127.0.0.1:9464` opens a listener of its own that answers `GET /metrics` for Prometheus, and nothing else. It is off by default and\n" +
		"never on the public listener. Each node tells of itself: sum over nodes where the table says a total.\n\n" +
		"No label names a person, a client, an address or a token, and none has a value that a stranger chooses, so the number of series is bounded by\n" +
		"this program. Beside these there are the usual metrics of a Go program (`go_*`) and of a process (`process_*`).\n\n" +
		"What to alert on stands in [Operating signet](../guide/operate.md#watching-it).\n\n" +
		"| metric | type | labels | meaning | worry when |\n|---|---|---|---|---|\n")
	for _, m := range metrics.New(metrics.Build{}, metrics.Sources{}, "").List() {
		if m.Help == "" || m.Worry == "" || !strings.HasPrefix(m.Name, "signet_") || strings.Contains(m.Help+m.Worry, "|") {
			t.Errorf("%s is not declared well: %+v", m.Name, m)
		}
		labels := "–"
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "` `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Kind, labels, m.Help, m.Worry)
	}
	return b.String()
}
