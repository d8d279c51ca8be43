package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"
)

// soon is when a certificate should have been renewed; for one that lives shortly, a third
// of its life.
const soon = 14 * 24 * time.Hour

// certificate: what browsers and services see is for this host, in time, and of an authority
// that is trusted. Where nobody answers yet, the configured file is looked at.
func (x *examination) certificate(ctx context.Context) {
	if x.public.Scheme != "https" {
		x.skip("certificate", "public_url is http on this machine: there is none")
		return
	}
	chain, err := x.presented(ctx)
	where := "at " + x.hostPort()
	if err != nil && x.cfg.TLSCert != "" {
		where = "in " + x.cfg.TLSCert
		pair, fileErr := x.cfg.TLSCertificate()
		if fileErr != nil {
			x.skip("certificate", "nobody answers at %s, and tls_cert does not load", x.hostPort())
			return
		}
		chain, err = parseChain(pair)
	}
	if err != nil {
		x.problem("certificate", "let the reverse proxy speak TLS there, or give signet the certificate itself with tls_cert and tls_key", "nobody speaks TLS at %s: %v", x.hostPort(), err)
		return
	}
	x.judge(chain, where)
}

// presented returns the chain that is served under the public URL, whatever it is worth.
func (x *examination) presented(ctx context.Context) ([]*x509.Certificate, error) {
	d := tls.Dialer{
		NetDialer: &net.Dialer{Resolver: x.Resolver, Timeout: patience},
		Config:    &tls.Config{ServerName: x.public.Hostname(), InsecureSkipVerify: true}, // judge looks at it
	}
	c, err := d.DialContext(ctx, "tcp", x.hostPort())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState().PeerCertificates, nil
}

func parseChain(pair tls.Certificate) (chain []*x509.Certificate, err error) {
	for _, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	return chain, nil
}

func (x *examination) judge(chain []*x509.Certificate, where string) {
	leaf, host, now := chain[0], x.public.Hostname(), x.Now()
	const day = "2006-01-02 15:04 MST"
	renew := "renew it at the reverse proxy"
	if x.cfg.TLSCert != "" {
		renew = "renew " + x.cfg.TLSCert + "; signet reads the new one by itself"
	}
	if err := leaf.VerifyHostname(host); err != nil {
		x.problem("certificate", "get one for "+host, "the one %s is for %s, not for %s", where, strings.Join(names(leaf), ", "), host)
		return
	}
	left := leaf.NotAfter.Sub(now)
	switch {
	case left < 0:
		x.problem("certificate", renew, "the one %s has expired on %s", where, leaf.NotAfter.UTC().Format(day))
		return
	case now.Before(leaf.NotBefore):
		x.problem("certificate", "look at this machine's clock: timedatectl", "the one %s begins on %s only", where, leaf.NotBefore.UTC().Format(day))
		return
	}
	if err := trusted(chain, x.Roots, now); err != nil {
		fix := "take one of an authority that browsers trust; for one of your own, give its root to services with SSL_CERT_FILE"
		if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown && len(chain) == 1 && leaf.Issuer.String() != leaf.Subject.String() {
			fix = "serve the whole chain, leaf first (often called fullchain.pem)"
		}
		x.problem("certificate", fix, "the one %s is not trusted: %v", where, err)
		return
	}
	if left < min(soon, leaf.NotAfter.Sub(leaf.NotBefore)/3) {
		x.warn("certificate", renew, "the one %s expires in %d days, on %s", where, int(left.Hours()/24), leaf.NotAfter.UTC().Format(day))
		return
	}
	x.ok("certificate", "the one %s is for %s, trusted, and good until %s", where, host, leaf.NotAfter.UTC().Format(day))
}

func trusted(chain []*x509.Certificate, roots *x509.CertPool, now time.Time) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now})
	return err
}

// names are those that a certificate is for.
func names(c *x509.Certificate) []string {
	all := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return []string{"no name"}
	}
	return all
}

// hostPort is where the public URL leads.
func (x *examination) hostPort() string {
	port := x.public.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[x.public.Scheme]
	}
	return net.JoinHostPort(x.public.Hostname(), port)
}
