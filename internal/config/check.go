package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// maxSocketPath is what every system takes as the path of a socket.
const maxSocketPath = 100

// Check says what keeps the values from making a server, each problem with its key, its
// cause and what to do. It looks at values only, never at files.
func (c Config) Check() error {
	return errors.Join(
		named("public_url", CheckPublicURL(c.PublicURL)),
		named("key_file", c.checkKeyFile()),
		named("listen", checkListen(c.Listen)),
		named("data_dir", c.checkDataDir()),
		named("database", CheckDatabase(c.Database)),
		named("database_password_file", c.checkDatabasePassword()),
		c.checkTransport(),
		c.checkVerifierNetworks(),
		c.checkOutboundNetworks(),
		c.checkRegistration(),
		c.checkObservation(),
		c.Brand.check(),
		c.checkSMTP(),
		c.checkLifetimes(),
		c.checkLimits(),
		named("log.level", oneOf(c.Log.Level, "debug", "info", "warn", "error")),
		named("log.format", oneOf(c.Log.Format, "auto", "json", "text")),
	)
}

func named(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", key, err)
}

// CheckPublicURL accepts exactly one spelling of an address: the issuer is compared byte
// for byte (RFC 8414 §2, OpenID Connect Core §2).
func CheckPublicURL(s string) error {
	if s == "" {
		return errors.New("missing; give the address under which people reach this server, like https://id.example.com (or set SIGNET_PUBLIC_URL)")
	}
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%q is not an address like https://id.example.com", s)
	}
	switch {
	case u.User != nil:
		return errors.New("must not contain a user name or password; remove everything before the @")
	case u.RawQuery != "" || u.ForceQuery:
		return errors.New("must not contain a query; remove the ? and all behind it")
	case u.Fragment != "" || strings.Contains(s, "#"):
		return errors.New("must not contain a fragment; remove the # and all behind it")
	case strings.HasSuffix(s, "/"):
		return fmt.Errorf("must not end in a slash; write %s", strings.TrimRight(s, "/"))
	case u.Path != "":
		return errors.New("must not contain a path: signet needs a host name of its own")
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return fmt.Errorf("plain http is for loopback hosts only; write https://%s", u.Host)
	}
	return checkHost(u)
}

func checkHost(u *url.URL) error {
	host, port := u.Hostname(), u.Port()
	for i := range len(host) {
		c := host[i]
		switch {
		case 'A' <= c && c <= 'Z':
			return fmt.Errorf("write the host in lower case: %s", strings.ToLower(host))
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-', c == ':':
		default:
			return fmt.Errorf("host %q contains something else than letters, digits, dots and hyphens; write names of other alphabets in their xn-- form", host)
		}
	}
	if strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") {
		return errors.New("the host must not begin or end with a dot")
	}
	if strings.HasSuffix(u.Host, ":") {
		return errors.New("ends in a colon; give the port or remove the colon")
	}
	if port == "" {
		return nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
		return fmt.Errorf("%q is not a port", port)
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return fmt.Errorf("leave out the usual port: %s://%s", u.Scheme, strings.TrimSuffix(u.Host, ":"+port))
	}
	return nil
}

// loopback reports whether the host can only be this machine.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

func (c Config) checkKeyFile() error {
	if c.KeyFile == "" {
		return errors.New("missing; make a key with \"signet key new FILE\" and give the file's name here (or set SIGNET_KEY_FILE)")
	}
	return nil
}

func checkListen(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not host:port, like 127.0.0.1:8080 or :443", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port", port)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return fmt.Errorf("%q is not an IP address of this machine", host)
	}
	return nil
}

func (c Config) checkDataDir() error {
	if n := len(c.AdminSocket()); n > maxSocketPath {
		return fmt.Errorf("too long: the administration socket's path would have %d bytes, %d are possible; choose a shorter directory", n, maxSocketPath)
	}
	return nil
}

// checkTransport: either this server speaks TLS, or a proxy that was named does, or nobody
// but this machine is served: codes and tokens never travel in the clear (RFC 9700 §2.6).
func (c Config) checkTransport() error {
	var problems []error
	if (c.TLSCert == "") != (c.TLSKey == "") {
		problems = append(problems, errors.New("tls_cert, tls_key: one without the other; give both, or none"))
	}
	for _, p := range c.TrustedProxies {
		problems = append(problems, named("trusted_proxies", checkProxy(p)))
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return errors.Join(problems...)
	}
	if u.Scheme == "https" && c.TLSCert == "" && len(c.TrustedProxies) == 0 {
		problems = append(problems, errors.New("tls_cert: public_url is https, but nobody speaks TLS; give tls_cert and tls_key, "+
			"or name the reverse proxy in trusted_proxies (on this machine: 127.0.0.1)"))
	}
	if u.Scheme == "http" && c.TLSCert != "" {
		problems = append(problems, errors.New("tls_cert: public_url is http; write https, or remove tls_cert and tls_key"))
	}
	return errors.Join(problems...)
}

func (c Config) checkVerifierNetworks() error {
	var problems []error
	for _, n := range c.VerifierNetworks {
		problems = append(problems, named("verifier_networks", checkNetwork(n, "contains everybody: strangers would have the places of your services; name their networks")))
	}
	return errors.Join(problems...)
}

func (c Config) checkOutboundNetworks() error {
	var problems []error
	for _, n := range c.OutboundNetworks {
		problems = append(problems, named("outbound_networks", checkNetwork(n, "contains every address: clients could make this server call anything; name your networks")))
	}
	return errors.Join(problems...)
}

func checkProxy(s string) error {
	return checkNetwork(s, "trusts everybody: each visitor could choose the address he is counted under; name the proxy")
}

// checkNetwork says whyNot if it contains everybody.
func checkNetwork(s, whyNot string) error {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return nil
	}
	prefix, err := netip.ParsePrefix(s)
	switch {
	case err != nil || prefix.Addr().Is4In6():
		return fmt.Errorf("%q is neither an address nor a prefix, like 10.0.0.2 or 10.1.0.0/16", s)
	case prefix.Bits() == 0:
		return fmt.Errorf("%q %s", s, whyNot)
	}
	return nil
}

func (c Config) checkSMTP() error {
	s := c.SMTP
	var problems []error
	if s.Host == "" {
		if s.Username != "" || s.PasswordFile != "" || s.From != "" {
			return errors.New("smtp.host: missing, but other keys of smtp are given")
		}
		return nil
	}
	if strings.ContainsAny(s.Host, "/:@ ") && !isIP(s.Host) {
		problems = append(problems, fmt.Errorf("smtp.host: %q is not a host name; the port has its own key", s.Host))
	}
	if s.Port > 65535 {
		problems = append(problems, fmt.Errorf("smtp.port: %d is not a port", s.Port))
	}
	if _, err := idp.Mailbox(s.From); err != nil {
		problems = append(problems, fmt.Errorf("smtp.from: %q is not an e-mail address, like no-reply@example.com", s.From))
	}
	if (s.Username == "") != (s.PasswordFile == "") {
		problems = append(problems, errors.New("smtp.username, smtp.password_file: one without the other; give both, or none"))
	}
	if err := oneOf(s.TLS, "mandatory", "implicit", "opportunistic", "none"); err != nil {
		problems = append(problems, named("smtp.tls", err))
	} else if (s.TLS == "opportunistic" || s.TLS == "none") && !loopback(s.Host) {
		problems = append(problems, fmt.Errorf("smtp.tls: %q is for a server on this machine only; write mandatory or implicit", s.TLS))
	}
	return errors.Join(problems...)
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func (c Config) checkLifetimes() error {
	l := c.Lifetimes
	return errors.Join(
		within("lifetimes.access_token", l.AccessToken, time.Minute, time.Hour),
		within("lifetimes.id_token", l.IDToken, time.Minute, time.Hour),
		within("lifetimes.refresh_token", l.RefreshToken, time.Hour, 400*day),
		within("lifetimes.session", l.Session, 5*time.Minute, 90*day),
		within("lifetimes.session_idle", l.SessionIdle, 5*time.Minute, l.Session),
	)
}

func (c Config) checkLimits() error {
	l := c.Limits
	return errors.Join(
		within("limits.max_connections", l.MaxConnections, 10, 1_000_000),
		within("limits.max_header_bytes", l.MaxHeaderBytes, 4096, 1<<20),
		within("limits.read_header_timeout", l.ReadHeaderTimeout, time.Second, 2*time.Minute),
		within("limits.read_timeout", l.ReadTimeout, l.ReadHeaderTimeout, 5*time.Minute),
		within("limits.write_timeout", l.WriteTimeout, 5*time.Second, 10*time.Minute),
		within("limits.idle_timeout", l.IdleTimeout, time.Second, time.Hour),
		within("limits.drain_delay", l.DrainDelay, 0, 5*time.Minute),
		within("limits.password_memory_mib", l.PasswordMemory, 32, 65536),
	)
}

// within checks bounds of numbers and times alike.
func within[T int | time.Duration](key string, v, low, high T) error {
	if v < low || v > high {
		return fmt.Errorf("%s: %v is not between %v and %v", key, v, low, high)
	}
	return nil
}

func oneOf(s string, values ...string) error {
	if !slices.Contains(values, s) {
		return fmt.Errorf("%q is none of %s", s, strings.Join(values, ", "))
	}
	return nil
}

// Loosened says which values protect less than the defaults do, one sentence for each. The
// server writes them to its log at every start.
func (c Config) Loosened() []string {
	base := Config{PublicURL: c.PublicURL, DataDir: c.DataDir}.WithDefaults()
	var out []string
	longer := func(key string, v, standard time.Duration) {
		if v > standard {
			out = append(out, fmt.Sprintf("%s is %v, longer than the default of %v", key, v, standard))
		}
	}
	longer("lifetimes.access_token", c.Lifetimes.AccessToken, base.Lifetimes.AccessToken)
	longer("lifetimes.id_token", c.Lifetimes.IDToken, base.Lifetimes.IDToken)
	longer("lifetimes.refresh_token", c.Lifetimes.RefreshToken, base.Lifetimes.RefreshToken)
	longer("lifetimes.session_idle", c.Lifetimes.SessionIdle, base.Lifetimes.SessionIdle)
	longer("lifetimes.session", c.Lifetimes.Session, base.Lifetimes.Session)
	longer("limits.read_header_timeout", c.Limits.ReadHeaderTimeout, base.Limits.ReadHeaderTimeout)
	longer("limits.read_timeout", c.Limits.ReadTimeout, base.Limits.ReadTimeout)
	longer("limits.write_timeout", c.Limits.WriteTimeout, base.Limits.WriteTimeout)
	longer("limits.idle_timeout", c.Limits.IdleTimeout, base.Limits.IdleTimeout)
	if c.Limits.MaxConnections > base.Limits.MaxConnections {
		out = append(out, fmt.Sprintf("limits.max_connections is %d, more than the default of %d", c.Limits.MaxConnections, base.Limits.MaxConnections))
	}
	if c.Limits.MaxHeaderBytes > base.Limits.MaxHeaderBytes {
		out = append(out, fmt.Sprintf("limits.max_header_bytes is %d, more than the default of %d", c.Limits.MaxHeaderBytes, base.Limits.MaxHeaderBytes))
	}
	if c.Registration == "open" {
		out = append(out, "registration is open: everybody can add clients, which then may ask people for consent")
	}
	if c.ClientIDMetadataDocuments == "on" && len(c.ClientIDHostsAllowed) == 0 {
		out = append(out, "client_id_metadata_documents is on for all hosts: everybody can publish a client, which then may ask people for consent")
	}
	if host, _, err := net.SplitHostPort(c.MetricsListen); err == nil && !loopback(host) {
		out = append(out, "metrics_listen is "+c.MetricsListen+": other machines can read the metrics")
	}
	if c.SMTP.Host != "" && (c.SMTP.TLS == "opportunistic" || c.SMTP.TLS == "none") {
		out = append(out, "smtp.tls is "+c.SMTP.TLS+": mail leaves this server without certain protection")
	}
	if mode := looseSSLMode(c.Database); mode != "" {
		out = append(out, "database has sslmode="+mode+": who stands between this server and the database can be the database")
	}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && !loopback(host) && c.TLSCert == "" {
		out = append(out, "listen is "+c.Listen+" without tls_cert: other machines can speak plain HTTP to this server")
	}
	return out
}
