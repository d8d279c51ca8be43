package verify_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
)

// TOK-05: 10,000 made-up names within a pause are one fetch at most, and a real new key
// among them is here after the next one that is permitted.
func TestKeys_TOK05_NewKeyInAFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v := w.start()
		synctest.Wait()
		next := newSigner(t, "next")
		fresh := w.sign(next, "at+jwt", w.claims(nil))
		before, begun := w.count("/jwks.json"), time.Now()
		for n := range 10_000 {
			if n == 5000 { // not published yet: the wish is in vain
				_, _ = v.Verify(background, fresh)
			}
			header := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"EdDSA","typ":"at+jwt","kid":"no %d"}`, n))
			if _, err := v.Verify(background, header+".e30.AAAA"); !errors.Is(err, verify.ErrUnknownKey) {
				t.Fatal(err)
			}
			time.Sleep(29 * time.Second / 10_000)
		}
		synctest.Wait()
		if n := w.count("/jwks.json") - before; n > 1 {
			t.Errorf("%d fetches in %v", n, time.Since(begun))
		}
		w.publish(w.signer, next)
		for range 31 { // the pause, and the second after it
			_, _ = v.Verify(background, fresh)
			time.Sleep(time.Second)
		}
		if _, err := v.Verify(background, fresh); err != nil {
			t.Errorf("%v after %v and %d fetches", err, time.Since(begun), w.count("/jwks.json")-before)
		}
	})
}

// TOK-05: a name that no fetch brings asks more and more rarely, and is found by the
// regular fetch all the same.
func TestKeys_TOK05_NameThatNobodyKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v := w.start()
		synctest.Wait()
		late := newSigner(t, "late")
		token := w.sign(late, "at+jwt", w.claims(map[string]any{"exp": time.Now().Add(3 * time.Hour).Unix()}))
		ask := func(seconds int) {
			for range seconds {
				_, _ = v.Verify(background, token)
				time.Sleep(time.Second)
			}
		}
		ask(3600)
		if n := w.count("/jwks.json"); n > 20 {
			t.Errorf("%d fetches in an hour", n)
		}
		w.publish(w.signer, late)
		ask(301)
		if _, err := v.Verify(background, token); err != nil {
			t.Error("when it is published:", err)
		}
	})
}

// TOK-05: an issuer that fails is asked more and more rarely, each time at another
// moment, and found again within minutes.
func TestKeys_TOK05_FailuresBackOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v := w.start()
		other := w.start()
		synctest.Wait()
		w.cutKeys()
		before, hits := w.count("/jwks.json"), map[time.Duration]int{}
		begun := time.Now()
		w.set(func() {
			down := w.keys
			w.keys = func(r *http.Request) reply {
				w.mu.Lock()
				hits[time.Since(begun)]++
				w.mu.Unlock()
				return down(r)
			}
		})
		unknown := w.sign(newSigner(t, "no such key"), "at+jwt", w.claims(nil))
		for range 3600 {
			_, _ = v.Verify(background, unknown)
			_, _ = other.Verify(background, unknown)
			time.Sleep(time.Second)
		}
		if n := w.count("/jwks.json") - before; n < 2*3600/160 || n > 2*3600/100 {
			t.Errorf("%d fetches by two in an hour", n)
		}
		for at, n := range hits {
			if n > 1 && at > time.Minute {
				t.Errorf("%d at once after %v", n, at)
			}
		}
		next := newSigner(t, "next")
		w.publish(w.signer, next)
		time.Sleep(3 * time.Minute)
		for _, v := range []*verify.Verifier{v, other} {
			if _, err := v.Verify(background, w.sign(next, "at+jwt", w.claims(nil))); err != nil {
				t.Error("when it is back:", err)
			}
		}
	})
}
