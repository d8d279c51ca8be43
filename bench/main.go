// Command bench measures how long it takes to check an access token: with package
// verify, with other libraries, and with the bare call of the cryptography.
//
//	go run . -out ../docs/measured    the table and the chart of the documentation
//	go run . -quick                   seconds instead of minutes, for a look
//
// See README.md for what is measured and how.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signet-id/signet/bench/issuer"
	"github.com/signet-id/signet/bench/measure"
	"github.com/signet-id/signet/bench/reader"
)

// issuers are the algorithms that one issuer has keys for. Secrets keep to themselves.
var issuers = [][]string{
	{"EdDSA", "ES256", "RS256", "PS256"},
	{"ES384", "ES512", "RS384", "RS512", "PS384", "PS512"},
	{"HS256", "HS384", "HS512"},
}

// plan is what the flags say.
type plan struct {
	measure.Options
	sizes
	algs  []string // empty: all
	rules []int    // how many revocation rules are compared with none
}

func main() {
	p := plan{
		Options: measure.Options{Rounds: 31, Slice: 20 * time.Millisecond, Cores: 2},
		sizes:   sizes{pool: 4096, repeat: 2000, warm: 300},
		rules:   []int{1_000, 1_000_000},
	}
	flag.IntVar(&p.Rounds, "rounds", p.Rounds, "rounds")
	flag.DurationVar(&p.Slice, "slice", p.Slice, "processor time of a slice, about")
	flag.IntVar(&p.Cores, "cores", p.Cores, "1, or 2 to measure the gain of a second core too")
	algs := flag.String("algs", "", "algorithms, with commas between (default: all)")
	out := flag.String("out", "", "directory for verification.md and verification.svg")
	quick := flag.Bool("quick", false, "few short rounds of EdDSA and ES256: a look, no figures to show")
	flag.Parse()
	if *quick {
		p = quickPlan()
	}
	if *algs != "" {
		p.algs = strings.Split(*algs, ",")
	}
	if err := run(p, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func quickPlan() plan {
	return plan{
		Options: measure.Options{Rounds: 3, Slice: 5 * time.Millisecond, Cores: 2},
		sizes:   sizes{pool: 512, repeat: 200, warm: 100},
		algs:    []string{"EdDSA", "ES256"},
		rules:   []int{1_000},
	}
}

func run(p plan, out string) error {
	r, err := p.measure()
	if err != nil {
		return err
	}
	text := r.markdown()
	fmt.Print(text)
	if out == "" {
		return nil
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "verification.md"), []byte(text), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "verification.svg"), []byte(r.chart()), 0o644)
}

// measure makes the report.
func (p plan) measure() (report, error) {
	r := report{plan: p}
	for _, algs := range issuers {
		i, err := issuer.New(algs...)
		if err != nil {
			return r, err
		}
		for _, alg := range algs {
			if !p.wants(alg) {
				continue
			}
			fmt.Fprintln(os.Stderr, "bench:", alg)
			t, err := makeTokens(i, alg, p.sizes)
			if err != nil {
				return r, err
			}
			a, err := p.algorithm(t)
			if err != nil {
				return r, err
			}
			r.algorithms = append(r.algorithms, a)
		}
	}
	fmt.Fprintln(os.Stderr, "bench: revocation rules")
	var err error
	r.rules, err = p.withRules()
	return r, err
}

func (p plan) wants(alg string) bool {
	for _, a := range p.algs {
		if a == alg {
			return true
		}
	}
	return len(p.algs) == 0
}

// opened is a list of cases with what ends them.
type opened struct {
	cases []measure.Case
	stops []func()
}

func (o *opened) add(c measure.Case, stop func(), err error) error {
	if err != nil {
		return err
	}
	o.cases, o.stops = append(o.cases, c), append(o.stops, stop)
	return nil
}

func (o *opened) close() {
	for _, stop := range o.stops {
		stop()
	}
}

// algorithm measures all libraries with one algorithm.
func (p plan) algorithm(t *tokens) (algorithm, error) {
	a := algorithm{name: t.alg, length: len(t.fresh[0])}
	var o opened
	defer o.close()
	bare, err := t.bare()
	if err := o.add(bare, func() {}, err); err != nil {
		return a, err
	}
	for _, l := range libraries(t.alg) {
		err := o.add(t.firstSight(l))
		if errors.Is(err, reader.ErrNotAvailable) {
			a.missing = append(a.missing, l.Name)
			continue
		}
		if err == nil && remembers(l) {
			err = o.add(t.again(l))
		}
		if err != nil {
			return a, err
		}
	}
	a.series, err = measure.Run(o.cases, p.Options)
	return a, err
}

// libraries are all that are compared, ours first.
func libraries(alg string) []reader.Library {
	ours := []reader.Library{reader.Ours}
	if reader.Accelerated != nil && (alg == "EdDSA" || alg == "ES256") {
		ours = append(ours, *reader.Accelerated)
	}
	return append(ours, reader.Others()...)
}

// remembers says whose tokens come a second time: ours, and one other for comparison.
func remembers(l reader.Library) bool {
	return l.Name == reader.Ours.Name || l.Name == reader.GolangJWT.Name || reader.Accelerated != nil && l.Name == reader.Accelerated.Name
}

// withRules measures what revocation rules cost. No verifier is replaced here, as it
// would have to hear a million rules again: there are enough tokens for all rounds.
func (p plan) withRules() ([]measure.Series, error) {
	i, err := issuer.New(issuers[0]...)
	if err != nil {
		return nil, err
	}
	const perSlice = 500
	s := p.sizes
	s.pool = perSlice * (2*p.Rounds + 2)
	t, err := makeTokens(i, "EdDSA", s)
	if err != nil {
		return nil, err
	}
	var o opened
	defer o.close()
	for _, rules := range append([]int{0}, p.rules...) {
		l := reader.WithRules(fmt.Sprintf("%d rules", rules), rules)
		c, stop, err := t.firstSight(l)
		c.MaxOps = perSlice
		if err := o.add(c, stop, err); err != nil {
			return nil, err
		}
		if err := o.add(t.again(l)); err != nil {
			return nil, err
		}
	}
	options := p.Options
	options.Cores = 1
	return measure.Run(o.cases, options)
}
