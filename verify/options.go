package verify

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// Option changes how a Verifier works.
type Option func(*Verifier)

// HTTPClient sets the client that fetches keys and revocations. Its Timeout, redirects
// and cookies are not used: the feed is one endless response, and a redirect would let
// somebody else answer.
func HTTPClient(c *http.Client) Option { return func(v *Verifier) { v.client = c } }

// Clock sets where the verifier reads the time. The default is time.Now.
func Clock(now func() time.Time) Option { return func(v *Verifier) { v.now = now } }

// MaxStaleness sets for how long tokens are accepted while nothing is heard about
// revocations. The default is 5 minutes, the usual life of an access token: whoever was
// logged in when the provider went down stays so until the token expires anyway.
// It must be longer than the time between two heartbeats, which is 5 seconds.
func MaxStaleness(d time.Duration) Option { return func(v *Verifier) { v.maxStaleness = d } }

// Leeway sets by how much clocks may differ when "exp" and "nbf" are checked. The
// default is 60 seconds, which is also the most.
func Leeway(d time.Duration) Option { return func(v *Verifier) { v.leeway = d } }

// ResourceMetadataURL sets the address of the document that ResourceMetadata serves, as
// clients write it: https, or http on this machine, without a fragment. Challenges then point
// there (RFC 9728 §5.1).
func ResourceMetadataURL(url string) Option { return func(v *Verifier) { v.metadataURL = url } }

// KeySetURL sets where the issuer's keys are fetched from, in place of the "jwks_uri" of its
// metadata: https, or http on this machine. A signet keeps keys of ML-DSA out of the set that
// every client reads; they stand, with all others, at <issuer>/jwks-pq.json.
func KeySetURL(url string) Option { return func(v *Verifier) { v.keySetURL = url } }

// TokenMemory sets how many verified tokens are remembered, so that checking them again
// costs a fraction of a microsecond; a full one takes up to 2 KiB for a token of usual
// size. The default is 8192, 0 remembers none.
func TokenMemory(tokens int) Option { return func(v *Verifier) { v.remembered = tokens } }

// Accelerate sets what checks signatures in place of the standard library, such as
// accel.New() of the module verify/accel. An accelerator belongs to one verifier.
func Accelerate(a jose.Accelerator) Option { return func(v *Verifier) { v.accelerator = a } }

// Logger sets where the verifier reports why it accepts nothing: troubles of the background
// work, the same one at most once a minute, and a Run that was not called. No token is
// logged, nor that one was refused. The default is what slog.Default is when the verifier is
// made; a logger with slog.DiscardHandler keeps it silent. Status shows the last trouble.
func Logger(l *slog.Logger) Option {
	return func(v *Verifier) {
		if l != nil {
			v.log = l
		}
	}
}

// InsecureAcceptStale accepts tokens even when nothing is heard about revocations, once
// the first snapshot is there. A revoked token then lives until it expires whenever
// somebody cuts the line.
func InsecureAcceptStale() Option { return func(v *Verifier) { v.acceptStale = true } }

// defaultStaleness is the usual life of an access token.
const defaultStaleness = 5 * time.Minute

// maxLeeway is how far clocks may be apart. Times of issue may always be so far ahead:
// the issuer dates tokens after the rules that must not hit them.
const maxLeeway = 60 * time.Second

// checkConfig refuses what cannot work or cannot be safe.
func (v *Verifier) checkConfig() error {
	if err := checkIssuer(v.issuer); err != nil {
		return err
	}
	if v.audience == "" || !quotable(v.audience) {
		return errors.New("verify: the audience must be given, in printable ASCII without quotes")
	}
	if err := checkMetadataURL(v.metadataURL); err != nil {
		return err
	}
	if v.keySetURL != "" {
		if err := checkURL(v.keySetURL); err != nil {
			return fmt.Errorf("verify: the key set's URL: %w", err)
		}
		if v.static != nil || v.bundle != nil {
			return errors.New("verify: no key set is fetched by such a verifier")
		}
	}
	if v.remembered < 0 || v.remembered > maxMemory {
		return fmt.Errorf("verify: the memory of tokens must be between 0 and %d", maxMemory)
	}
	if err := checkLeeway(v.leeway); err != nil {
		return err
	}
	if v.static != nil && (len(v.static.Keys()) == 0 || v.cache.file != "" || v.bundle != nil) {
		return errors.New("verify: static keys must be some, and are all that such a verifier has")
	}
	if v.maxStaleness <= 0 {
		return errors.New("verify: the staleness limit must be more than zero")
	}
	if err := v.checkBundle(); err != nil {
		return err
	}
	return v.proofs.check(v.audience)
}

func checkLeeway(d time.Duration) error {
	if d < 0 || d > maxLeeway {
		return errors.New("verify: the leeway must be between 0 and 60 seconds")
	}
	return nil
}

// checkIssuer: tokens compare the issuer byte for byte, and all addresses begin with it.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("verify: the issuer must be a URL without user, query and fragment")
	case !secureURL(u):
		return errors.New("verify: the issuer must be https, or http on this machine")
	case issuer[len(issuer)-1] == '/' || issuer[len(issuer)-1] == '#':
		return errors.New("verify: the issuer must not end with a slash")
	}
	return nil
}

// checkURL refuses addresses that keys must not come from.
func checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || !secureURL(u) {
		return errors.New("must be https, or http on this machine")
	}
	return nil
}

// secureURL: https, or http that does not leave the machine.
func secureURL(u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return true
	case "http":
		host := u.Hostname()
		addr, err := netip.ParseAddr(host)
		return host == "localhost" || err == nil && addr.IsLoopback()
	}
	return false
}

// quotable: may stand in a quoted-string of a header (RFC 9110 §5.6.4) without escapes.
func quotable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7E || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// newTransport is http.DefaultTransport with limits on silence before an answer.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           4,
		IdleConnTimeout:        time.Minute,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		// A connection that died silently is noticed before the feed is.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
	}
}
