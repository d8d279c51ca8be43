package verify

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
)

// checkCertificate compares the certificate that a token is bound to (RFC 8705 §3.1) with
// the one of the connection. Who has issued it does not matter here: the handshake has
// shown that the client holds its key.
func checkCertificate(want string, c *x509.Certificate) error {
	if c == nil {
		return wrong(ErrBound, "cnf", "no client certificate")
	}
	hash := sha256.Sum256(c.Raw)
	if base64.RawURLEncoding.EncodeToString(hash[:]) != want {
		return wrong(ErrBound, "cnf", "another client certificate")
	}
	return nil
}

// takesCertificates reports whether clients may expect that a certificate of theirs is seen.
func (p *proofRules) takesCertificates() bool { return p.mutualTLS || p.certificate != nil }

// clientCertificate returns the certificate of the client that has sent the request. Early
// data of a resumed session (HTTP/3 has it) can be a recording: only a complete handshake
// shows that the client is there (RFC 8446 §8).
func (p *proofRules) clientCertificate(r *http.Request) *x509.Certificate {
	switch {
	case p.certificate != nil:
		return p.certificate(r)
	case r.TLS == nil || !r.TLS.HandshakeComplete || len(r.TLS.PeerCertificates) == 0:
		return nil
	}
	return r.TLS.PeerCertificates[0]
}
