package verify_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
)

// STO-05: one clock that is wrong for a while, ours or the issuer's, makes no rule
// forgotten that a token can still need.
func TestFeed_STO05_WrongClockForgetsNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ ours, issuers time.Duration }{
		"ours hours ahead":        {ours: 2 * time.Hour},
		"ours days ahead":         {ours: 72 * time.Hour},
		"ours hours behind":       {ours: -2 * time.Hour},
		"the issuer's far ahead":  {issuers: 2 * time.Hour},
		"the issuer's far behind": {issuers: -2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var ours, issuers atomic.Int64
				w := newWorld(t)
				w.now = func() time.Time { return time.Now().Add(time.Duration(issuers.Load())) }
				v := w.start(verify.Clock(func() time.Time { return time.Now().Add(time.Duration(ours.Load())) }))
				<-v.Ready()
				w.revoke("grant", "grant")
				synctest.Wait()
				token := w.token(nil) // an hour
				ours.Store(int64(tc.ours))
				issuers.Store(int64(tc.issuers))
				time.Sleep(2 * time.Minute)
				ours.Store(0)
				issuers.Store(0)
				time.Sleep(10 * time.Second)
				if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrRevoked) {
					t.Errorf("%v with %+v", err, v.Status())
				}
			})
		})
	}
}

// STO-05: a clock that is behind as far as may be accepts a token for so much longer, and
// its rules live as long.
func TestFeed_STO05_ClockBehindKeepsRules(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const behind, n = 59 * time.Second, 500
		w := newWorld(t)
		v := w.start(verify.Clock(func() time.Time { return time.Now().Add(-behind) }))
		<-v.Ready()
		var tokens []string
		for i := range n {
			id := fmt.Sprint("grant ", i)
			tokens = append(tokens, w.token(map[string]any{"grant_id": id}))
			w.revoke("grant", id)
		}
		time.Sleep(time.Hour + 2*behind) // exp is 59 seconds ago by our clock
		synctest.Wait()
		for _, token := range tokens {
			if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrRevoked) {
				t.Fatalf("%v with %d of %d rules", err, v.Status().Rules, n)
			}
		}
	})
}
