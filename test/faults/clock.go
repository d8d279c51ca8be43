//go:build unix

package main

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

// step is how far clocks are set, far beyond every window of a few seconds or a minute.
const step = 5 * time.Minute

// clocks freezes the clocks of all servers and sets them forwards and back, and starts a
// server again in between: what counts is what is stored, not how long a process has
// run, and a clock that goes back makes nothing good again.
func (w *world) clocks() error {
	for _, set := range []clockSetting{
		{Frozen: time.Now()}, {Offset: step}, {}, {Offset: -step}, {},
	} {
		if err := w.setClocks(set); err != nil {
			return err
		}
	}
	return nil
}

// setClocks compares what was there before the clocks were set with what is then.
func (w *world) setClocks(set clockSetting) error {
	if err := w.burst(8); err != nil {
		return err
	}
	before := w.now()
	w.clock.Store(&set)
	for _, n := range w.nodes {
		if err := n.tell(order{Clock: &set}); err != nil {
			return err
		}
	}
	moved := w.since(before) > step/2
	for i, p := range w.people {
		p.afterStep(i, moved, w.now().After(before))
	}
	if err := w.burst(8); err != nil {
		return err
	}
	n := w.nodes[w.rng.IntN(len(w.nodes))]
	if err := errors.Join(n.kill(), w.revive(n, n.alive)); err != nil {
		return err
	}
	return errors.Join(w.burst(4), w.check(false))
}

// afterStep presents things of before the step.
func (p *person) afterStep(i int, moved, forwards bool) {
	n := p.w.any(p.rng)
	switch {
	case p.fam != nil && i%3 == 0:
		p.replayCode(n)
	case p.fam != nil && i%3 == 1 && moved && len(p.fam.spent) > 0:
		// Its moment is not near any more, in whichever direction.
		begun := time.Now()
		a := p.present(n, p.fam.spent[len(p.fam.spent)-1].token)
		p.ended(a, begun, "a refresh token that was used before the clock was set")
	case p.fam == nil && p.code != "" && moved && forwards:
		if a := p.exchange(n, p.code); a.status != http.StatusBadRequest {
			p.w.find(revived, "a code of before the clock was set: %s", a)
		}
		p.code = ""
	case p.fam == nil && p.code != "" && moved:
		p.code = "" // made in the future
	}
}

// burst lets everybody do so many things.
func (w *world) burst(acts int) error {
	var all sync.WaitGroup
	errs := make([]error, len(w.people))
	for i, p := range w.people {
		all.Go(func() {
			left := acts
			errs[i] = until("through with a few acts", readyWithin, func() bool {
				n := w.any(p.rng)
				if n != nil && p.settle(n) && p.act(n) {
					left--
				}
				return left <= 0 || len(w.broken()) >= maxFindings
			})
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
