package passhash

import (
	"context"
	"fmt"
	"time"
)

const (
	target     = 100 * time.Millisecond // of one hash on this machine
	goodEnough = 80 * time.Millisecond  // do not rehash everybody for less than a fifth
)

// Calibrate measures this machine, raises the parameters so that one hash takes about
// 100 ms within the memory budget, uses them from then on, and returns them for the caller
// to store. It never lowers one: a busy or smaller machine must not make hashes weaker.
func (h *Hasher) Calibrate(ctx context.Context) (Params, error) {
	p := h.Params()
	var took time.Duration
	err := h.do(ctx, func() { took = h.measure(p) })
	if err != nil {
		return Params{}, fmt.Errorf("calibrate hashing: %w", err)
	}
	p = scale(p, took, h.perHash)
	h.params.Store(&p)
	return p, nil
}

// measure returns the shortest of three runs: disturbances only make it longer.
func (h *Hasher) measure(p Params) time.Duration {
	best := time.Duration(0)
	for range 3 {
		start := h.now()
		h.argon2([]byte("correct horse"), make([]byte, saltLen), p.Time, p.Memory, p.Threads, tagLen)
		if took := h.now().Sub(start); best == 0 || took < best {
			best = took
		}
	}
	return best
}

// scale raises memory first, which costs an attacker most, then passes.
func scale(p Params, took time.Duration, perHash uint32) Params {
	if took <= 0 || took >= goodEnough {
		return p
	}
	want := uint64(p.work()) * uint64(target) / uint64(took)
	want = min(want, maxWork)
	memory := min(want/uint64(p.Time), uint64(perHash)) &^ 1023 // whole MiB
	next := Params{Memory: max(uint32(memory), p.Memory), Time: p.Time, Threads: 1}
	next.Time = max(p.Time, min(uint32(want/uint64(next.Memory)), maxTime))
	return next
}
