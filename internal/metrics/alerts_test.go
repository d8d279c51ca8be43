package metrics_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/metrics"
)

// alerts are the rules that the guide shows.
func alerts(t *testing.T) string {
	t.Helper()
	guide, err := os.ReadFile("../../docs/guide/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, found := strings.Cut(string(guide), "```yaml\ngroups:")
	rules, _, closed := strings.Cut(rules, "\n```")
	if !found || !closed {
		t.Fatal("the guide shows no rules")
	}
	return "groups:" + rules + "\n"
}

var metricName = regexp.MustCompile(`\bsignet_\w+`)

// TestAlerts_Names: what the rules ask for there is.
func TestAlerts_Names(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, m := range metrics.New(metrics.Build{}, metrics.Sources{}, "").List() {
		known[m.Name] = true
		if m.Kind == "histogram" {
			known[m.Name+"_bucket"], known[m.Name+"_count"], known[m.Name+"_sum"] = true, true, true
		}
	}
	names := metricName.FindAllString(alerts(t), -1)
	if len(names) < 6 {
		t.Errorf("only %q", names)
	}
	for _, name := range names {
		if !known[name] {
			t.Errorf("there is no metric %s", name)
		}
	}
}

// TestAlerts: Prometheus reads the rules, and they say what testdata/alerts.yaml expects of
// a server that is well and of ones that are not.
func TestAlerts(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool on this machine")
	}
	dir := t.TempDir()
	cases, err := os.ReadFile("testdata/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"rules.yaml": alerts(t), "alerts.yaml": string(cases)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "alerts.yaml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
