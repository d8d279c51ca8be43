package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/internal/store"
)

func openStore(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "signet.db"), store.Options{RuleLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var errDropped = errors.New("connection dropped")

// replica is a verifier's view of the log, built by the rules of the feed.
type replica struct {
	epoch string
	at    int64
	ids   map[string]bool
}

// apply takes a batch in as a verifier must: what it has is ignored, a gap is an error.
func (r *replica) apply(b batch) error {
	if b.Epoch != r.epoch || b.From == 0 && r.at == 0 {
		r.epoch, r.at, r.ids = b.Epoch, 0, map[string]bool{}
	}
	if b.From > r.at {
		return fmt.Errorf("gap from %d to %d", r.at, b.From)
	}
	for _, rule := range b.Rules {
		r.ids[rule.ID] = true
	}
	r.at = max(r.at, b.To)
	return nil
}

// TestFollow_Drops: followers whose connections break at random end with exactly the
// log's rules, on the real store, with writers at work. TOK-12, TOK-13
func TestFollow_Drops(t *testing.T) {
	t.Parallel()
	const followers, writers, each = 8, 3, 60
	db, s := openStore(t), newSigning(t, "k1")
	h := revocation.NewHub(db, s.get, revocation.Config{Issuer: issuer, Now: time.Now})
	start(t, h)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				r := idp.Rule{Kind: idp.RuleGrant, ID: fmt.Sprintf("g-%d-%d", w, i)}
				if err := db.AppendRule(t.Context(), idp.Actor{Kind: "system"}, r, time.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for f := range followers {
		all.Go(func() {
			var r replica
			random := rand.New(rand.NewPCG(1, uint64(f)))
			for r.at < writers*each {
				err := h.Follow(t.Context(), r.epoch, r.at, func(e *revocation.Event) error {
					if random.IntN(4) == 0 {
						return errDropped // before it arrived
					}
					if err := r.apply(open(t, s, e)); err != nil {
						t.Error(err)
					}
					if random.IntN(8) == 0 || r.at >= writers*each {
						return errDropped
					}
					return nil
				})
				if !errors.Is(err, errDropped) {
					t.Error(err)
					return
				}
			}
			if len(r.ids) != writers*each {
				t.Errorf("%d rules", len(r.ids))
			}
		})
	}
	all.Wait()
}

// TestFollow_StoreOrder: what the real store appends with a change arrives, in order.
func TestFollow_StoreOrder(t *testing.T) {
	t.Parallel()
	db, s := openStore(t), newSigning(t, "k1")
	h := revocation.NewHub(db, s.get, revocation.Config{Issuer: issuer, Now: time.Now})
	start(t, h)
	events := follow(t, h, "", 0)
	if e := <-events; e.To != 0 || e.Head != 0 || e.Epoch == "" {
		t.Fatalf("empty log: %+v", e)
	}
	now := time.Now()
	for _, id := range []string{"a", "b", "c"} {
		if err := db.RevokeJTI(t.Context(), idp.Actor{Kind: "system"}, id, now.Add(time.Minute), now); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for len(got) < 3 {
		for _, r := range open(t, s, <-events).Rules {
			got = append(got, r.ID)
		}
	}
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got %v", got)
	}
}

// BenchmarkRevoke is the time from the call that revokes to the last of 1,000 followers
// having it. The commit to disk is part of it.
func BenchmarkRevoke(b *testing.B) {
	const followers = 1000
	db := openStore(b)
	s := &signing{signer: newSigner(b, "k1")}
	h := revocation.NewHub(db, s.get, revocation.Config{Issuer: issuer, Now: time.Now})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = h.Run(ctx) })
	got := make(chan int64, followers)
	for range followers {
		running.Go(func() {
			_ = h.Follow(ctx, "", 0, func(e *revocation.Event) error {
				if e.From < e.To || e.To == 0 {
					got <- e.To
				}
				return nil
			})
		})
	}
	for range followers {
		<-got
	}
	for n := 0; b.Loop(); n++ {
		if err := db.RevokeJTI(ctx, idp.Actor{}, fmt.Sprint(n), time.Now().Add(time.Hour), time.Now()); err != nil {
			b.Fatal(err)
		}
		for arrived := 0; arrived < followers; {
			if to := <-got; to == int64(n)+1 {
				arrived++
			}
		}
	}
	cancel()
	running.Wait()
}
