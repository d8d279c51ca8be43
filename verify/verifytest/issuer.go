// Package verifytest is an issuer for tests, like httptest is a server: it publishes
// keys, makes tokens, revokes them, and can fall silent. Tests of a service that uses
// package verify need nothing else.
//
//	iss := verifytest.NewIssuer(t)
//	v := iss.Verifier(t, "https://orders.example.com")
//	token := iss.Token("https://orders.example.com", verifytest.Claims{"scope": "orders:read"})
//
// It has no login and no token endpoint: tokens are handed out by methods.
package verifytest

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// Claims are members of a token. In overrides they replace the usual ones; a nil value
// takes a member away.
type Claims map[string]any

// Issuer is a running issuer. Its methods may be called by many goroutines at once.
type Issuer struct {
	URL string // the issuer's name and address

	tb     testing.TB
	now    func() time.Time
	pulse  time.Duration
	access *jose.Signer // EdDSA
	id     *jose.Signer // RS256

	mu        sync.Mutex    // guards what follows
	changed   chan struct{} // closed and replaced when something below changes
	epoch     string
	rules     []verify.Rule
	paused    bool
	verifiers []*verify.Verifier
}

// Option changes how an Issuer works.
type Option func(*Issuer)

// Clock sets where the issuer reads the time. Give the verifier the same.
func Clock(now func() time.Time) Option { return func(i *Issuer) { i.now = now } }

// Heartbeat sets the time between two confirmations of the feed. The default is 100 ms.
func Heartbeat(d time.Duration) Option { return func(i *Issuer) { i.pulse = d } }

// NewIssuer starts an issuer on a loopback address. It stops when the test ends.
func NewIssuer(tb testing.TB, opts ...Option) *Issuer {
	tb.Helper()
	i := &Issuer{
		tb: tb, now: time.Now, pulse: 100 * time.Millisecond,
		access: newSigner(tb, jose.EdDSA, "test-eddsa"), id: newSigner(tb, jose.RS256, "test-rs256"),
		changed: make(chan struct{}), epoch: "e" + rand.Text(),
	}
	for _, o := range opts {
		o(i)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.serveMetadata)
	mux.HandleFunc("GET /jwks.json", i.serveKeys)
	mux.HandleFunc("GET /revocations", i.serveFeed)
	server := httptest.NewUnstartedServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	server.Config.BaseContext = func(_ net.Listener) context.Context { return ctx }
	server.Start()
	tb.Cleanup(func() {
		cancel() // ends the feed's responses, for which Close waits
		server.Close()
	})
	i.URL = server.URL
	return i
}

// rsaKey is made once per test binary: it takes a while, and all issuers are tests.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newSigner(tb testing.TB, alg jose.Algorithm, kid string) *jose.Signer {
	tb.Helper()
	var (
		private crypto.Signer
		err     error
	)
	if alg == jose.RS256 {
		private, err = rsaKey()
	} else {
		_, private, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		tb.Fatal("verifytest: make key:", err)
	}
	s, err := jose.NewSigner(alg, kid, private)
	if err != nil {
		tb.Fatal("verifytest: make signer:", err)
	}
	return s
}

// Token makes an access token for an audience: user "user-1" with client "client-1",
// session "session-1" and grant "grant-1", without a scope, for 5 minutes. One that is
// given an "exp" in the past was made, and its user logged in, 5 minutes before that. One
// that is made after Revoke ended all tokens until now, or all of its client, is dated a
// second later, as a signet dates it, and is good.
func (i *Issuer) Token(audience string, overrides ...Claims) string {
	i.tb.Helper()
	now := i.now()
	return i.sign(i.access, "at+jwt", Claims{
		"iss": i.URL, "sub": "user-1", "aud": audience, "client_id": "client-1",
		"sid": "session-1", "grant_id": "grant-1", "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"auth_time": now.Unix(), "acr": "aal1", "amr": []string{"pwd"},
	}, overrides)
}

// IDToken makes an ID token for a client: user "user-1", session "session-1", without a
// nonce, for 5 minutes. An "exp" in the past is as with Token.
func (i *Issuer) IDToken(clientID string, overrides ...Claims) string {
	i.tb.Helper()
	now := i.now()
	return i.sign(i.id, "JWT", Claims{
		"iss": i.URL, "sub": "user-1", "aud": clientID, "sid": "session-1",
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"auth_time": now.Unix(), "acr": "aal1", "amr": []string{"pwd"},
	}, overrides)
}

func (i *Issuer) sign(s *jose.Signer, typ string, claims Claims, overrides []Claims) string {
	i.tb.Helper()
	changes := Claims{}
	for _, o := range overrides {
		maps.Copy(changes, o)
	}
	maps.Copy(claims, changes)
	i.postdate(claims, changes)
	i.backdate(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		i.tb.Fatal("verifytest: claims:", err)
	}
	token, err := s.Sign(typ, payload)
	if err != nil {
		i.tb.Fatal("verifytest: sign:", err)
	}
	return token
}

// postdate makes a token a new one for the rules that name tokens by their time of issue.
func (i *Issuer) postdate(claims, changes Claims) {
	if _, given := changes["iat"]; given {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, r := range i.rules {
		if r.Kind == verify.RuleAll || r.Kind == verify.RuleClient && r.ID == claims["client_id"] {
			claims["iat"] = max(claims["iat"].(int64), r.Before.Unix()+1)
		}
	}
}

// backdate makes a token whose end is over one that was good before: "exp" is after "iat",
// or the token is malformed and not expired.
func (i *Issuer) backdate(claims, changes Claims) {
	number, err := json.Marshal(changes["exp"])
	if err != nil {
		return // sign says so
	}
	var exp float64
	if json.Unmarshal(number, &exp) != nil || changes["exp"] == nil || int64(exp) > i.now().Unix() {
		return
	}
	for _, name := range []string{"iat", "auth_time"} {
		if _, given := changes[name]; !given {
			claims[name] = int64(exp) - 300
		}
	}
}

// Verifier returns a verifier that runs until the test ends and is ready.
func (i *Issuer) Verifier(tb testing.TB, audience string, opts ...verify.Option) *verify.Verifier {
	tb.Helper()
	opts = append([]verify.Option{verify.Clock(i.now)}, opts...)
	v, err := verify.New(i.URL, audience, opts...)
	if err != nil {
		tb.Fatal("verifytest:", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = v.Run(ctx)
	}()
	tb.Cleanup(func() {
		cancel()
		<-done
	})
	i.WaitFor(v)
	return v
}

// WaitFor returns when a verifier that the service under test has made is ready: one of
// verify.New with URL as the issuer, whose Run is active. From then on Revoke waits for it, too.
func (i *Issuer) WaitFor(v *verify.Verifier) {
	i.tb.Helper()
	select {
	case <-v.Ready():
	case <-time.After(10 * time.Second):
		i.tb.Fatal("verifytest: verifier does not get ready: ", v.Status().LastTrouble)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.verifiers = append(i.verifiers, v)
}

func (i *Issuer) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	i.answer(w, Claims{"issuer": i.URL, "jwks_uri": i.URL + "/jwks.json"})
}

func (i *Issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	set, err := jose.NewKeySet(i.access.Key(), i.id.Key())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	i.answer(w, set)
}

func (i *Issuer) answer(w http.ResponseWriter, doc any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(doc) // a client that is gone is no fault of the test
}
