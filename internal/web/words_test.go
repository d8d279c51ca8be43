package web_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/web"
)

var verb = regexp.MustCompile(`%[a-z]`)

// All languages have the same keys, and the same places for arguments.
func TestWords_SameKeys(t *testing.T) {
	t.Parallel()
	english := web.Catalogues["en"]
	for lang, texts := range web.Catalogues {
		for _, key := range slices.Sorted(maps.Keys(english)) {
			text, ok := texts[key]
			if !ok || strings.TrimSpace(text) == "" {
				t.Errorf("%s has no %q", lang, key)
				continue
			}
			if got, want := verb.FindAllString(text, -1), verb.FindAllString(english[key], -1); !slices.Equal(got, want) {
				t.Errorf("%s %q has places %q, English has %q", lang, key, got, want)
			}
		}
		for key := range texts {
			if english[key] == "" {
				t.Errorf("%s has %q, English has not", lang, key)
			}
		}
	}
}

// Every text that templates and code ask for exists.
func TestWords_Used(t *testing.T) {
	t.Parallel()
	english := web.Catalogues["en"]
	for key := range usedKeys(t) {
		if english[key] == "" && english[key+".one"] == "" {
			t.Errorf("no text %q", key)
		}
	}
	for _, r := range []authn.Reason{authn.TooShort, authn.TooLong, authn.Common, authn.Pattern, authn.Personal, authn.Unchanged} {
		if english["password.error."+string(r)] == "" {
			t.Errorf("no text for %q", r)
		}
	}
	for _, s := range idp.IssuerScopes {
		if english["scope."+s+".title"] == "" || english["scope."+s+".detail"] == "" {
			t.Errorf("no words for scope %q", s)
		}
	}
}

func usedKeys(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	inTemplates := regexp.MustCompile(`\.(?:T|N|Around) "([a-z0-9._]+)"`)
	inCode := regexp.MustCompile(`(?:\.T\(|\.N\(|Error: |try\.Error(?:, try\.Wait)? = (?:http\.\w+, )?)"([a-z0-9._]+)"\)?`)
	kinds := regexp.MustCompile(`kind: "([a-z_]+)"`)
	collect := func(pattern *regexp.Regexp, text, before string, after ...string) {
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			if strings.HasSuffix(m[1], ".") {
				continue // the beginning of a key
			}
			for _, end := range append(after, "")[:max(1, len(after))] {
				used[before+m[1]+end] = true
			}
		}
	}
	err := fs.WalkDir(web.Templates, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(web.Templates, path)
		collect(inTemplates, string(text), "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		collect(inCode, string(text), "")
		collect(kinds, string(text), "problem.", ".title", ".text")
	}
	if len(used) < 100 {
		t.Fatalf("only %d keys found", len(used))
	}
	return used
}

func TestWords_Language(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	for header, want := range map[string]string{
		"": "en", "de": "de", "de-CH": "de", "DE": "de", "fr": "en", "fr, de;q=0.5": "de", "en, de;q=0.9": "en", "de;q=0.1, en;q=0.9": "en",
		"*": "en", "x-klingon": "en", "'; DROP": "en", strings.Repeat("a-b-", 5000): "en", "\xff\xfe": "en",
	} {
		b := wd.browser()
		b.header.Set("Accept-Language", header)
		if a := b.get("/login"); !strings.Contains(a.body, `<html lang="`+want+`">`) {
			t.Errorf("%.20q: not %s", header, want)
		}
	}
}

func TestWords_Times(t *testing.T) {
	t.Parallel()
	for ago, want := range map[time.Duration][2]string{
		-time.Minute:          {"just now", "gerade eben"},
		59 * time.Second:      {"just now", "gerade eben"},
		time.Minute:           {"1 minute ago", "vor 1\u00a0Minute"},
		59 * time.Minute:      {"59 minutes ago", "vor 59\u00a0Minuten"},
		23 * time.Hour:        {"23 hours ago", "vor 23\u00a0Stunden"},
		24 * time.Hour:        {"yesterday", "gestern"},
		10 * 24 * time.Hour:   {"10 days ago", "vor 10\u00a0Tagen"},
		62 * 24 * time.Hour:   {"on 3 March 2026", "am 3.\u00a0März 2026"},
		4000 * 24 * time.Hour: {"on 22 May 2015", "am 22.\u00a0Mai 2015"},
	} {
		if en, de := web.Ago("en", ago), web.Ago("de", ago); en != want[0] || de != want[1] {
			t.Errorf("%v: %q, %q", ago, en, de)
		}
	}
	for wait, want := range map[time.Duration]string{
		time.Millisecond: "1 second", 61 * time.Second: "61 seconds", 91 * time.Second: "2 minutes", 89 * time.Minute: "89 minutes", 91 * time.Minute: "2 hours",
	} {
		if got := web.Texts("en").Wait(wait); got != want {
			t.Errorf("%v: %q", wait, got)
		}
	}
}

// What package oauth says through our error page is known in every language. It passes
// English texts, which are found again in the catalogue.
func TestWords_TextsOfOAuth(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, text := range web.Catalogues["en"] {
		known[text] = true
	}
	files, err := fs.Glob(os.DirFS("../oauth"), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := regexp.MustCompile(`(?:\bTitle:|\bText:|appErrorTitle +=|appErrorText +=)\s*("(?:[^"\\]|\\.)*")`)
	found := 0
	for _, name := range files {
		source, err := os.ReadFile("../oauth/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range texts.FindAllStringSubmatch(string(source), -1) {
			text, err := strconv.Unquote(m[1])
			if found++; err != nil || !known[text] && !strings.HasSuffix(name, "_test.go") {
				t.Errorf("%s: no translation of %s", name, m[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d texts found", found)
	}
}

// Everything that package store writes into the log, and every check that others write there,
// has words in the console.
func TestWords_Events(t *testing.T) {
	t.Parallel()
	const dotted = `"([a-z_]+\.[a-z_]+)"`
	found := 0
	for pattern, action := range map[string]string{"../store/*.go": dotted, "../authn/*.go": `Action: +"([a-z_.]+)"`, "../oauth/*.go": `Action: +"([a-z_.]+)"`} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(action).FindAllStringSubmatch(string(source), -1) {
				if found++; web.Catalogues["en"]["event."+m[1]] == "" && web.Catalogues["en"]["console.event."+m[1]] == "" {
					t.Errorf("%s: no words for %q", name, m[1])
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d events found", found)
	}
}

// Every sort of reason has its words.
func TestWords_TokenTroubles(t *testing.T) {
	t.Parallel()
	for _, trouble := range web.TokenTroubles {
		if key := "console.token.why." + string(trouble); web.Catalogues["en"][key] == "" {
			t.Errorf("no text %q", key)
		}
	}
}

// What the console says of a token comes from package cli and the API, in English. Kinds and
// reasons that are always the same are known in every language.
func TestWords_TextsOfTokens(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for key, text := range web.Catalogues["en"] {
		known[text] = known[text] || strings.HasPrefix(key, "console.token.")
	}
	for file, pattern := range map[string]string{
		"../admin/tokens_inspect.go": `(?:Reason = |Reason: |tokenDead, |ClientDisabled = )"([^"]+)"`,
		"../cli/verify_opaque.go":    `(?:Reason(?:, e\.NextStep)?(?: =|:) |secret\.\w+: +|isUnknown, Reason: |accepted, )"([^"+]+)"[,}\n]`,
		"../cli/verify_jwt.go":       `(?:kind\w+ += |jwt": |JWT": |e\.Kind = )"([^"]+)"`,
	} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(source), -1)
		for _, m := range found {
			if !known[m[1]] {
				t.Errorf("%s: no translation of %q", file, m[1])
			}
		}
		if len(found) < 5 {
			t.Errorf("%s: only %d texts found", file, len(found))
		}
	}
}
