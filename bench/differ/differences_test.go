package differ_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify"
)

var update = flag.Bool("update", false, "write the tables of docs/reference/strictness.md")

const strictness = "../../docs/reference/strictness.md"

// letters are the columns of the tables, in the order of the readers.
const letters = "jgxok"

// TestDifferences shows for every row exactly who accepts its token, and that ours does
// not. A library that changes its mind makes a row red: then the document is wrong.
func TestDifferences(t *testing.T) {
	w, err := open()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		token, err := r.token(w)
		if err != nil {
			t.Fatalf("%s: %v", r.what, err)
		}
		if _, err := read(w.ours, token); err == nil || panics(err) {
			t.Errorf("%s: ours: %v", r.what, err)
		}
		accepts := ""
		for n, o := range w.others {
			if _, err := read(o.Reader, token); err == nil {
				accepts += letters[n : n+1]
			} else if panics(err) {
				t.Errorf("%s: %s: %v", r.what, o.name, err)
			}
		}
		if accepts != r.accepts || accepts == "" {
			t.Errorf("%s: accepted by %q, the table says %q", r.what, accepts, r.accepts)
		}
	}
	document(t, "tokens", tokenTable(w))
}

// What ours accepts and others do not. There is nothing that only ours accepts but a
// name that RFC 9864 gave to what all of them have.
func TestDifferences_OursAccepts(t *testing.T) {
	w, err := open()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range lenient {
		token, err := r.token(w)
		if err != nil {
			t.Fatalf("%s: %v", r.what, err)
		}
		if _, err := read(w.ours, token); err != nil {
			t.Errorf("%s: ours: %v", r.what, err)
		}
		refuses := ""
		for n, o := range w.others {
			if _, err := read(o.Reader, token); err != nil {
				refuses += letters[n : n+1]
			}
		}
		if refuses != r.accepts || refuses == "" {
			t.Errorf("%s: refused by %q, the table says %q", r.what, refuses, r.accepts)
		}
	}
	document(t, "lenient", lenientTable(w))
}

// Good tokens are good to all; the tables would say nothing otherwise.
func TestDifferences_AllAcceptGoodTokens(t *testing.T) {
	w, err := open()
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range w.algs {
		token, err := w.Sign(alg, []byte(goodHeader(alg)), []byte(goodPayload))
		if err != nil {
			t.Fatal(err)
		}
		want, err := read(w.ours, token)
		if err != nil {
			t.Fatalf("%s: ours: %v", alg, err)
		}
		for _, o := range w.others {
			got, err := read(o.Reader, token)
			if err != nil {
				t.Errorf("%s: %s: %v", alg, o.name, err)
			} else if d := difference(want, got); d != "" {
				t.Errorf("%s: %s reads another %s", alg, o.name, d)
			}
		}
	}
}

// TestDifferences_AllRefuse: forms that nobody accepts are no differences.
func TestDifferences_AllRefuse(t *testing.T) {
	w, err := open()
	if err != nil {
		t.Fatal(err)
	}
	for what, make := range map[string]maker{
		"kid is a number": header(`{"alg":"EdDSA","typ":"at+jwt","kid":1}`),
		"data after":      header(goodHeader("EdDSA") + "{}"),
		"ES256 in DER":    signature("ES256", der),
		"none":            func(w *world) (string, error) { return noneToken(), nil },
		"other issuer":    claims("https://id.example.com", "https://id.example.com/"),
		"other audience":  claims("https://orders.example.com", "https://orders.example.com/"),
		"no exp":          claims(`"exp":4102444800,`, ""),
		"expired":         claims("4102444800", "1700000001"),
	} {
		token, err := make(w)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read(w.ours, token); err == nil || panics(err) {
			t.Errorf("%s: ours: %v", what, err)
		}
		for _, o := range w.others {
			if _, err := read(o.Reader, token); err == nil || panics(err) {
				t.Errorf("%s: %s: %v: the tables need a row", what, o.name, err)
			}
		}
	}
}

// names are the claims that errors may speak of.
var names = regexp.MustCompile(`\b(iss|sub|aud|jti|client_id|iat|exp|nbf|auth_time|sid|grant_id|acr|amr|groups|roles|scope|typ|alg|kid|kty|crv|x|y|n|e|use|key_ops)\b`)

// class is why ours refused, whichever member it was about.
func class(err error) string {
	if errors.Is(err, verify.ErrNotYetValid) {
		return verify.ErrNotYetValid.Error()
	}
	return names.ReplaceAllString(err.Error(), "*")
}

// document checks, or with -update writes, the table between two comments.
func document(t *testing.T, name, table string) {
	t.Helper()
	text, err := os.ReadFile(strictness)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := fmt.Appendf(nil, "<!-- %s -->\n", name), fmt.Appendf(nil, "<!-- end of %s -->", name)
	before, rest, ok := bytes.Cut(text, begin)
	old, after, ok2 := bytes.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for %s", strictness, name)
	}
	switch {
	case string(old) == table:
	case *update:
		text = bytes.Join([][]byte{before, begin, []byte(table), end, after}, nil)
		if err := os.WriteFile(strictness, text, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what was seen: go test ./differ -run Differences -update", strictness)
	}
}

// marks writes the columns of those whose letters are in some.
func marks(columns int, some string) string {
	var b strings.Builder
	for n := range columns {
		mark := " "
		if strings.Contains(some, letters[n:n+1]) {
			mark = " ● "
		}
		b.WriteString("|" + mark)
	}
	return b.String()
}
