package server_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/config"
)

// TestRoutes_Reference: docs/reference/endpoints.md lists every route that there is and no
// other, with everything switched on.
func TestRoutes_Reference(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/reference/endpoints.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z, ]+)` \\| `(/[^`]*)` \\|").FindAllStringSubmatch(string(doc), -1) {
		for method := range strings.SplitSeq(m[1], ", ") {
			listed = append(listed, method+" "+m[2])
		}
	}
	s := start(t, true, func(c *config.Config) { c.Registration = "open" })
	there := s.Patterns()
	slices.Sort(listed)
	slices.Sort(there)
	for _, p := range there {
		if !slices.Contains(listed, p) {
			t.Errorf("docs/reference/endpoints.md lacks %s", p)
		}
	}
	for i, p := range listed {
		if !slices.Contains(there, p) {
			t.Errorf("docs/reference/endpoints.md has %s, which there is not", p)
		}
		if i > 0 && listed[i-1] == p {
			t.Errorf("docs/reference/endpoints.md has %s twice", p)
		}
	}
	if len(listed) < 50 {
		t.Errorf("only %d routes were read", len(listed))
	}
}
