//go:build unix

package doctor_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/doctor"
	"github.com/signet-id/signet/internal/pgtest"
	"github.com/signet-id/signet/internal/server"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// patient is an installation in a directory.
type patient struct {
	t      *testing.T
	dir    string
	values map[string]string // of the configuration
	ca     *authority
	ahead  time.Duration // of our clock
	dns    *net.Resolver
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	dir, err := os.MkdirTemp("", "d") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := config.NewKey(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	return &patient{t: t, dir: dir, ca: newAuthority(t), values: map[string]string{
		"public_url": "http://localhost:" + port, "listen": address, "key_file": "key", "data_dir": "data",
	}}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// file writes the configuration.
func (p *patient) file() string {
	p.t.Helper()
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p.values)) {
		fmt.Fprintf(&text, "%s: %s\n", key, p.values[key])
	}
	path := filepath.Join(p.dir, "signet.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		p.t.Fatal(err)
	}
	return path
}

func (p *patient) examine() findings {
	p.t.Helper()
	return doctor.Examine(p.t.Context(), doctor.Config{
		Path: p.file(), Now: func() time.Time { return time.Now().Add(p.ahead) }, Roots: p.ca.pool, Resolver: p.dns,
	})
}

// serve runs the server until the test ends, or until it is stopped.
func (p *patient) serve() (stop func()) {
	p.t.Helper()
	cfg, err := config.Load(p.file(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		p.t.Fatal(err)
	}
	serving := make(chan struct{})
	s, err := server.New(p.t.Context(), cfg, server.Options{InsecureCheapPasswords: true, Serving: func() { close(serving) }})
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, ln) }()
	<-serving
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			p.t.Error(err)
		}
	}
	p.t.Cleanup(stop)
	p.awaitReady(cfg)
	return stop
}

func (p *patient) awaitReady(cfg config.Config) {
	p.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		_, err := doctor.Ready(p.t.Context(), cfg)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatal(err)
		}
	}
}

// behind puts a reverse proxy with TLS before the server; rewrite says what it does to requests, and
// change what to answers.
func (p *patient) behind(rewrite func(*httputil.ProxyRequest), change func(*http.Response) error) {
	p.t.Helper()
	target := &url.URL{Scheme: "http", Host: p.values["listen"]}
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			rewrite(r)
		},
		ModifyResponse: change, ErrorLog: nil,
	})
	front.TLS = &tls.Config{Certificates: []tls.Certificate{p.ca.issue(p.t, fitting)}}
	front.StartTLS()
	p.t.Cleanup(front.Close)
	_, port, _ := net.SplitHostPort(front.Listener.Addr().String())
	p.values["public_url"], p.values["trusted_proxies"] = "https://localhost:"+port, "[127.0.0.1]"
}

// appending is what a proxy should do.
func appending(r *httputil.ProxyRequest) {
	r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
	r.SetXForwarded()
}

type findings []doctor.Finding

// want fails unless a check has come to that state, with these words in its text or fix.
func (f findings) want(t *testing.T, check string, state doctor.State, words ...string) {
	t.Helper()
	for _, one := range f {
		if one.Check != check || one.State != state {
			continue
		}
		missing := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return strings.Contains(one.Text+" "+one.Fix, w) })
		if len(missing) > 0 {
			continue
		}
		if (one.State == doctor.Problem || one.State == doctor.Warning) && one.Fix == "" {
			t.Errorf("%s: no fix: %s", check, one.Text)
		}
		return
	}
	t.Errorf("no %s of %s with %q in\n%s", state, check, words, f)
}

// noProblems fails if there are any.
func (f findings) noProblems(t *testing.T) {
	t.Helper()
	if slices.ContainsFunc(f, func(one doctor.Finding) bool { return one.State == doctor.Problem }) {
		t.Errorf("problems:\n%s", f)
	}
}

func (f findings) String() string {
	var b strings.Builder
	for _, one := range f {
		fmt.Fprintf(&b, "%s %s: %s (%s)\n", one.State, one.Check, one.Text, one.Fix)
	}
	return b.String()
}

// authority signs certificates, with one of its own between.
type authority struct {
	pool       *x509.CertPool
	between    *x509.Certificate
	betweenKey crypto.Signer
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	root, rootKey := sign(t, "Root", nil, nil, func(c *x509.Certificate) { c.IsCA = true })
	a := &authority{pool: x509.NewCertPool()}
	a.pool.AddCert(root)
	a.between, a.betweenKey = sign(t, "Between", root, rootKey, func(c *x509.Certificate) { c.IsCA = true })
	return a
}

// fitting is what a good certificate needs no change for.
func fitting(*x509.Certificate) {}

// issue makes a chain for localhost, after change.
func (a *authority) issue(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	leaf, key := sign(t, "localhost", a.between, a.betweenKey, func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
		change(c)
	})
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, a.between.Raw}, PrivateKey: key}
}

func sign(t *testing.T, name string, parent *x509.Certificate, by crypto.Signer, change func(*x509.Certificate)) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
	}
	change(template)
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// writePair makes the pair the server's own.
func (p *patient) writePair(pair tls.Certificate) {
	p.t.Helper()
	var chain []byte
	for _, der := range pair.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		p.t.Fatal(err)
	}
	for name, data := range map[string][]byte{"tls.crt": chain, "tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})} {
		if err := os.WriteFile(filepath.Join(p.dir, name), data, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	p.values["public_url"] = strings.Replace(p.values["public_url"], "http:", "https:", 1)
	p.values["tls_cert"], p.values["tls_key"] = "tls.crt", "tls.key"
}
