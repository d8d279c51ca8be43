package main

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/signet-id/signet/bench/issuer"
	"github.com/signet-id/signet/bench/measure"
	"github.com/signet-id/signet/bench/reader"
)

// sizes say how many tokens there are.
type sizes struct {
	pool   int // different tokens per algorithm; a reader that has seen all is replaced
	repeat int // tokens that come again and again
	warm   int // tokens that a new reader sees before it is measured
}

// tokens are those of one algorithm.
type tokens struct {
	issuer        *issuer.Issuer
	alg           string
	fresh, repeat []string
	warm          []string
}

func makeTokens(i *issuer.Issuer, alg string, s sizes) (*tokens, error) {
	all := make([]string, s.pool+s.repeat+s.warm)
	errs := make([]error, runtime.NumCPU())
	var wait sync.WaitGroup
	for w := range errs {
		wait.Go(func() {
			for n := w; n < len(all) && errs[w] == nil; n += len(errs) {
				all[n], errs[w] = i.Token(alg, n)
			}
		})
	}
	wait.Wait()
	// One piece of memory: the collector must not pay for their number.
	joined := strings.Join(all, "")
	for n, at := 0, 0; n < len(all); n++ {
		all[n], at = joined[at:at+len(all[n])], at+len(all[n])
	}
	return &tokens{i, alg, all[:s.pool], all[s.pool : s.pool+s.repeat], all[s.pool+s.repeat:]}, errors.Join(errs...)
}

// tampered are tokens that every reader must refuse: the signature, the claims and the
// header of a good one changed, and another one's signature.
func (t *tokens) tampered() map[string]string {
	good, other := t.fresh[0], t.fresh[1]
	flip := func(at int) string {
		b := []byte(good)
		if b[at] != 'A' {
			b[at] = 'A'
		} else {
			b[at] = 'B'
		}
		return string(b)
	}
	first, last := strings.IndexByte(good, '.'), strings.LastIndexByte(good, '.')
	return map[string]string{
		"signature":         flip(last + 5),
		"claims":            flip(first + 20),
		"another signature": good[:last] + other[strings.LastIndexByte(other, '.'):],
		"no signature":      good[:last+1],
	}
}

// open sets a library up and sees that it tells good tokens from bad ones.
func (t *tokens) open(l reader.Library) (*reader.Reader, error) {
	r, err := l.Open(t.issuer, t.alg)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", l.Name, t.alg, err)
	}
	for _, token := range t.warm {
		if err := r.Verify(token); err != nil {
			return nil, fmt.Errorf("%s, %s: refuses a good token: %w", l.Name, t.alg, err)
		}
	}
	for what, token := range t.tampered() {
		if r.Verify(token) == nil {
			return nil, fmt.Errorf("%s, %s: accepts a token with %s changed", l.Name, t.alg, what)
		}
	}
	return r, nil
}

// firstSight is a library that sees each token once. Nothing that it remembers helps.
func (t *tokens) firstSight(l reader.Library) (c measure.Case, stop func(), err error) {
	r, err := t.open(l)
	if err != nil {
		return measure.Case{}, nil, err
	}
	next, base := 0, 0
	stop = func() { closeReader(r) }
	return measure.Case{
		Name:   l.Name,
		MaxOps: len(t.fresh),
		Prepare: func(n int) (err error) {
			if next+n > len(t.fresh) {
				closeReader(r)
				if r, err = t.open(l); err != nil {
					return err
				}
				next = 0
			}
			base, next = next, next+n
			return nil
		},
		Op: func(i int) error { return r.Verify(t.fresh[base+i]) },
	}, stop, nil
}

// again is a library that sees the same few thousand tokens all the time.
func (t *tokens) again(l reader.Library) (c measure.Case, stop func(), err error) {
	r, err := t.open(l)
	if err != nil {
		return measure.Case{}, nil, err
	}
	for range 3 { // a reader may remember only what comes again
		for _, token := range t.repeat {
			if err := r.Verify(token); err != nil {
				return measure.Case{}, nil, err
			}
		}
	}
	return measure.Case{
		Name: l.Name + repeated,
		Op:   func(i int) error { return r.Verify(t.repeat[i%len(t.repeat)]) },
	}, func() { closeReader(r) }, nil
}

// repeated is added to the name of a reader that sees tokens again.
const repeated = ", seen before"

// bare is the cryptography alone, on tokens that were taken apart before.
func (t *tokens) bare() (measure.Case, error) {
	if _, err := t.open(reader.Bare); err != nil {
		return measure.Case{}, err
	}
	check := reader.BareCheck(t.issuer.Key(t.alg))
	type split struct{ message, signature []byte }
	all := make([]split, min(len(t.fresh), 1024))
	for n := range all {
		m, s, err := reader.Split(t.alg, t.fresh[n])
		if err != nil {
			return measure.Case{}, err
		}
		all[n] = split{m, s}
	}
	return measure.Case{
		Name: reader.Bare.Name,
		Op:   func(i int) error { s := all[i%len(all)]; return check(s.message, s.signature) },
	}, nil
}

func closeReader(r *reader.Reader) {
	if r != nil && r.Close != nil {
		r.Close()
	}
}
