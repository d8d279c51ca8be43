package verify_test

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// RFC 9728 §2, §3.1.
func TestResourceMetadata_RFC9728(t *testing.T) {
	t.Parallel()
	names, err := json.Marshal(jose.Algorithms())
	if err != nil {
		t.Fatal(err)
	}
	algorithms := `,"dpop_signing_alg_values_supported":` + string(names)
	for audience, path := range map[string]string{
		"https://orders.example.com":       "/.well-known/oauth-protected-resource",
		"https://orders.example.com/":      "/.well-known/oauth-protected-resource",
		"https://example.com/orders/v1":    "/.well-known/oauth-protected-resource/orders/v1",
		"https://example.com/orders/":      "/.well-known/oauth-protected-resource/orders/",
		"https://example.com:8443/a":       "/.well-known/oauth-protected-resource/a",
		"urn:example:orders":               "/.well-known/oauth-protected-resource",
		"https://example.com/orders%2Fnew": "/.well-known/oauth-protected-resource/orders%2Fnew",
	} {
		v, err := verify.New(issuer, audience)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.MetadataPath(); got != path {
			t.Errorf("%s: %s", audience, got)
		}
		w := httptest.NewRecorder()
		v.ResourceMetadata("orders:read").ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		want := `{"resource":"` + audience + `","authorization_servers":["` + issuer + `"],"bearer_methods_supported":["header"],"scopes_supported":["orders:read"]` + algorithms + `}`
		if strings.HasPrefix(audience, "urn:") { // no address, no proofs
			want = strings.Replace(want, algorithms, "", 1)
		}
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		w = httptest.NewRecorder()
		v.ResourceMetadata().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST: %d", w.Code)
		}
	}
}

// RFC 9728 §3.1, §5.1: challenges point only to where a client can go.
func TestResourceMetadataURL_RFC9728_5_1(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"", metadataURL, metadataURL + "/orders/v1", metadataURL + "?tenant=1", "https://orders.example.com:8443/m", "http://localhost:8081/m", "http://127.0.0.1/m", "http://[::1]:1/m",
	} {
		if _, err := verify.New(issuer, audience, verify.ResourceMetadataURL(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"/.well-known/oauth-protected-resource", "orders.example.com/m", "//orders.example.com/m", "https:/m", "https:m", "https://", "http://orders.example.com/m",
		"http://127.0.0.1.example.com/m", "ftp://orders.example.com/m", "urn:orders", metadataURL + "#", metadataURL + "#a", "https://user@orders.example.com/m",
		"https://orders.example.com/a b", " " + metadataURL, metadataURL + "\n", "https://orders.example.com/é", `https://orders.example.com/"`, `https://orders.example.com/\`, "https://orders.example.com/%zz",
	} {
		if _, err := verify.New(issuer, audience, verify.ResourceMetadataURL(bad)); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}

// RFC 9728 §2: what is said about proofs is what is asked for.
func TestResourceMetadata_RFC9728_2_Proofs(t *testing.T) {
	t.Parallel()
	noCertificate := verify.ClientCertificate(func(*http.Request) *x509.Certificate { return nil })
	algs := verify.ProofAlgorithms(jose.ES256)
	for name, tc := range map[string]struct {
		options []verify.Option
		want    string
	}{
		"algorithms":       {[]verify.Option{algs}, `"dpop_signing_alg_values_supported":["ES256"]`},
		"certificates":     {[]verify.Option{algs, verify.MutualTLS()}, `"tls_client_certificate_bound_access_tokens":true,"dpop_signing_alg_values_supported":["ES256"]`},
		"from a proxy":     {[]verify.Option{algs, noCertificate}, `"tls_client_certificate_bound_access_tokens":true,"dpop_signing_alg_values_supported":["ES256"]`},
		"DPoP only":        {[]verify.Option{algs, verify.RequireProof()}, `"dpop_signing_alg_values_supported":["ES256"],"dpop_bound_access_tokens_required":true`},
		"DPoP or mTLS":     {[]verify.Option{algs, verify.RequireProof(), verify.MutualTLS()}, `"tls_client_certificate_bound_access_tokens":true,"dpop_signing_alg_values_supported":["ES256"]`},
		"name and address": {[]verify.Option{algs, verify.ResourceDescription("Orders", "https://docs.example.com")}, `"resource_name":"Orders","resource_documentation":"https://docs.example.com","dpop_signing_alg_values_supported":["ES256"]`},
	} {
		v, err := verify.New(issuer, audience, tc.options...)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		v.ResourceMetadata().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		want := `{"resource":"` + audience + `","authorization_servers":["` + issuer + `"],"bearer_methods_supported":["header"],` + tc.want + `}`
		if w.Body.String() != want {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
}
