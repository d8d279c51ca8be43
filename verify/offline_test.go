package verify_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

func thumbprint(t testing.TB, s *jose.Signer) string {
	t.Helper()
	name, err := jose.Thumbprint(s.Key().Public())
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// bundle is the payload of a bundle made now, good for a day.
func (w *world) bundle(signers ...*jose.Signer) map[string]any {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.batch(0, int64(len(w.rules)))
	b["aud"], b["exp"] = issuer+"/bundle", w.now().Add(24*time.Hour).Unix()
	b["keys"] = json.RawMessage(w.jwks(signers...))
	return b
}

func (w *world) carry(file string, payload map[string]any) {
	w.t.Helper()
	doc := w.sign(w.signer, "signet-bundle+jwt", payload) + "\n"
	if err := os.WriteFile(file+".new", []byte(doc), 0o600); err != nil {
		w.t.Fatal(err)
	}
	now := w.now()
	if err := errors.Join(os.Chtimes(file+".new", now, now), os.Rename(file+".new", file)); err != nil {
		w.t.Fatal(err)
	}
}

// offline runs a verifier of a bundle, which must not use the network.
func (w *world) offline(file string, maxAge time.Duration, signers ...string) *verify.Verifier {
	w.t.Helper()
	if len(signers) == 0 {
		signers = []string{thumbprint(w.t, w.signer)}
	}
	v, err := verify.NewOffline(issuer, audience, verify.Bundle{File: file, Signers: signers, MaxAge: maxAge},
		verify.HTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			w.t.Error("dialled", r.URL)
			return nil, errors.New("no network")
		})}))
	if err != nil {
		w.t.Fatal(err)
	}
	w.run(v)
	synctest.Wait()
	return v
}

func (w *world) expect(v *verify.Verifier, when string, want error, claims map[string]any) {
	w.t.Helper()
	all := map[string]any{"exp": w.now().Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
	}
	if _, err := v.Verify(background, w.token(all)); !errors.Is(err, want) || want == nil && err != nil {
		w.t.Errorf("%s: %v, want %v (%s)", when, err, want, v.Status().LastTrouble)
	}
}

// TOK-12: with a bundle and no network, tokens are checked and what was revoked until then is
// refused; a bundle that is carried in is taken up, and one that is too old is good for nothing.
func TestOffline_TOK12_Bundle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, file := newWorld(t), filepath.Join(t.TempDir(), "bundle")
		w.revoke("jti", "gone")
		v := w.offline(file, 2*time.Hour)
		w.expect(v, "no file yet", verify.ErrNotReady, nil)
		w.carry(file, w.bundle(w.signer))
		time.Sleep(6 * time.Second)
		if !isReady(v) {
			t.Fatalf("status %+v", v.Status())
		}
		w.expect(v, "carried in", nil, nil)
		w.expect(v, "revoked before", verify.ErrRevoked, map[string]any{"jti": "gone"})
		known := w.token(nil)
		if _, err := v.Verify(background, known); err != nil {
			t.Error(err)
		}
		w.revoke("grant", "grant")
		w.expect(v, "revoked since", nil, nil)
		w.carry(file, w.bundle(w.signer))
		made := time.Now()
		time.Sleep(6 * time.Second)
		w.expect(v, "the next bundle", verify.ErrRevoked, nil)
		if _, err := v.Verify(background, known); !errors.Is(err, verify.ErrRevoked) {
			t.Error("a token that was accepted before:", err)
		}
		living := map[string]any{"grant_id": "other"}
		w.expect(v, "the next bundle, others", nil, living)
		if s := v.Status(); s.Position != 2 || s.Epoch != "one" || !s.ConfirmedAt.Equal(made.Truncate(time.Second)) || s.LastTrouble == "" {
			t.Errorf("status %+v", s)
		}
		time.Sleep(2*time.Hour - time.Since(v.Status().ConfirmedAt))
		w.expect(v, "at its greatest age", nil, living)
		time.Sleep(time.Second)
		w.expect(v, "too old", verify.ErrStale, living)
		short := w.bundle(w.signer)
		short["exp"] = time.Now().Add(time.Minute).Unix()
		w.carry(file, short)
		time.Sleep(59 * time.Second)
		w.expect(v, "until it says that it is over", nil, living)
		time.Sleep(2 * time.Second)
		w.expect(v, "after that", verify.ErrStale, living)
	})
}

// TOK-13: an older bundle does not take the place of a newer one, nor does one of another issuer, of
// another signer, of a revoked one, or one that is damaged.
func TestOffline_TOK13_RefusesBundles(t *testing.T) {
	t.Parallel()
	member := func(name string, value any) func(*world, string, map[string]any) {
		return func(w *world, file string, b map[string]any) {
			if b[name] = value; value == nil {
				delete(b, name)
			}
			w.carry(file, b)
		}
	}
	for name, carry := range map[string]func(w *world, file string, b map[string]any){
		"older": func(w *world, file string, b map[string]any) {
			b["now"] = b["now"].(int64) - 3600_000
			w.carry(file, b)
		},
		"other issuer":   member("iss", issuer+"x"),
		"other use":      member("aud", issuer+"/revocations"),
		"from tomorrow":  func(w *world, file string, b map[string]any) { b["iat"] = b["iat"].(int64) + 86000; w.carry(file, b) },
		"no end":         member("exp", nil),
		"ends before":    member("exp", 1),
		"no keys":        member("keys", nil),
		"empty keys":     member("keys", json.RawMessage(`{"keys":[]}`)),
		"no rules":       member("rules", nil),
		"unknown kind":   member("rules", []rule{{"seq": 1, "kind": "user", "id": "u", "at": 1, "until": int64(1) << 32}}),
		"not all":        member("head", 100),
		"not from 0":     member("from", 1),
		"not signed":     func(w *world, file string, b map[string]any) { w.keep(file, strings.Repeat("A", 86), b) },
		"cut off":        func(w *world, file string, b map[string]any) { w.keep(file, "", b) },
		"another signer": func(w *world, file string, b map[string]any) { w.thief(file, b, "thief") },
		"its name":       func(w *world, file string, b map[string]any) { w.thief(file, b, "key-1") },
		"a batch": func(w *world, file string, b map[string]any) {
			w.write(file, w.sign(w.signer, "revocations+jwt", b))
		},
		"against itself": func(w *world, file string, b map[string]any) {
			b["rules"] = []rule{w.rule("key", "key-1")}
			b["rules"].([]rule)[0]["seq"] = 1
			w.carry(file, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, file := newWorld(t), filepath.Join(t.TempDir(), "bundle")
				w.revoke("jti", "gone")
				w.carry(file, w.bundle(w.signer))
				v := w.offline(file, 24*time.Hour)
				w.set(func() { w.rules[0] = w.rule("jti", "other"); w.rules[0]["seq"] = 1 })
				time.Sleep(10 * time.Minute)
				b := w.bundle(w.signer)
				carry(w, file, b)
				time.Sleep(6 * time.Second)
				w.expect(v, "the bundle before", verify.ErrRevoked, map[string]any{"jti": "gone"})
				w.expect(v, "the bad one", nil, map[string]any{"jti": "other"})
				if s := v.Status(); !strings.HasPrefix(s.LastTrouble, "bundle: ") {
					t.Errorf("status %+v", s)
				}
				if name != "older" {
					w.expect(w.offline(file, 24*time.Hour), "alone", verify.ErrNotReady, nil)
				}
			})
		})
	}
}

func (w *world) write(file, doc string) {
	w.t.Helper()
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// keep carries a bundle with another signature.
func (w *world) keep(file, signature string, payload map[string]any) {
	doc := w.sign(w.signer, "signet-bundle+jwt", payload)
	w.write(file, doc[:strings.LastIndexByte(doc, '.')+1]+signature)
}

// thief carries a bundle with a key of his own in it, which signs it.
func (w *world) thief(file string, payload map[string]any, kid string) {
	own := newSigner(w.t, kid)
	signers := []*jose.Signer{own}
	if kid != "key-1" {
		signers = append(signers, w.signer)
	}
	payload["keys"] = json.RawMessage(w.jwks(signers...))
	w.write(file, w.sign(own, "signet-bundle+jwt", payload))
}

// TOK-07: a key that one bundle retires stays dead, also in a later one.
func TestOffline_TOK07_DeadKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, thief, forged := stolen(t)
		file := filepath.Join(t.TempDir(), "bundle")
		w.carry(file, w.bundle(w.signer, thief))
		v := w.offline(file, 24*time.Hour, thumbprint(t, w.signer), thumbprint(t, thief))
		if _, err := v.Verify(background, forged()); err != nil {
			t.Fatal(err)
		}
		w.revoke("key", "stolen")
		time.Sleep(time.Second)
		w.carry(file, w.bundle(w.signer, thief))
		time.Sleep(10 * time.Second)
		refused(t, v, "retired", forged())
		w.set(func() { w.rules[0] = nil }) // over
		b := w.bundle(w.signer, thief)
		w.write(file, w.sign(thief, "signet-bundle+jwt", b))
		time.Sleep(10 * time.Second)
		if s := v.Status(); !strings.Contains(s.LastTrouble, "revoked key") {
			t.Errorf("signed by the dead key: %+v", s)
		}
		w.carry(file, w.bundle(w.signer, thief))
		time.Sleep(10 * time.Second)
		refused(t, v, "when its rule is over", forged())
	})
}

// Keys alone accept what they signed and nothing else, and nobody is asked.
func TestStaticKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keys, err := jose.ParseKeySet([]byte(w.jwks(w.signer)))
		if err != nil {
			t.Fatal(err)
		}
		v := w.start(verify.InsecureStaticKeys(keys))
		<-v.Ready()
		time.Sleep(time.Hour)
		w.expect(v, "static", nil, nil)
		if _, err := v.Verify(background, w.sign(newSigner(t, "other"), "at+jwt", w.claims(nil))); !errors.Is(err, verify.ErrUnknownKey) {
			t.Error(err)
		}
		if s := v.Status(); s.KeyFetches != 0 || w.count("/revocations") != 0 || !s.Stale || s.Staleness != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

// What cannot work or cannot be safe is refused at once.
func TestNewOffline_Refuses(t *testing.T) {
	t.Parallel()
	good := verify.Bundle{File: "b", Signers: []string{strings.Repeat("A", 43)}, MaxAge: time.Hour}
	none, err := jose.NewKeySet()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(*verify.Bundle)
		opt    verify.Option
	}{
		"no file":      {change: func(b *verify.Bundle) { b.File = "" }},
		"no signer":    {change: func(b *verify.Bundle) { b.Signers = nil }},
		"no thumbs":    {change: func(b *verify.Bundle) { b.Signers = []string{"key-1"} }},
		"no age":       {change: func(b *verify.Bundle) { b.MaxAge = 0 }},
		"staleness":    {opt: verify.MaxStaleness(time.Minute)},
		"accept stale": {opt: verify.InsecureAcceptStale()},
		"cache":        {opt: verify.Cache("c")},
		"no keys":      {opt: verify.InsecureStaticKeys(none)},
	} {
		b, opts := good, []verify.Option{}
		if tc.change != nil {
			tc.change(&b)
		} else {
			opts = append(opts, tc.opt)
		}
		if _, err := verify.NewOffline(issuer, audience, b, opts...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := verify.NewOffline(issuer, audience, good); err != nil {
		t.Error(err)
	}
	if _, err := verify.New(issuer, audience, verify.InsecureStaticKeys(none)); err == nil {
		t.Error("no keys at all")
	}
}
