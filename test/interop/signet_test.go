package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	patience = 30 * time.Second

	// notes is a service whose tokens clients ask for.
	notes      = "https://notes.example"
	notesRead  = "notes.read"
	notesWrite = "notes.write"
)

// provider is a running signet.
type provider struct {
	name, issuer string
	password     string // of ann
	socket       string // for administration
	ca           string // file with the certificate authority; empty without TLS
	http         *http.Client
	stop         func()
	metadata     map[string]any
}

// binary builds signet once for all tests, in a directory where they may put more.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "interop-") // a socket's path must be short
	if err != nil {
		return "", err
	}
	rubbish = dir
	path := filepath.Join(dir, "signet")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", path, "./cmd/signet").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
})

// certificates are one authority for all, with a certificate for this machine: of "signet
// serve", and of apps that listen.
var certificates = sync.OnceValues(func() (*authority, error) {
	path, err := binary()
	if err != nil {
		return nil, err
	}
	return makeCertificates(filepath.Dir(path))
})

// providers start once, together, when the first test asks for one.
var providers = sync.OnceValues(func() (map[string]*provider, error) {
	path, err := binary()
	if err != nil {
		return nil, err
	}
	found := map[string]*provider{}
	for name, start := range map[string]func(binary, dir string) (*provider, error){"dev": startDev, "serve": startServe} {
		p, err := start(path, filepath.Join(filepath.Dir(path), name))
		if p != nil && p.stop != nil {
			started = append(started, p)
		}
		if err != nil {
			return nil, fmt.Errorf("signet %s: %w", name, err)
		}
		p.name, found[name] = name, p
		if err := p.furnish(); err != nil {
			return nil, fmt.Errorf("signet %s: %w", name, err)
		}
	}
	return found, nil
})

// What TestMain ends and removes.
var (
	started []*provider
	rubbish string
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, p := range started {
		p.stop()
	}
	if rubbish != "" {
		_ = os.RemoveAll(rubbish) // nothing depends on it
	}
	os.Exit(code)
}

// onEach runs a test against both providers.
func onEach(t *testing.T, test func(t *testing.T, p *provider)) {
	t.Helper()
	found, err := providers()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dev", "serve"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, found[name])
		})
	}
}

// startDev runs "signet dev" on free ports.
func startDev(binary, dir string) (*provider, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	trusted, err := certificates()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "dev", "--data", dir, "--port", "0", "--calendar-port", "0", "--scheduler-port", "0", "--console-port", "0", "--registration-scope", toolsScope)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+trusted.ca)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &provider{socket: filepath.Join(dir, "admin.sock"), password: "correct horse battery staple", http: &http.Client{Timeout: patience}}
	if p.stop, err = run(cmd); err != nil {
		return nil, err
	}
	line := regexp.MustCompile(`^\s+issuer\s+(http://\S+)`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			p.issuer = m[1]
			return p, nil
		}
	}
	return p, errors.New("does not say where it is")
}

// startServe runs "signet serve" as an operator would: with a configuration, a key and a
// certificate.
func startServe(binary, dir string) (*provider, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	port, err1 := freePort()
	trusted, err2 := certificates()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	p := &provider{
		issuer: "https://localhost:" + port, ca: trusted.ca,
		http: &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted.roots}}},
	}
	return p, p.serve(binary, dir, "listen: 127.0.0.1:"+port+"\ntls_cert: "+trusted.cert+"\ntls_key: "+trusted.key+"\n")
}

// serve runs "signet serve" with ann as its first user.
func (p *provider) serve(binary, dir, configuration string) error {
	p.password, p.socket = "seven owls read the tide tables", filepath.Join(dir, "data", "admin.sock")
	file := filepath.Join(dir, "signet.yaml")
	configuration += "public_url: " + p.issuer + "\nkey_file: key\ndata_dir: data\nlog: {level: warn}\n" +
		"registration: open\nregistration_scopes: [" + toolsScope + "]\nclient_id_metadata_documents: on\noutbound_networks: [127.0.0.1]\n"
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		return err
	}
	if out, err := exec.Command(binary, "key", "new", filepath.Join(dir, "key")).CombinedOutput(); err != nil {
		return fmt.Errorf("key new: %w: %s", err, out)
	}
	trusted, err := certificates()
	if err != nil {
		return err
	}
	cmd := exec.Command(binary, "serve", "--config", file)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+trusted.ca)
	if p.stop, err = run(cmd); err != nil {
		return err
	}
	if err := p.wait(); err != nil {
		return err
	}
	add := exec.Command(binary, "user", "add", "ann", "--config", file, "--email", "ann@example.com", "--email-verified",
		"--name", "Ann Example", "--group", "staff", "--group", "book-club", "--password-stdin")
	add.Stdin = strings.NewReader(p.password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("user add: %w: %s", err, out)
	}
	return nil
}

// run starts a server; the function that it returns ends it.
func run(cmd *exec.Cmd) (func(), error) {
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // its code says that it was interrupted
	}, nil
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, errors.Join(err, ln.Close())
}

// authority is who signed the certificates, and files with them.
type authority struct {
	roots         *x509.CertPool
	ca, cert, key string
}

// makeCertificates writes an authority and a certificate of localhost that it signed.
func makeCertificates(dir string) (*authority, error) {
	now := time.Now()
	issuer := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "interop authority"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leafKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	authorityDER, err1 := x509.CreateCertificate(rand.Reader, issuer, issuer, authorityKey.Public(), authorityKey)
	leafDER, err2 := x509.CreateCertificate(rand.Reader, leaf, issuer, leafKey.Public(), authorityKey)
	keyDER, err3 := x509.MarshalPKCS8PrivateKey(leafKey)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	authorityPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityDER})
	leafPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authorityPEM)
	a := &authority{roots, filepath.Join(dir, "ca.pem"), filepath.Join(dir, "tls.pem"), filepath.Join(dir, "tls.key")}
	return a, errors.Join(
		os.WriteFile(a.ca, authorityPEM, 0o600),
		os.WriteFile(a.cert, append(leafPEM, authorityPEM...), 0o600),
		os.WriteFile(a.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600),
	)
}

// listen starts an app that answers under https on this machine, as both providers demand
// of those whom they call, and returns its address.
func listen(t *testing.T, app http.Handler) string {
	t.Helper()
	trusted, err := certificates()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(trusted.cert, trusted.key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(app)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// wait returns when the provider is ready.
func (p *provider) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		res, err := p.http.Get(p.issuer + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", errors.Join(ctx.Err(), err))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// furnish adds the service that tokens are for, and reads what the provider says of itself.
func (p *provider) furnish() error {
	scope := func(name, title string, write bool) map[string]any {
		return map[string]any{"name": name, "title": map[string]string{"en": title}, "write": write}
	}
	resource := map[string]any{"name": "Notes", "scopes": []any{scope(notesRead, "Read your notes", false), scope(notesWrite, "Change your notes", true)}}
	if err := p.administer(http.MethodPut, "/resources/"+url.PathEscape(notes), resource, nil); err != nil {
		return err
	}
	res, err := p.http.Get(p.issuer + "/.well-known/openid-configuration")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(&p.metadata)
}

// administer asks the management API, which answers on a unix socket.
func (p *provider) administer(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, "http://signet"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", p.socket)
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d: %s", method, path, res.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// client is an app as its author knows it.
type client struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret,omitempty"`
}

// register adds an app (names of RFC 7591 §2 and of the management API).
func (p *provider) register(t *testing.T, metadata map[string]any) client {
	t.Helper()
	var c client
	if err := p.administer(http.MethodPost, "/clients", metadata, &c); err != nil {
		t.Fatal(err)
	}
	return c
}
