package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/notify"
)

// Reload takes over what may change while the server runs: the TLS certificate and the
// SMTP server, each with what its files hold now. It is all of it, or nothing and an error.
// later names the keys that differ from those the server was started with and count after
// a restart; log.level is the caller's.
func (s *Server) Reload(next config.Config) (later []string, err error) {
	var pair tls.Certificate
	swapPair := s.tls != nil && next.TLSCert != ""
	if swapPair {
		if pair, err = next.TLSCertificate(); err != nil {
			return nil, err
		}
	}
	var sender *notify.Sender
	if s.mail != nil && next.SMTP.Host != "" {
		mail := next
		mail.Brand = s.cfg.Brand // pages keep the old name until a restart
		if sender, err = Sender(mail, nil, s.now); err != nil {
			return nil, err
		}
	}
	if swapPair {
		s.tls.replace(next, pair)
	}
	if sender != nil {
		s.mail.sender.Store(sender)
	}
	return slices.DeleteFunc(s.cfg.Differences(next), func(key string) bool {
		switch {
		case key == "tls_cert" || key == "tls_key":
			return swapPair
		case strings.HasPrefix(key, "smtp."):
			return sender != nil
		}
		return key == "log.level"
	}), nil
}

// mailer sends through the SMTP server of the newest configuration.
type mailer struct{ sender atomic.Pointer[notify.Sender] }

func (m *mailer) Send(ctx context.Context, mail notify.Mail) error {
	return m.sender.Load().Send(ctx, mail)
}

// Sender is the configured SMTP server. roots are the authorities that it may have its
// certificate of; nil: the system's.
func Sender(cfg config.Config, roots *x509.CertPool, now func() time.Time) (*notify.Sender, error) {
	password, err := cfg.SMTPPassword()
	if err != nil {
		return nil, err
	}
	return notify.SMTP(notify.SMTPConfig{
		Host: cfg.SMTP.Host, Port: cfg.SMTP.Port, Username: cfg.SMTP.Username, Password: password,
		From: cfg.SMTP.From, FromName: cfg.Brand.Name, TLS: notify.TLSPolicy(cfg.SMTP.TLS), RootCAs: roots, Now: now,
	})
}
