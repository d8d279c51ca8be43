package verify_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
	"github.com/signet-id/signet/verify/verifytest"
)

const (
	server   = "https://id.example.com"
	tokenURL = server + "/token"
)

func newChecker(t *testing.T, opts ...verify.Option) *verify.ProofChecker {
	t.Helper()
	c, err := verify.NewProofChecker(server, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tokenProof is a proof for the token endpoint, which has no hash of a token.
func tokenProof(key *verifytest.DPoPKey, nonce string, changes ...verifytest.Claims) verify.ProofRequest {
	proof := key.Proof("POST", tokenURL, "", nonce, append([]verifytest.Claims{{"ath": nil}}, changes...)...)
	return verify.ProofRequest{DPoP: []string{proof}, Method: "POST", URL: "/token"}
}

// RFC 9449 §5: at the token endpoint a proof says by which key it is, and works once.
func TestProofChecker_RFC9449_5_TokenRequest(t *testing.T) {
	t.Parallel()
	c, key, now := newChecker(t), verifytest.NewDPoPKey(t), time.Now()
	p, err := c.Check(now, tokenProof(key, ""))
	if err != nil || p.Thumbprint != key.Thumbprint() || p.Nonce != "" {
		t.Fatal(p, err)
	}
	used := verify.NewReplayMemory(10)
	if err := p.Use(background, now, used); err != nil {
		t.Error(err)
	}
	if err := p.Use(background, now, used); !errors.Is(err, verify.ErrProof) {
		t.Errorf("a second time: %v", err)
	}
	if err := p.Use(background, now, brokenStore{}); !errors.Is(err, verify.ErrReplayStore) {
		t.Errorf("a store that cannot tell: %v", err)
	}
	for name, changes := range map[string]verifytest.Claims{
		"no jti": {"jti": nil}, "no iat": {"iat": nil}, "old": {"iat": now.Unix() - 3600}, "for another endpoint": {"htu": server + "/par"},
		"for another server": {"htu": "https://evil.example.com/token"}, "another method": {"htm": "GET"},
	} {
		if _, err := c.Check(now, tokenProof(key, "", changes)); !errors.Is(err, verify.ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := tokenProof(key, "")
	for name, headers := range map[string][]string{"none": nil, "empty": {""}, "two": {r.DPoP[0], tokenProof(key, "").DPoP[0]}} {
		r.DPoP = headers
		if _, err := c.Check(now, r); !errors.Is(err, verify.ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RFC 9449 §7.1: with a token, the proof is by the key that the token is bound to.
func TestProofChecker_TOK14_Binding(t *testing.T) {
	t.Parallel()
	c, key, now := newChecker(t), verifytest.NewDPoPKey(t), time.Now()
	r := verify.ProofRequest{Method: "GET", URL: server + "/userinfo", Token: "abc", Thumbprint: key.Thumbprint()}
	ask := func(by *verifytest.DPoPKey, token, thumbprint string) error {
		r.DPoP, r.Thumbprint = []string{by.Proof("GET", server+"/userinfo", token, "")}, thumbprint
		_, err := c.Check(now, r)
		return err
	}
	thief := verifytest.NewDPoPKey(t)
	for name, tc := range map[string]struct{ got, want error }{
		"its key":                        {ask(key, "abc", key.Thumbprint()), nil},
		"another key":                    {ask(thief, "abc", key.Thumbprint()), verify.ErrBound},
		"another token":                  {ask(key, "abd", key.Thumbprint()), verify.ErrProof},
		"a token that is bound to none":  {ask(key, "abc", ""), verify.ErrUnbound},
		"that, and a proof by nobody":    {ask(thief, "", ""), verify.ErrUnbound},
		"a thumbprint that is not a key": {ask(key, "abc", strings.ToLower(key.Thumbprint())), verify.ErrBound},
	} {
		if !errors.Is(tc.got, tc.want) {
			t.Errorf("%s: %v", name, tc.got)
		}
	}
}

// RFC 9449 §4.3 step 11: with a token, a proof has its hash; the token's absence is no token.
func TestProofChecker_TOK14_NoHash(t *testing.T) {
	t.Parallel()
	c, key := newChecker(t), verifytest.NewDPoPKey(t)
	r := tokenProof(key, "")
	r.Token, r.Thumbprint = "abc", key.Thumbprint()
	if _, err := c.Check(time.Now(), r); !errors.Is(err, verify.ErrProof) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("no ath: %v", err)
	}
}

// RFC 9449 §8, §11.3: a nonce is asked for, or none is given out; a wrong one is wrong in both cases.
func TestProofChecker_RFC9449_8_Nonce(t *testing.T) {
	t.Parallel()
	shared := []byte(strings.Repeat("k", 32))
	c, other := newChecker(t, verify.ProofNonces(shared)), newChecker(t, verify.ProofNonces(shared))
	key, now := verifytest.NewDPoPKey(t), time.Now()
	ask := func(nonce string, optional bool, at time.Duration) (*verify.CheckedProof, error) {
		r := tokenProof(key, nonce, verifytest.Claims{"iat": now.Add(at).Unix()})
		r.NonceOptional = optional
		return other.Check(now.Add(at), r)
	}
	_, err := c.Check(now, tokenProof(key, ""))
	var needed *verify.NonceError
	if !errors.As(err, &needed) || needed.Nonce == "" {
		t.Fatal(err)
	}
	if p, err := ask(needed.Nonce, false, 0); err != nil || p.Nonce != "" {
		t.Errorf("our nonce, on another node: %v %v", p, err)
	}
	if p, err := ask("", true, 0); err != nil || p.Nonce != "" {
		t.Errorf("none, where it is optional: %v %v", p, err)
	}
	if p, err := ask(needed.Nonce, true, 2*time.Minute); err != nil || p.Nonce == "" || p.Nonce == needed.Nonce {
		t.Errorf("a newer one is due: %v %v", p, err)
	}
	for name, tc := range map[string]struct {
		nonce    string
		optional bool
		at       time.Duration
	}{
		"somebody else's": {"x", false, 0}, "somebody else's, optional": {"x", true, 0},
		"old": {needed.Nonce, false, 4 * time.Minute}, "old, optional": {needed.Nonce, true, 4 * time.Minute},
	} {
		if _, err := ask(tc.nonce, tc.optional, tc.at); !errors.Is(err, verify.ErrProofNonce) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewProofChecker_Refuses(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func() (*verify.ProofChecker, error){
		"no URL":     func() (*verify.ProofChecker, error) { return verify.NewProofChecker("") },
		"plain http": func() (*verify.ProofChecker, error) { return verify.NewProofChecker("http://id.example.com") },
		"slash":      func() (*verify.ProofChecker, error) { return verify.NewProofChecker(server + "/") },
		"unknown algorithm": func() (*verify.ProofChecker, error) {
			return verify.NewProofChecker(server, verify.ProofAlgorithms("none"))
		},
		"a day": func() (*verify.ProofChecker, error) {
			return verify.NewProofChecker(server, verify.ProofWindow(24*time.Hour))
		},
		"leeway": func() (*verify.ProofChecker, error) { return verify.NewProofChecker(server, verify.Leeway(time.Hour)) },
		"short key": func() (*verify.ProofChecker, error) {
			return verify.NewProofChecker(server, verify.ProofNonces(make([]byte, 31)))
		},
	} {
		if _, err := create(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := verify.NewProofChecker("http://localhost:8080", verify.ProofAlgorithms(jose.ES256)); err != nil {
		t.Error(err)
	}
}
