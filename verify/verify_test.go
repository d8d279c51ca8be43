package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// running gives a test a world and a verifier that is ready, with time standing still.
func running(t *testing.T, test func(t *testing.T, w *world, v *verify.Verifier), opts ...verify.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v := w.start(opts...)
		synctest.Wait()
		if !isReady(v) {
			t.Fatal("not ready: ", v.Status().LastTrouble)
		}
		test(t, w, v)
	})
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://id.example.com", "https://id.example.com:8443/a/b", "http://localhost:8080", "http://127.0.0.1:1", "http://127.8.9.10", "http://[::1]:8080"} {
		if _, err := verify.New(good, audience); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "id.example.com", "//id.example.com", "/path", "https://", "http://id.example.com", "http://10.0.0.1", "http://[::2]", "http://0.0.0.0", "http://127.0.0.1.example.com",
		"http://localhost.example.com", "ftp://localhost", "https://id.example.com/", "https://id.example.com/a/", "https://id.example.com?", "https://id.example.com?a=b",
		"https://id.example.com#", "https://id.example.com#a", "https://user@id.example.com", "https://id.example.com\n", " https://id.example.com", "https:id.example.com",
	} {
		if _, err := verify.New(bad, audience); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
	if _, err := verify.New(issuer, audience, verify.HTTPClient(nil)); err != nil {
		t.Errorf("no client of its own: %v", err)
	}
	for name, opt := range map[string]verify.Option{
		"leeway over a minute":   verify.Leeway(61 * time.Second),
		"key set over http":      verify.KeySetURL("http://id.example.com/keys"),
		"key set nowhere":        verify.KeySetURL("/keys"),
		"negative leeway":        verify.Leeway(-1),
		"no staleness":           verify.MaxStaleness(0),
		"negative staleness":     verify.MaxStaleness(-1),
		"metadata with a quote":  verify.ResourceMetadataURL(`https://a/"`),
		"metadata with new line": verify.ResourceMetadataURL("https://a/\r\nX: y"),
	} {
		if _, err := verify.New(issuer, audience, opt); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, bad := range []string{"", `a"b`, `a\b`, "a\nb", "é"} {
		if _, err := verify.New(issuer, bad); err == nil {
			t.Errorf("audience %q: accepted", bad)
		}
	}
}

func TestVerify_Accepts(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		c, err := v.Verify(background, w.token(nil))
		if err != nil {
			t.Fatal(err)
		}
		if c.Subject != "user" || c.KeyID != "key-1" || c.Issuer != issuer || c.Audience != audience || !c.HasScope("orders:read") {
			t.Errorf("got %+v", c)
		}
		if s := v.Status(); s.Verified != 1 || s.Refused != 0 || !s.Ready || s.Stale || s.Epoch != "one" {
			t.Errorf("status %+v", s)
		}
	})
}

// TOK-02: a token for one service is worth nothing at another.
func TestVerify_TOK02_Audience(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		for _, other := range []string{
			"https://billing.example.com", audience + "/", audience + "/v1", audience[:len(audience)-1], "orders.example.com", "http://orders.example.com",
			"https://Orders.example.com", audience + ":443", audience + " ", audience + "\x00", " " + audience, issuer,
		} {
			if _, err := v.Verify(background, w.token(map[string]any{"aud": other})); !errors.Is(err, verify.ErrAudience) {
				t.Errorf("%q: %v", other, err)
			}
		}
		for _, other := range []any{[]string{audience}, []string{"x", audience}, map[string]string{"0": audience}, nil, ""} {
			if _, err := v.Verify(background, w.token(map[string]any{"aud": other})); !errors.Is(err, verify.ErrMalformed) {
				t.Errorf("%v: %v", other, err)
			}
		}
	})
}

// TOK-03: the issuer is compared byte for byte.
func TestVerify_TOK03_Issuer(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		for _, other := range []string{
			issuer + "/", "https://ID.example.com", "HTTPS://id.example.com", issuer + ":443", "http://id.example.com", "id.example.com", issuer + "/x",
			issuer[:len(issuer)-1], "https://id.example.com.evil.com", "https://evil.com", " " + issuer, issuer + "?", issuer + "\x00",
		} {
			if _, err := v.Verify(background, w.token(map[string]any{"iss": other})); !errors.Is(err, verify.ErrIssuer) {
				t.Errorf("%q: %v", other, err)
			}
		}
	})
}

// TOK-04: boundaries, to the second before and after.
func TestVerify_TOK04_Times(t *testing.T) {
	t.Parallel()
	for _, leeway := range []time.Duration{0, 10 * time.Second, time.Minute} {
		running(t, func(t *testing.T, w *world, v *verify.Verifier) {
			now, slack := time.Now().Unix(), int64(leeway.Seconds())
			for name, tc := range map[string]struct {
				changes map[string]any
				want    error
			}{
				"exp a second left":    {map[string]any{"iat": now - 600, "exp": now - slack + 1}, nil},
				"exp now":              {map[string]any{"iat": now - 600, "exp": now - slack}, verify.ErrExpired},
				"exp a second ago":     {map[string]any{"iat": now - 600, "exp": now - slack - 1}, verify.ErrExpired},
				"nbf now":              {map[string]any{"nbf": now + slack}, nil},
				"nbf in a second":      {map[string]any{"nbf": now + slack + 1}, verify.ErrNotYetValid},
				"iat in a minute":      {map[string]any{"iat": now + 60}, nil}, // whatever the leeway
				"iat after a minute":   {map[string]any{"iat": now + 61}, verify.ErrNotYetValid},
				"exp in the year 9999": {map[string]any{"exp": int64(253402300799)}, nil},
				"long ago":             {map[string]any{"iat": 0, "exp": 1}, verify.ErrExpired},
			} {
				if _, err := v.Verify(background, w.token(tc.changes)); !errors.Is(err, tc.want) {
					t.Errorf("leeway %v: %s: %v, want %v", leeway, name, err, tc.want)
				}
			}
		}, verify.Leeway(leeway))
	}
}

// TOK-14, RFC 9449 §7.1: a bound token is not a bearer token.
func TestVerify_TOK14_Bound(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		for _, name := range []string{"jkt", "x5t#S256", "kid"} {
			token := w.token(map[string]any{"cnf": map[string]any{name: strings.Repeat("A", 43)}})
			if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrBound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TOK-01, RFC 8725 §3.11: other kinds of tokens that the same keys sign.
func TestVerify_TOK01_OtherKindsOfTokens(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		for _, typ := range []string{"", "JWT", "jwt", "at+JWT", "AT+JWT", "application/at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "revocations+jwt", "oauth-authz-req+jwt", "at+jwt "} {
			if _, err := v.Verify(background, w.sign(w.signer, typ, w.claims(nil))); !errors.Is(err, verify.ErrType) {
				t.Errorf("%q: %v", typ, err)
			}
		}
		for _, secret := range []string{"sgt_0123456789012345678901234567890123456789012345678", "", "Bearer", "."} {
			if _, err := v.Verify(background, secret); !errors.Is(err, verify.ErrMalformed) {
				t.Errorf("%q: %v", secret, err)
			}
		}
	})
}

// JOS-11: the text of a token is no identity. An ES256 signature has a twin, which must
// fall under the same rule.
func TestVerify_JOS11_TwinIsRevokedToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		es, err := jose.NewSigner(jose.ES256, "es", private)
		if err != nil {
			t.Fatal(err)
		}
		doc := w.jwks(w.signer, es)
		w.keys = func(*http.Request) reply { return reply{200, "application/json", doc, nil} }
		v := w.start()
		synctest.Wait()
		token := w.sign(es, "at+jwt", w.claims(nil))
		twin := es256Twin(t, token)
		for _, text := range []string{token, twin} {
			if _, err := v.Verify(background, text); err != nil {
				t.Fatal("before:", err)
			}
		}
		w.revoke("jti", "jti")
		synctest.Wait()
		for _, text := range []string{token, twin} {
			if _, err := v.Verify(background, text); !errors.Is(err, verify.ErrRevoked) {
				t.Error("after:", err)
			}
		}
	})
}

// es256Twin replaces s by n - s.
func es256Twin(t *testing.T, token string) string {
	t.Helper()
	dot := strings.LastIndexByte(token, '.')
	sig, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).SetBytes(sig[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(sig[32:])
	return token[:dot+1] + base64.RawURLEncoding.EncodeToString(sig)
}

// "verify never dials while verifying": nothing is asked of the issuer without Run.
func TestVerify_NeverDials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v, err := verify.New(issuer, audience, verify.HTTPClient(&http.Client{Transport: w}))
		if err != nil {
			t.Fatal(err)
		}
		stop := w.run(v)
		<-v.Ready()
		stop()
		w.set(func() { clear(w.requests) })
		for _, token := range []string{w.token(nil), "x", w.sign(newSigner(t, "new"), "at+jwt", w.claims(nil))} {
			_, _ = v.Verify(background, token)
		}
		time.Sleep(time.Hour)
		if len(w.requests) != 0 {
			t.Errorf("requests: %v", w.requests)
		}
	})
}

// STO-05: neither a clock that was set back nor a machine that slept makes old
// revocations look fresh.
func TestVerify_STO05_ClockSetBackIsStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		start := time.Now().Round(0)
		offset := time.Duration(0)
		v := w.start(verify.Clock(func() time.Time { return start.Add(offset) }))
		synctest.Wait()
		token := w.token(map[string]any{"iat": start.Add(-2 * time.Hour).Unix(), "exp": start.Add(2 * time.Hour).Unix()})
		for _, tc := range []struct {
			offset time.Duration
			want   error
		}{
			{0, nil}, {-time.Minute, nil}, {-time.Minute - 1, verify.ErrStale}, {-time.Hour, verify.ErrStale}, {5 * time.Minute, nil}, {5*time.Minute + 1, verify.ErrStale},
		} {
			offset = tc.offset
			if _, err := v.Verify(background, token); !errors.Is(err, tc.want) {
				t.Errorf("clock %v: %v", tc.offset, err)
			}
		}
	})
}

// A token at first sight and again, and what of it is the signature.
func BenchmarkVerify(b *testing.B) {
	for name, opts := range map[string][]verify.Option{
		"first":  {verify.TokenMemory(0)},
		"around": {verify.TokenMemory(0), verify.Accelerate(credulous{})}, // all but the signature
		"again":  nil,
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			v := w.start(opts...)
			<-v.Ready()
			token := w.token(map[string]any{"acr": "aal2", "amr": []string{"pwd", "otp"}, "auth_time": 1000, "scope": "a:b c:d e:f g:h i:j k:l"})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(background, token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// credulous believes every signature.
type credulous struct{}

func (credulous) Use(keys []*jose.Key) []jose.Check {
	checks := make([]jose.Check, len(keys))
	for i := range checks {
		checks[i] = func(_, _ []byte) (bool, bool) { return true, true }
	}
	return checks
}
