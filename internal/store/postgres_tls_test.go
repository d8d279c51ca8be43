//go:build unix

package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/pgtest"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/store/storetest"
)

// selfSigned makes a certificate for a name, and its key, in PEM.
func selfSigned(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// TestPostgres_OPS07_TLS: with sslmode=verify-full the server must be who it says, by a
// certificate authority that was named; anything else is no database.
func TestPostgres_OPS07_TLS(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	cert, key := selfSigned(t, "localhost")
	other, _ := selfSigned(t, "localhost")
	cluster := pgtest.Durable(t)
	if err := errors.Join(cluster.Stop(), cluster.ListenTLS(cert, key, port), cluster.Start()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ours, theirs := filepath.Join(dir, "ca"), filepath.Join(dir, "other")
	if err := errors.Join(os.WriteFile(ours, cert, 0o600), os.WriteFile(theirs, other, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, host, ca string
		good           bool
	}{
		{"the server", "localhost", ours, true},
		{"another authority", "localhost", theirs, false},
		{"another name", "127.0.0.1", ours, false},
		{"no authority that knows it", "localhost", "", false},
		{"an authority that cannot be read", "localhost", filepath.Join(dir, "none"), false},
	} {
		dsn := fmt.Sprintf("postgres://postgres@%s:%d/postgres?sslmode=verify-full", tt.host, port)
		if tt.ca != "" {
			dsn += "&sslrootcert=" + tt.ca
		}
		db, err := store.Open(t.Context(), dsn, store.Options{RuleLifetime: storetest.RuleLifetime})
		if (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil {
			if !errors.Is(err, idp.ErrUnavailable) && !errors.Is(err, idp.ErrInvalid) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		encrypted, err := db.Int(t.Context(), "SELECT COUNT(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
		if err != nil || encrypted != 1 {
			t.Errorf("%s: not encrypted, %v", tt.name, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
