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
