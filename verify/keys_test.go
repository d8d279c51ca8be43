package verify_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// TOK-05: made-up key names cost the issuer one fetch in 30 seconds, however many come.
func TestKeys_TOK05_UnknownKidFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v := w.start()
		synctest.Wait()
		before := w.count("/jwks.json")
		if before != 1 {
			t.Fatalf("%d fetches at start", before)
		}
		const minutes = 10
		for second := range minutes * 60 {
			for n := range 17 {
				header := fmt.Sprintf(`{"alg":"EdDSA","typ":"at+jwt","kid":"no %d %d"}`, second, n)
				token := base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.AAAA"
				if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrUnknownKey) {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := w.count("/jwks.json") - before; n < minutes || n > 2*minutes {
			t.Errorf("%d fetches for 10,200 unknown kids in 10 minutes", n)
		}
		if got := v.Status(); got.KeyFetches != uint64(w.count("/jwks.json")) || got.Refused != 17*600 {
			t.Errorf("status %+v", got)
		}
	})
}

// TOK-05: no wish, no fetch, except every five minutes or a little sooner.
func TestKeys_RefreshEveryFiveMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		if n := w.count("/jwks.json"); n < 13 || n > 15 {
			t.Errorf("%d fetches in an hour", n)
		}
		if n := w.count("/.well-known/openid-configuration"); n != 1 {
			t.Errorf("%d discoveries", n)
		}
	})
}

// TOK-07: a token with a new key is accepted after the fetch that it causes; a key that
// is no longer published is forgotten.
func TestKeys_TOK07_Rotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v := w.start()
		time.Sleep(62 * time.Second) // between two heartbeats
		old, next := w.signer, newSigner(t, "key-2")
		oldToken, token := w.token(nil), w.sign(next, "at+jwt", w.claims(nil))
		doc := w.jwks(next)
		w.set(func() {
			w.signer = next
			w.keys = func(*http.Request) reply { return reply{200, "application/jwk-set+json", doc, nil} }
		})
		if _, err := v.Verify(background, oldToken); err != nil {
			t.Error("old token:", err)
		}
		if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrUnknownKey) {
			t.Error("Verify must not fetch:", err)
		}
		synctest.Wait()
		if _, err := v.Verify(background, token); err != nil {
			t.Error("after the fetch:", err)
		}
		if _, err := v.Verify(background, w.sign(old, "at+jwt", w.claims(nil))); !errors.Is(err, verify.ErrUnknownKey) {
			t.Error("key that is not published:", err)
		}
	})
}

// publish sets what the issuer's key set holds.
func (w *world) publish(signers ...*jose.Signer) {
	doc := w.jwks(signers...)
	w.set(func() {
		w.keys = func(*http.Request) reply { return reply{200, "application/jwk-set+json", doc, nil} }
	})
}

// TOK-07: after a rule against a key, its tokens are refused at once, and those of the key
// that replaces it are accepted a second after that is published, however fresh the set is.
func TestKeys_TOK07_EmergencyRetirement(t *testing.T) {
	t.Parallel()
	for name, age := range map[string]time.Duration{"fetched now": 0, "in the pause": 17 * time.Second, "after it": 77 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				dead, next := newSigner(t, "dead"), newSigner(t, "next")
				w.publish(w.signer, dead)
				v := w.start()
				time.Sleep(age)
				synctest.Wait()
				doomed, fresh := w.sign(dead, "at+jwt", w.claims(nil)), w.sign(next, "at+jwt", w.claims(nil))
				if _, err := v.Verify(background, doomed); err != nil {
					t.Fatal(err)
				}
				before := w.count("/jwks.json")
				w.revoke("key", "dead")
				synctest.Wait()
				if _, err := v.Verify(background, doomed); !errors.Is(err, verify.ErrRevoked) {
					t.Errorf("at once: %v", err)
				}
				time.Sleep(1500 * time.Millisecond)
				w.publish(w.signer, next) // this node is late
				time.Sleep(1100 * time.Millisecond)
				if _, err := v.Verify(background, fresh); err != nil {
					t.Errorf("replacement: %v", err)
				}
				if _, err := v.Verify(background, doomed); !errors.Is(err, verify.ErrUnknownKey) && !errors.Is(err, verify.ErrRevoked) {
					t.Errorf("later: %v", err)
				}
				if n := w.count("/jwks.json") - before; n > 4 {
					t.Errorf("%d fetches", n)
				}
			})
		})
	}
}

// TOK-05: rules shorten the pause a few times each, and only those against keys of the
// set; made-up key names never do, not even then.
func TestKeys_TOK05_RulesShortenThePauseBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		dead := newSigner(t, "dead")
		w.publish(w.signer, dead) // for ever
		v := w.start()
		synctest.Wait()
		fetches := func(d time.Duration, each func(second int)) int {
			before := w.count("/jwks.json")
			for second := range int(d / time.Second) {
				each(second)
				header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","typ":"at+jwt","kid":"no such key"}`))
				if _, err := v.Verify(background, header+".e30.AAAA"); !errors.Is(err, verify.ErrUnknownKey) {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
			}
			synctest.Wait()
			return w.count("/jwks.json") - before
		}
		nothing := func(int) {}
		if n := fetches(10*time.Minute, func(second int) {
			w.revoke("key", fmt.Sprint("of another time ", second))
			w.revoke("grant", "dead")
		}); n > 20 {
			t.Errorf("%d fetches for rules against other keys", n)
		}
		w.revoke("key", "dead")
		if n := fetches(10*time.Minute, nothing); n < 10 || n > 10+20 {
			t.Errorf("%d fetches after one rule", n)
		}
		if n := fetches(10*time.Minute, nothing); n > 20 {
			t.Errorf("%d fetches after that", n)
		}
	})
}

// TOK-06: a bad answer never replaces good keys.
func TestKeys_TOK06_BadSetNeverReplacesGood(t *testing.T) {
	t.Parallel()
	good := reply{200, "application/json", "", nil}
	symmetric := `{"kty":"oct","k":"AAAA","alg":"HS256","kid":"key-1","use":"sig"}`
	for name, change := range map[string]func(good reply) reply{
		"500":       func(a reply) reply { a.status = 500; return a },
		"404":       func(a reply) reply { a.status = 404; return a },
		"204":       func(a reply) reply { a.status = 204; return a },
		"redirect":  func(a reply) reply { a.status, a.header = 302, http.Header{"Location": {issuer + "/other"}}; return a },
		"HTML":      func(a reply) reply { a.kind = "text/html"; return a },
		"no type":   func(a reply) reply { a.kind = ""; return a },
		"page":      func(a reply) reply { a.body = "<html></html>"; return a },
		"empty":     func(a reply) reply { a.body = ""; return a },
		"empty set": func(a reply) reply { a.body = `{"keys":[]}`; return a },
		"huge":      func(a reply) reply { a.body = strings.Repeat(" ", 256<<10) + a.body; return a },
		"huge end":  func(a reply) reply { a.body += strings.Repeat(" ", 256<<10); return a },
		"private": func(a reply) reply {
			a.body = strings.Replace(a.body, `"kty"`, `"d":"AAAA","kty"`, 1)
			return a
		},
		"symmetric": func(a reply) reply { a.body = `{"keys":[` + symmetric + `]}`; return a },
		"mixed":     func(a reply) reply { a.body = strings.Replace(a.body, `[`, `[`+symmetric+`,`, 1); return a },
		"twice": func(a reply) reply {
			key := a.body[len(`{"keys":[`) : len(a.body)-2]
			a.body = `{"keys":[` + key + `,` + key + `]}`
			return a
		},
		"trailing": func(a reply) reply { a.body += "{}"; return a },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				v := w.start()
				synctest.Wait()
				good := good
				good.body = w.jwks(newSigner(t, "evil")) // would be taken if it were good
				bad := change(good)
				w.set(func() { w.keys = func(*http.Request) reply { return bad } })
				time.Sleep(10 * time.Minute)
				if _, err := v.Verify(background, w.token(nil)); err != nil {
					t.Error("old keys are gone:", err)
				}
				if s := v.Status(); len(s.Keys) != 1 || s.Keys[0] != "key-1" || s.KeyFetches < 3 || !strings.HasPrefix(s.LastTrouble, "keys: ") {
					t.Errorf("status %+v", s)
				}
				if n := w.count("/other"); n != 0 {
					t.Error("the redirect was followed")
				}
				// A verifier that begins now never gets ready.
				fresh := w.start()
				time.Sleep(time.Minute)
				if isReady(fresh) {
					t.Error("ready without keys")
				}
				if _, err := fresh.Verify(background, w.token(nil)); !errors.Is(err, verify.ErrNotReady) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// TestKeys_KeySetURL: the keys come from there, and the metadata must be the issuer's all
// the same.
func TestKeys_KeySetURL(t *testing.T) {
	t.Parallel()
	const elsewhere = "/jwks-pq.json"
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		if _, err := v.Verify(background, w.token(nil)); err != nil {
			t.Error(err)
		}
		if w.count(elsewhere) != 1 || w.count("/jwks.json") != 0 {
			t.Errorf("fetched %d times from there, %d times from the usual place", w.count(elsewhere), w.count("/jwks.json"))
		}
	}, verify.KeySetURL(issuer+elsewhere))
}

// OpenID Connect Discovery §4.3: the document is the issuer's own, byte for byte; keys
// come from https.
func TestKeys_Discovery(t *testing.T) {
	t.Parallel()
	const here = issuer + "/jwks.json"
	doc := func(issuer, keys string) reply {
		return reply{200, "application/json", `{"issuer":"` + issuer + `","jwks_uri":"` + keys + `"}`, nil}
	}
	for name, tc := range map[string]struct {
		answer reply
		ready  bool
	}{
		"good":            {doc(issuer, here), true},
		"other host":      {doc(issuer, "https://keys.example.com/set"), true},
		"escaped":         {doc(`\u0068ttps:\/\/`+strings.TrimPrefix(issuer, "https://"), here), true}, // RFC 8414 §4
		"slash":           {doc(issuer+"/", here), false},
		"capitals":        {doc("https://ID.example.com", here), false},
		"port":            {doc(issuer+":443", here), false},
		"http":            {doc(issuer, "http://id.example.com/jwks.json"), false},
		"http, here":      {doc(issuer, "http://127.0.0.1/jwks.json"), false},
		"file":            {doc(issuer, "file:///etc/passwd"), false},
		"relative":        {doc(issuer, "/jwks.json"), false},
		"user":            {doc(issuer, "https://user@id.example.com/jwks.json"), false},
		"empty":           {doc(issuer, ""), false},
		"no issuer":       {reply{200, "application/json", `{"jwks_uri":"` + here + `"}`, nil}, false},
		"Issuer":          {reply{200, "application/json", `{"Issuer":"` + issuer + `","jwks_uri":"` + here + `"}`, nil}, false},
		"no jwks_uri":     {reply{200, "application/json", `{"issuer":"` + issuer + `"}`, nil}, false},
		"jwks_uri twice":  {reply{200, "application/json", `{"issuer":"` + issuer + `","jwks_uri":"` + here + `","jwks_uri":"` + here + `"}`, nil}, false},
		"not JSON":        {reply{200, "text/html", `{"issuer":"` + issuer + `","jwks_uri":"` + here + `"}`, nil}, false},
		"with parameters": {reply{200, "application/json; charset=utf-8", `{"issuer":"` + issuer + `","jwks_uri":"` + here + `"}`, nil}, true},
		"404":             {reply{404, "application/json", `{}`, nil}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.metadata = func(*http.Request) reply { return tc.answer }
				v := w.start()
				time.Sleep(time.Minute)
				if isReady(v) != tc.ready {
					t.Errorf("ready %v: %s", isReady(v), v.Status().LastTrouble)
				}
				if !tc.ready && w.count("/jwks.json") != 0 {
					t.Error("keys were fetched")
				}
			})
		})
	}
}

// lines hands on what is written to it.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// RFC 8414 §6.1, §6.2: a server whose certificate nobody vouches for is asked for nothing;
// OpenID Connect Discovery §4: the others where the document is, after the issuer's path.
func TestKeys_RFC8414_6_2_Certificate(t *testing.T) {
	t.Parallel()
	for want, vouched := range map[string]bool{"http: TLS handshake error": false, "/tenant/.well-known/openid-configuration": true} {
		heard := make(lines, 100)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.URL.Path }))
		server.Config.ErrorLog = log.New(heard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		var client *http.Client
		if vouched {
			client = server.Client()
		}
		v, err := verify.New(server.URL+"/tenant", audience, verify.HTTPClient(client))
		if err != nil {
			t.Fatal(err)
		}
		go v.Run(t.Context())
		if got := <-heard; !strings.HasPrefix(got, want) {
			t.Errorf("vouched for: %v: %s", vouched, got)
		}
	}
}

// An issuer that comes up late is found without a restart.
func TestKeys_IssuerComesUpLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		up := w.metadata
		w.metadata = func(*http.Request) reply { return reply{503, "text/plain", "", nil} }
		v := w.start()
		time.Sleep(time.Hour)
		if n := w.count("/.well-known/openid-configuration"); n < 700 || n > 3600 {
			t.Errorf("%d tries in an hour", n)
		}
		w.set(func() { w.metadata = up })
		time.Sleep(5 * time.Second)
		if !isReady(v) {
			t.Error("not ready")
		}
	})
}

// TOK-06: an endless answer is not read to its end.
func TestKeys_TOK06_EndlessAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		endless := &blanks{}
		v, err := verify.New(issuer, audience, verify.HTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := w.RoundTrip(r)
			if r.URL.Path == "/jwks.json" {
				resp.Body = io.NopCloser(endless)
			}
			return resp, err
		})}))
		if err != nil {
			t.Fatal(err)
		}
		w.run(v)
		synctest.Wait()
		if n := v.Status().KeyFetches; n != 1 || endless.read > 1<<20 {
			t.Errorf("%d bytes read in %d fetches", endless.read, n)
		}
	})
}

// blanks is an endless body, but not for one who reads without a limit.
type blanks struct{ read int }

func (b *blanks) Read(p []byte) (int, error) {
	if b.read > 64<<20 {
		return 0, io.ErrUnexpectedEOF
	}
	for i := range p {
		p[i] = ' '
	}
	b.read += len(p)
	return len(p), nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
