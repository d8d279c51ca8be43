//go:build unix

package cli_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// service is a real "signet serve" and what it writes.
type service struct {
	t    *testing.T
	dir  string
	addr string
	cmd  *exec.Cmd
	told bool // to stop
	log  logBuffer
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newService(t *testing.T) *service {
	t.Helper()
	dir, err := os.MkdirTemp("", "s") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, dir: dir, addr: ln.Addr().String()}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("signet", "key", "new", s.path("key")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s
}

func (s *service) path(name string) string { return filepath.Join(s.dir, name) }

// configure writes the configuration.
func (s *service) configure(lines ...string) {
	s.t.Helper()
	text := "key_file: key\ndata_dir: data\n" + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(s.path("signet.yaml"), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// start runs a command; it ends with the test.
func (s *service) start(cmd *exec.Cmd) {
	s.t.Helper()
	s.cmd = cmd
	cmd.Stderr = &s.log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		s.stop()
		if err := cmd.Wait(); err != nil {
			s.t.Errorf("ended with %v: %s", err, s.log.String())
		}
	})
}

// stop asks for an orderly end, once: a second signal would be a kill.
func (s *service) stop() {
	if !s.told {
		s.told = true
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
	}
}

// until waits for something to become true.
func (s *service) until(what string, yes func() bool) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !yes(); <-tick.C {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not within %v; log:\n%s", what, patience, s.log.String())
		}
	}
}

func (s *service) logs(text string) {
	s.t.Helper()
	s.until(text, func() bool { return strings.Contains(s.log.String(), text) })
}

func (s *service) reload() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		s.t.Fatal(err)
	}
}

// certificate writes a self-signed pair for localhost with a serial number.
func (s *service) certificate(name string, serial int64) {
	s.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		s.t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		s.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(s.path(file), pem.EncodeToMemory(block), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// serves returns the serial number of the certificate that a newcomer sees; 0: nobody answers.
func (s *service) serves() int64 {
	c, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return 0
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// TestServe_Reload: SIGHUP takes over the certificate and the log's level at once, names what
// waits for a restart, and keeps everything when anything is wrong.
func TestServe_Reload(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.certificate("one", 1)
	s.certificate("two", 2)
	_, port, _ := net.SplitHostPort(s.addr)
	base := "public_url: https://localhost:" + port + "\nlisten: " + s.addr
	s.configure(base, "tls_cert: one.crt", "tls_key: one.key")
	s.start(exec.Command("signet", "serve", "--config", s.path("signet.yaml")))
	s.until("certificate 1", func() bool { return s.serves() == 1 })

	// Another name, and a talkative log.
	s.configure(base, "tls_cert: two.crt", "tls_key: two.key", "log: {level: debug}")
	s.reload()
	s.logs(`"msg":"configuration read again"`)
	if got := s.serves(); got != 2 {
		t.Errorf("certificate %d after the reload", got)
	}
	plain, err := net.Dial("tcp", s.addr) // is no TLS: worth a line for the curious only
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(plain, "GET / HTTP/1.0\r\n\r\n")
	s.logs(`"level":"DEBUG"`)
	plain.Close()

	// The same name, another content.
	s.certificate("two", 3)
	s.reload()
	s.until("certificate 3", func() bool { return s.serves() == 3 })

	// A mistake in the file, then one in a file that it names: the old one stays as a whole.
	s.configure(base, "tls_cert: one.crt", "tls_key: one.key", "lisen: :1")
	s.reload()
	s.logs("did you mean listen?")
	s.configure(base, "tls_cert: one.crt", "tls_key: missing.key")
	s.reload()
	s.logs("missing.key: no such file")
	s.configure(base, "tls_cert: one.crt", "tls_key: one.key", "smtp: {host: localhost, from: a@example.com, username: u, password_file: missing}")
	s.reload()
	s.logs(`"keys":"smtp.host, `) // there was no server for mail, so there is none before a restart
	if got := s.serves(); got != 1 {
		t.Errorf("certificate %d", got)
	}
	if n := strings.Count(s.log.String(), "the new configuration is refused; the old one stays"); n != 2 {
		t.Errorf("%d refusals: %s", n, s.log.String())
	}

	// What counts after a restart is named, and only that.
	s.configure(base, "tls_cert: one.crt", "tls_key: one.key", "brand: {name: Other}", "lifetimes: {access_token: 2m}", "log: {level: warn}")
	s.reload()
	s.logs(`"keys":"brand.name, lifetimes.access_token"`)
}

// TestServe_ReloadMail: the SMTP server and its password change without a restart.
func TestServe_ReloadMail(t *testing.T) {
	t.Parallel()
	s := newService(t)
	base := "public_url: http://" + s.addr + "\nlisten: " + s.addr
	if err := os.WriteFile(s.path("password"), []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	mail := "smtp: {host: localhost, from: a@example.com, username: u, password_file: password, port: %d}"
	s.configure(base, fmt.Sprintf(mail, 2525))
	s.start(exec.Command("signet", "serve", "--config", s.path("signet.yaml")))
	s.logs(`"msg":"serving"`)
	s.configure(base, fmt.Sprintf(mail, 2526))
	s.reload()
	s.logs(`"msg":"configuration read again"`)
	if strings.Contains(s.log.String(), "after a restart") {
		t.Error(s.log.String())
	}
	if err := os.Chmod(s.path("password"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.reload()
	s.logs("smtp.password_file: ")
	s.logs("the new configuration is refused")
}

// TestServe_Systemd: the socket of systemd is served in the place of "listen", READY comes
// when administration is there, and STOPPING when it ends (sd_listen_fds(3), sd_notify(3)).
func TestServe_Systemd(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	socket, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.path("notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	s.configure("public_url: http://"+ln.Addr().String(), "listen: "+s.addr)
	// LISTEN_PID is the process that the sockets are for: the shell becomes it.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec signet serve --config "$0"`, s.path("signet.yaml"))
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+s.path("notify"))
	cmd.ExtraFiles = []*os.File{socket}
	s.start(cmd)
	hear := func(want string) {
		t.Helper()
		if err := told.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		n, err := told.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Fatalf("systemd was told %q, %v; log: %s", buf[:n], err, s.log.String())
		}
	}
	hear("READY=1")
	if _, err := os.Stat(s.path("data/admin.sock")); err != nil {
		t.Error(err)
	}
	s.until("/readyz", func() bool {
		res, err := http.Get("http://" + ln.Addr().String() + "/readyz")
		if err != nil {
			return false
		}
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
	if c, err := net.Dial("tcp", s.addr); err == nil {
		c.Close()
		t.Error("it listens at its own address as well")
	}
	s.stop()
	hear("STOPPING=1")
}

// A second socket would be served by nobody.
func TestServe_SystemdTwoSockets(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.configure("public_url: http://"+s.addr, "listen: "+s.addr)
	out, err := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=2 exec signet serve --config "$0"`, s.path("signet.yaml")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "leave one ListenStream in signet.socket") {
		t.Errorf("%v: %s", err, out)
	}
}
