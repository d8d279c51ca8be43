package verify_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
)

var background = context.Background()

// TOK-12: a revoked token is refused as soon as the feed says so, whatever names it.
func TestFeed_TOK12_RevokedIsRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ kind, id string }{
		{"jti", "jti"}, {"grant", "grant"}, {"session", "sid"}, {"client", "client"}, {"all", ""},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				v := w.start()
				synctest.Wait()
				token := w.token(nil)
				if _, err := v.Verify(background, token); err != nil {
					t.Fatal("before:", err)
				}
				if tc.id != "" {
					w.revoke(tc.kind, "another")
					synctest.Wait()
					if _, err := v.Verify(background, token); err != nil {
						t.Fatal("another one revoked:", err)
					}
				}
				revokedAt := time.Now()
				w.revoke(tc.kind, tc.id)
				synctest.Wait() // no time passes
				_, err := v.Verify(background, token)
				var revoked *verify.RevokedError
				if !errors.Is(err, verify.ErrRevoked) || !errors.As(err, &revoked) {
					t.Fatal("after:", err)
				}
				if revoked.Rule.Kind != verify.RuleKind(tc.kind) || revoked.Rule.ID != tc.id || !revoked.At.Equal(revokedAt) || !revoked.HeardAt.Equal(revokedAt) {
					t.Errorf("got %+v", revoked)
				}
				// Client and all: what is issued later lives.
				later := w.token(map[string]any{"iat": revokedAt.Unix() + 1, "jti": "new", "sid": nil, "grant_id": nil})
				if _, err := v.Verify(background, later); err != nil {
					t.Error("a later token:", err)
				}
			})
		})
	}
}

// A key that leaked verifies nothing any more, and must not edit the revocations either.
func TestFeed_RevokedKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		leaked, good := w.signer, newSigner(w.t, "key-2")
		doc := w.jwks(leaked, good)
		w.keys = func(*http.Request) reply { return reply{200, "application/json", doc, nil} }
		v := w.start()
		synctest.Wait()
		token := w.token(nil)
		if _, err := v.Verify(background, token); err != nil {
			t.Fatal("before:", err)
		}
		w.set(func() {
			w.signer = good
			w.rules = append(w.rules, w.rule("key", "key-1"))
		})
		synctest.Wait()
		if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrRevoked) {
			t.Error("token of the leaked key:", err)
		}
		if _, err := v.VerifyIDToken(background, w.sign(leaked, "JWT", w.claims(map[string]any{"aud": "c"})), "c", ""); !errors.Is(err, verify.ErrRevoked) {
			t.Error("ID token of the leaked key:", err)
		}
		if _, err := v.Verify(background, w.token(nil)); err != nil {
			t.Error("token of the other key:", err)
		}
		// The thief answers the next connection with an empty log of a new epoch.
		w.set(func() {
			w.signer, w.epoch, w.rules = leaked, "two", nil
		})
		time.Sleep(time.Minute)
		if got := v.Status(); got.Epoch != "one" || got.Rules != 1 || !strings.Contains(got.LastTrouble, "revoked key") {
			t.Errorf("status %+v", got)
		}
		if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrRevoked) {
			t.Error("after the attack:", err)
		}
	})
}

// TOK-12: a verifier that hears nothing refuses after its limit.
func TestFeed_TOK12_CutLinkIsClosedAfterLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v := w.start(verify.MaxStaleness(time.Minute))
		open := w.start(verify.MaxStaleness(time.Minute), verify.InsecureAcceptStale())
		synctest.Wait()
		w.set(func() { w.feed = func(c *conn) { c.status = 500 } })
		heard := v.Status().ConfirmedAt
		token := w.token(nil)
		w.set(func() { w.epoch = "gone" }) // ends the connections
		time.Sleep(time.Minute - time.Since(heard))
		if _, err := v.Verify(background, token); err != nil {
			t.Error("at the limit:", err)
		}
		time.Sleep(time.Millisecond)
		if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrStale) {
			t.Error("after the limit:", err)
		}
		if _, err := v.VerifyIDToken(background, w.sign(w.signer, "JWT", w.claims(map[string]any{"aud": "c"})), "c", ""); !errors.Is(err, verify.ErrStale) {
			t.Error("ID token after the limit:", err)
		}
		if _, err := v.Verify(background, "x.y.z"); !errors.Is(err, verify.ErrMalformed) {
			t.Error("a bad token stays bad:", err)
		}
		if _, err := open.Verify(background, token); err != nil {
			t.Error("InsecureAcceptStale:", err)
		}
		if s := v.Status(); !s.Stale || !s.Ready || s.Staleness != time.Minute+time.Millisecond {
			t.Errorf("status %+v", s)
		}
		w.set(func() { w.feed, w.epoch = w.honest, "one" })
		time.Sleep(6 * time.Second)
		if _, err := v.Verify(background, token); err != nil {
			t.Error("after the line is back:", err)
		}
	})
}

// Heartbeats that do not confirm do not help: another log's end, an old signature.
func TestFeed_UnconfirmedIsStale(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(batch map[string]any){
		"head is further":   func(b map[string]any) { b["head"] = 1 },
		"signed before":     func(b map[string]any) { b["iat"] = time.Now().Add(-61 * time.Second).Unix() },
		"signed in future":  func(b map[string]any) { b["iat"] = time.Now().Add(62 * time.Second).Unix() },
		"other issuer":      func(b map[string]any) { b["iss"] = issuer + "/" },
		"other audience":    func(b map[string]any) { b["aud"] = issuer },
		"from is a float":   func(b map[string]any) { b["from"] = 0.5 },
		"from is missing":   func(b map[string]any) { delete(b, "from") },
		"rules are missing": func(b map[string]any) { delete(b, "rules") },
		"epoch has a dot":   func(b map[string]any) { b["epoch"] = "a.b" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.feed = func(c *conn) {
					for {
						b := w.batch(0, 0)
						change(b)
						if !c.send(w.event(b)) || !c.pause(5*time.Second) {
							return
						}
					}
				}
				v := w.start()
				time.Sleep(5 * time.Minute)
				if isReady(v) {
					t.Error("ready")
				}
				if _, err := v.Verify(background, w.token(nil)); !errors.Is(err, verify.ErrNotReady) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

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

// A node that cannot confirm sends nothing: the verifier tries another connection, which
// may reach another node.
func TestFeed_SilentConnectionIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.feed = func(c *conn) { // one confirmation, then only comments
			for ok := c.send(w.event(w.batch(0, 0))); ok; ok = c.pause(time.Second) && c.send(": still here\n\n") {
			}
		}
		w.start()
		time.Sleep(65 * time.Second)
		if n := w.count("/revocations"); n < 3 || n > 4 {
			t.Errorf("%d connections", n)
		}
	})
}

// Answers that are no feed are not read.
func TestFeed_RefusesOtherAnswers(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *conn){
		"500":           func(c *conn) { c.status = 500 },
		"redirect":      func(c *conn) { c.status = 302 },
		"204":           func(c *conn) { c.status = 204 },
		"HTML":          func(c *conn) { c.kind = "text/html" },
		"no type":       func(c *conn) { c.kind = "" },
		"several types": func(c *conn) { c.kind = "text/event-stream, text/html" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.feed = func(c *conn) {
					change(c)
					c.send(w.event(w.batch(0, 0)))
				}
				v := w.start()
				time.Sleep(time.Minute)
				if isReady(v) {
					t.Error("ready")
				}
			})
		})
	}
}

// Rules go when no token can live that they name.
func TestFeed_ForgetsRules(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 500 {
			w.rules = append(w.rules, w.rule("jti", fmt.Sprint(i)))
		}
		v := w.start()
		time.Sleep(time.Hour + time.Minute)
		if n := v.Status().Rules; n != 500 {
			t.Errorf("%d rules before their time", n)
		}
		time.Sleep(2 * time.Minute)
		if n := v.Status().Rules; n != 0 {
			t.Errorf("%d rules left", n)
		}
	})
}

// Run may end and begin again; it goes on where it was.
func TestRun_Again(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.rules = []rule{w.rule("jti", "a")}
		v, err := verify.New(issuer, audience, verify.HTTPClient(&http.Client{Transport: w}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(background, w.token(nil)); !errors.Is(err, verify.ErrNotReady) {
			t.Error("before Run:", err)
		}
		stop := w.run(v)
		<-v.Ready()
		if err := v.Run(background); err == nil {
			t.Error("two at once")
		}
		stop()
		w.revoke("jti", "jti")
		last := ""
		w.set(func() {
			w.feed = func(c *conn) {
				w.set(func() { last = c.last })
				w.honest(c)
			}
		})
		ctx, cancel := context.WithCancel(background)
		result := make(chan error)
		go func() { result <- v.Run(ctx) }()
		time.Sleep(time.Second)
		if _, err := v.Verify(background, w.token(nil)); !errors.Is(err, verify.ErrRevoked) || last != "one.1" {
			t.Errorf("got %v, asked from %q", err, last)
		}
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
}
