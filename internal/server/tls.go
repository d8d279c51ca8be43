package server

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/config"
)

// tlsConfig offers TLS 1.3, and of TLS 1.2 the four suites that FAPI 2.0 §5.2.2 allows.
func (s *Server) tlsConfig() *tls.Config {
	return &tls.Config{
		GetCertificate: s.tls.get,
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		},
	}
}

// newCertificate reads the pair; nil if there is none.
func newCertificate(cfg config.Config, log *slog.Logger, now func() time.Time) (*certificate, error) {
	if cfg.TLSCert == "" {
		return nil, nil
	}
	pair, err := cfg.TLSCertificate()
	if err != nil {
		return nil, err
	}
	return &certificate{log: log, now: now, cfg: cfg, pair: &pair, looked: now(), modified: modified(cfg.TLSCert)}, nil
}

// certificate reads the pair again when its file has changed, looked at no more than every
// ten seconds. A pair that does not fit keeps the old one alive: an operator's slip must
// not take the server down.
type certificate struct {
	log *slog.Logger
	now func() time.Time

	mu       sync.Mutex // guards all below
	cfg      config.Config
	pair     *tls.Certificate
	looked   time.Time
	modified time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.looked) < 10*time.Second {
		return c.pair, nil
	}
	c.looked = now
	m := modified(c.cfg.TLSCert)
	if m.Equal(c.modified) {
		return c.pair, nil
	}
	pair, err := c.cfg.TLSCertificate()
	if err != nil {
		c.log.Error("new certificate does not load; the old one stays", "cause", err)
		return c.pair, nil
	}
	c.pair, c.modified = &pair, m
	c.log.Info("certificate read again")
	return c.pair, nil
}

// replace puts another pair in the place of the present one.
func (c *certificate) replace(cfg config.Config, pair tls.Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cfg, c.pair, c.looked, c.modified = cfg, &pair, c.now(), modified(cfg.TLSCert)
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
