package verify_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
)

// goDown lets nobody through to the issuer; the returned function ends that.
func (w *world) goDown() (up func()) {
	metadata, keys, feed := w.metadata, w.keys, w.feed
	down := func(*http.Request) reply { return reply{503, "text/plain", "", nil} }
	w.set(func() { w.metadata, w.keys, w.feed = down, down, func(c *conn) { c.status = 503 } })
	return func() { w.set(func() { w.metadata, w.keys, w.feed = metadata, keys, feed }) }
}

// runWith runs a verifier with a cache until stop.
func (w *world) runWith(file string, opts ...verify.Option) (v *verify.Verifier, stop func()) {
	w.t.Helper()
	opts = append([]verify.Option{verify.HTTPClient(&http.Client{Transport: w}), verify.Cache(file)}, opts...)
	v, err := verify.New(issuer, audience, opts...)
	if err != nil {
		w.t.Fatal(err)
	}
	return v, w.run(v)
}

// cached runs a verifier for a moment, after which the issuer is down and there is a file.
func (w *world) cached(file string) (up func()) {
	w.t.Helper()
	v, stop := w.runWith(file)
	<-v.Ready()
	time.Sleep(3 * time.Second)
	synctest.Wait()
	stop()
	return w.goDown()
}

// TOK-12, TOK-06: a verifier that starts while the issuer is down goes on where the one before it
// stopped, refuses what that had heard, and is no longer open than that would have been.
func TestCache_TOK12_StartsWhileTheIssuerIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, file := newWorld(t), filepath.Join(t.TempDir(), "cache")
		w.revoke("jti", "gone")
		w.revoke("client", "other")
		first, stop := w.runWith(file)
		<-first.Ready()
		w.revoke("grant", "gone, too")
		time.Sleep(30 * time.Second)
		up := w.goDown()
		stop()
		heard := first.Status().ConfirmedAt
		before := verify.Dump(first)

		time.Sleep(2 * time.Minute)
		v, stop := w.runWith(file)
		open, _ := w.runWith(file, verify.InsecureAcceptStale())
		bare := w.start(verify.InsecureAcceptStale())
		synctest.Wait()
		if !isReady(v) || fmt.Sprint(verify.Dump(v)) != fmt.Sprint(before) || len(before) != 3 {
			t.Fatalf("status %+v, rules %v", v.Status(), verify.Dump(v))
		}
		check := func(when string, v *verify.Verifier, want error) {
			t.Helper()
			long := map[string]any{"exp": time.Now().Add(time.Hour).Unix()}
			if _, err := v.Verify(background, w.token(long)); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", when, err, want)
			}
			for _, dead := range []map[string]any{{"jti": "gone"}, {"grant_id": "gone, too"}} {
				if _, err := v.Verify(background, w.token(dead)); want == nil && !errors.Is(err, verify.ErrRevoked) {
					t.Errorf("%s: %v with %v", when, err, dead)
				}
			}
		}
		check("restarted", v, nil)
		check("without a file", bare, verify.ErrNotReady)
		time.Sleep(5*time.Minute - time.Since(heard) - cacheAge)
		check("almost too late", v, nil)
		time.Sleep(cacheAge + time.Second)
		check("later", v, verify.ErrStale)
		check("InsecureAcceptStale", open, nil)
		stop()
		late, _ := w.runWith(file)
		synctest.Wait()
		check("started too late", late, verify.ErrNotReady)
		up()
		time.Sleep(20 * time.Second)
		check("when it is back", late, nil)
	})
}

// cacheAge is how old the confirmation in a file may be.
const cacheAge = 11 * time.Second

// A verifier with a file asks for what it has not heard yet, and survives a write that
// was killed.
func TestCache_ResumesTheFeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, file := newWorld(t), filepath.Join(t.TempDir(), "cache")
		for i := range 25 {
			w.rules = append(w.rules, w.rule("jti", fmt.Sprint(i)))
		}
		up := w.cached(file)
		if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		if err := os.WriteFile(file+".part", []byte("killed"), 0o644); err != nil {
			t.Fatal(err)
		}
		up()
		last := ""
		w.set(func() {
			w.feed = func(c *conn) {
				w.set(func() { last = c.last })
				w.honest(c)
			}
		})
		w.revoke("jti", "new")
		v, stop := w.runWith(file)
		time.Sleep(3 * time.Second)
		if s := v.Status(); last != "one.25" || s.RulesReceived != 1 || s.Rules != 26 || s.LastTrouble != "" {
			t.Errorf("asked from %q: %+v", last, s)
		}
		stop()
		if left, err := filepath.Glob(file + "*"); err != nil || len(left) != 1 {
			t.Errorf("files %v, %v", left, err)
		}
		w.goDown()
		again, _ := w.runWith(file)
		synctest.Wait()
		if _, err := again.Verify(background, w.token(map[string]any{"jti": "new"})); !errors.Is(err, verify.ErrRevoked) {
			t.Errorf("the newest rule: %v", err)
		}
	})
}

// TOK-06: a file that is not whole, not ours, or not only ours is not used, and one of another issuer not even
// replaced.
func TestCache_TOK06_RefusesFiles(t *testing.T) {
	t.Parallel()
	sealed := func(text string) string { // as if it had been written so
		text, _, _ = strings.Cut(text, "end ")
		return text + fmt.Sprintf("end %x\n", sha256.Sum256([]byte(text)))
	}
	for name, spoil := range map[string]func(t *testing.T, file, text string) string{
		"other issuer": func(_ *testing.T, _, text string) string { return sealed(strings.Replace(text, issuer, issuer+"x", 1)) },
		"cut off":      func(_ *testing.T, _, text string) string { return text[:len(text)-1-66] },
		"a line lost":  func(_ *testing.T, _, text string) string { return strings.Replace(text, "rule", "", 1) },
		"a bit":        func(_ *testing.T, _, text string) string { return strings.Replace(text, `"id":"a"`, `"id":"b"`, 1) },
		"appended":     func(_ *testing.T, _, text string) string { return text + "end\n" },
		"another form": func(_ *testing.T, _, text string) string { return sealed(strings.Replace(text, " 1\n", " 2\n", 1)) },
		"kind":         func(_ *testing.T, _, text string) string { return sealed(strings.Replace(text, `"jti"`, `"JTI"`, 1)) },
		"symmetric": func(_ *testing.T, _, text string) string {
			return sealed(strings.Replace(text, `[{`, `[{"kty":"oct","k":"AAAA","alg":"HS256","kid":"x"},{`, 1))
		},
		"no keys": func(_ *testing.T, _, text string) string {
			a, b, _ := strings.Cut(text, "keys ")
			_, b, _ = strings.Cut(b, "\n")
			return sealed(a + b)
		},
		"member twice": func(_ *testing.T, _, text string) string {
			return sealed(strings.Replace(text, `{"issuer"`, `{"seq":1,"issuer"`, 1))
		},
		"others may write": func(t *testing.T, file, text string) string {
			if runtime.GOOS == "windows" {
				return ""
			}
			if err := os.Chmod(file, 0o620); err != nil {
				t.Fatal(err)
			}
			return text
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, file := newWorld(t), filepath.Join(t.TempDir(), "cache")
				w.rules = []rule{w.rule("jti", "a")}
				up := w.cached(file)
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				bad := spoil(t, file, string(text))
				if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
					t.Fatal(err)
				}
				v, _ := w.runWith(file, verify.InsecureAcceptStale())
				synctest.Wait()
				if s := v.Status(); s.Ready || len(s.Keys) > 0 || s.Rules > 0 {
					t.Errorf("status %+v", s)
				}
				up()
				time.Sleep(30 * time.Second)
				after, err := os.ReadFile(file)
				if !isReady(v) || err != nil || (string(after) == bad) != (name == "other issuer") {
					t.Errorf("ready %v, %v, file:\n%s", isReady(v), err, after)
				}
			})
		})
	}
}

// TOK-12: a file of yesterday helps nobody who cares for revocations, nor one of tomorrow.
func TestCache_TOK12_Age(t *testing.T) {
	t.Parallel()
	for name, age := range map[string]time.Duration{"yesterday": 24 * time.Hour, "tomorrow": -24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, file := newWorld(t), filepath.Join(t.TempDir(), "cache")
				w.cached(file)
				clock := verify.Clock(func() time.Time { return time.Now().Add(age) })
				v, _ := w.runWith(file, clock)
				synctest.Wait()
				if s := v.Status(); s.Ready || s.Epoch != "" || !strings.HasPrefix(s.LastTrouble, "cache: ") && !strings.HasPrefix(s.LastTrouble, "keys: ") {
					t.Errorf("status %+v", s)
				}
			})
		})
	}
}

// TOK-07: what a file says of keys is not what the issuer says. Whoever stole a key and lets
// only the feed through, after the rule against it is over, gets nothing confirmed; and a key
// that was known to be dead stays so.
func TestCache_TOK07_KeysOfAFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, forged := stolen(t)
		file := filepath.Join(t.TempDir(), "cache")
		v, stop := w.runWith(file)
		<-v.Ready()
		w.cutKeys()
		time.Sleep(time.Minute)
		stop()
		v, stop = w.runWith(file)
		time.Sleep(5*time.Minute - cacheAge)
		if _, err := v.Verify(background, forged()); err != nil {
			t.Fatal("nobody knows yet:", err)
		}
		if n := w.count("/revocations"); n != 1 {
			t.Errorf("%d connections to the feed without keys of the issuer", n)
		}
		time.Sleep(cacheAge + time.Second)
		if _, err := v.Verify(background, forged()); !errors.Is(err, verify.ErrStale) {
			t.Error("keys of a file only:", err)
		}
		stop()

		w.publish(w.signer)
		v, stop = w.runWith(file)
		w.revoke("key", "stolen")
		<-v.Ready()
		time.Sleep(64 * time.Minute)
		if n := v.Status().Rules; n != 0 {
			t.Fatalf("%d rules", n)
		}
		stop()
		w.goDown()
		v, _ = w.runWith(file)
		synctest.Wait()
		if dead := verify.DeadKeys(v); !dead["stolen"] {
			t.Error("the file forgets a dead key")
		}
	})
}

// A file that cannot be written, or would be too long, is a trouble and nothing else.
func TestCache_CannotBeWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, dir := newWorld(t), t.TempDir()
		v, _ := w.runWith(filepath.Join(dir, "missing", "cache"))
		long := filepath.Join(dir, "cache")
		small, _ := w.runWith(long, verify.CacheLimit(2000))
		time.Sleep(3 * time.Second)
		if _, err := os.Stat(long); err != nil {
			t.Fatal(err)
		}
		w.revoke("jti", strings.Repeat("x", 2000))
		time.Sleep(time.Minute)
		for _, v := range []*verify.Verifier{v, small} {
			if _, err := v.Verify(background, w.token(nil)); err != nil || !strings.HasPrefix(v.Status().LastTrouble, "cache: write: ") {
				t.Errorf("%v, status %+v", err, v.Status())
			}
		}
		if left, err := filepath.Glob(long + "*"); err != nil || len(left) > 0 {
			t.Errorf("files %v, %v", left, err)
		}
	})
}
