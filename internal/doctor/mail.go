package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/signet-id/signet/internal/server"
)

// mail talks to the SMTP server up to the login, and sends nothing.
func (x *examination) mail(ctx context.Context) {
	s := x.cfg.SMTP
	if s.Host == "" {
		x.skip("mail", "there is no smtp.host: people are not told what happens to their accounts")
		return
	}
	sender, err := server.Sender(x.cfg, x.Roots, x.Now)
	if err != nil {
		x.problem("mail", "correct smtp in the configuration", "%v", err)
		return
	}
	where := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	if err := sender.Check(ctx); err != nil {
		x.problem("mail", mailFix(err), "%s does not take our mail: %s", where, strings.Join(strings.Fields(err.Error()), " "))
		return
	}
	known := ""
	if s.Username != "" {
		known = " and knows " + s.Username
	}
	protected := "the connection is protected"
	if s.TLS == "none" || s.TLS == "opportunistic" {
		protected = "the connection may be plain"
	}
	x.ok("mail", "%s answers%s; %s; nothing was sent", where, known, protected)
}

func mailFix(err error) string {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "correct smtp.host"
	}
	if strings.Contains(err.Error(), "SMTP AUTH") {
		return "correct smtp.username, or the password in the file of smtp.password_file"
	}
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	if verification || host {
		return "write the name in smtp.host that the server's certificate has"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "this port does not begin with TLS; remove smtp.tls: implicit, or write smtp.port: 465"
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return "correct smtp.host and smtp.port, or open the firewall from here to there"
	}
	if strings.Contains(err.Error(), "STARTTLS") {
		return "the server offers no STARTTLS at this port; write smtp.tls: implicit (port 465), or for a server on this machine smtp.tls: none"
	}
	return "correct smtp.port (465 goes with smtp.tls: implicit, 587 with mandatory) and smtp.username"
}
