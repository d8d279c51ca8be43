// Package passhash hashes passwords with argon2id (RFC 9106) and checks them, a bounded
// number at a time: hashing is the one thing here that costs an attacker nothing and us
// memory and a core.
//
// It deliberately knows neither users nor attempts (package authn), and no other scheme:
// what it stores is the PHC string of argon2id and nothing else.
package passhash

import (
	"context"
	"crypto/subtle"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"golang.org/x/crypto/argon2"
)

// MaxPasswordBytes is the longest password; longer ones are refused before any work (LOG-04).
const MaxPasswordBytes = 1024

const (
	saltLen       = 16
	tagLen        = 32
	defaultBudget = 256 << 20
	defaultWait   = 2 * time.Second
	// queuePerWorker is what a worker can do within defaultWait at 100 ms each.
	queuePerWorker = 20
)

// Config says how much may be spent. The zero value is safe.
type Config struct {
	// Params is what Calibrate returned at an earlier start; raised to Default where lower.
	Params Params
	// Workers is how many hashes are computed at the same time; 0: all cores but one,
	// so that nothing else gets slower.
	Workers int
	// MemoryBudget is how many bytes all of them may use together; 0: 256 MiB.
	MemoryBudget int64
	// Queue is how many callers may wait; 0: 20 for each worker.
	Queue int
	// Wait is how long a caller waits before it is told idp.ErrUnavailable; 0: 2 s.
	Wait time.Duration
	// Now is the clock of Calibrate.
	Now func() time.Time
	// Observe is told of each password, when its turn has come; nil: nobody is.
	Observe idp.Observer
	// InsecureCheap makes hashes that are fast to guess. For tests only.
	InsecureCheap bool
}

// Hasher hashes and checks. It is ready to use and has no goroutines of its own.
type Hasher struct {
	params  atomic.Pointer[Params]
	slots   chan struct{} // one element for each hash that is computed now
	waiting atomic.Int64  // callers that wait for a slot or have one
	refused atomic.Int64  // callers that were told idp.ErrUnavailable
	observe idp.Observer
	queue   int64
	wait    time.Duration
	perHash uint32 // KiB that one hash may use
	now     func() time.Time
	count   atomic.Int64
	argon2  func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
}

// New returns a Hasher.
func New(cfg Config) *Hasher {
	params := cfg.Params.atLeast(Default)
	if cfg.InsecureCheap {
		params = cheap
	}
	if cfg.MemoryBudget <= 0 {
		cfg.MemoryBudget = defaultBudget
	}
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0) - 1
	}
	budget := cfg.MemoryBudget >> 10
	workers := max(1, min(int64(cfg.Workers), budget/int64(params.Memory)))
	if cfg.Queue <= 0 {
		cfg.Queue = int(workers) * queuePerWorker
	}
	if cfg.Wait <= 0 {
		cfg.Wait = defaultWait
	}
	h := &Hasher{
		slots:   make(chan struct{}, workers),
		queue:   int64(cfg.Queue),
		wait:    cfg.Wait,
		perHash: uint32(min(budget/workers, maxMemory)),
		now:     cfg.Now,
		observe: cfg.Observe,
		argon2:  argon2.IDKey,
	}
	h.params.Store(&params)
	return h
}

// Params returns the parameters of new hashes.
func (h *Hasher) Params() Params { return *h.params.Load() }

// Count returns how many argon2id computations have been done, for metrics and for tests
// that count work instead of measuring time.
func (h *Hasher) Count() int64 { return h.count.Load() }

// Waiting returns how many callers wait for their turn.
func (h *Hasher) Waiting() int { return max(0, int(h.waiting.Load())-len(h.slots)) }

// Refused returns how many callers were told idp.ErrUnavailable, because too many waited
// or they waited too long.
func (h *Hasher) Refused() int64 { return h.refused.Load() }

// Hash returns the PHC string of a password, with a salt of its own.
func (h *Hasher) Hash(ctx context.Context, password secret.Text) (string, error) {
	if err := checkLength(password); err != nil {
		return "", err
	}
	key, p := secret.Key(), h.Params()
	salt := key[:saltLen]
	var tag []byte
	err := h.work(ctx, func() { tag = h.compute(password, salt, p, tagLen) })
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return format(p, salt, tag), nil
}

// Verify reports whether the password belongs to the PHC string, and whether it should be
// hashed anew because the parameters have been raised since. The work is always that of
// the present parameters: after checking a cheaper hash the rest is done as well, or it
// would tell by its time that the account exists (LOG-01).
func (h *Hasher) Verify(ctx context.Context, phc string, password secret.Text) (ok, upgrade bool, err error) {
	if err := checkLength(password); err != nil {
		return false, false, err
	}
	stored, err := parse(phc)
	if err != nil {
		return false, false, err
	}
	now := h.Params()
	err = h.work(ctx, func() {
		tag := h.compute(password, stored.salt, stored.params, uint32(len(stored.tag)))
		ok = subtle.ConstantTimeCompare(tag, stored.tag) == 1
		if rest, some := now.minus(stored.params); some {
			h.compute(password, stored.salt, rest, tagLen)
		}
	})
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	return ok, ok && stored.weakerThan(now), nil
}

// VerifyNone does the work of Verify for a user that does not exist, so that nobody can
// tell by the time (LOG-01): exactly one argon2id with the present parameters.
func (h *Hasher) VerifyNone(ctx context.Context, password secret.Text) error {
	if err := checkLength(password); err != nil {
		return err
	}
	p := h.Params()
	err := h.work(ctx, func() {
		tag := h.compute(password, make([]byte, saltLen), p, tagLen)
		subtle.ConstantTimeCompare(tag, make([]byte, tagLen))
	})
	if err != nil {
		return fmt.Errorf("verify password: %w", err)
	}
	return nil
}

func (h *Hasher) compute(password secret.Text, salt []byte, p Params, length uint32) []byte {
	h.count.Add(1)
	return h.argon2([]byte(password.Reveal()), salt, p.Time, p.Memory, p.Threads, length)
}

// work is do for a password.
func (h *Hasher) work(ctx context.Context, work func()) error {
	return h.do(ctx, func() {
		_, over := h.observe.Begin(ctx, "hash password")
		work()
		over(nil)
	})
}

// do runs work when a slot is free. It returns idp.ErrUnavailable when too many wait already
// or the wait takes too long, and never starts work for a caller that has gone.
func (h *Hasher) do(ctx context.Context, work func()) error {
	if h.waiting.Add(1) > h.queue+int64(cap(h.slots)) {
		h.waiting.Add(-1)
		h.refused.Add(1)
		return fmt.Errorf("hashing queue is full: %w", idp.ErrUnavailable)
	}
	defer h.waiting.Add(-1)
	timer := time.NewTimer(h.wait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
	case <-timer.C:
		h.refused.Add(1)
		return fmt.Errorf("hashing queue is slow: %w", idp.ErrUnavailable)
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	if err := ctx.Err(); err != nil {
		return err
	}
	work()
	return nil
}

func checkLength(password secret.Text) error {
	if len(password.Reveal()) > MaxPasswordBytes {
		return fmt.Errorf("password longer than %d bytes: %w", MaxPasswordBytes, idp.ErrInvalid)
	}
	return nil
}
