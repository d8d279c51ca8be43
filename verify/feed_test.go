package verify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
				if want := fmt.Sprintf("(rule %d)", revoked.Rule.Seq); !strings.HasSuffix(err.Error(), want) {
					t.Errorf("text %q", err)
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
