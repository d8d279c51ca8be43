package cli_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/cli"
)

// TestVerify_Reference: docs/reference/verify.md explains what "signet verify --json" writes.
func TestVerify_Reference(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/reference/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	first, second, ok := strings.Cut(string(doc), "`server` is what")
	if !ok {
		t.Fatal("two tables were expected")
	}
	for table, v := range map[string]any{first: cli.Explanation{}, second: admin.TokenAnswer{}} {
		explained := map[string]bool{}
		for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllStringSubmatch(table, -1) {
			for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
				explained[name[1]] = true
			}
		}
		for i := range reflect.TypeOf(v).NumField() {
			name, _, _ := strings.Cut(reflect.TypeOf(v).Field(i).Tag.Get("json"), ",")
			if !explained[name] {
				t.Errorf("docs/reference/verify.md does not explain %s", name)
			}
			delete(explained, name)
		}
		for name := range explained {
			t.Errorf("docs/reference/verify.md explains %s, which there is not", name)
		}
	}
}
