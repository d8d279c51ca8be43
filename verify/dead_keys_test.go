package verify_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// stolen is a world whose key "stolen" is retired by the first rule, and whose key set
// cannot be fetched any more. forged is a token of it that is always young.
func stolen(t *testing.T) (w *world, thief *jose.Signer, forged func() string) {
	w, thief = newWorld(t), newSigner(t, "stolen")
	w.publish(w.signer, thief)
	return w, thief, func() string { return w.sign(thief, "at+jwt", w.claims(map[string]any{"grant_id": "made up"})) }
}

func (w *world) cutKeys() {
	w.set(func() { w.keys = func(*http.Request) reply { return reply{503, "text/plain", "", nil} } })
}

// told is the event with the rules from < seq ≤ to, for one who does not hold mu.
func (w *world) told(from, to int64) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.event(w.batch(from, to))
}

func refused(t *testing.T, v *verify.Verifier, when, token string) {
	t.Helper()
	var revoked *verify.RevokedError
	if _, err := v.Verify(background, token); !errors.As(err, &revoked) || revoked.Rule.Kind != verify.RuleKey || revoked.Rule.ID != "stolen" {
		t.Errorf("%s: %v with %+v", when, err, v.Status())
	}
}

// TOK-07: a retired key is dead for ever, though its rule is over after an hour and the
// thief lets no new key set through: he writes any "exp" into what he forges.
func TestKeys_TOK07_RetiredKeyStaysDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, thief, forged := stolen(t)
		v := w.start()
		<-v.Ready()
		if _, err := v.Verify(background, forged()); err != nil {
			t.Fatal("before:", err)
		}
		w.cutKeys()
		w.revoke("key", "stolen")
		synctest.Wait()
		refused(t, v, "at once", forged())
		time.Sleep(64 * time.Minute)
		refused(t, v, "when the rule is over", forged())
		if s := v.Status(); s.Rules != 0 || strings.Join(s.Keys, " ") != "key-1" {
			t.Errorf("status %+v", s)
		}
		id := w.sign(thief, "JWT", w.claims(map[string]any{"aud": "c"}))
		if _, err := v.VerifyIDToken(background, id, "c", ""); !errors.Is(err, verify.ErrRevoked) {
			t.Error("ID token:", err)
		}
		if _, err := v.Verify(background, w.token(nil)); err != nil {
			t.Error("token of the other key:", err)
		}

		w.publish(w.signer, thief) // a set from before, out of some cache
		time.Sleep(10 * time.Minute)
		refused(t, v, "published again", forged())

		w.set(func() { w.signer, w.epoch, w.rules = thief, "two", nil })
		time.Sleep(time.Minute)
		if s := v.Status(); s.Epoch != "one" || !strings.Contains(s.LastTrouble, "revoked key") {
			t.Errorf("the thief begins an epoch: %+v", s)
		}
	})
}

// TOK-07: a retired key stays dead in the next epoch of the log, and one that is retired
// there is dead before that log is here to its end.
func TestKeys_TOK07_RetiredKeyStaysDeadInTheNextEpoch(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before", "in it"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, _, forged := stolen(t)
				v := w.start()
				<-v.Ready()
				if when == "before" {
					w.revoke("key", "stolen")
				}
				synctest.Wait()
				time.Sleep(time.Second)
				w.set(func() {
					w.epoch, w.rules = "two", nil
					for i := range 25 {
						w.rules = append(w.rules, w.rule("jti", fmt.Sprint(i)))
					}
					if when == "in it" {
						w.rules[3] = w.rule("key", "stolen")
						w.rules[3]["seq"] = 4
					}
					w.feed = func(c *conn) { c.send(w.told(0, 10)) } // and no more
				})
				time.Sleep(10 * time.Second)
				refused(t, v, "while the new log is not complete", forged())
				w.set(func() { w.feed = w.honest })
				time.Sleep(6 * time.Second)
				refused(t, v, "when it is", forged())
			})
		})
	}
}

// TOK-07, DOS-01: some hundred retired keys are remembered, the newest, and of those that
// could still verify something every one.
func TestKeys_TOK07_DeadKeysAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, forged := stolen(t)
		v := w.start()
		<-v.Ready()
		w.cutKeys()
		w.revoke("key", "stolen")
		for i := range 1000 {
			w.revoke("key", fmt.Sprint("k", i))
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if n := v.Status().Rules; n != 1001 {
			t.Errorf("%d rules", n)
		}
		time.Sleep(64 * time.Minute)
		refused(t, v, "a thousand keys later", forged())
		dead := verify.DeadKeys(v)
		if len(dead) != 257 || dead["k743"] || !dead["k744"] || !dead["k999"] {
			t.Errorf("%d keys are remembered", len(dead))
		}
	})
}
