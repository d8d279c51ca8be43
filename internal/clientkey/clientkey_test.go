package clientkey_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/clientkey"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/verify/jose"
)

func newSigner(t testing.TB, kid string) *jose.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jose.NewSigner(jose.EdDSA, kid, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func setOf(t testing.TB, signers ...*jose.Signer) []byte {
	t.Helper()
	keys := make([]*jose.Key, len(signers))
	for i, s := range signers {
		keys[i] = s.Key()
	}
	set, err := jose.NewKeySet(keys...)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// site is a jwks_uri, with a clock.
type site struct {
	mu      sync.Mutex
	doc     []byte
	err     error
	now     time.Time
	fetched atomic.Int64
	hold    chan struct{} // if not nil, answers wait for it
}

func (s *site) Get(ctx context.Context, address, _ string) (outbound.Document, error) {
	s.fetched.Add(1)
	if s.hold != nil {
		<-s.hold
	}
	if ctx.Err() != nil {
		return outbound.Document{}, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return outbound.Document{Body: s.doc, At: s.now}, s.err
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) set(doc []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doc, s.err = doc, err
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func newSite(doc []byte) *site {
	return &site{doc: doc, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
}

var remote = idp.Client{ID: "app", ClientMetadata: idp.ClientMetadata{JWKSURI: "https://app.example/jwks"}}

// works reports whether the client's signature is accepted.
func works(t testing.TB, c *clientkey.Cache, client idp.Client, s *jose.Signer) bool {
	t.Helper()
	tok, err := s.Sign("JWT", []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = c.Verify(t.Context(), client, jose.RS256, tok, "JWT")
	return err == nil
}

func TestCache_Inline(t *testing.T) {
	t.Parallel()
	one, two := newSigner(t, "1"), newSigner(t, "2")
	s := newSite(nil)
	c := clientkey.New(s, nil, s.clock)
	client := idp.Client{ID: "app", ClientMetadata: idp.ClientMetadata{JWKS: setOf(t, one)}}
	if !works(t, c, client, one) || works(t, c, client, two) || works(t, c, client, newSigner(t, "1")) {
		t.Error("keys of the registration")
	}
	client.JWKS = setOf(t, two)
	if works(t, c, client, one) || !works(t, c, client, two) {
		t.Error("the registration was changed")
	}
	if works(t, c, idp.Client{ID: "none"}, one) || s.fetched.Load() != 0 {
		t.Error("a client without keys, or keys that were fetched")
	}
}

// OpenID Connect Core §10.1.1: a key that the client published a moment ago is found, sooner
// than after a minute, however many strangers name keys that do not exist.
func TestCache_OIDCCore_10_1_1_Rotation(t *testing.T) {
	t.Parallel()
	one, two := newSigner(t, "1"), newSigner(t, "2")
	s := newSite(setOf(t, one))
	c := clientkey.New(s, nil, s.clock)
	if !works(t, c, remote, one) || s.fetched.Load() != 1 {
		t.Fatal("first use")
	}
	s.set(setOf(t, two), nil)
	if works(t, c, remote, two) || s.fetched.Load() != 1 {
		t.Error("asked again at once")
	}
	s.pass(10 * time.Second)
	if !works(t, c, remote, two) || s.fetched.Load() != 2 {
		t.Error("a new key was not found after ten seconds")
	}
	if works(t, c, remote, one) {
		t.Error("the old key lives")
	}
	for range 100 {
		works(t, c, remote, newSigner(t, "unknown"))
		s.pass(time.Second / 10)
	}
	if n := s.fetched.Load(); n > 4 {
		t.Errorf("%d fetches", n)
	}
}

// A bad answer never replaces a good one; the good one is believed for a day.
func TestCache_CLI05_BadDocument(t *testing.T) {
	t.Parallel()
	one := newSigner(t, "1")
	for name, bad := range map[string]struct {
		doc []byte
		err error
	}{
		"unreachable": {nil, outbound.ErrUnreachable},
		"HTML":        {[]byte("<html>"), nil},
		"no keys":     {[]byte(`{"keys":[]}`), nil},
		"private key": {[]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AA","kid":"1"}]}`), nil},
	} {
		s := newSite(setOf(t, one))
		c := clientkey.New(s, nil, s.clock)
		if !works(t, c, remote, one) {
			t.Fatal(name)
		}
		s.set(bad.doc, bad.err)
		for range 23 {
			s.pass(time.Hour)
			if !works(t, c, remote, one) {
				t.Errorf("%s: a good set was given up", name)
			}
		}
		s.pass(2 * time.Hour)
		if works(t, c, remote, one) {
			t.Errorf("%s: believed for more than a day", name)
		}
		s.set(setOf(t, one), nil)
		s.pass(10 * time.Minute)
		if !works(t, c, remote, one) {
			t.Errorf("%s: not found again", name)
		}
	}
}

// A key that was taken out is dead when the answer's time is over.
func TestCache_Expires(t *testing.T) {
	t.Parallel()
	one, two := newSigner(t, "1"), newSigner(t, "2")
	s := newSite(setOf(t, one, two))
	c := clientkey.New(s, nil, s.clock)
	works(t, c, remote, one)
	s.set(setOf(t, two), nil)
	s.pass(time.Hour - time.Second)
	if !works(t, c, remote, one) || s.fetched.Load() != 1 {
		t.Error("asked too early")
	}
	s.pass(time.Second)
	if works(t, c, remote, one) || s.fetched.Load() != 2 {
		t.Error("not asked again")
	}
}

// Failures are remembered, and the pauses between them grow.
func TestCache_Negative(t *testing.T) {
	t.Parallel()
	s := newSite(nil)
	s.err = outbound.ErrUnreachable
	c := clientkey.New(s, nil, s.clock)
	one := newSigner(t, "1")
	for range 3600 {
		if works(t, c, remote, one) {
			t.Fatal("without a key")
		}
		s.pass(time.Second)
	}
	if n := s.fetched.Load(); n < 10 || n > 20 {
		t.Errorf("%d fetches in an hour", n)
	}
}

// Many who ask at once cause one fetch, and who goes away does not take the answer along.
func TestCache_SingleFlight(t *testing.T) {
	t.Parallel()
	one := newSigner(t, "1")
	s := newSite(setOf(t, one))
	s.hold = make(chan struct{})
	c := clientkey.New(s, nil, s.clock)
	tok, err := one.Sign("JWT", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		ctx := t.Context()
		if i == 0 {
			ctx = gone
		}
		all.Go(func() { _, _, errs[i] = c.Verify(ctx, remote, jose.RS256, tok, "JWT") })
	}
	leave()
	close(s.hold)
	all.Wait()
	for i, err := range errs {
		if err != nil && !(i == 0 && errors.Is(err, context.Canceled)) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := s.fetched.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// TestCache_NET01_Strangers: key sets that no operator has looked at are fetched apart.
func TestCache_NET01_Strangers(t *testing.T) {
	t.Parallel()
	one := newSigner(t, "1")
	ours, theirs := newSite(setOf(t, one)), newSite(setOf(t, one))
	c := clientkey.New(ours, theirs, ours.clock)
	for _, origin := range []idp.Origin{idp.OriginRegistered, idp.OriginDocument} {
		client := remote
		client.ID, client.Origin = string(origin), origin
		if !works(t, c, client, one) || ours.fetched.Load() != 0 {
			t.Errorf("%s: %d fetches beside those of operators' clients", origin, ours.fetched.Load())
		}
	}
	if !works(t, c, remote, one) || theirs.fetched.Load() != 2 {
		t.Error("an operator's client")
	}
}

// TestCache_OtherSource: what was known under another address is gone.
func TestCache_OtherSource(t *testing.T) {
	t.Parallel()
	one := newSigner(t, "1")
	s := newSite(setOf(t, one))
	c := clientkey.New(s, nil, s.clock)
	works(t, c, remote, one)
	moved := remote
	moved.JWKSURI = "https://app.example/other"
	s.set(nil, outbound.ErrUnreachable)
	if works(t, c, moved, one) {
		t.Error("keys of the old address")
	}
}

func TestParse_RFC7517_5(t *testing.T) {
	t.Parallel()
	const (
		ed  = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
		ec  = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
		rsa = `"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"`
	)
	for name, tt := range map[string]struct {
		keys string
		want map[string]jose.Algorithm // nil: refused
	}{
		"nothing said":            {`{` + ed + `,"kid":"1"},{` + ec + `,"kid":"2"},{` + rsa + `,"kid":"3"}`, map[string]jose.Algorithm{"1": "EdDSA", "2": "ES256", "3": "PS256"}},
		"its own algorithm":       {`{` + rsa + `,"kid":"3","alg":"RS512","use":"sig"}`, map[string]jose.Algorithm{"3": "RS512"}},
		"key for encryption":      {`{` + rsa + `,"kid":"3","alg":"RSA-OAEP","use":"enc"},{` + ed + `,"kid":"1"}`, map[string]jose.Algorithm{"1": "EdDSA"}},
		"unknown kind":            {`{"kty":"new","kid":"3","alg":"new","use":"sig"},{` + ed + `,"kid":"1"}`, map[string]jose.Algorithm{"1": "EdDSA"}},
		"no kid":                  {`{` + ed + `}`, nil},
		"a kid twice":             {`{` + ed + `,"kid":"1"},{` + ec + `,"kid":"1"}`, nil},
		"only for encryption":     {`{` + rsa + `,"kid":"3","use":"enc"}`, nil},
		"private":                 {`{` + ed + `,"kid":"1","d":"AA"}`, nil},
		"private, for encryption": {`{` + rsa + `,"kid":"3","use":"enc","d":"AA"},{` + ed + `,"kid":"1"}`, nil},
		"symmetric":               {`{"kty":"oct","k":"AAAA","kid":"1"},{` + ed + `,"kid":"2"}`, nil},
		"a name twice":            {`{` + ed + `,"kid":"1","kid":"2"}`, nil},
		"not an object":           {`"key"`, nil},
		"65 keys":                 {strings.Repeat(`{`+ed+`,"kid":"1"},`, 64) + `{` + ed + `,"kid":"2"}`, nil},
	} {
		set, err := clientkey.Parse([]byte(`{"keys":[`+tt.keys+`]}`), jose.PS256)
		if (err == nil) != (tt.want != nil) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			if !errors.Is(err, idp.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		got := map[string]jose.Algorithm{}
		for _, k := range set.Keys() {
			got[k.ID()] = k.Algorithm()
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, doc := range []string{``, `null`, `[]`, `{}`, `{"Keys":[]}`, `{"keys":{}}`, `{"keys":null}`} {
		if _, err := clientkey.Parse([]byte(doc), jose.RS256); !errors.Is(err, idp.ErrInvalid) {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

// FuzzParse: foreign sets never panic, and what is accepted has one algorithm for each key.
func FuzzParse(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	k, err := jose.NewKey(jose.ES256, "1", key.Public())
	if err != nil {
		f.Fatal(err)
	}
	doc, err := json.Marshal(map[string]any{"keys": []any{k}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Add([]byte(`{"keys":[{"kty":"RSA","use":"enc"}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		set, err := clientkey.Parse(doc, jose.RS256)
		if err != nil {
			return
		}
		for _, k := range set.Keys() {
			if k.ID() == "" || k.Algorithm() == "" {
				t.Errorf("%q", doc)
			}
		}
	})
}
