package verifytest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

const audience = "https://orders.example.com"

var background = context.Background()

func TestIssuer_TokenAndRevoke(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	v := iss.Verifier(t, audience)
	protected := v.Require("orders:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ask := func(token string) int {
		r := httptest.NewRequest(http.MethodGet, "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		protected.ServeHTTP(w, r)
		return w.Code
	}
	token := iss.Token(audience, verifytest.Claims{"scope": "orders:read"})
	if got := ask(token); got != 200 {
		t.Errorf("good token: %d", got)
	}
	if got := ask(iss.Token(audience)); got != 403 {
		t.Errorf("no scope: %d", got)
	}
	if got := ask(iss.Token("https://other.example.com")); got != 401 {
		t.Errorf("other audience: %d", got)
	}
	if got := ask(iss.Token(audience, verifytest.Claims{"jti": nil})); got != 401 {
		t.Errorf("no jti: %d", got)
	}
	for n, r := range []verify.Rule{
		{Kind: verify.RuleGrant, ID: "grant-1"}, {Kind: verify.RuleSession, ID: "session-2"}, {Kind: verify.RuleJTI, ID: "j"},
		{Kind: verify.RuleClient, ID: "client-2"}, {Kind: verify.RuleAll},
	} {
		iss.Revoke(r)
		if got := v.Status().Position; got != int64(n+1) {
			t.Errorf("position %d after %d rules", got, n+1)
		}
		if got := ask(token); got != 401 {
			t.Errorf("revoked token: %d", got)
		}
	}
}

// What is made after a rule that names tokens by their time of issue is good, as with a signet.
func TestIssuer_TokensAfterRevoke(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	v := iss.Verifier(t, audience)
	mine := verifytest.Claims{"client_id": "mine"}
	for _, r := range []verify.Rule{{Kind: verify.RuleClient, ID: "mine"}, {Kind: verify.RuleAll}} {
		old, given := iss.Token(audience, mine), verifytest.Claims{"iat": time.Now().Unix()}
		iss.Revoke(r)
		if _, err := v.Verify(background, old); !errors.Is(err, verify.ErrRevoked) {
			t.Errorf("%s: made before: %v", r.Kind, err)
		}
		if _, err := v.Verify(background, iss.Token(audience, mine)); err != nil {
			t.Errorf("%s: made after: %v", r.Kind, err)
		}
		if _, err := v.Verify(background, iss.Token(audience, mine, given)); !errors.Is(err, verify.ErrRevoked) {
			t.Errorf("%s: with an iat before: %v", r.Kind, err)
		}
	}
}

// RevokeToken takes one token back, however long it lives, and leaves the others of its grant.
func TestIssuer_RevokeToken(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	v, other := iss.Verifier(t, audience), iss.Verifier(t, "https://other.example.com")
	end := time.Now().Add(24 * time.Hour)
	token := iss.Token(audience, verifytest.Claims{"exp": end.Unix()})
	sister := iss.Token(audience)
	iss.RevokeToken(token)
	_, err := v.Verify(background, token)
	var revoked *verify.RevokedError
	if !errors.As(err, &revoked) || revoked.Rule.Kind != verify.RuleJTI || revoked.Rule.Until.Before(end) {
		t.Errorf("%v %+v", err, revoked)
	}
	if _, err := v.Verify(background, sister); err != nil {
		t.Error("another token of the grant:", err)
	}
	if got := other.Status().Position; got != 1 {
		t.Errorf("the other verifier is at %d", got)
	}
}

// An end in the past is that of a token that was good before.
func TestIssuer_ExpiredToken(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	v := iss.Verifier(t, audience)
	hourAgo := time.Now().Add(-time.Hour)
	for name, tc := range map[string]struct {
		claims verifytest.Claims
		want   error
	}{
		"int64":                {verifytest.Claims{"exp": hourAgo.Unix()}, verify.ErrExpired},
		"int":                  {verifytest.Claims{"exp": int(hourAgo.Unix())}, verify.ErrExpired},
		"float64":              {verifytest.Claims{"exp": float64(hourAgo.Unix())}, verify.ErrExpired},
		"now, within leeway":   {verifytest.Claims{"exp": time.Now().Unix()}, nil},
		"with an iat":          {verifytest.Claims{"exp": hourAgo.Unix(), "iat": hourAgo.Unix() - 1}, verify.ErrExpired},
		"with an iat after":    {verifytest.Claims{"exp": hourAgo.Unix(), "iat": hourAgo.Unix()}, verify.ErrMalformed},
		"with no iat":          {verifytest.Claims{"exp": hourAgo.Unix(), "iat": nil}, verify.ErrMalformed},
		"none":                 {verifytest.Claims{"exp": nil}, verify.ErrMalformed},
		"a text":               {verifytest.Claims{"exp": "1"}, verify.ErrMalformed},
		"an iat in the future": {verifytest.Claims{"iat": time.Now().Add(2 * time.Minute).Unix()}, verify.ErrNotYetValid},
	} {
		if _, err := v.Verify(background, iss.Token(audience, tc.claims)); !errors.Is(err, tc.want) || tc.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if _, err := v.VerifyIDToken(background, iss.IDToken("app", verifytest.Claims{"exp": hourAgo.Unix(), "nonce": "n"}), "app", "n"); !errors.Is(err, verify.ErrExpired) {
		t.Error("ID token:", err)
	}
}

func TestIssuer_IDToken(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	v := iss.Verifier(t, audience)
	c, err := v.VerifyIDToken(background, iss.IDToken("app", verifytest.Claims{"nonce": "n"}), "app", "n")
	if err != nil || c.Subject != "user-1" || c.SessionID != "session-1" {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TOK-12 over a real connection: while the line is silent the old answer stands until
// the limit, and then nothing is accepted.
func TestIssuer_PauseAndResume(t *testing.T) {
	t.Parallel()
	var offset atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	iss := verifytest.NewIssuer(t, verifytest.Clock(clock), verifytest.Heartbeat(10*time.Millisecond))
	v := iss.Verifier(t, audience, verify.MaxStaleness(2*time.Minute))
	token := iss.Token(audience)
	iss.Pause()
	iss.Revoke(verify.Rule{Kind: verify.RuleGrant, ID: "grant-1"}) // does not get through
	if _, err := v.Verify(background, token); err != nil {
		t.Error("at once:", err)
	}
	offset.Add(int64(3 * time.Minute))
	if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrStale) {
		t.Error("after the limit:", err)
	}
	iss.Resume()
	iss.Revoke(verify.Rule{Kind: verify.RuleGrant, ID: "grant-2"}) // waits until both are heard
	if _, err := v.Verify(background, token); !errors.Is(err, verify.ErrRevoked) {
		t.Error("after the line is back:", err)
	}
	if _, err := v.Verify(background, iss.Token(audience, verifytest.Claims{"grant_id": nil})); err != nil {
		t.Error("another token:", err)
	}
}

// A verifier that comes late gets all that was revoked before, in several messages.
func TestIssuer_Snapshot(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	for range 2500 {
		iss.Revoke(verify.Rule{Kind: verify.RuleGrant, ID: "grant-1"})
	}
	v := iss.Verifier(t, audience)
	if s := v.Status(); s.Position != 2500 || s.RulesReceived != 2500 || s.Rules != 1 {
		t.Errorf("status %+v", s)
	}
	if _, err := v.Verify(background, iss.Token(audience)); !errors.Is(err, verify.ErrRevoked) {
		t.Error(err)
	}
}
