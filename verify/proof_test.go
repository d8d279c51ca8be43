package verify_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
	"github.com/signet-id/signet/verify/verifytest"
)

const ordersURL = audience + "/orders"

// RFC 9449 §4.1 and §7.1: the examples, at their time.
func TestProof_RFC9449_Vectors(t *testing.T) {
	t.Parallel()
	const (
		header = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
		proof  = header + ".eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
		// For the token endpoint: no ath, so it is no proof for a resource.
		tokenProof = header + ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
		token      = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
		jkt        = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	)
	v, err := verify.New(issuer, "https://resource.example.org")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1562262618, 0)
	if _, err := verify.CheckDPoP(v, now, jkt, token, verify.Proof{DPoP: proof, Method: "GET", URL: "/protectedresource"}); err != nil {
		t.Error(err)
	}
	_, err = verify.CheckDPoP(v, now, jkt, token, verify.Proof{DPoP: tokenProof, Method: "POST", URL: "https://server.example.com/token"})
	if !errors.Is(err, verify.ErrProof) || !strings.Contains(err.Error(), "missing") {
		t.Error(err)
	}
}

// RFC 9449 §4.3: each member of a proof, right and wrong.
func TestProof_TOK14_Claims(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		key, now := verifytest.NewDPoPKey(t), time.Now().Unix()
		token := w.token(key.Binding())
		for name, changes := range map[string]verifytest.Claims{
			"plain": nil, "iat a minute ago": {"iat": now - 60}, "iat in a minute": {"iat": now + 60},
			"nonce that nobody wants": {"nonce": "x"}, "more members": {"new": map[string]any{"a": 1}},
			"nbf and exp": {"nbf": now, "exp": now + 1}, "htu with query": {"htu": ordersURL + "?a=b#c"},
			"htu in capitals": {"htu": "HTTPS://Orders.Example.COM:443/orders"}, "htu with dots": {"htu": audience + "/a/../%6Frders"},
		} {
			p := verify.Proof{DPoP: key.Proof("GET", ordersURL, token, "", changes), Method: "GET", URL: "/orders"}
			if c, err := v.VerifyProof(background, token, p); err != nil || c.Confirmation.JKT != key.Thumbprint() {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, tc := range map[string]struct {
			changes verifytest.Claims
			want    string
		}{
			"no jti": {verifytest.Claims{"jti": nil}, "missing"}, "no htm": {verifytest.Claims{"htm": nil}, "missing"},
			"no htu": {verifytest.Claims{"htu": nil}, "missing"}, "no iat": {verifytest.Claims{"iat": nil}, "missing"},
			"no ath": {verifytest.Claims{"ath": nil}, "missing"}, "jti empty": {verifytest.Claims{"jti": ""}, "jti"},
			"jti no text": {verifytest.Claims{"jti": 1}, "jti"}, "iat text": {verifytest.Claims{"iat": "1"}, "iat"},
			"iat fraction":     {verifytest.Claims{"iat": float64(now) + 0.5}, "iat"},
			"other method":     {verifytest.Claims{"htm": "POST"}, "htm"},
			"method in small":  {verifytest.Claims{"htm": "get"}, "htm"},
			"other path":       {verifytest.Claims{"htu": audience + "/order"}, "htu"},
			"longer path":      {verifytest.Claims{"htu": ordersURL + "/"}, "htu"},
			"path in capitals": {verifytest.Claims{"htu": audience + "/Orders"}, "htu"},
			"other host":       {verifytest.Claims{"htu": "https://evil.example.com/orders"}, "htu"},
			"other port":       {verifytest.Claims{"htu": "https://orders.example.com:8443/orders"}, "htu"},
			"other scheme":     {verifytest.Claims{"htu": "http://orders.example.com/orders"}, "htu"},
			"with a user":      {verifytest.Claims{"htu": "https://u@orders.example.com/orders"}, "htu"},
			"path only":        {verifytest.Claims{"htu": "/orders"}, "htu"},
			"escaped slash":    {verifytest.Claims{"htu": audience + "%2Forders"}, "htu"},
			"iat too old":      {verifytest.Claims{"iat": now - 61}, "iat"},
			"iat too new":      {verifytest.Claims{"iat": now + 61}, "iat"},
			"iat 1 h ago":      {verifytest.Claims{"iat": now - 3600}, "iat"},
			"exp over":         {verifytest.Claims{"exp": now - 61}, "exp"},
			"nbf ahead":        {verifytest.Claims{"nbf": now + 61}, "nbf"},
			"ath of another":   {verifytest.Claims{"ath": base64.RawURLEncoding.EncodeToString(make([]byte, 32))}, "ath"},
			"ath with padding": {verifytest.Claims{"ath": strings.Repeat("A", 43) + "="}, "ath"},
		} {
			p := verify.Proof{DPoP: key.Proof("GET", ordersURL, token, "", tc.changes), Method: "GET", URL: "/orders"}
			_, err := v.VerifyProof(background, token, p)
			if !errors.Is(err, verify.ErrProof) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// RFC 9449 §4.3 steps 4 to 7: what is no proof, and is not called a bad token.
func TestProof_TOK14_Form(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		jkt, err := jose.Thumbprint(public)
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		token := w.token(map[string]any{"cnf": map[string]string{"jkt": jkt}})
		proof := func(head string) string {
			other := verifytest.NewDPoPKey(t).Proof("GET", ordersURL, token, "")
			signed := encode([]byte(head)) + "." + strings.Split(other, ".")[1]
			return signed + "." + encode(ed25519.Sign(private, []byte(signed)))
		}
		jwk := `"kty":"OKP","crv":"Ed25519","x":"` + encode(public) + `"`
		good := `{"typ":"dpop+jwt","alg":"Ed25519","jwk":{` + jwk + `}}`
		ask := func(dpop string) error {
			_, err := v.VerifyProof(background, token, verify.Proof{DPoP: dpop, Method: "GET", URL: "/orders"})
			return err
		}
		if err := ask(proof(good)); err != nil {
			t.Fatal(err)
		}
		for name, dpop := range map[string]string{
			"typ of an access token": proof(strings.Replace(good, "dpop+jwt", "at+jwt", 1)),
			"no typ":                 proof(strings.Replace(good, `"typ":"dpop+jwt",`, "", 1)),
			"alg that is off":        proof(strings.Replace(good, `"Ed25519",`, `"EdDSA",`, 1)),
			"alg none":               proof(strings.Replace(good, `"Ed25519",`, `"none",`, 1)),
			"private key":            proof(strings.Replace(good, `"kty"`, `"d":"AA","kty"`, 1)),
			"crit":                   proof(strings.Replace(good, `{`, `{"crit":["x"],`, 1)),
			"no jwk":                 proof(`{"typ":"dpop+jwt","alg":"Ed25519","kid":"k"}`),
			"changed":                proof(good)[:200] + "AAAA",
			"garbage":                "garbage",
			"two proofs":             proof(good) + ", " + proof(good),
			"the token":              token,
		} {
			if err := ask(dpop); !errors.Is(err, verify.ErrProof) || errors.Is(err, verify.ErrMalformed) || errors.Is(err, verify.ErrSignature) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}, verify.ProofAlgorithms(jose.Ed25519, jose.ES256))
}

// RFC 9449 §7.1, §7.2: token and proof belong together.
func TestProof_TOK14_Binding(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		key, thief := verifytest.NewDPoPKey(t), verifytest.NewDPoPKey(t)
		bound, bearer := w.token(key.Binding()), w.token(nil)
		ask := func(token string, by *verifytest.DPoPKey) error {
			p := verify.Proof{Method: "GET", URL: ordersURL}
			if by != nil {
				p.DPoP = by.Proof("GET", ordersURL, token, "")
			}
			_, err := v.VerifyProof(background, token, p)
			return err
		}
		for name, tc := range map[string]struct{ got, want error }{
			"bound, its key":       {ask(bound, key), nil},
			"bound, another key":   {ask(bound, thief), verify.ErrBound},
			"bound, no proof":      {ask(bound, nil), verify.ErrBound},
			"bearer, no proof":     {ask(bearer, nil), nil},
			"bearer, with a proof": {ask(bearer, key), verify.ErrUnbound},
			"expired":              {ask(w.token(map[string]any{"iat": 1, "exp": 2, "cnf": key.Binding()["cnf"]}), key), verify.ErrExpired},
		} {
			if !errors.Is(tc.got, tc.want) {
				t.Errorf("%s: %v", name, tc.got)
			}
		}
		// Who has stolen a token does not choose which signatures are computed.
		p := verify.Proof{DPoP: thief.Proof("GET", ordersURL, bound, ""), Method: "GET", URL: ordersURL}
		p.DPoP = p.DPoP[:strings.LastIndexByte(p.DPoP, '.')] + ".AAAA"
		if _, err := v.VerifyProof(background, bound, p); !errors.Is(err, verify.ErrBound) {
			t.Errorf("another key, and no signature: %v", err)
		}
		if _, err := v.Verify(background, bound); !errors.Is(err, verify.ErrBound) {
			t.Errorf("Verify: %v", err)
		}
	})
}

func TestProof_RequireProof(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		if _, err := v.Verify(background, w.token(nil)); !errors.Is(err, verify.ErrUnbound) {
			t.Errorf("bearer: %v", err)
		}
		key := verifytest.NewDPoPKey(t)
		token := w.token(key.Binding())
		p := verify.Proof{DPoP: key.Proof("PUT", ordersURL, token, ""), Method: "PUT", URL: "/orders"}
		if _, err := v.VerifyProof(background, token, p); err != nil {
			t.Error(err)
		}
	}, verify.RequireProof())
}

// TOK-14: a proof works once, however many ask at the same time, on two nodes with one
// store; another proof of the same key works, and so does the same jti of another key.
func TestProof_TOK14_ReplayRace(t *testing.T) {
	t.Parallel()
	iss, shared := verifytest.NewIssuer(t), verify.ProofReplay(verify.NewReplayMemory(1000))
	v := iss.Verifier(t, audience, shared)
	nodes := [...]*verify.Verifier{v, iss.Verifier(t, audience, shared)}
	key, other := verifytest.NewDPoPKey(t), verifytest.NewDPoPKey(t)
	token, same := iss.Token(audience, key.Binding()), verifytest.Claims{"jti": "one"}
	for range 20 {
		proof := key.Proof("GET", ordersURL, token, "")
		var won atomic.Int32
		var wg sync.WaitGroup
		begin := make(chan struct{})
		for n := range 32 {
			wg.Go(func() {
				<-begin
				_, err := nodes[n%2].VerifyProof(background, token, verify.Proof{DPoP: proof, Method: "GET", URL: "/orders"})
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, verify.ErrProof) || !strings.Contains(err.Error(), "jti"):
					t.Error(err)
				}
			})
		}
		close(begin)
		wg.Wait()
		if n := won.Load(); n != 1 {
			t.Fatalf("%d winners", n)
		}
	}
	ask := func(key *verifytest.DPoPKey, changes verifytest.Claims) error {
		token := iss.Token(audience, key.Binding())
		_, err := v.VerifyProof(background, token, verify.Proof{DPoP: key.Proof("GET", ordersURL, token, "", changes), Method: "GET", URL: "/orders"})
		return err
	}
	if err := ask(key, same); err != nil {
		t.Error(err)
	}
	if err := ask(other, same); err != nil {
		t.Errorf("the jti of another key: %v", err)
	}
	later := verifytest.Claims{"jti": "one", "iat": time.Now().Add(30 * time.Second).Unix()}
	if err := ask(key, later); !errors.Is(err, verify.ErrProof) {
		t.Errorf("the same jti in another proof: %v", err)
	}
}

// brokenStore cannot tell.
type brokenStore struct{}

func (brokenStore) Use(context.Context, [32]byte, time.Time, time.Time) (bool, error) {
	return true, errors.New("secret address of the store")
}

// TOK-14: a store that cannot tell refuses, and says nothing about itself.
func TestProof_TOK14_StoreFailsClosed(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]verify.ReplayStore{"broken": brokenStore{}, "full": verify.NewReplayMemory(0)} {
		running(t, func(t *testing.T, w *world, v *verify.Verifier) {
			key := verifytest.NewDPoPKey(t)
			token := w.token(key.Binding())
			header := func() http.Header {
				return http.Header{"Authorization": {"DPoP " + token}, "Dpop": {key.Proof("GET", ordersURL, token, "")}}
			}
			resp, body := ask(v, header())
			if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || resp.Header.Get("WWW-Authenticate") != "" || strings.Contains(body, "secret") {
				t.Errorf("%s: %d %v %s", name, resp.StatusCode, resp.Header, body)
			}
			_, err := v.VerifyCredentials(background, verify.Credentials{Authorization: header()["Authorization"], DPoP: header()["Dpop"], Method: "GET", URL: "/orders"})
			if !errors.Is(err, verify.ErrReplayStore) {
				t.Errorf("%s: %v", name, err)
			}
			if trouble := v.Status().LastTrouble; !strings.HasPrefix(trouble, "used proofs: ") {
				t.Errorf("%s: %q", name, trouble)
			}
		}, verify.ProofReplay(store))
	}
}

func TestNew_RefusesProofOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]verify.Option{
		"no window": verify.ProofWindow(0), "a day": verify.ProofWindow(24 * time.Hour),
		"unknown algorithm": verify.ProofAlgorithms("HS256"), "short key": verify.ProofNonces(make([]byte, 31)),
		"path only": verify.ExternalURL("/orders"), "plain http": verify.ExternalURL("http://orders.example.com"),
		"slash": verify.ExternalURL("https://orders.example.com/"), "query": verify.ExternalURL("https://orders.example.com?"),
		"user": verify.ExternalURL("https://u@orders.example.com"), "fragment": verify.ExternalURL("https://orders.example.com#"),
		"dots": verify.ExternalURL("https://orders.example.com/a/.."), "no host": verify.ExternalURL("https://:443"),
	} {
		if _, err := verify.New(issuer, audience, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// JOS-21: a verifier that is printed, with what it is part of say, shows no key.
func TestProofNonces_JOS21_KeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	v, err := verify.New(issuer, audience, verify.ProofNonces([]byte(strings.Repeat("k", 32))))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		text := fmt.Sprintf(verb, v)
		for _, leak := range []string{"107 107 107", "0x6b, 0x6b", "kkk", "6b6b6b"} {
			if strings.Contains(text, leak) {
				t.Errorf("%s prints %s", verb, leak)
			}
		}
	}
}
