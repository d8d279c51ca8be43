// Package archtest holds the rules about the source tree that no compiler checks.
package archtest_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/signet-id/signet"
	sdk    = module + "/verify"
)

// layers, lowest first: a package imports only from layers below its own.
var layers = []string{
	"internal/idp internal/secret internal/backup",
	"internal/store internal/keyring internal/session internal/notify internal/outbound internal/revocation " +
		"internal/audit internal/leakscan internal/config internal/passhash internal/jwe",
	"internal/token internal/authn internal/upstream internal/edge internal/clientkey",
	"internal/registration",
	"internal/oauth internal/web internal/admin internal/gateway internal/backchannel internal/metrics internal/tracing",
	"internal/server examples/calendar/calendar examples/calendar/scheduler",
	"internal/doctor",
	"internal/cli",
	"cmd/signet",
}

// testOnly are directories without code of the product: nothing imports them.
var testOnly = []string{
	"internal/archtest", "internal/bench", "internal/store/storetest", "internal/pgtest", "test/faults", "test/fuzz", "test/guards", "test/newcomer", "test/script", "test/browser", "test/interop",
	"bench", "bench/differ", "bench/issuer", "bench/measure", "bench/reader",
}

// demoApps show what a stranger's service looks like, so they know the SDK only.
var demoApps = []string{"examples/calendar/calendar", "examples/calendar/scheduler"}

// adapters belong to the SDK, each a module of its own with what it adapts to. The SDK
// itself imports none of them.
var adapters = map[string]string{
	"verify/accel":      "filippo.io/edwards25519",
	"verify/mldsa":      "filippo.io/mldsa",
	"verify/verifygrpc": "google.golang.org/grpc",
}

// adapter returns the adapter that a package belongs to, or "".
func adapter(dir string) string {
	for name := range adapters {
		if dir == name || strings.HasPrefix(dir, name+"/") {
			return name
		}
	}
	return ""
}

// TestLayers parses files instead of asking go list: the test cache notices a
// changed file, but not a changed import graph.
func TestLayers(t *testing.T) {
	t.Parallel()
	rank := map[string]int{}
	for i, layer := range layers {
		for _, dir := range strings.Fields(layer) {
			rank[dir] = i
		}
	}
	eachGoFile(t, func(name, dir string, imports []string) {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(testOnly, dir) {
			return
		}
		if dir == "verify" || strings.HasPrefix(dir, "verify/") {
			checkSDK(t, name, adapter(dir), imports)
			return
		}
		own, known := rank[dir]
		if !known {
			t.Errorf("%s: directory %s stands in no layer", name, dir)
			return
		}
		for _, imp := range imports {
			checkImport(t, name, dir, own, rank, imp)
		}
	})
}

func checkImport(t *testing.T, name, dir string, own int, rank map[string]int, imp string) {
	t.Helper()
	switch imp {
	case "database/sql":
		if dir != "internal/store" {
			t.Errorf("%s: only store speaks SQL", name)
		}
	case "crypto/rand":
		if dir != "internal/secret" && strings.HasPrefix(dir, "internal/") {
			t.Errorf("%s: only secret makes random values", name)
		}
	}
	target, ours := strings.CutPrefix(imp, module+"/")
	if !ours || target == "verify" || strings.HasPrefix(target, "verify/") {
		return
	}
	if slices.Contains(demoApps, dir) {
		t.Errorf("%s: a demo app uses the SDK only, not %s", name, target)
	}
	if target == "internal/store" && dir != "internal/server" {
		t.Errorf("%s: only server imports store", name)
	}
	if r, ok := rank[target]; !ok || r >= own {
		t.Errorf("%s: %s must not import %s (same layer or above, or in none)", name, dir, target)
	}
}

func checkSDK(t *testing.T, name, own string, imports []string) {
	t.Helper()
	adapted := adapters[own]
	for _, imp := range imports {
		if adapted != "" && (imp == adapted || strings.HasPrefix(imp, adapted+"/")) {
			continue
		}
		if other := adapter(strings.TrimPrefix(imp, module+"/")); other != own && other != "" {
			t.Errorf("%s: whoever uses the SDK decides whether %s is there", name, imp)
		}
		if strings.Contains(imp, ".") && imp != sdk && !strings.HasPrefix(imp, sdk+"/") {
			t.Errorf("%s: the SDK imports the standard library only, not %s", name, imp)
		}
	}
}

// TestClock: only server and cli hand out time.Now; everyone else is given a clock.
func TestClock(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	eachGoFile(t, func(name, dir string, _ []string) {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(testOnly, dir) || !strings.HasPrefix(dir, "internal/") ||
			dir == "internal/server" || dir == "internal/cli" {
			return
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(src), "\n") {
			if strings.Contains(line, "time.Now(") || strings.Contains(line, "time.Since(") || strings.HasSuffix(strings.TrimSpace(line), "time.Now,") {
				t.Errorf("%s:%d: the time is handed in, not read: %s", name, i+1, strings.TrimSpace(line))
			}
		}
	})
}

// eachGoFile calls f for every Go file of the project with its imports.
func eachGoFile(t *testing.T, f func(name, dir string, imports []string)) {
	t.Helper()
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := path.Base(name)
			if name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "signet-dev") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, spec := range file.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports = append(imports, p)
		}
		f(name, path.Dir(name), imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
