package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/config"
)

// TestServer_OPS07_TLS probes what the listener speaks: TLS 1.3, and 1.2 with the four
// suites of FAPI 2.0 §5.2.2 and no other.
func TestServer_OPS07_TLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, false, func(c *config.Config) {
		c.PublicURL, c.TLSCert, c.TLSKey = strings.Replace(c.PublicURL, "http:", "https:", 1), cert, key
	})
	address := strings.TrimPrefix(s.url, "https://")
	roots := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(parsed)
	allowed := []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
	probe := func(what string, good bool, minimum, maximum uint16, suites ...uint16) {
		t.Helper()
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, MinVersion: minimum, MaxVersion: maximum, CipherSuites: suites})
		if (err == nil) != good {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	probe("1.3", true, tls.VersionTLS13, tls.VersionTLS13)
	probe("1.1 and older", false, tls.VersionTLS10, tls.VersionTLS11)
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if strings.Contains(suite.Name, "_RSA_") || !strings.Contains(suite.Name, "ECDSA") {
			continue // of TLS 1.3, or for certificates of another kind
		}
		good := suite.ID == allowed[0] || suite.ID == allowed[1]
		probe("1.2 with "+suite.Name, good, tls.VersionTLS12, tls.VersionTLS12, suite.ID)
	}
}
