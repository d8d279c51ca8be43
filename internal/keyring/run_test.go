package keyring_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// rowTable is a table of keys in memory, for tests in which time is not real.
type rowTable struct {
	keyring.Store // nil: nothing else is asked for

	mu   sync.Mutex
	rows []idp.SigningKey
	err  error
	poke chan struct{}
}

func (r *rowTable) SigningKeys(context.Context) ([]idp.SigningKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]idp.SigningKey(nil), r.rows...), r.err
}

func (r *rowTable) AddSigningKey(_ context.Context, _ idp.Actor, k idp.SigningKey, _ bool, _ time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, k)
	return nil
}

func (r *rowTable) watch() (<-chan struct{}, func()) { return r.poke, func() {} }

func (r *rowTable) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// TestRun: a staged key signs and a retired one is gone as soon as the rows say so, and
// trouble with the database passes. TOK-07
func TestRun(t *testing.T) {
	t.Parallel()
	table := &rowTable{rows: shared.rows(t)}
	staged := shared.make(t, jose.EdDSA) // outside of the bubble: all keys take real time
	synctest.Test(t, func(t *testing.T) {
		table.poke = make(chan struct{}, 1)
		ring, err := keyring.Open(t.Context(), table, keyring.Config{KEK: shared.kek}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- ring.Run(ctx, table.watch, time.Now, slog.New(slog.DiscardHandler)) }()
		signs := func() string {
			t.Helper()
			signer, err := ring.Signer(jose.EdDSA)
			if err != nil {
				t.Fatal(err)
			}
			return signer.Key().ID()
		}
		first, second := table.rows[2].ID, staged.ID
		table.change(func() {
			staged.ActiveAt = time.Now().Add(time.Hour)
			for i := range table.rows {
				table.rows[i].ActiveAt = time.Now().Add(-time.Hour)
			}
			table.rows = append(table.rows, staged)
		})
		table.poke <- struct{}{}
		synctest.Wait()
		if _, published := ring.Keys().Key(second); !published || signs() != first {
			t.Error("staged key: not published, or it signs")
		}
		table.change(func() { table.rows[2].RetiringAt = time.Now() })
		time.Sleep(time.Minute) // time is not real here
		synctest.Wait()
		if signs() != second {
			t.Error("it is its turn, and it does not sign")
		}
		table.change(func() { table.err = idp.ErrUnavailable })
		time.Sleep(time.Hour)
		table.change(func() {
			table.err, table.rows[2].RetiringAt, table.rows[3].RetiredAt = nil, time.Time{}, time.Now()
		})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, published := ring.Keys().Key(second); published || signs() != first {
			t.Error("a retired key lives on")
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// BenchmarkReload is what a commit that changes no key costs.
func BenchmarkReload(b *testing.B) {
	table := &rowTable{}
	ring, err := keyring.Open(b.Context(), table, keyring.Config{KEK: secret.Key()}, start)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := ring.Reload(b.Context(), start); err != nil {
			b.Fatal(err)
		}
	}
}
