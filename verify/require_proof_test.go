package verify_test

import (
	"bufio"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
	"github.com/signet-id/signet/verify/verifytest"
)

// Challenges without realm and metadata, as the tests below compare them.
func challenges(resp *http.Response) []string {
	var all []string
	for _, c := range resp.Header.Values("WWW-Authenticate") {
		all = append(all, strings.Replace(c, ` realm="`+audience+`"`, "", 1))
	}
	return all
}

// RFC 9449 §7.1, §7.2: what may be in the headers, and who is challenged how.
func TestRequire_RFC9449_7_1_Headers(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		key := verifytest.NewDPoPKey(t)
		bound, bearer := w.token(key.Binding()), w.token(nil)
		proof := func(token string) string { return key.Proof("GET", ordersURL, token, "") }
		var names []string
		for _, alg := range jose.Algorithms() {
			names = append(names, string(alg))
		}
		algs := `, algs="` + strings.Join(names, " ") + `"`
		const (
			invalid  = `, error="invalid_token", error_description="`
			badProof = `DPoP, error="invalid_dpop_proof", error_description="the DPoP proof is not valid: `
		)
		for name, tc := range map[string]struct {
			authorization, dpop []string
			status              int
			want                []string
		}{
			"good":              {[]string{"DPoP " + bound}, []string{proof(bound)}, 200, nil},
			"scheme in small":   {[]string{"dpop " + bound}, []string{proof(bound)}, 200, nil},
			"nothing":           {nil, nil, 401, []string{"Bearer", "DPoP" + algs}},
			"a proof alone":     {nil, []string{proof(bound)}, 401, []string{"Bearer", "DPoP" + algs}},
			"no proof":          {[]string{"DPoP " + bound}, nil, 401, []string{badProof + `DPoP: not exactly one header"` + algs, "Bearer"}},
			"empty proof":       {[]string{"DPoP " + bound}, []string{""}, 401, []string{badProof + `DPoP: not exactly one header"` + algs, "Bearer"}},
			"two proofs":        {[]string{"DPoP " + bound}, []string{proof(bound), proof(bound)}, 401, []string{badProof + `DPoP: not exactly one header"` + algs, "Bearer"}},
			"bound, as bearer":  {[]string{"Bearer " + bound}, nil, 401, []string{"Bearer" + invalid + `the token is bound to a key that was not proven"`, "DPoP" + algs}},
			"bearer with proof": {[]string{"Bearer " + bearer}, []string{proof(bearer)}, 400, []string{`Bearer, error="invalid_request", error_description="a DPoP proof goes with a token of the scheme DPoP"`, "DPoP" + algs}},
			"bearer, as DPoP":   {[]string{"DPoP " + bearer}, []string{proof(bearer)}, 401, []string{"DPoP" + invalid + `a token that is bound to a key is needed"` + algs, "Bearer"}},
			"both schemes":      {[]string{"DPoP " + bound, "Bearer " + bearer}, []string{proof(bound)}, 400, []string{`Bearer, error="invalid_request", error_description="the Authorization header must carry one token, once"`, "DPoP" + algs}},
			"for another token": {[]string{"DPoP " + bound}, []string{proof(bearer)}, 401, []string{badProof + `ath: another token"` + algs, "Bearer"}},
			"for a POST":        {[]string{"DPoP " + bound}, []string{key.Proof("POST", ordersURL, bound, "")}, 401, []string{badProof + `htm: another method"` + algs, "Bearer"}},
		} {
			resp, body := ask(v, http.Header{"Authorization": tc.authorization, "Dpop": tc.dpop}, "orders:read")
			if got := challenges(resp); resp.StatusCode != tc.status || !slices.Equal(got, tc.want) {
				t.Errorf("%s: %d\n got %q\nwant %q", name, resp.StatusCode, got, tc.want)
			}
			if tc.status == 200 && body != "hello user" {
				t.Errorf("%s: %s", name, body)
			}
		}
		resp, _ := ask(v, http.Header{"Authorization": {"DPoP " + bound}, "Dpop": {proof(bound)}}, "orders:delete")
		want := []string{`DPoP, error="insufficient_scope", error_description="the token does not allow this", scope="orders:delete"` + algs}
		if got := challenges(resp); resp.StatusCode != 403 || !slices.Equal(got, want) {
			t.Errorf("scope: %d %q", resp.StatusCode, got)
		}
	})
}

func TestRequire_RequireProofOffersDPoPOnly(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		resp, _ := ask(v, nil)
		if got := challenges(resp); resp.StatusCode != 401 || len(got) != 1 || !strings.HasPrefix(got[0], "DPoP, algs=") {
			t.Errorf("nothing: %q", got)
		}
		resp, _ = ask(v, http.Header{"Authorization": {"Bearer " + w.token(nil)}})
		if got := challenges(resp); resp.StatusCode != 401 || len(got) != 2 || !strings.Contains(got[0], "invalid_token") || !strings.HasPrefix(got[1], "DPoP, algs=") {
			t.Errorf("bearer: %q", got)
		}
	}, verify.RequireProof())
}

// RFC 8705 §3, RFC 9449 §7.1: a token that is bound to a certificate has the scheme Bearer.
func TestRequire_RequireProofOffersBearerForCertificates(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		audience string
		options  []verify.Option
		want     []string // schemes
	}{
		"DPoP only":               {audience, nil, []string{"DPoP"}},
		"MutualTLS":               {audience, []verify.Option{verify.MutualTLS()}, []string{"DPoP", "Bearer"}},
		"ClientCertificate":       {audience, []verify.Option{verify.ClientCertificate(func(*http.Request) *x509.Certificate { return nil })}, []string{"DPoP", "Bearer"}},
		"no address, so no proof": {"urn:orders", []verify.Option{verify.MutualTLS()}, []string{"Bearer"}},
	} {
		v, err := verify.New(issuer, tc.audience, append(tc.options, verify.RequireProof())...)
		if err != nil {
			t.Fatal(err)
		}
		resp, _ := ask(v, nil)
		var got []string
		for _, c := range resp.Header.Values("WWW-Authenticate") {
			scheme, _, _ := strings.Cut(c, " ")
			got = append(got, scheme)
		}
		if resp.StatusCode != 401 || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %d %q", name, resp.StatusCode, got)
		}
	}
}

// TOK-14: a proof that was made for another service does not work here, whatever the
// request says that this one is called, and whatever handlers before have done to the URL.
func TestRequire_TOK14_OwnAddress(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	key := verifytest.NewDPoPKey(t)
	for name, tc := range map[string]struct {
		audience string
		options  []verify.Option
		asked    string // the URL of the proof
		host     string
		status   int
	}{
		"of the audience":            {audience, nil, audience + "/v1/orders", "orders.example.com", 204},
		"behind a proxy":             {audience, nil, audience + "/v1/orders", "10.0.0.1:8080", 204},
		"forged host":                {audience, nil, "https://evil.example.com/v1/orders", "evil.example.com", 401},
		"audience with a path":       {audience + "/v1", nil, audience + "/v1/orders", "x", 204},
		"external URL":               {audience, []verify.Option{verify.ExternalURL("https://api.example.com")}, "https://api.example.com/v1/orders", "x", 204},
		"not the audience then":      {audience, []verify.Option{verify.ExternalURL("https://api.example.com")}, audience + "/v1/orders", "x", 401},
		"a proxy that takes a path":  {audience, []verify.Option{verify.ExternalURL("https://api.example.com/shop")}, "https://api.example.com/shop/v1/orders", "x", 204},
		"audience that is no URL":    {"urn:orders", nil, "https://orders.example.com/v1/orders", "orders.example.com", 401},
		"no URL, but an external":    {"urn:orders", []verify.Option{verify.ExternalURL("https://api.example.com")}, "https://api.example.com/v1/orders", "x", 204},
		"audience that is not https": {"http://orders.example.com", nil, "http://orders.example.com/v1/orders", "orders.example.com", 401},
	} {
		v := iss.Verifier(t, tc.audience, tc.options...)
		h := http.StripPrefix("/v1", v.Require()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })))
		token := iss.Token(tc.audience, key.Binding())
		r := httptest.NewRequest("GET", "/v1/orders?page=2", nil)
		r.Host = tc.host
		r.Header.Set("X-Forwarded-Host", "evil.example.com")
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("Authorization", "DPoP "+token)
		r.Header.Set("DPoP", key.Proof("GET", tc.asked, token, ""))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TOK-14: handlers see the path of a request as it was sent, so a proof for what it would
// be without dot segments and spelled otherwise is none for it.
func TestRequire_TOK14_PathAsSent(t *testing.T) {
	t.Parallel()
	iss, key := verifytest.NewIssuer(t), verifytest.NewDPoPKey(t)
	v := iss.Verifier(t, audience)
	token := iss.Token(audience, key.Binding())
	for name, tc := range map[string]struct {
		asked, proven string
		status        int
	}{
		"as it is":              {"/orders", "/orders", 204},
		"dots in the proof":     {"/orders", "/a/../orders", 204},
		"escapes":               {"/%6frders/a%2fb", "/orders/a%2Fb", 204},
		"absolute":              {"https://evil.example.com/orders", "/orders", 204},
		"dots in names":         {"/.well-known/a..b", "/.well-known/a..b", 204},
		"dots":                  {"/admin/../orders", "/orders", 401},
		"the same in the proof": {"/admin/../orders", "/admin/../orders", 401},
		"escaped dots":          {"/admin/%2e%2E/orders", "/orders", 401},
		"one dot":               {"/admin/./orders", "/admin/orders", 401},
		"dots at the end":       {"/orders/a/..", "/orders/", 401},
		"above the root":        {"/../orders", "/orders", 401},
		"escaped slashes":       {"/é%2F..%2Forders", "/orders", 401},
		"and a fragment":        {"/a%2Fb#", "/a/b%23", 401},
		"two slashes":           {"//orders", "/orders", 401},
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + tc.asked + " HTTP/1.1\r\nHost: orders.example.com\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "DPoP "+token)
		r.Header.Set("DPoP", key.Proof("GET", audience+tc.proven, token, ""))
		w := httptest.NewRecorder()
		v.Require()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })).ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// RFC 9449 §9: the client learns the nonce, and a new one before the old is over.
func TestRequire_RFC9449_9_Nonce(t *testing.T) {
	t.Parallel()
	shared := []byte(strings.Repeat("k", 32))
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		key := verifytest.NewDPoPKey(t)
		ask := func(v *verify.Verifier, nonce string) (*http.Response, string) {
			token := w.token(key.Binding())
			resp, _ := ask(v, http.Header{"Authorization": {"DPoP " + token}, "Dpop": {key.Proof("GET", ordersURL, token, nonce)}})
			return resp, resp.Header.Get("DPoP-Nonce")
		}
		resp, nonce := ask(v, "")
		if got := challenges(resp); resp.StatusCode != 401 || len(nonce) < 20 || !strings.HasPrefix(got[0], `DPoP, error="use_dpop_nonce"`) {
			t.Fatalf("no nonce: %d %q %q", resp.StatusCode, nonce, got)
		}
		if resp, next := ask(v, nonce); resp.StatusCode != 200 || next != "" {
			t.Errorf("its nonce: %d %q", resp.StatusCode, next)
		}
		if resp, next := ask(v, "made-up"); resp.StatusCode != 401 || next != nonce {
			t.Errorf("made up: %d %q", resp.StatusCode, next)
		}
		now := time.Now()
		for age, want := range map[time.Duration]int{-120: 200, 120: 200, 240: 401, -240: 401, 3600: 401} {
			resp, next := ask(v, verify.NonceAt(v, now.Add(-age*time.Second)))
			if resp.StatusCode != want || next != nonce {
				t.Errorf("%d s old: %d %q", age, resp.StatusCode, next)
			}
		}
		twin, stranger := w.start(verify.ProofNonces(shared)), w.start(verify.ProofNonces(nil))
		<-twin.Ready()
		<-stranger.Ready()
		if resp, _ := ask(twin, nonce); resp.StatusCode != 200 {
			t.Errorf("a node with the key: %d", resp.StatusCode)
		}
		if resp, other := ask(stranger, nonce); resp.StatusCode != 401 || other == nonce {
			t.Errorf("a node without: %d", resp.StatusCode)
		}
		token := w.token(key.Binding())
		_, err := v.VerifyProof(background, token, verify.Proof{DPoP: key.Proof("GET", ordersURL, token, ""), Method: "GET", URL: "/orders"})
		var needed *verify.NonceError
		if !errors.As(err, &needed) || !errors.Is(err, verify.ErrProofNonce) || needed.Nonce != nonce {
			t.Errorf("without HTTP: %v", err)
		}
	}, verify.ProofNonces(shared))
}
