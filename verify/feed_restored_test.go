package verify_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
)

// setBack is a world whose log had five rules, all heard, and is then set back to two by
// somebody who put a snapshot of the volume back and began no epoch. A third is new.
func setBack(t *testing.T, opts ...verify.Option) (w *world, v *verify.Verifier) {
	w = newWorld(t)
	w.publish(w.signer, newSigner(t, "stolen"))
	v = w.start(opts...)
	<-v.Ready()
	for i := range 4 {
		w.revoke("jti", fmt.Sprint("lost ", i))
	}
	w.revoke("key", "stolen")
	synctest.Wait()
	if n := v.Status().Position; n != 5 {
		t.Fatalf("position %d", n)
	}
	time.Sleep(time.Second)
	w.set(func() { w.epoch = "down" }) // ends the connections
	synctest.Wait()
	w.set(func() { w.epoch, w.rules = "one", w.rules[:2] })
	w.revoke("grant", "grant") // number 3 again
	return w, v
}

func (w *world) isRevoked(v *verify.Verifier, when string, changes map[string]any) {
	w.t.Helper()
	if _, err := v.Verify(background, w.token(changes)); !errors.Is(err, verify.ErrRevoked) {
		w.t.Errorf("%s: %v with %+v", when, err, v.Status())
	}
}

// STO-06: a log that was set back within its epoch is read again from its beginning,
// whether the server begins there or goes on, and what was heard before still counts.
func TestFeed_STO06_LogSetBack(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"server begins again", "server goes on"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, v := setBack(t)
				var asked []string
				if how == "server goes on" {
					w.set(func() {
						w.feed = func(c *conn) {
							first := false
							w.set(func() { asked, first = append(asked, c.last), len(asked) == 0 })
							if first {
								_ = c.send(w.told(3, 3)) && c.pause(time.Minute)
								return
							}
							w.honest(c)
						}
					})
				}
				time.Sleep(12 * time.Second)
				w.isRevoked(v, "number 3", nil)
				w.isRevoked(v, "what the log has lost", map[string]any{"jti": "lost 3", "grant_id": nil})
				if how == "server goes on" && !slices.Contains(asked, "one.0") {
					t.Errorf("asked from %q", asked)
				}
				for i := range 4 {
					w.revoke("session", fmt.Sprint("again ", i)) // past the old position
				}
				time.Sleep(time.Second)
				for i := range 4 {
					w.isRevoked(v, "later", map[string]any{"sid": fmt.Sprint("again ", i), "grant_id": nil})
				}
				if s := v.Status(); s.Position != 7 || s.Stale || strings.Join(s.Keys, " ") != "key-1" {
					t.Errorf("status %+v", s)
				}
				if _, err := v.Verify(background, w.token(map[string]any{"grant_id": nil})); err != nil {
					t.Errorf("a good token: %v", err)
				}
			})
		})
	}
}

// STO-06: a log that has passed the old position again before the server answers, and
// comes in parts over two connections.
func TestFeed_STO06_LogSetBackAndPassed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 30 {
			w.rules = append(w.rules, w.rule("jti", fmt.Sprint("old ", i)))
		}
		v := w.start()
		<-v.Ready()
		time.Sleep(time.Second)
		w.set(func() { w.epoch = "down" })
		synctest.Wait()
		var asked []string
		w.set(func() {
			w.epoch, w.rules = "one", w.rules[:2]
			for i := range 48 {
				w.rules = append(w.rules, w.rule("grant", fmt.Sprint("new ", i)))
			}
			w.feed = func(c *conn) {
				first := false
				w.set(func() { asked, first = append(asked, c.last), len(asked) == 0 })
				if first { // the position was not there yet
					_ = c.send(w.told(0, 10))
					return
				}
				w.honest(c)
			}
		})
		time.Sleep(12 * time.Second)
		for i := range 48 {
			w.isRevoked(v, "passed", map[string]any{"grant_id": fmt.Sprint("new ", i)})
		}
		if want := []string{"one.30", "one.10"}; !slices.Equal(asked, want) {
			t.Errorf("asked from %q, want %q", asked, want)
		}
		if s := v.Status(); s.Position != 50 || s.Stale {
			t.Errorf("status %+v", s)
		}
	})
}

// STO-06: until the log is here from its beginning nothing confirms it.
func TestFeed_STO06_LogSetBackIsNotComplete(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, v := setBack(t, verify.MaxStaleness(time.Minute))
		w.set(func() { // only ever the end, past the old position at last
			w.feed = func(c *conn) {
				w.mu.Lock()
				n := int64(len(w.rules))
				w.mu.Unlock()
				for c.send(w.told(n, n)) && c.pause(time.Second) {
				}
			}
		})
		time.Sleep(10 * time.Second)
		if s := v.Status(); s.Position != 0 {
			t.Errorf("status %+v", s)
		}
		for i := range 4 {
			w.revoke("session", fmt.Sprint("again ", i))
		}
		time.Sleep(time.Minute)
		if _, err := v.Verify(background, w.token(map[string]any{"sid": "again 0", "grant_id": nil})); !errors.Is(err, verify.ErrStale) {
			t.Errorf("%v with %+v", err, v.Status())
		}
	})
}

// STO-06, TOK-13: whoever replays messages from before that sets nothing back, and does
// not take the verifier to the end of the log that is over.
func TestFeed_STO06_LogSetBackReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.rules = []rule{w.rule("jti", "a")}
		first := w.event(w.batch(0, 1))
		v := w.start()
		<-v.Ready()
		time.Sleep(time.Second)
		w.revoke("jti", "b")
		w.revoke("jti", "c")
		synctest.Wait()
		whole := w.told(0, 3)
		replay := func(message string) {
			w.set(func() {
				w.epoch = "down"
				w.feed = func(c *conn) { _ = c.send(message) && c.pause(time.Minute) }
			})
			time.Sleep(10 * time.Second)
		}
		replay(first)
		if s := v.Status(); s.Position != 3 {
			t.Errorf("set back by an old message: %+v", s)
		}
		w.set(func() { // really set back; only the end is told
			w.epoch, w.rules = "one", w.rules[:2]
			w.feed = func(c *conn) { _ = c.send(w.told(2, 2)) && c.pause(time.Minute) }
		})
		time.Sleep(time.Minute)
		replay(whole)
		if s := v.Status(); s.Position != 0 || !strings.Contains(s.LastTrouble, "log that is over") {
			t.Errorf("the old log: %+v", s)
		}
		w.set(func() { w.epoch, w.feed = "one", w.honest })
		time.Sleep(time.Minute)
		if s := v.Status(); s.Position != 2 || s.Stale {
			t.Errorf("the new log: %+v", s)
		}
	})
}
