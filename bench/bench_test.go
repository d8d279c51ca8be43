package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/bench/issuer"
	"github.com/signet-id/signet/bench/measure"
	"github.com/signet-id/signet/bench/reader"
)

var small = sizes{pool: 4, repeat: 2, warm: 2}

// Every library takes a good token of every algorithm that it has, and refuses it
// changed: a reader that checks nothing would be the fastest of all.
func TestOpen_EveryLibraryRefusesTampered(t *testing.T) {
	t.Parallel()
	missing := map[string][]string{}
	for _, algs := range issuers {
		i, err := issuer.New(algs...)
		if err != nil {
			t.Fatal(err)
		}
		for _, alg := range algs {
			tokens, err := makeTokens(i, alg, small)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range append(libraries(alg), reader.Bare) {
				r, err := tokens.open(l)
				if errors.Is(err, reader.ErrNotAvailable) {
					missing[l.Name] = append(missing[l.Name], alg)
					continue
				}
				if err != nil {
					t.Error(err)
				}
				closeReader(r)
			}
		}
	}
	for name, algs := range missing {
		t.Logf("%s does not have %v", name, algs)
		if slices.Contains(algs, "RS256") || len(algs) > 9 {
			t.Errorf("%s was hardly tried: it has none of %v", name, algs)
		}
	}
}

// What open is for.
func TestOpen_FindsAReaderThatChecksNothing(t *testing.T) {
	t.Parallel()
	i, err := issuer.New("EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := makeTokens(i, "EdDSA", small)
	if err != nil {
		t.Fatal(err)
	}
	for name, verify := range map[string]func(string) error{
		"all":  func(string) error { return nil },
		"none": func(string) error { return errors.New("no") },
		"unsigned": func(token string) error {
			if !strings.HasSuffix(token, ".") {
				return errors.New("signed")
			}
			return nil
		},
	} {
		l := reader.Library{Name: name, Open: func(*issuer.Issuer, string) (*reader.Reader, error) {
			return &reader.Reader{Verify: verify}, nil
		}}
		if _, err := tokens.open(l); err == nil {
			t.Errorf("a reader that accepts %s was taken", name)
		}
	}
}

// In first sight no reader is shown a token twice, however many are asked for.
func TestFirstSight_NeverTwiceToOneReader(t *testing.T) {
	t.Parallel()
	i, err := issuer.New("EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := makeTokens(i, "EdDSA", small)
	if err != nil {
		t.Fatal(err)
	}
	readers, measuring := 0, false
	l := reader.Library{Name: "counts", Open: func(*issuer.Issuer, string) (*reader.Reader, error) {
		readers++
		seen := map[string]bool{}
		return &reader.Reader{Verify: func(token string) error {
			if measuring && seen[token] {
				t.Error("a token came twice")
			}
			seen[token] = measuring
			if !measuring && !slices.Contains(tokens.warm, token) {
				return errors.New("tampered")
			}
			return nil
		}}, nil
	}}
	c, stop, err := tokens.firstSight(l)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for range 5 {
		measuring = false
		if err := c.Prepare(3); err != nil {
			t.Fatal(err)
		}
		measuring = true
		for n := range 3 {
			if err := c.Op(n); err != nil {
				t.Error(err)
			}
		}
	}
	if readers != 5 {
		t.Errorf("%d readers for 5 times 3 of 4 tokens, want 5", readers)
	}
}

// A token is as long as it is said to be, and the key's name as a thumbprint.
func TestToken_Shape(t *testing.T) {
	t.Parallel()
	i, err := issuer.New("EdDSA", "ES256")
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range i.Algorithms() {
		token, err := i.Token(alg, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(token) < 712 || len(token) > 722 || len(i.Key(alg).ID) != 43 {
			t.Errorf("%s: %d bytes, kid of %d", alg, len(token), len(i.Key(alg).ID))
		}
	}
}

func TestRun_WritesTableAndChart(t *testing.T) {
	out := filepath.Join(t.TempDir(), "new")
	p := plan{
		Options: measure.Options{Rounds: 2, Slice: time.Millisecond, Cores: 2},
		sizes:   sizes{pool: 64, repeat: 8, warm: 8},
		algs:    []string{"EdDSA", "HS256"},
		rules:   []int{10},
	}
	if err := run(p, out); err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(out, "verification.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### EdDSA, ", "| bare crypto | ", "| signet verify, seen before | ", "| golang-jwt v5 | ", "| kataras/jwt | ", "| 10 rules, seen before | ", "Without HS256: "} {
		if !strings.Contains(string(table), want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	chart, err := os.Open(filepath.Join(out, "verification.svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer chart.Close()
	bars := 0
	for d := xml.NewDecoder(chart); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal("the chart is not XML: ", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			bars++
		}
	}
	if bars < 12 {
		t.Errorf("%d bars", bars)
	}
}
