package verify_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
)

// TOK-13: messages that are not the issuer's, or not for the feed, change nothing.
func TestFeed_TOK13_RefusesForgedMessages(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]func(w *world, b map[string]any) string{
		"other key": func(w *world, b map[string]any) string {
			return w.eventBy(newSigner(w.t, "key-1"), "revocations+jwt", b)
		},
		"other typ":   func(w *world, b map[string]any) string { return w.eventBy(w.signer, "at+jwt", b) },
		"no typ":      func(w *world, b map[string]any) string { return w.eventBy(w.signer, "", b) },
		"unknown key": func(w *world, b map[string]any) string { return w.eventBy(newSigner(w.t, "x"), "revocations+jwt", b) },
		"not signed":  func(*world, map[string]any) string { return "event: batch\ndata: {}\n\n" },
		"cut off":     func(w *world, b map[string]any) string { e := w.event(b); return e[:len(e)-1] },
		"other event": func(w *world, b map[string]any) string {
			return strings.Replace(w.event(b), "event: batch", "event: batches", 1)
		},
		"too long": func(*world, map[string]any) string {
			return "event: batch\ndata: " + strings.Repeat("A", 1<<20) + "\n\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.rules = []rule{w.rule("jti", "jti")}
				w.feed = func(c *conn) { c.send(event(w, w.batch(0, 1))) }
				v := w.start()
				time.Sleep(2 * time.Minute)
				if isReady(v) || v.Status().RulesReceived != 0 {
					t.Errorf("status %+v", v.Status())
				}
				// A broken feed is asked again with growing pauses, not in a loop.
				if n := w.count("/revocations"); n < 20 || n > 120 {
					t.Errorf("%d connections in 2 minutes", n)
				}
			})
		})
	}
}

// A message with a gap before it is not applied: the verifier asks again from where it is.
func TestFeed_TOK13_Gap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 30 {
			w.rules = append(w.rules, w.rule("jti", fmt.Sprint("j", i)))
		}
		var asked []string
		w.feed = func(c *conn) {
			w.set(func() { asked = append(asked, c.last) })
			switch len(asked) {
			case 1: // 0-10, then 20-30: 10-20 is missing
				_ = c.send(w.event(w.batch(0, 10))) && c.send(w.event(w.batch(20, 30)))
				c.hold()
			default:
				w.honest(c)
			}
		}
		v := w.start()
		time.Sleep(100 * time.Millisecond)
		if isReady(v) {
			t.Error("ready with a gap")
		}
		time.Sleep(time.Second)
		if !isReady(v) || v.Status().Rules != 30 {
			t.Errorf("status %+v", v.Status())
		}
		if want := []string{"", "one.10"}; !slices.Equal(asked, want) {
			t.Errorf("Last-Event-ID: %q, want %q", asked, want)
		}
	})
}

// A restored database begins a new epoch: the verifier takes its snapshot instead of
// what it had, and never the snapshot of an epoch that is over.
func TestFeed_TOK13_EpochChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.rules = []rule{w.rule("jti", "old")}
		oldSnapshot := w.event(w.batch(0, 1))
		v := w.start()
		synctest.Wait()
		time.Sleep(time.Minute)
		w.set(func() {
			w.epoch, w.rules = "two", nil
			for i := range 25 {
				w.rules = append(w.rules, w.rule("jti", fmt.Sprint("new", i)))
			}
			w.feed = func(c *conn) { // the first part, and then the line breaks
				_ = c.send(w.event(w.batch(0, 10)))
			}
		})
		time.Sleep(2 * time.Second)
		if _, err := v.Verify(background, w.token(map[string]any{"jti": "old"})); !errors.Is(err, verify.ErrRevoked) {
			t.Error("the old set counts until the new one is complete:", err)
		}
		w.set(func() { w.feed = w.honest })
		time.Sleep(6 * time.Second)
		if got := v.Status(); got.Epoch != "two" || got.Position != 25 || got.Rules != 25 {
			t.Errorf("status %+v", got)
		}
		w.set(func() {
			w.epoch = "cut" // ends the connection; then somebody replays
			w.feed = func(c *conn) { _ = c.send(oldSnapshot) }
		})
		time.Sleep(time.Minute)
		if got := v.Status(); got.Epoch != "two" || got.Rules != 25 {
			t.Errorf("after a replay: %+v", got)
		}
	})
}

// TOK-13: whatever a bad line does to the messages, the end is the same.
func TestFeed_TOK13_DropDuplicateReorder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				w := newWorld(t)
				kinds := []string{"jti", "grant", "session", "client", "all"}
				names := map[string]bool{}
				for range 300 {
					kind := kinds[random.IntN(len(kinds))]
					id := fmt.Sprint("id", random.IntN(100)) // names repeat
					if kind == "all" {
						id = ""
					}
					names[kind+" "+id] = true
					r := w.rule(kind, id)
					if _, timed := r["before"]; timed {
						r["before"] = random.IntN(1000)
					}
					w.rules = append(w.rules, r)
				}
				reference := w.start()
				synctest.Wait()
				w.set(func() {
					w.feed = func(c *conn) { w.faulty(c, rand.New(rand.NewPCG(seed, uint64(w.count("/revocations"))))) }
				})
				v := w.start()
				time.Sleep(30 * time.Second)
				w.set(func() { w.feed = w.honest })
				time.Sleep(time.Minute)
				if got, want := verify.Dump(v), verify.Dump(reference); !maps.Equal(got, want) || len(want) != len(names) {
					t.Errorf("%d rules, reference %d, truth %d", len(got), len(want), len(names))
				}
				if s := v.Status(); s.Position != 300 || s.Stale || !s.Ready {
					t.Errorf("status %+v", s)
				}
			})
		})
	}
}

// faulty sends batches of a random size and loses, repeats, delays and cuts them.
func (w *world) faulty(c *conn, random *rand.Rand) {
	var held []string
	for at := c.position(); at < int64(len(w.rules)); {
		to := min(int64(len(w.rules)), at+1+random.Int64N(20))
		back := random.Int64N(at + 1)
		e := w.event(w.batch(at, to))
		at = to
		ok := true
		switch random.IntN(8) {
		case 0: // lost
		case 1:
			ok = c.send(e + e)
		case 2: // late
			held = append(held, e)
		case 3:
			c.send(e[:random.IntN(len(e))])
			return
		case 4: // an old one again, which overlaps
			ok = c.send(w.event(w.batch(back, to)))
		case 5:
			ok = c.send(": nothing\r\n\r\n") && c.send(strings.ReplaceAll(e, "\n", "\r\n"))
		default:
			ok = c.send(e)
		}
		if len(held) > 2 {
			ok = ok && c.send(held[1]) && c.send(held[0])
			held = nil
		}
		if !ok {
			return
		}
	}
}
