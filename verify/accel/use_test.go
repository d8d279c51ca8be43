package accel_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/signet-id/signet/verify/accel"
	"github.com/signet-id/signet/verify/jose"
)

// neverDecided uses a key more often than tables need, and waits for none.
func neverDecided(t *testing.T, k *jose.Key) {
	t.Helper()
	a := accel.New()
	other := newEd25519(t)
	checks := a.Use([]*jose.Key{k, newKey(t, jose.EdDSA, "other", other.Public())})
	useUp(t, checks[0])
	useUp(t, checks[1])
	waitFor(t, a, "table of the other key", func(s accel.Status) bool { return s.Tables == 1 })
	for range 2 * accel.UsesBeforeTable {
		if _, decided := checks[0]([]byte("message"), make([]byte, 64)); decided {
			t.Fatal("decided")
		}
	}
}

func newKeys(t testing.TB, count int) (keys []*jose.Key) {
	t.Helper()
	for i := range count {
		keys = append(keys, newKey(t, jose.EdDSA, fmt.Sprint("key ", i), newEd25519(t).Public()))
	}
	return keys
}

func decides(check jose.Check) bool {
	_, decided := check([]byte("message"), make([]byte, 64))
	return decided
}

func tables(n int) func(accel.Status) bool {
	return func(s accel.Status) bool { return s.Tables == n }
}

// TestUse_JOS23_Retired: a key that is not named any more has no table, whoever still
// holds its Check.
func TestUse_JOS23_Retired(t *testing.T) {
	t.Parallel()
	keys := append(newKeys(t, 1), newKey(t, jose.ES256, "p256", &newP256(t).PublicKey))
	a := accel.New()
	empty := a.Status().Bytes
	checks := a.Use(keys)
	useUp(t, checks[0])
	waitFor(t, a, "table of one key", tables(1))
	useUp(t, checks[1])
	waitFor(t, a, "tables of both keys", tables(2))
	const ed25519Bytes, p256Bytes = 32 * 128 * 3 * 40, 37 * 64 * 2 * 32 // places, points for each, size of one
	if s := a.Status(); s.Keys != 2 || s.Bytes != empty+ed25519Bytes+p256Bytes || s.Off != "" {
		t.Errorf("status with tables: %+v", s)
	}
	a.Use(nil)
	if s := a.Status(); s.Keys != 0 || s.Tables != 0 || s.Bytes != empty {
		t.Errorf("status without keys: %+v", s)
	}
	for i, check := range checks {
		if decides(check) {
			t.Errorf("key %d: decided after its retirement", i)
		}
	}
}

// TestUse_JOS23_RetiredMeanwhile: a table that is finished after its key has retired is
// thrown away.
func TestUse_JOS23_RetiredMeanwhile(t *testing.T) {
	t.Parallel()
	keys := newKeys(t, 1)
	synctest.Test(t, func(t *testing.T) {
		a := accel.New()
		check := a.Use(keys)[0]
		release := a.HoldBuilding()
		useUp(t, check)
		for a.Reserved() == 0 {
			runtime.Gosched()
		}
		a.Use(nil)
		release()
		synctest.Wait() // until nobody builds any more
		if s := a.Status(); s.Tables != 0 || a.Reserved() != 0 || decides(check) {
			t.Errorf("status: %+v, reserved %d, decided %v", s, a.Reserved(), decides(check))
		}
	})
}

// TestUse_Kept: the same public key keeps its table, under whatever ID.
func TestUse_Kept(t *testing.T) {
	t.Parallel()
	pub := newEd25519(t).Public()
	a := accel.New()
	useUp(t, a.Use([]*jose.Key{newKey(t, jose.EdDSA, "one", pub)})[0])
	waitFor(t, a, "table", tables(1))
	again := a.Use([]*jose.Key{newKey(t, jose.Ed25519, "two", pub), newKey(t, jose.EdDSA, "three", pub), newKeys(t, 1)[0]})
	for i, want := range []bool{true, true, false} {
		if got := decides(again[i]); got != want {
			t.Errorf("key %d: decided %v", i, got)
		}
	}
	if s := a.Status(); s.Keys != 2 || s.Tables != 1 {
		t.Errorf("status: %+v", s)
	}
}

// TestUse_Limit: no more keys get tables than there is room for; the next one does when
// room is made.
func TestUse_Limit(t *testing.T) {
	t.Parallel()
	keys := newKeys(t, accel.MaxTables+1)
	a := accel.New()
	checks := a.Use(keys)
	for _, check := range checks[:accel.MaxTables] {
		useUp(t, check)
	}
	waitFor(t, a, "all tables", tables(accel.MaxTables))
	last := checks[accel.MaxTables]
	useUp(t, last)
	a.Use(keys) // asks again for the waiting, in vain
	if s := a.Status(); s.Tables != accel.MaxTables || decides(last) {
		t.Errorf("beyond the limit: %+v", s)
	}
	a.Use(keys[1:])
	waitFor(t, a, "table of the last key", func(accel.Status) bool { return decides(last) })
	if s := a.Status(); s.Tables != accel.MaxTables {
		t.Errorf("after one retired: %+v", s)
	}
}

// TestUse_OtherAlgorithms: keys without tables keep their place.
func TestUse_OtherAlgorithms(t *testing.T) {
	t.Parallel()
	keys, a := newKeys(t, 2), accel.New()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	others := []*jose.Key{newKey(t, jose.RS256, "rsa", rsaPublic(t)), newKey(t, jose.ES384, "p384", &p384.PublicKey)}
	checks := a.Use([]*jose.Key{keys[0], others[0], others[1], keys[1]})
	if len(checks) != 4 || checks[0] == nil || checks[1] != nil || checks[2] != nil || checks[3] == nil {
		t.Errorf("checks %d: %v %v %v %v", len(checks), checks[0] != nil, checks[1] != nil, checks[2] != nil, checks[3] != nil)
	}
	if s := a.Status(); s.Keys != len(keys) {
		t.Errorf("status: %+v", s)
	}
}

// asking is a log that asks for the status of what writes to it, and lets nothing go on
// before it is released.
type asking struct {
	slog.Handler
	a       *accel.Accelerator
	seen    chan accel.Status
	release chan struct{}
}

func (asking) Enabled(context.Context, slog.Level) bool { return true }

func (h *asking) Handle(context.Context, slog.Record) error {
	h.seen <- h.a.Status()
	<-h.release
	return nil
}

// TestUse_JOS23_SlowLog: a log that hangs keeps no key in use.
func TestUse_JOS23_SlowLog(t *testing.T) {
	t.Parallel()
	keys := newKeys(t, 1)
	synctest.Test(t, func(t *testing.T) {
		h := &asking{seen: make(chan accel.Status, 1), release: make(chan struct{})}
		a := accel.New(accel.Logger(slog.New(h)))
		h.a = a
		check := a.Use(keys)[0]
		useUp(t, check)
		synctest.Wait()
		if s := <-h.seen; s.Keys != 1 || s.Tables != 1 || !decides(check) {
			t.Errorf("status: %+v, decided %v", s, decides(check))
		}
		a.Use(nil)
		if decides(check) {
			t.Error("decided after its retirement")
		}
		close(h.release)
	})
}

// TestUse_Race: many goroutines cross the line to a table while key sets change. Whatever
// is decided must be right.
func TestUse_Race(t *testing.T) {
	t.Parallel()
	message := []byte("message")
	var keys []*jose.Key
	var signatures [][]byte
	for i := range 4 {
		private := newEd25519(t)
		keys = append(keys, newKey(t, jose.EdDSA, fmt.Sprint("ed ", i), private.Public()))
		signatures = append(signatures, ed25519.Sign(private, message))
		p := newP256(t)
		keys = append(keys, newKey(t, jose.ES256, fmt.Sprint("ec ", i), &p.PublicKey))
		signatures = append(signatures, signES256(t, p, message))
	}
	a := accel.New()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for round := range 30 {
				from := (g + round) % 4
				for i, check := range a.Use(keys[from:]) {
					for range accel.UsesBeforeTable / 4 {
						ask(t, check, message, signatures[from+i])
					}
				}
				a.Status()
			}
		})
	}
	wg.Wait()
	checks := a.Use(keys)
	for i, check := range checks {
		for range accel.UsesBeforeTable {
			ask(t, check, message, signatures[i])
		}
	}
	waitFor(t, a, "all tables", tables(len(keys)))
	for i, check := range checks {
		if valid, decided := check(message, signatures[i]); !valid || !decided {
			t.Errorf("key %d: valid %v, decided %v", i, valid, decided)
		}
	}
}

// ask asks about a good signature and a bad one.
func ask(t *testing.T, check jose.Check, message, signature []byte) {
	if valid, decided := check(message, signature); decided && !valid {
		t.Error("a good signature is refused")
	}
	if valid, _ := check([]byte("other"), signature); valid {
		t.Error("a bad signature is accepted")
	}
}
