//go:build unix

package doctor_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/signet-id/signet/internal/doctor"
)

// The SMTP server is talked to as for a mail, and gets none.
func TestExamine_Mail(t *testing.T) {
	t.Parallel()
	other := func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"mail.example"}, nil }
	rows := []struct {
		name     string
		change   func(*x509.Certificate) // of its certificate; nil: it offers no TLS
		implicit bool
		policy   string
		password string
		state    doctor.State
		words    []string
	}{
		{"takes it", fitting, false, "", "right", doctor.OK, []string{"knows signet", "protected", "nothing was sent"}},
		{"TLS from the first byte", fitting, true, "implicit", "right", doctor.OK, nil},
		{"wrong password", fitting, false, "", "wrong", doctor.Problem, []string{"smtp.password_file"}},
		{"no STARTTLS", nil, false, "", "right", doctor.Problem, []string{"offers no STARTTLS", "smtp.tls: implicit"}},
		{"another name", other, false, "", "right", doctor.Problem, []string{"write the name in smtp.host"}},
		{"TLS where there is none", nil, false, "implicit", "right", doctor.Problem, []string{"does not begin with TLS"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			port, mails := p.office(row.change, row.implicit)
			if err := os.WriteFile(filepath.Join(p.dir, "smtp"), []byte(row.password), 0o600); err != nil {
				t.Fatal(err)
			}
			p.values["smtp"] = "{host: localhost, from: no-reply@example.com, username: signet, password_file: smtp, port: " + port + ", tls: " + row.policy + "}"
			p.examine().want(t, "mail", row.state, row.words...)
			if n := mails.Load(); n != 0 {
				t.Errorf("%d mails were begun", n)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		p := newPatient(t)
		_, port, _ := net.SplitHostPort(freeAddress(t))
		p.values["smtp"] = "{host: localhost, from: no-reply@example.com, port: " + port + "}"
		p.examine().want(t, "mail", doctor.Problem, "refused", "smtp.host and smtp.port")
	})
}

// office is a real SMTP server on loopback, and how many mails were begun there once it
// has been closed.
func (p *patient) office(change func(*x509.Certificate), implicit bool) (port string, mails *atomic.Int64) {
	p.t.Helper()
	mails = new(atomic.Int64)
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &visit{mails: mails}, nil }))
	srv.Domain, srv.AllowInsecureAuth, srv.ErrorLog = "localhost", true, quiet{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(ln.Addr().String())
	if change != nil {
		config := &tls.Config{Certificates: []tls.Certificate{p.ca.issue(p.t, change)}}
		if implicit {
			ln = tls.NewListener(ln, config)
		} else {
			srv.TLSConfig = config
		}
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	p.t.Cleanup(func() { ln.Close(); srv.Close(); <-done })
	return port, mails
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

type visit struct{ mails *atomic.Int64 }

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }
func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "signet" || password != "right" {
			return errors.New("no")
		}
		return nil
	}), nil
}
func (v *visit) Mail(string, *smtp.MailOptions) error { v.mails.Add(1); return nil }
func (v *visit) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (v *visit) Data(io.Reader) error                 { return nil }
func (v *visit) Reset()                               {}
func (v *visit) Logout() error                        { return nil }
