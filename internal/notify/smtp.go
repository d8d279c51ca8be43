package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/wneessen/go-mail"
)

// TLSPolicy says how the connection to the SMTP server is protected.
type TLSPolicy string

// The policies. The last two are for a server on this machine only.
const (
	TLSMandatory     TLSPolicy = "mandatory"     // STARTTLS or nothing; also the empty policy
	TLSImplicit      TLSPolicy = "implicit"      // TLS from the first byte (RFC 8314 §3.3)
	TLSOpportunistic TLSPolicy = "opportunistic" // STARTTLS if offered
	TLSNone          TLSPolicy = "none"
)

// SMTPConfig names the server that takes our mail.
type SMTPConfig struct {
	Host     string
	Port     int // 0: 587, or 465 with TLSImplicit
	Username string
	Password secret.Text
	From     string // the address mail comes from
	FromName string // shown beside it; may be empty
	TLS      TLSPolicy
	RootCAs  *x509.CertPool // nil: the system's
	Timeout  time.Duration  // of a whole delivery; 0: 15 s
	Now      func() time.Time
}

// Sender sends through an SMTP server, one connection for each mail.
type Sender struct {
	cfg    SMTPConfig
	domain string // of From, for Message-ID
	client *mail.Client
}

// SMTP returns a Sender. It does not connect yet.
func SMTP(cfg SMTPConfig) (*Sender, error) {
	from, err := idp.Mailbox(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("smtp sender: %w", err)
	}
	cfg.From = from
	if strings.ContainsFunc(cfg.FromName, unprintable) {
		return nil, fmt.Errorf("smtp sender's name: %w", idp.ErrInvalid)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 15 * time.Second
	}
	options, err := clientOptions(cfg)
	if err != nil {
		return nil, err
	}
	client, err := mail.NewClient(cfg.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("smtp server: %w", err)
	}
	_, domain, _ := strings.Cut(from, "@")
	return &Sender{cfg: cfg, domain: domain, client: client}, nil
}

func clientOptions(cfg SMTPConfig) ([]mail.Option, error) {
	port, options := 587, []mail.Option{
		mail.WithTimeout(cfg.Timeout),
		mail.WithTLSConfig(&tls.Config{ServerName: cfg.Host, RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}),
		mail.WithoutNoop(),
	}
	switch cfg.TLS {
	case "", TLSMandatory:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case TLSImplicit:
		port, options = 465, append(options, mail.WithSSL())
	case TLSOpportunistic, TLSNone:
		// Without TLS, or with TLS that anybody on the way can switch off, whoever
		// sits there reads what we write to people, and our password.
		if !loopback(cfg.Host) {
			return nil, fmt.Errorf("smtp tls %q is for loopback only: %w", cfg.TLS, idp.ErrInvalid)
		}
		policy := mail.NoTLS
		if cfg.TLS == TLSOpportunistic {
			policy = mail.TLSOpportunistic
		}
		options = append(options, mail.WithTLSPolicy(policy))
	default:
		return nil, fmt.Errorf("smtp tls %q: %w", cfg.TLS, idp.ErrInvalid)
	}
	if cfg.Port != 0 {
		port = cfg.Port
	}
	options = append(options, mail.WithPort(port))
	if cfg.Username != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(cfg.Username), mail.WithPassword(cfg.Password.Reveal()))
	}
	return options, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Send delivers the mail to the SMTP server.
func (s *Sender) Send(ctx context.Context, m Mail) error {
	m, err := check(m)
	if err != nil {
		return err
	}
	msg, err := s.message(m)
	if err != nil {
		return fmt.Errorf("compose mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := s.client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("send mail: %w: %w", idp.ErrUnavailable, err)
	}
	return nil
}

// Check talks to the SMTP server as for a mail, up to the login, and takes its leave.
func (s *Sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	c, err := s.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", idp.ErrUnavailable, err)
	}
	return s.client.CloseWithSMTPClient(c)
}

func (s *Sender) message(m Mail) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(s.cfg.FromName, s.cfg.From); err != nil {
		return nil, err
	}
	if err := msg.To(m.To); err != nil {
		return nil, err
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(s.cfg.Now())
	msg.SetMessageIDWithValue(secret.ID() + "@" + s.domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no vacation replies
	msg.SetGenHeader("Content-Language", language(m.Lang))
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	return msg, nil
}
