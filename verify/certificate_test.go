package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

// RFC 8705 §3, TOK-15: on real connections, with certificates that nobody has signed.
func TestRequire_RFC8705_3_Certificate(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	v := iss.Verifier(t, audience)
	server := httptest.NewUnstartedServer(v.Require()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	defer server.Close()
	mine, theirs := selfSigned(t), selfSigned(t)
	token := iss.Token(audience, verifytest.CertificateBinding(mine.Leaf))
	key := verifytest.NewDPoPKey(t)
	for name, tc := range map[string]struct {
		certificate   *tls.Certificate
		authorization string
		dpop          string
		status        int
	}{
		"its certificate":      {&mine, "Bearer " + token, "", 204},
		"another":              {&theirs, "Bearer " + token, "", 401},
		"none":                 {nil, "Bearer " + token, "", 401},
		"bearer token":         {&mine, "Bearer " + iss.Token(audience), "", 204},
		"DPoP token":           {&mine, "Bearer " + iss.Token(audience, key.Binding()), "", 401},
		"with a proof instead": {&mine, "DPoP " + token, key.Proof("GET", audience+"/", token, ""), 401},
	} {
		transport := server.Client().Transport.(*http.Transport).Clone()
		if tc.certificate != nil {
			transport.TLSClientConfig.Certificates = []tls.Certificate{*tc.certificate}
		}
		r, err := http.NewRequest("GET", server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", tc.authorization)
		if tc.dpop != "" {
			r.Header.Set("DPoP", tc.dpop)
		}
		r.Header.Set("X-Client-Cert", "whatever the client likes")
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		transport.CloseIdleConnections()
		if resp.StatusCode != tc.status {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
}

// TOK-15: a header is looked at only by the function that was given.
func TestRequire_TOK15_ClientCertificate(t *testing.T) {
	t.Parallel()
	mine := selfSigned(t)
	fromProxy := verify.ClientCertificate(func(r *http.Request) *x509.Certificate {
		if r.Header.Get("X-From-Proxy") == "yes" {
			return mine.Leaf
		}
		return nil
	})
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		header := http.Header{"Authorization": {"Bearer " + w.token(verifytest.CertificateBinding(mine.Leaf))}}
		if resp, _ := ask(v, header); resp.StatusCode != 401 {
			t.Errorf("without: %d", resp.StatusCode)
		}
		header.Set("X-From-Proxy", "yes")
		if resp, _ := ask(v, header); resp.StatusCode != 200 {
			t.Errorf("with: %d", resp.StatusCode)
		}
		header.Set("Authorization", "Bearer "+w.token(verifytest.CertificateBinding(selfSigned(t).Leaf)))
		if resp, _ := ask(v, header); resp.StatusCode != 401 {
			t.Errorf("another token: %d", resp.StatusCode)
		}
	}, fromProxy)
}

// RFC 8446 §8: what comes with 0-RTT can be sent again by anybody who has seen it, so the
// certificate of the session before has proven nothing yet.
func TestRequire_TOK15_EarlyData(t *testing.T) {
	t.Parallel()
	mine := selfSigned(t)
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		for complete, status := range map[bool]int{true: 200, false: 401} {
			r := httptest.NewRequest("GET", "/orders", nil)
			r.TLS = &tls.ConnectionState{HandshakeComplete: complete, PeerCertificates: []*x509.Certificate{mine.Leaf}}
			r.Header.Set("Authorization", "Bearer "+w.token(verifytest.CertificateBinding(mine.Leaf)))
			rec := httptest.NewRecorder()
			v.Require()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(rec, r)
			if rec.Code != status {
				t.Errorf("handshake complete %t: %d", complete, rec.Code)
			}
		}
	})
}

// selfSigned makes a client certificate that nobody vouches for.
func selfSigned(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
