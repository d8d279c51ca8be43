package cli_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/cli"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/web"
	"github.com/signet-id/signet/verify/verifytest"
)

// NET-01: what an operator pastes into the console may name any address as its issuer. Only
// this server's own issuer is asked.
func TestConsoleExplainer_NET01_AsksNobodyElse(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(listener.Close)
	explain := cli.Explainer(filepath.Join(t.TempDir(), "nobody"), time.Now)

	part := base64.RawURLEncoding.EncodeToString
	forged := part([]byte(`{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}`)) + "." +
		part([]byte(`{"iss":"`+listener.URL+`","sub":"ann","aud":"https://orders.example","exp":4102444800,"iat":1767225600,"jti":"j"}`)) + ".AA"
	told, err := explain(t.Context(), secret.NewText(forged), "https://id.example.com")
	if err != nil || told.Verdict != "refused" || told.Issuer != listener.URL || asked.Load() != 0 {
		t.Errorf("a stranger's token: %+v, %v; the address was asked %d times", told, err, asked.Load())
	}
	for _, none := range []string{"", "a word", "a.b.c", strings.Repeat("x", 1<<10)} {
		if told, err := explain(t.Context(), secret.NewText(none), "https://id.example.com"); err == nil {
			t.Errorf("%.20q: %+v", none, told)
		}
	}
}

// A token that is bound to a key is worth something to who has the key.
func TestConsoleExplainer_Bound(t *testing.T) {
	t.Parallel()
	issuer := verifytest.NewIssuer(t)
	explain := cli.Explainer(filepath.Join(t.TempDir(), "nobody"), time.Now)
	for name, c := range map[string]struct {
		token   string
		verdict string
		bound   bool
		why     web.TokenTrouble
	}{
		"bound":         {issuer.Token("https://orders.example", verifytest.NewDPoPKey(t).Binding()), "unknown", true, web.TokenUnsuited},
		"not bound":     {issuer.Token("https://orders.example"), "accepted", false, web.TokenFits},
		"bound, forged": {verifytest.NewIssuer(t).Token("https://orders.example", verifytest.Claims{"iss": issuer.URL}, verifytest.NewDPoPKey(t).Binding()), "refused", false, web.TokenForged},
		"changed":       {changed(issuer.Token("https://orders.example")), "refused", false, web.TokenForged},
		"cut":           {issuer.Token("https://orders.example") + "*", "refused", false, web.TokenMalformed},
	} {
		told, err := explain(t.Context(), secret.NewText(c.token), issuer.URL)
		if err != nil || told.Verdict != c.verdict || told.Bound != c.bound || told.Why != c.why || told.Audience != "https://orders.example" {
			t.Errorf("%s: %+v, %v", name, told, err)
		}
	}
}

// changed is the token with another signature.
func changed(token string) string {
	dot := strings.LastIndexByte(token, '.')
	return token[:dot+1] + strings.Repeat("A", len(token)-dot-1)
}
