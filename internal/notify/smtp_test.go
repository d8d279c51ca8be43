package notify_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/notify"
	"github.com/signet-id/signet/internal/secret"
)

// postOffice is a real SMTP server on loopback.
type postOffice struct {
	addr  *net.TCPAddr
	roots *x509.CertPool
	mu    sync.Mutex
	got   []delivery // guarded by mu
}

type delivery struct {
	from, user string
	to         []string
	tls        bool
	data       string
}

// office starts a server. offer says whether it offers STARTTLS.
func office(t *testing.T, offer bool, implicit bool) *postOffice {
	t.Helper()
	cert, roots := certificate(t)
	o := &postOffice{roots: roots}
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, encrypted := c.TLSConnectionState()
		return &visit{office: o, d: delivery{tls: encrypted}}, nil
	}))
	srv.Domain, srv.AllowInsecureAuth, srv.ErrorLog = "localhost", true, quiet{}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	if offer {
		srv.TLSConfig = config
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.addr = ln.Addr().(*net.TCPAddr)
	if implicit {
		ln = tls.NewListener(ln, config)
	}
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(ln) }()
	t.Cleanup(func() { ln.Close(); srv.Close(); <-done }) // Close alone misses a listener that Serve has not seen yet
	return o
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (o *postOffice) received() []delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.got
}

type visit struct {
	office *postOffice
	d      delivery
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }
func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "signet" || password != "smtp password" {
			return errors.New("no")
		}
		v.d.user = user
		return nil
	}), nil
}
func (v *visit) Mail(from string, _ *smtp.MailOptions) error { v.d.from = from; return nil }
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error   { v.d.to = append(v.d.to, to); return nil }
func (v *visit) Reset()                                      {}
func (v *visit) Logout() error                               { return nil }
func (v *visit) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	v.d.data = string(b)
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	v.office.got = append(v.office.got, v.d)
	return err
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, pub, priv)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: priv}, roots
}

func (o *postOffice) sender(t *testing.T, policy notify.TLSPolicy) *notify.Sender {
	t.Helper()
	s, err := notify.SMTP(notify.SMTPConfig{
		Host: "127.0.0.1", Port: o.addr.Port, From: "no-reply@example.com", FromName: "Sïgnet", TLS: policy,
		RootCAs: o.roots, Timeout: 10 * time.Second, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var letter = notify.Mail{To: "Ann.Lee@example.com", Subject: "Ihr Passwort wurde geändert", Text: "Grüße,\n.\nQUIT\nan dot line stays", Lang: "de"}

// RFC 5321, RFC 3207: a whole conversation, read back as a mail program would.
func TestSMTP_Delivers(t *testing.T) {
	t.Parallel()
	o := office(t, true, false)
	if err := o.sender(t, "").Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := o.received()
	if len(got) != 1 || !got[0].tls || got[0].from != "no-reply@example.com" || len(got[0].to) != 1 || got[0].to[0] != "Ann.Lee@example.com" {
		t.Fatalf("%+v", got)
	}
	msg, err := mail.ReadMessage(strings.NewReader(got[0].data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil || subject != letter.Subject {
		t.Error(subject, err)
	}
	from, err := mail.ParseAddress(msg.Header.Get("From"))
	if err != nil || from.Name != "Sïgnet" || from.Address != "no-reply@example.com" {
		t.Error(from, err)
	}
	for key, want := range map[string]string{
		"Date": "Mon, 02 Nov 2026 12:00:00 +0000", "Auto-Submitted": "auto-generated", "Content-Language": "de",
		"Content-Type": "text/plain; charset=UTF-8", "User-Agent": "", "X-Mailer": "", "To": "<Ann.Lee@example.com>",
	} {
		if got := msg.Header.Get(key); got != want {
			t.Errorf("%s: %q; want %q", key, got, want)
		}
	}
	if id := msg.Header.Get("Message-Id"); !strings.HasSuffix(id, "@example.com>") {
		t.Error(id)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(msg.Body))
	if err != nil || strings.TrimRight(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n") != letter.Text {
		t.Errorf("%q, %v", body, err)
	}
}

// Whatever somebody types as a name or an address, nothing reaches the server.
func TestSMTP_HeaderInjection(t *testing.T) {
	t.Parallel()
	o := office(t, true, false)
	s := o.sender(t, "")
	for name, m := range hostile {
		if err := s.Send(t.Context(), m); !errors.Is(err, idp.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := o.received(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// OPS-07: without TLS that can be trusted nothing is sent, unless the server is this machine.
func TestSMTP_OPS07_TLSPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		offer, implicit bool
		policy          notify.TLSPolicy
		stranger        bool // certificate of nobody we know
		delivered, tls  bool
	}{
		{"mandatory", true, false, notify.TLSMandatory, false, true, true},
		{"mandatory, not offered", false, false, notify.TLSMandatory, false, false, false},
		{"default, not offered", false, false, "", false, false, false},
		{"mandatory, unknown certificate", true, false, notify.TLSMandatory, true, false, false},
		{"implicit", false, true, notify.TLSImplicit, false, true, true},
		{"implicit, unknown certificate", false, true, notify.TLSImplicit, true, false, false},
		{"opportunistic, offered", true, false, notify.TLSOpportunistic, false, true, true},
		{"opportunistic, not offered", false, false, notify.TLSOpportunistic, false, true, false},
		{"none", true, false, notify.TLSNone, false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := office(t, tt.offer, tt.implicit)
			if tt.stranger {
				_, o.roots = certificate(t)
			}
			err := o.sender(t, tt.policy).Send(t.Context(), letter)
			got := o.received()
			if (err == nil) != tt.delivered || len(got) > 0 != tt.delivered || tt.delivered && got[0].tls != tt.tls {
				t.Errorf("%v, %+v", err, got)
			}
			if err != nil && !errors.Is(err, idp.ErrUnavailable) {
				t.Error(err)
			}
		})
	}
}

func TestSMTP_Login(t *testing.T) {
	t.Parallel()
	o := office(t, true, false)
	for password, want := range map[string]bool{"smtp password": true, "wrong": false} {
		s, err := notify.SMTP(notify.SMTPConfig{
			Host: "127.0.0.1", Port: o.addr.Port, From: "no-reply@example.com", RootCAs: o.roots, Now: clock,
			Username: "signet", Password: secret.NewText(password),
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Send(t.Context(), letter)
		if (err == nil) != want {
			t.Error(err)
		}
		if err != nil && strings.Contains(err.Error(), password) { // OPS-01
			t.Error("the error shows the password")
		}
	}
	if got := o.received(); len(got) != 1 || got[0].user != "signet" {
		t.Errorf("%+v", got)
	}
}

// A server that does not answer costs no more than the timeout, and a caller may leave.
func TestSMTP_ServerHangs(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s, err := notify.SMTP(notify.SMTPConfig{
		Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, From: "no-reply@example.com", Timeout: 50 * time.Millisecond, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), letter); !errors.Is(err, idp.ErrUnavailable) {
		t.Error(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Send(gone, letter); err == nil {
		t.Error("sent for a caller that has gone")
	}
}

func TestSMTP_Refuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]notify.SMTPConfig{
		"no sender":              {Host: "mail.example.com"},
		"sender's name":          {Host: "mail.example.com", From: "a@example.com", FromName: "x\r\nBcc: y"},
		"no host":                {From: "a@example.com"},
		"port":                   {Host: "mail.example.com", From: "a@example.com", Port: 70000},
		"plain over network":     {Host: "mail.example.com", From: "a@example.com", TLS: notify.TLSNone},
		"maybe TLS over network": {Host: "192.0.2.1", From: "a@example.com", TLS: notify.TLSOpportunistic},
		"loopback look-alike":    {Host: "localhost.example.com", From: "a@example.com", TLS: notify.TLSNone},
		"unknown policy":         {Host: "localhost", From: "a@example.com", TLS: "off"},
	} {
		if _, err := notify.SMTP(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := notify.SMTP(notify.SMTPConfig{Host: "::1", From: "a@example.com", TLS: notify.TLSNone}); err != nil {
		t.Error(err)
	}
}
