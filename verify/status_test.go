package verify_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// accepting compares what a verifier says of itself with what it does with a good token.
func (w *world) accepting(v *verify.Verifier, when string, want bool) {
	w.t.Helper()
	synctest.Wait()
	said := v.Status()
	if _, err := v.Verify(background, w.token(nil)); said.Accepting != want || (err == nil) != want {
		w.t.Errorf("%s: accepting %v, %v, want %v: %+v", when, said.Accepting, err, want, said)
	}
}

func TestStatus_Accepting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.set(func() { w.feed = (*conn).hold })
		limit := verify.MaxStaleness(time.Minute)
		v, open := w.start(limit), w.start(limit, verify.InsecureAcceptStale())
		cold, err := verify.New(issuer, audience)
		if err != nil {
			t.Fatal(err)
		}
		w.accepting(cold, "before Run", false)
		w.accepting(v, "keys, no revocations", false)
		w.accepting(open, "keys, no revocations, stale is accepted", false)
		w.set(func() { w.feed = w.honest })
		time.Sleep(time.Minute) // the silent line is given up
		w.accepting(v, "all here", true)
		w.accepting(open, "all here, stale is accepted", true)
		up := w.goDown()
		w.set(func() { w.epoch = "two" }) // the lines end
		time.Sleep(30 * time.Second)
		w.accepting(v, "down for less than the limit", true)
		time.Sleep(time.Minute)
		w.accepting(v, "stale", false)
		w.accepting(open, "stale, which is accepted", true)
		up()
		time.Sleep(time.Minute)
		w.accepting(v, "back", true)
		w.revoke("key", "key-1")
		w.accepting(v, "the only key is retired", false)
		w.accepting(open, "the only key is retired, stale is accepted", false)
	})
}

// Where keys and revocations do not come from the issuer.
func TestStatus_AcceptingFromFiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		file := filepath.Join(t.TempDir(), "bundle")
		bundled := w.offline(file, time.Hour)
		w.accepting(bundled, "no bundle", false)
		w.carry(file, w.bundle(w.signer))
		time.Sleep(10 * time.Second)
		w.accepting(bundled, "bundle", true)
		time.Sleep(time.Hour)
		w.accepting(bundled, "bundle over MaxAge", false)

		keys, err := jose.NewKeySet(w.signer.Key())
		if err != nil {
			t.Fatal(err)
		}
		static, err := verify.New(issuer, audience, verify.InsecureStaticKeys(keys))
		if err != nil {
			t.Fatal(err)
		}
		w.accepting(static, "static keys", true)

		cache := filepath.Join(t.TempDir(), "cache")
		w.cached(cache)
		kept, _ := w.runWith(cache)
		w.accepting(kept, "cache", true)
		time.Sleep(6 * time.Minute)
		w.accepting(kept, "stale cache", false)
	})
}

// The time is that of the failure, and stays when all is well again.
func TestStatus_TroubleAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		healthy := w.start()
		synctest.Wait()
		if s := healthy.Status(); s.LastTrouble != "" || !s.TroubleAt.IsZero() {
			t.Errorf("no trouble: %q %v", s.LastTrouble, s.TroubleAt)
		}
		up := w.goDown()
		var failed time.Time
		v := w.start(verify.HTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := w.RoundTrip(r)
			if resp != nil && resp.StatusCode != 200 {
				failed = time.Now()
			}
			return resp, err
		})}))
		synctest.Wait()
		if s := v.Status(); !strings.HasPrefix(s.LastTrouble, "keys: ") || !s.TroubleAt.Equal(failed) {
			t.Errorf("down: %q %v, want %v", s.LastTrouble, s.TroubleAt, failed)
		}
		up()
		time.Sleep(time.Hour)
		if s := v.Status(); !s.Accepting || !s.TroubleAt.Equal(failed) || !time.Now().After(failed) {
			t.Errorf("up again: %+v, want %v", s, failed)
		}
	})
}
