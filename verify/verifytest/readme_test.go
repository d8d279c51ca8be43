package verifytest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

// What the README shows of tests.

func TestOrders(t *testing.T) {
	iss := verifytest.NewIssuer(t) // iss.URL is its name and address
	service := newOrders(iss.Verifier(t, "https://orders.example.com"))
	ask := func(token string) int {
		r := httptest.NewRequest("GET", "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		return w.Code
	}

	good := iss.Token("https://orders.example.com", verifytest.Claims{"sub": "ann", "scope": "orders:read"})
	if got := ask(good); got != 204 {
		t.Errorf("good: %d", got)
	}
	weak := iss.Token("https://orders.example.com", verifytest.Claims{"scope": "orders:write"})
	if got := ask(weak); got != 403 {
		t.Errorf("another scope: %d", got)
	}
	old := iss.Token("https://orders.example.com", verifytest.Claims{"exp": time.Now().Add(-time.Hour).Unix()})
	if got := ask(old); got != 401 {
		t.Errorf("expired: %d", got)
	}
	iss.RevokeToken(good) // returns when the verifier has heard of it
	if got := ask(good); got != 401 {
		t.Errorf("revoked: %d", got)
	}
}

// The service makes the verifier itself, as it does in production.
func TestOrders_Wiring(t *testing.T) {
	iss := verifytest.NewIssuer(t)
	v, err := verify.New(iss.URL, "https://orders.example.com") // what your main does
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go v.Run(ctx)
	iss.WaitFor(v) // until <-v.Ready(); RevokeToken waits for v from now on

	token := iss.Token("https://orders.example.com")
	iss.RevokeToken(token)
	if _, err := v.Verify(ctx, token); err == nil {
		t.Error("revoked: accepted")
	}
}

func TestOrders_DPoP(t *testing.T) {
	iss := verifytest.NewIssuer(t)
	service := newOrders(iss.Verifier(t, "https://orders.example.com", verify.RequireProof()))
	key := verifytest.NewDPoPKey(t)
	token := iss.Token("https://orders.example.com", key.Binding(), verifytest.Claims{"scope": "orders:read"})
	r := httptest.NewRequest("GET", "https://orders.example.com/orders", nil)
	key.Authorize(r, token, "") // both headers
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	if w.Code != http.StatusNoContent {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOrders_IssuerDown(t *testing.T) {
	iss := verifytest.NewIssuer(t)
	v := iss.Verifier(t, "https://orders.example.com", verify.MaxStaleness(200*time.Millisecond))
	iss.Pause() // the feed falls silent
	for v.Status().Accepting {
		time.Sleep(10 * time.Millisecond)
	}
	iss.Resume()
	for !v.Status().Accepting {
		time.Sleep(10 * time.Millisecond)
	}
}
