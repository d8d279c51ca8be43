package verify_test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// watcher counts the signatures that are checked, and leaves them to the standard library.
type watcher struct{ checks atomic.Int64 }

func (w *watcher) Use(keys []*jose.Key) []jose.Check {
	checks := make([]jose.Check, len(keys))
	for i := range checks {
		checks[i] = func(_, _ []byte) (bool, bool) { w.checks.Add(1); return false, false }
	}
	return checks
}

// remembering runs a test that asks how many signatures a call checks. Messages of the
// feed are signed too, so no time may pass during a call.
func remembering(t *testing.T, test func(w *world, v *verify.Verifier, signatures func(token string, want error) int64), opts ...verify.Option) {
	t.Helper()
	seen := &watcher{}
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		test(w, v, func(token string, want error) int64 {
			t.Helper()
			synctest.Wait()
			before := seen.checks.Load()
			c, err := v.Verify(background, token)
			if !errors.Is(err, want) || (err == nil) != (c != nil) {
				t.Errorf("got %v, %v, want %v", c, err, want)
			}
			return seen.checks.Load() - before
		})
	}, append(opts, verify.Accelerate(seen))...)
}

// meet accepts a token often enough for it to be remembered.
func meet(signatures func(string, error) int64, token string) {
	signatures(token, nil)
	signatures(token, nil)
}

func TestTokenMemory_SparesSignatures(t *testing.T) {
	t.Parallel()
	remembering(t, func(w *world, v *verify.Verifier, signatures func(string, error) int64) {
		token, other := w.token(nil), w.token(map[string]any{"jti": "other"})
		if n := signatures(token, nil) + signatures(other, nil); n != 2 {
			t.Errorf("%d signatures for two tokens", n)
		}
		if n := signatures(token, nil) + signatures(other, nil); n != 2 || verify.Remembered(v) != 2 {
			t.Errorf("%d signatures for two tokens that come again; %d are remembered", n, verify.Remembered(v))
		}
		if n := signatures(strings.Clone(token), nil) + signatures(strings.Clone(other), nil); n != 0 {
			t.Errorf("%d signatures for two tokens that are known", n)
		}
		first, _ := v.Verify(background, token)
		again, _ := v.Verify(background, other)
		if first.ID == again.ID {
			t.Error("one token's claims for another")
		}
	})
	remembering(t, func(w *world, _ *verify.Verifier, signatures func(string, error) int64) {
		token := w.token(nil)
		if n := signatures(token, nil) + signatures(token, nil) + signatures(token, nil); n != 3 {
			t.Errorf("%d signatures without a memory", n)
		}
	}, verify.TokenMemory(0))
}

// JOS-11: a token is known by all its bytes.
func TestTokenMemory_JOS11_AllBytesCount(t *testing.T) {
	t.Parallel()
	remembering(t, func(w *world, _ *verify.Verifier, signatures func(string, error) int64) {
		token := w.token(nil)
		meet(signatures, token)
		for i := range token {
			if token[i] == '.' {
				continue
			}
			changed := token[:i] + string(token[i]^1) + token[i+1:]
			if n := signatures(changed, verifyError(t, w, changed)); n > 1 {
				t.Fatal(n)
			}
		}
		if n := signatures(token, nil); n != 0 {
			t.Error("a token was forgotten for others that failed")
		}
	}, verify.TokenMemory(4)) // all of them are neighbours
}

// JOS-11: two tokens with one hash are two tokens.
func TestTokenMemory_JOS11_BytesDecide(t *testing.T) {
	t.Parallel()
	remembering(t, func(w *world, v *verify.Verifier, signatures func(string, error) int64) {
		token, other := w.token(map[string]any{"jti": "token"}), w.token(map[string]any{"jti": "other"})
		meet(signatures, token)
		verify.Misplace(v, token, other)
		if c, err := v.Verify(background, other); err != nil || c.ID != "other" {
			t.Errorf("one token's claims for another: %v, %v", c, err)
		}
		verify.Misplace(v, token, other+"A")
		signatures(other+"A", verify.ErrSignature)
	})
}

// verifyError is what a verifier without a memory says.
func verifyError(t *testing.T, w *world, token string) error {
	t.Helper()
	v := w.start(verify.TokenMemory(0))
	synctest.Wait()
	_, err := v.Verify(background, token)
	if err == nil {
		t.Fatalf("accepted: %s", token)
	}
	for _, known := range []error{verify.ErrMalformed, verify.ErrSignature, verify.ErrAlgorithm, verify.ErrType, verify.ErrUnknownKey} {
		if errors.Is(err, known) {
			return known
		}
	}
	t.Fatal(err)
	return nil
}

// REV-01, TOK-04: what is decided for each request.
func TestTokenMemory_DecidesAgain(t *testing.T) {
	t.Parallel()
	remembering(t, func(w *world, v *verify.Verifier, signatures func(string, error) int64) {
		killed, left := w.token(map[string]any{"jti": "killed"}), w.token(map[string]any{"jti": "left"})
		meet(signatures, killed)
		meet(signatures, left)
		w.revoke("jti", "killed")
		synctest.Wait()
		if n := signatures(killed, verify.ErrRevoked); n != 0 {
			t.Error("a revoked token was forgotten: only its claims were to be looked up")
		}
		if n := signatures(left, nil); n != 0 {
			t.Error("another token was forgotten")
		}
		w.revoke("session", "sid") // of every token
		synctest.Wait()
		signatures(left, verify.ErrRevoked)
	})
	remembering(t, func(w *world, v *verify.Verifier, signatures func(string, error) int64) {
		c := w.claims(nil)
		token := w.token(map[string]any{"exp": c["iat"].(int64) + 120})
		meet(signatures, token)
		time.Sleep(179 * time.Second)
		signatures(token, nil)
		time.Sleep(2 * time.Second)
		signatures(token, verify.ErrExpired)
		if v.Status().Refused != 1 {
			t.Errorf("%+v", v.Status())
		}
	})
	remembering(t, func(w *world, _ *verify.Verifier, signatures func(string, error) int64) {
		token := w.token(nil)
		meet(signatures, token)
		w.set(func() { w.feed = func(c *conn) { c.status = 503 } })
		w.set(func() { w.epoch = "gone" })         // ends the connections
		time.Sleep(5*time.Minute + 10*time.Second) // a token of usual life would be over
		signatures(token, verify.ErrStale)
	})
}

// TOK-12: a token that the rules before said nothing of is held against those that come.
func TestTokenMemory_TOK12_NewBundle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		file := filepath.Join(t.TempDir(), "bundle")
		w.carry(file, w.bundle(w.signer))
		v, token := w.offline(file, 24*time.Hour), w.token(nil)
		for range 3 {
			if _, err := v.Verify(background, token); err != nil {
				t.Fatal(err)
			}
		}
		if verify.Remembered(v) != 1 {
			t.Fatal("the token is not remembered")
		}
		w.revoke("jti", "jti")
		time.Sleep(time.Second)
		w.carry(file, w.bundle(w.signer))
		time.Sleep(10 * time.Second)
		if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrRevoked) {
			t.Errorf("%v with %+v", err, v.Status())
		}
	})
}

// TOK-07: a key that is gone has verified nothing.
func TestTokenMemory_TOK07_EndsWithTheKey(t *testing.T) {
	t.Parallel()
	remembering(t, func(w *world, v *verify.Verifier, signatures func(string, error) int64) {
		token := w.token(nil)
		meet(signatures, token)
		next := newSigner(t, "key-2")
		w.set(func() {
			keys := w.jwks(w.signer, next)
			w.keys = func(*http.Request) reply { return reply{200, "application/json", keys, nil} }
		})
		for len(v.Status().Keys) < 2 {
			time.Sleep(time.Second) // before everything that is over is swept away
		}
		if n := signatures(token, nil); n != 1 {
			t.Errorf("%d signatures with another key set", n)
		}
		w.set(func() {
			keys := w.jwks(next)
			w.feed = func(c *conn) { w.signer = next; w.honest(c) }
			w.keys = func(*http.Request) reply { return reply{200, "application/json", keys, nil} }
		})
		for len(v.Status().Keys) > 1 {
			time.Sleep(time.Second)
		}
		signatures(token, verify.ErrUnknownKey)
	})
	remembering(t, func(w *world, _ *verify.Verifier, signatures func(string, error) int64) {
		token := w.token(nil)
		meet(signatures, token)
		time.Sleep(11 * time.Minute) // the same set is fetched again
		if n := signatures(token, nil); n != 0 {
			t.Errorf("%d signatures with the same key set", n)
		}
	})
}

// It is bounded, and never takes one token for another.
func TestTokenMemory_Bounded(t *testing.T) {
	t.Parallel()
	remembering(t, func(w *world, v *verify.Verifier, signatures func(string, error) int64) {
		var tokens []string
		for range 200 {
			tokens = append(tokens, w.token(map[string]any{"jti": rand.Text()}))
		}
		meet(signatures, tokens[0])
		for _, token := range tokens[1:] {
			signatures(token, nil)
		}
		if n := signatures(tokens[0], nil); n != 0 {
			t.Error("tokens that came once have driven out one that comes again")
		}
		for _, token := range tokens {
			meet(signatures, token)
		}
		if n := verify.Remembered(v); n < 16 || n > 32 {
			t.Errorf("%d tokens in a memory for 32", n)
		}
		time.Sleep(65 * time.Minute)
		if n := verify.Remembered(v); n != 0 {
			t.Errorf("%d tokens are still there though all are over", n)
		}
		long := w.token(map[string]any{"other": strings.Repeat("x", 4<<10)})
		if n := signatures(long, nil) + signatures(long, nil) + signatures(long, nil); n != 3 {
			t.Errorf("%d signatures for a token that is too long to be remembered", n)
		}
	}, verify.TokenMemory(32))
}

// A token is refused no later than its revocation is known, whoever asks meanwhile.
func TestTokenMemory_Concurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.start(verify.TokenMemory(16))
	<-v.Ready()
	var tokens []string
	for i := range 40 {
		tokens = append(tokens, w.token(map[string]any{"jti": strconv.Itoa(i)}))
	}
	stop, done := make(chan struct{}), make(chan struct{})
	for range 2 {
		go func() {
			defer func() { done <- struct{}{} }()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				c, err := v.Verify(background, tokens[n%len(tokens)])
				if err == nil && c.ID != strconv.Itoa(n%len(tokens)) {
					t.Errorf("token %d: claims of %s", n%len(tokens), c.ID)
				}
			}
		}()
	}
	for i, token := range tokens {
		w.revoke("jti", strconv.Itoa(i))
		for v.Status().Position < int64(i+1) {
			time.Sleep(100 * time.Microsecond)
		}
		if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrRevoked) {
			t.Errorf("token %d: %v", i, err)
		}
	}
	close(stop)
	<-done
	<-done
}

// What is not handed out is not allocated.
func TestVerify_Allocations(t *testing.T) {
	w := newWorld(t)
	v := w.start()
	<-v.Ready()
	var tokens []string
	for range 120 {
		tokens = append(tokens, w.token(map[string]any{"jti": rand.Text(), "amr": []string{"pwd", "otp"}, "scope": "a b c d e f"}))
	}
	next := 0
	verifyNext := func() {
		if _, err := v.Verify(background, tokens[next]); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { verifyNext(); next++ }); n > 2 {
		t.Errorf("%v allocations at first sight", n)
	}
	next = 0
	if n := testing.AllocsPerRun(100, verifyNext); n != 0 {
		t.Errorf("%v allocations for a token that is known", n)
	}
}

// TestTokenMemory_Times: a remembered token holds at no time at which its claims do not, nor
// the other way round, where nanoseconds can be counted.
func TestTokenMemory_Times(t *testing.T) {
	t.Parallel()
	seconds := []int64{0, 59, 60, 61, 1700000000, 1700000300, 9223371976, 9223372035, 9223372036, 9223372037, 253402300799}
	offsets := []time.Duration{0, 1, -1, time.Second - 1, time.Second, 825 * time.Millisecond, time.Minute, -time.Minute, 1 - time.Minute, -1 - time.Minute}
	ages := []int64{0, 1 << 32, -1 << 32, -11676096000, -18446744074, 18446744073} // nanoseconds of 64 bits meet again after 584 years
	held := 0
	for _, issued := range seconds {
		for _, expires := range seconds {
			for i, notBefore := range append(seconds, -1) {
				c := verify.Claims{IssuedAt: time.Unix(issued, 0), ExpiresAt: time.Unix(expires, 0)}
				if notBefore >= 0 {
					c.NotBefore = time.Unix(notBefore, 0)
				}
				leeway := offsets[i%4+3]
				for _, base := range []int64{issued, expires, max(notBefore, 0)} {
					for _, age := range ages {
						for _, offset := range offsets {
							now := time.Unix(base+age, 0).Add(offset)
							remembered, checked := verify.Holds(now, c, leeway)
							countable := now.Unix() < 9223372036 && now.Unix() > -9223372036
							if remembered && !checked || countable && remembered != checked {
								t.Fatalf("at %v, leeway %v, %v %v %v: remembered %v, checked %v", now, leeway, c.IssuedAt, c.NotBefore, c.ExpiresAt, remembered, checked)
							}
							if remembered {
								held++
							}
						}
					}
				}
			}
		}
	}
	if held < 1000 {
		t.Errorf("only %d times hold: the cases are not what they are called", held)
	}
}
