package verifytest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

// newOrders is the service under test.
func newOrders(v *verify.Verifier) http.Handler {
	return v.Require("orders:read")(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
}

func ExampleNewIssuer() {
	_ = func(t *testing.T) { // a test function of yours
		iss := verifytest.NewIssuer(t)
		v := iss.Verifier(t, "https://orders.example.com")
		service := newOrders(v)

		token := iss.Token("https://orders.example.com", verifytest.Claims{"scope": "orders:read"})
		ask := func() int {
			r := httptest.NewRequest(http.MethodGet, "/orders", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			service.ServeHTTP(w, r)
			return w.Code
		}
		if got := ask(); got != http.StatusNoContent {
			t.Errorf("with a token: %d", got)
		}
		iss.Revoke(verify.Rule{Kind: verify.RuleSession, ID: "session-1"})
		if got := ask(); got != http.StatusUnauthorized {
			t.Errorf("after the logout: %d", got)
		}
	}
}

func ExampleNewDPoPKey() {
	_ = func(t *testing.T) { // a test function of yours
		iss := verifytest.NewIssuer(t)
		service := newOrders(iss.Verifier(t, "https://orders.example.com"))

		key := verifytest.NewDPoPKey(t)
		token := iss.Token("https://orders.example.com", verifytest.Claims{"scope": "orders:read"}, key.Binding())
		r := httptest.NewRequest(http.MethodGet, "https://orders.example.com/orders", nil)
		key.Authorize(r, token, "")
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent {
			t.Errorf("with a proof: %d", w.Code)
		}
	}
}
