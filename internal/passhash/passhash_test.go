package passhash_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/secret"
)

var password = secret.NewText("a password of ann's")

func cheap() *passhash.Hasher { return passhash.New(passhash.Config{InsecureCheap: true}) }

func TestHash_RoundTrip(t *testing.T) {
	t.Parallel()
	h := cheap()
	phc, err := h.Hash(t.Context(), password)
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Fatal(phc, err)
	}
	if ok, upgrade, err := h.Verify(t.Context(), phc, password); !ok || upgrade || err != nil {
		t.Error(ok, upgrade, err)
	}
	again, _ := h.Hash(t.Context(), password)
	if again == phc {
		t.Error("two hashes have one salt")
	}
}

// LOG-06: a password is its bytes; nothing is trimmed, folded or normalised.
func TestVerify_LOG06_ByteForByte(t *testing.T) {
	t.Parallel()
	h := cheap()
	phc, err := h.Hash(t.Context(), secret.NewText("Pässword "))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"pässword ", "Pässword", "Pa\u0308ssword ", " Pässword ", "Pässword \x00", "Pässword\u00a0", ""} {
		if ok, _, err := h.Verify(t.Context(), phc, secret.NewText(s)); ok || err != nil {
			t.Errorf("%q: %v, %v", s, ok, err)
		}
	}
}

// The published test vector of the reference implementation: argon2id, m=65536, t=2, p=1.
func TestVerify_ReferenceVector(t *testing.T) {
	t.Parallel()
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, _, err := cheap().Verify(t.Context(), phc, secret.NewText("password")); !ok || err != nil {
		t.Error(ok, err)
	}
}

// LOG-04: nothing is computed for a password that is too long.
func TestHasher_LOG04_LongPassword(t *testing.T) {
	t.Parallel()
	h := cheap()
	phc, err := h.Hash(t.Context(), secret.NewText(strings.Repeat("x", 1024)))
	if err != nil {
		t.Fatal(err)
	}
	before, long := h.Count(), secret.NewText(strings.Repeat("x", 1025))
	_, errHash := h.Hash(t.Context(), long)
	_, _, errVerify := h.Verify(t.Context(), phc, long)
	for _, err := range []error{errHash, errVerify, h.VerifyNone(t.Context(), long)} {
		if !errors.Is(err, idp.ErrInvalid) {
			t.Error(err)
		}
	}
	if h.Count() != before {
		t.Error("it was hashed")
	}
}

// LOG-01: an unknown user costs exactly one argon2id with the parameters of a known one's.
func TestVerifyNone_LOG01_SameWork(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]passhash.Config{
		"default": {},
		"raised":  {Params: passhash.Params{Memory: 24 << 10, Time: 3, Threads: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := passhash.New(cfg)
			phc, err := h.Hash(t.Context(), password)
			if err != nil {
				t.Fatal(err)
			}
			var calls []passhash.Call
			h.Observe(func(c passhash.Call) { calls = append(calls, c) })
			if ok, _, err := h.Verify(t.Context(), phc, secret.NewText("wrong")); ok || err != nil {
				t.Fatal(ok, err)
			}
			if err := h.VerifyNone(t.Context(), secret.NewText("wrong")); err != nil {
				t.Fatal(err)
			}
			if len(calls) != 2 || calls[0] != calls[1] || calls[0].Params != h.Params() {
				t.Errorf("known and unknown: %+v", calls)
			}
		})
	}
}

// LOG-01: an account whose hash is of an older, cheaper kind costs the same work too.
func TestVerify_LOG01_OlderHashSameWork(t *testing.T) {
	t.Parallel()
	old := passhash.New(passhash.Config{})
	phc, err := old.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	h := passhash.New(passhash.Config{Params: passhash.Params{Memory: 48 << 10, Time: 2, Threads: 1}})
	for _, p := range []secret.Text{password, secret.NewText("wrong")} {
		var work uint32
		h.Observe(func(c passhash.Call) { work += c.Params.Memory * c.Params.Time })
		ok, upgrade, err := h.Verify(t.Context(), phc, p)
		if err != nil || upgrade != ok {
			t.Error(ok, upgrade, err)
		}
		if want := h.Params().Memory * h.Params().Time; work != want {
			t.Errorf("work %d; an unknown user's is %d", work, want)
		}
		h = passhash.New(passhash.Config{Params: passhash.Params{Memory: 48 << 10, Time: 2, Threads: 1}})
	}
}

// A stronger hash stays; a weaker one is made anew.
func TestVerify_Upgrade(t *testing.T) {
	t.Parallel()
	const salt, tag = "$AAAAAAAAAAAAAAAAAAAAAA$", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for costs, want := range map[string]bool{
		"m=19456,t=2,p=1": false,
		"m=65536,t=3,p=1": false,
		"m=65536,t=1,p=1": false, // more work, more memory
		"m=19456,t=1,p=1": true,
		"m=7168,t=5,p=1":  true,
		"m=65536,t=3,p=4": true,
		"m=16,t=1,p=1":    true,
	} {
		h := passhash.New(passhash.Config{})
		h.Pretend(func(passhash.Params) {})
		if ok, upgrade, err := h.Verify(t.Context(), "$argon2id$v=19$"+costs+salt+tag, password); !ok || upgrade != want || err != nil {
			t.Errorf("%s: %v, %v, %v", costs, ok, upgrade, err)
		}
	}
	h := passhash.New(passhash.Config{})
	h.Pretend(func(passhash.Params) {})
	for name, phc := range map[string]string{
		"short salt": "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAA$" + tag,
		"short tag":  "$argon2id$v=19$m=19456,t=2,p=1" + salt + "AAAAAAAAAAAAAAAAAAAAAA",
	} {
		if ok, upgrade, err := h.Verify(t.Context(), phc, password); !ok || !upgrade || err != nil {
			t.Errorf("%s: %v, %v, %v", name, ok, upgrade, err)
		}
	}
}

// LOG-04: at most as many hashes as workers at a time, a bounded queue, and a deadline.
func TestHasher_LOG04_QueueBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := passhash.New(passhash.Config{InsecureCheap: true, Workers: 2, Queue: 3, Wait: time.Second})
		var mu sync.Mutex
		running, most := 0, 0
		release := make(chan struct{})
		h.Pretend(func(passhash.Params) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-release
			mu.Lock()
			running--
			mu.Unlock()
		})
		results := make(chan error, 10)
		for range 10 {
			go func() { results <- h.VerifyNone(t.Context(), password) }()
		}
		synctest.Wait()
		// 2 run, 3 wait, 5 were sent away at once.
		for range 5 {
			if err := <-results; !errors.Is(err, idp.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		start := time.Now()
		for range 3 { // the waiting ones give up after a second
			if err := <-results; !errors.Is(err, idp.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("waited %v", waited)
		}
		close(release)
		for range 2 {
			if err := <-results; err != nil {
				t.Fatal(err)
			}
		}
		if most != 2 || h.Count() != 2 {
			t.Errorf("%d at a time, %d in all", most, h.Count())
		}
		if err := h.VerifyNone(t.Context(), password); err != nil {
			t.Error("the queue stays full:", err)
		}
	})
}

// LOG-04: nothing is computed for a client that has gone, before or while it waits.
func TestHasher_LOG04_ClientGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := passhash.New(passhash.Config{InsecureCheap: true, Workers: 1})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 50 { // select chooses at random among what is ready
			if err := h.VerifyNone(gone, password); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		release := make(chan struct{})
		h.Pretend(func(passhash.Params) { <-release })
		go h.VerifyNone(t.Context(), password)
		synctest.Wait()
		waiting, leave := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- h.VerifyNone(waiting, password) }()
		synctest.Wait()
		leave()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(release)
		synctest.Wait()
		if h.Count() != 1 {
			t.Errorf("%d hashes", h.Count())
		}
	})
}

// LOG-04: all workers together keep within the memory budget.
func TestNew_MemoryBudget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		workers int
		budget  int64
		params  passhash.Params
		want    int
	}{
		{4, 256 << 20, passhash.Params{}, 4},
		{100, 256 << 20, passhash.Params{}, 13},
		{4, 128 << 20, passhash.Params{Memory: 64 << 10}, 2},
		{4, 1 << 20, passhash.Params{}, 1},
		{-1, 256 << 20, passhash.Params{Memory: 256 << 10}, 1},
	} {
		h := passhash.New(passhash.Config{Workers: tt.workers, MemoryBudget: tt.budget, Params: tt.params})
		if got := h.Workers(); got != tt.want {
			t.Errorf("%+v: %d workers", tt, got)
		}
	}
}

// Parameters never fall below the default, whatever was stored.
func TestNew_NeverBelowDefault(t *testing.T) {
	t.Parallel()
	for _, stored := range []passhash.Params{{}, {Memory: 8, Time: 1, Threads: 1}, {Memory: 1 << 30, Time: 1 << 30, Threads: 9}} {
		p := passhash.New(passhash.Config{Params: stored}).Params()
		if p.Memory < 19<<10 || p.Time < 2 || p.Threads != 1 {
			t.Errorf("%+v became %+v", stored, p)
		}
		h := passhash.New(passhash.Config{Params: stored})
		h.Pretend(func(passhash.Params) {})
		phc, err := h.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := passhash.Parse(phc); err != nil {
			t.Errorf("our own hash cannot be read: %s", phc)
		}
	}
}
