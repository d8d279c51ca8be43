// Package config reads the configuration: one YAML file, an environment variable for each
// of its keys, and nothing else. The comments of the fields below are the manual;
// docs/reference/configuration.md is made from them.
//
// What is unknown, given twice or of the wrong type is an error that names it. Defaults are
// safe; PublicURL and KeyFile have none. Secrets are never in the file: keys that end in
// _file name the file that holds one.
//
// It deliberately knows nothing about what the values are used for: package server hands
// them to those who need them.
package config

import (
	"path/filepath"
	"runtime"
	"time"
)

// Config is the whole configuration. Paths that are relative in the file belong to the
// file's directory, those of environment variables to the working directory.
type Config struct {
	// File is where the configuration was read from; empty if from the environment only.
	File string `yaml:"-"`

	// OTel is what other programs on the machine are told of traces as well: see traces_endpoint.
	OTel OTel `yaml:"-"`

	// The address under which people and programs reach this server. It is the issuer
	// in every token, compared byte for byte by everybody, and the start of every link.
	// Scheme and host, perhaps a port; nothing after it, not even a slash. https, or
	// http for a loopback host.
	//
	// Default: none, it must be given.
	// Example: https://id.example.com
	// What breaks: changing it later makes every token, session and client configuration
	// of the old address useless.
	PublicURL string `yaml:"public_url"`

	// The file with the key-encryption key: 32 random bytes as 64 hexadecimal digits or as
	// base64. It seals the signing keys in the database, so keep a copy of it, and not
	// beside the backup of the database. Make one with: signet key new FILE
	//
	// Only its owner may read it (mode 0600); if root owns it, its group may read it as well
	// (0640), which is how systemd and Kubernetes hand out credentials.
	//
	// Default: none, it must be given.
	// Example: /etc/signet/key
	// What breaks: with another key than the database was made with, the server refuses to start.
	KeyFile string `yaml:"key_file"`

	// The file with another key-encryption key, in the same form as KeyFile. What is sealed
	// under it still opens; everything new is sealed under KeyFile. It is given while the
	// key-encryption key is changed, and removed afterwards.
	//
	// To change the key: make a new one (signet key new FILE), name it in key_file and the
	// old one here, start again, run "signet key rewrap", and remove this line and the old
	// file when it says so. With several nodes on one database go round twice, so that no
	// node meets a key that it cannot open: first add the new key here on each node, then
	// swap the two on each node, then run "signet key rewrap" once.
	//
	// Nothing else is sealed under the key-encryption key. The names under which failed
	// logins are counted are derived from key_file, so all counts begin at zero with a new
	// one, and nodes with different ones count apart. Backups made before the change need
	// the old key.
	//
	// Default: none.
	// Example: /etc/signet/key.old
	// What breaks: without it, a new key_file does not open the stored keys and the server
	// refuses to start.
	PreviousKeyFile string `yaml:"previous_key_file"`

	// Where the server listens, as host:port. Without a host, on all addresses.
	//
	// Default: 127.0.0.1:8080
	// Example: :443
	// What breaks: without tls_cert this listener speaks plain HTTP; it must then not be
	// reachable past the reverse proxy.
	Listen string `yaml:"listen"`

	// The directory for the database and the administration socket. It is made with mode
	// 0700 if it does not exist. Two servers cannot share one: each node has its own.
	//
	// Default: /var/lib/signet, on Windows C:\ProgramData\signet
	// Example: /srv/signet
	// What breaks: an empty directory is an empty server: no users, no clients, new signing keys.
	DataDir string `yaml:"data_dir"`

	// The database: "sqlite:" and a path, a file on a local disk that one server uses alone;
	// or the address of a PostgreSQL database (14 or newer, encoding UTF8, owned by the user
	// that is named), which any number of nodes share that have the same public_url and
	// key_file. The parameters after the ? are those of libpq; pool_max_conns=32 is how many
	// connections a node keeps.
	//
	// A connection to another machine says how it is protected: sslmode=verify-full, with
	// sslrootcert=FILE for a certificate authority of your own.
	//
	// Default: sqlite:signet.db in data_dir
	// Example: postgres://signet@db.example.com/signet?sslmode=verify-full
	// What breaks: as for data_dir; and without sslmode=verify-full, whoever stands between
	// this server and the database can be the database.
	Database string `yaml:"database"`

	// The file with the password of the database's user; a line break at its end does not
	// count. The rules of key_file on who may read it hold here too.
	//
	// Default: none; PostgreSQL must then know this user in another way (peer, a certificate, passfile)
	// Example: /etc/signet/database-password
	// What breaks: with a wrong one the server does not start.
	DatabasePasswordFile string `yaml:"database_password_file"`

	// The certificate chain for TLS, PEM, leaf first. Given together with tls_key. Both are
	// read again when they change.
	//
	// Default: none, plain HTTP
	// Example: /etc/signet/tls.crt
	// What breaks: an unreadable or unfitting pair stops the start.
	TLSCert string `yaml:"tls_cert"`

	// The private key of tls_cert, PEM. The rules of key_file on who may read it hold here too.
	//
	// Default: none, plain HTTP
	// Example: /etc/signet/tls.key
	// What breaks: see tls_cert.
	TLSKey string `yaml:"tls_key"`

	// The reverse proxies in front of this server, as addresses or prefixes. Only from them
	// is X-Forwarded-For believed, read from right to left. Required when public_url is
	// https and there is no tls_cert: somebody must speak TLS.
	//
	// Default: none; the peer of the connection is the client
	// Example: [127.0.0.1, 10.1.0.0/16]
	// What breaks: a missing proxy makes all people look like one, who is then throttled;
	// a prefix that contains other machines lets them choose the address they are counted under.
	TrustedProxies []string `yaml:"trusted_proxies"`

	// The networks that your services follow revocations from, as addresses or prefixes:
	// above all a NAT or the egress of a cluster that many of them share. From each of
	// these up to 2048 connections may follow, from any other network 256; half of the
	// places are kept for them, and limits.max_connections has no share for a network.
	//
	// Default: none; strangers who open many connections then compete with your services
	// Example: [10.0.0.0/8, 203.0.113.7]
	// What breaks: services behind a shared address that is not named here are refused
	// from the 257th on, and then refuse all tokens.
	VerifierNetworks []string `yaml:"verifier_networks"`

	// Networks of your own, as addresses or prefixes, in which this server may call what
	// clients name: their key sets (jwks_uri), metadata and logout addresses. Without them it
	// calls public addresses only, by https at port 443. In these networks https is required as
	// well, but any port will do. Certificates are checked against the system's authorities; the
	// environment variable SSL_CERT_FILE names a file with others.
	//
	// Default: none
	// Example: [10.2.0.0/16]
	// What breaks: whoever may register a client can make this server send requests to any
	// https service in these networks; clients in networks that are not named here cannot have
	// their keys fetched.
	OutboundNetworks []string `yaml:"outbound_networks"`

	// Who may register clients by themselves (RFC 7591) at /register: nobody (off, and there is
	// no such address), whoever has a token that you made (token; see "signet client
	// registration-token"), or everybody (open). Such a client gets the authorization code
	// grant with refresh tokens and nothing else; people see that nobody checked it, and are
	// asked. In the mode open a network may register 20 clients an hour. Clients that nobody
	// connects within 30 days are forgotten.
	//
	// Default: off
	// Example: token
	// What breaks: with off, apps that register themselves (many MCP clients) cannot be
	// connected. With open, the number of clients is bounded (5000), so strangers can keep
	// others from registering.
	Registration string `yaml:"registration"`

	// Scopes of your services that clients may have which no operator added: those that
	// registered themselves, and those of metadata documents. openid, profile, email and
	// offline_access they may have anyway. People are asked in any case.
	//
	// Default: none
	// Example: [calendar:read]
	// What breaks: an app that asks for another scope does not get it.
	RegistrationScopes []string `yaml:"registration_scopes"`

	// Whether an app may have the https address of a document that describes it as its
	// client id (client ID metadata documents, draft -03), which this server then fetches:
	// on or off. MCP clients prefer this to registering. People see the address's host, that
	// nobody checked the app, and are asked each time.
	//
	// It is off by default because it makes this server connect to addresses that strangers
	// name (only to public ones, by https), and lets every app ask people for consent.
	//
	// Default: off
	// Example: on
	// What breaks: with off, apps that were connected in this way stop working.
	ClientIDMetadataDocuments string `yaml:"client_id_metadata_documents"`

	// The only hosts whose metadata documents count. No wildcards.
	//
	// Default: none; all hosts that are not denied
	// Example: [claude.ai, vscode.dev]
	// What breaks: apps of other hosts stop working at once.
	ClientIDHostsAllowed []string `yaml:"client_id_hosts_allowed"`

	// Hosts whose metadata documents do not count.
	//
	// Default: none
	// Example: [apps.example.net]
	// What breaks: apps of these hosts stop working at once.
	ClientIDHostsDenied []string `yaml:"client_id_hosts_denied"`

	// Where metrics can be read by Prometheus, as host:port: at /metrics, over plain HTTP,
	// by whoever reaches the address. They name no person, client or token, but tell how
	// much happens here and what goes wrong. docs/reference/metrics.md lists them.
	//
	// Default: none, no metrics
	// Example: 127.0.0.1:9464
	// What breaks: nothing; on an address that others reach they can watch too.
	MetricsListen string `yaml:"metrics_listen"`

	// The collector that takes traces, by OpenTelemetry's protocol over HTTP (OTLP): the
	// address to which /v1/traces is added. A trace shows what a request did and how long it
	// took: database, password hash, signing, calls. It names the route and never an address
	// with its query, a token or a person.
	//
	// Without this key OpenTelemetry's variables say where: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
	// which is used as it is, else OTEL_EXPORTER_OTLP_ENDPOINT, to which /v1/traces is added.
	// OTEL_TRACES_EXPORTER=none turns these two off, OTEL_SDK_DISABLED=true all traces, and
	// OTEL_SERVICE_NAME is the name of the service, else signet. What does not fit of them, such
	// as OTEL_EXPORTER_OTLP_PROTOCOL=grpc, the log warns of at the start.
	//
	// Default: what OpenTelemetry's variables say, else none, no traces
	// Example: http://127.0.0.1:4318
	// What breaks: nothing; what a collector does not take is lost, and requests do not wait for it.
	TracesEndpoint string `yaml:"traces_endpoint"`

	// Of a hundred requests, how many are traced.
	//
	// Default: 10
	// Example: 100
	// What breaks: nothing; from 1 to 100.
	TracesPercent int `yaml:"traces_percent"`

	// The networks, as addresses or prefixes, whose requests go on with the trace that their
	// traceparent header names (W3C Trace Context), and are traced if that says so, whatever
	// traces_percent is. A reverse proxy may stand here if it sets or removes that header
	// itself: one that passes it on lets everybody choose what is traced.
	//
	// Default: none; each request begins a trace of its own
	// Example: [10.0.0.0/8]
	// What breaks: nothing; without it traces of your services end where signet's begin.
	TracesSources []string `yaml:"traces_sources"`

	// What people see of you.
	Brand Brand `yaml:"brand"`

	// The server that takes our e-mail.
	SMTP SMTP `yaml:"smtp"`

	// How long things live. Units are s, m, h and d; they combine: 1d12h.
	Lifetimes Lifetimes `yaml:"lifetimes"`

	// How much anybody may use of this machine.
	Limits Limits `yaml:"limits"`

	// What is written to standard error.
	Log Log `yaml:"log"`
}

// Brand is what people see of the operator.
type Brand struct {
	// The name on pages and in mails.
	//
	// Default: signet
	// Example: Example Ltd.
	// What breaks: nothing.
	Name string `yaml:"name"`

	// The file with your logo for the head of each page: PNG, JPEG, GIF, or an SVG that is only
	// a drawing (no scripts, styles, links or pictures within). At most 256 KiB, and 1024 pixels
	// on each side; it is shown 32 pixels high. One that is more than twice as wide as high stands
	// for the name, any other stands beside it and is the icon of the tab as well. The file is read
	// at the start.
	//
	// Default: none, the sign of signet
	// Example: /etc/signet/logo.svg
	// What breaks: with a file that is no such picture the server does not start.
	Logo string `yaml:"logo"`

	// The file with the logo for the dark theme, under the same rules.
	//
	// Default: none, logo is shown in both themes
	// Example: /etc/signet/logo-dark.svg
	// What breaks: as for logo.
	LogoDark string `yaml:"logo_dark"`

	// The colour of links and buttons, as #rrggbb in quotes (YAML takes # for a comment). It must
	// have a contrast of 4.5 to 1 with what is behind it (WCAG 2.2 §1.4.3); what depends on it,
	// like the colour under a pointer, is made of it.
	//
	// Default: "#1a6b50"
	// Example: "#1d4ed8"
	// What breaks: with a colour in which text cannot be read the server does not start, and says
	// which one near it would do.
	Accent string `yaml:"accent"`

	// The same for the dark theme, where it must be a light colour.
	//
	// Default: accent, made lighter until it can be read well
	// Example: "#93b4ff"
	// What breaks: as for accent.
	AccentDark string `yaml:"accent_dark"`

	// The colour of the page around cards and lists, as #rrggbb in quotes. It must be so light that
	// text and links on it have a contrast of 4.5 to 1.
	//
	// Default: "#f5f4ef"
	// Example: "#f4f6fb"
	// What breaks: as for accent.
	Background string `yaml:"background"`

	// The same for the dark theme, where it must be dark.
	//
	// Default: "#101411"
	// Example: "#0d1117"
	// What breaks: as for accent.
	BackgroundDark string `yaml:"background_dark"`

	// A line under the login form: which account is meant, for example. Plain text, at most 240
	// characters.
	//
	// Default: none
	// Example: Use the account that you also use for e-mail.
	// What breaks: nothing.
	LoginNote string `yaml:"login_note"`

	// The same on German pages.
	//
	// Default: login_note
	// Example: Melden Sie sich mit dem Konto Ihrer E-Mail an.
	// What breaks: nothing.
	LoginNoteDE string `yaml:"login_note_de"`

	// Where people find help: an https address or an e-mail address. It is linked at the foot of
	// each page.
	//
	// Default: none
	// Example: help@example.com
	// What breaks: without it, people who cannot sign in find nobody to ask.
	Support string `yaml:"support"`

	// The https address of your imprint, linked at the foot of each page.
	//
	// Default: none
	// Example: https://example.com/imprint
	// What breaks: nothing; the law of some countries wants one.
	Imprint string `yaml:"imprint"`

	// The https address of your privacy policy, linked at the foot of each page.
	//
	// Default: none
	// Example: https://example.com/privacy
	// What breaks: as for imprint.
	Privacy string `yaml:"privacy"`
}

// SMTP is the server that takes e-mail.
type SMTP struct {
	// The SMTP server's name. Without one no mail is sent: people are not told when their
	// password changed or an app was connected.
	//
	// Default: none, no mail
	// Example: smtp.example.com
	// What breaks: with a wrong one mails are lost; logins go on.
	Host string `yaml:"host"`

	// The SMTP server's port.
	//
	// Default: 587, or 465 when tls is implicit
	// Example: 2525
	// What breaks: see host.
	Port int `yaml:"port"`

	// Who logs in to the SMTP server; given together with password_file.
	//
	// Default: none, no login
	// Example: signet@example.com
	// What breaks: see host.
	Username string `yaml:"username"`

	// The file with the SMTP password; a line break at its end does not count. The rules of
	// key_file on who may read it hold here too.
	//
	// Default: none, no login
	// Example: /etc/signet/smtp-password
	// What breaks: see host.
	PasswordFile string `yaml:"password_file"`

	// The address that mail comes from. Required with host.
	//
	// Default: none
	// Example: no-reply@example.com
	// What breaks: receivers refuse mail from a domain that the SMTP server may not send for.
	From string `yaml:"from"`

	// How the connection is protected: mandatory (STARTTLS or no mail), implicit (TLS from the
	// first byte), or, for a server on this machine only, opportunistic and none.
	//
	// Default: mandatory
	// Example: implicit
	// What breaks: the server refuses to start with opportunistic or none for another machine.
	TLS string `yaml:"tls"`
}

// Lifetimes say how long things live. Codes live 60 seconds and a login that was begun 10
// minutes; nobody needs other values.
type Lifetimes struct {
	// An access token. It is also the longest time for which a service that lost its
	// connection to the revocation feed believes a token.
	//
	// Default: 5m
	// Example: 2m
	// What breaks: longer ones keep more revocations in every verifier's memory; from 1m to 1h.
	AccessToken time.Duration `yaml:"access_token"`

	// An ID token. Clients look at it once, right after the login.
	//
	// Default: 5m
	// Example: 10m
	// What breaks: some older clients take its end for the end of their own session; from 1m to 1h.
	IDToken time.Duration `yaml:"id_token"`

	// A grant with its refresh tokens, from the consent on, however often they are used.
	//
	// Default: 90d
	// Example: 30d
	// What breaks: people must connect their apps again after it; from 1h to 400d.
	RefreshToken time.Duration `yaml:"refresh_token"`

	// A login at signet without a visit.
	//
	// Default: 12h
	// Example: 1h
	// What breaks: people log in again after it; from 5m up to session.
	SessionIdle time.Duration `yaml:"session_idle"`

	// A login at signet since the password was typed, however often it is used.
	//
	// Default: 30d
	// Example: 7d
	// What breaks: people log in again after it; from 5m to 90d.
	Session time.Duration `yaml:"session"`
}

// Limits keep anybody from using more of the machine than is his.
type Limits struct {
	// Connections at the same time, those of verifiers that follow revocations included.
	// Each may cost an open file and about 50 KiB. One network may have a 16th of them,
	// trusted proxies any number. When none is left, the one that has been idle longest
	// is closed for the newcomer.
	//
	// Default: 10000
	// Example: 2000
	// What breaks: when all are busy, the next one waits until one is not; from 10 to 1000000.
	MaxConnections int `yaml:"max_connections"`

	// Bytes of a request's headers.
	//
	// Default: 16384
	// Example: 32768
	// What breaks: longer requests get 431; from 4096 to 1048576.
	MaxHeaderBytes int `yaml:"max_header_bytes"`

	// Time for a client to send a request's headers.
	//
	// Default: 5s
	// Example: 10s
	// What breaks: too short, and people on bad networks are cut off; from 1s to 2m.
	ReadHeaderTimeout time.Duration `yaml:"read_header_timeout"`

	// Time for a client to send a whole request.
	//
	// Default: 10s
	// Example: 20s
	// What breaks: as for read_header_timeout; from read_header_timeout to 5m.
	ReadTimeout time.Duration `yaml:"read_timeout"`

	// Time for an answer, from the end of the request's headers on; the revocation feed has none.
	//
	// Default: 30s
	// Example: 60s
	// What breaks: as for read_header_timeout; from 5s to 10m.
	WriteTimeout time.Duration `yaml:"write_timeout"`

	// Time that a connection may do nothing between two requests.
	//
	// Default: 2m
	// Example: 65s
	// What breaks: shorter than the reverse proxy's own, and now and then a request meets a
	// connection that has just been closed; from 1s to 1h.
	IdleTimeout time.Duration `yaml:"idle_timeout"`

	// Time for which the server goes on after it was told to stop, while /readyz says already
	// that it is not ready. With one server, nobody needs it. Behind a load balancer, or in
	// Kubernetes, the time until nobody sends new requests here any more: the interval of the
	// health checks times the failures that they wait for, and a second.
	//
	// Default: 0s
	// Example: 15s
	// What breaks: shorter than the load balancer takes, and requests meet a closed port; the
	// supervisor must wait longer than this and 10 seconds more before it kills; from 0s to 5m.
	DrainDelay time.Duration `yaml:"drain_delay"`

	// Memory for hashing passwords, in MiB, all logins of a moment together. The cost of a
	// hash is fitted to the machine within it and never lowered.
	//
	// Default: 256
	// Example: 128
	// What breaks: less means fewer logins a second; from 32 to 65536.
	PasswordMemory int `yaml:"password_memory_mib"`
}

// Log says what is written to standard error.
type Log struct {
	// The least important lines that are written: debug, info, warn or error. No level
	// shows secrets.
	//
	// Default: info
	// Example: warn
	// What breaks: above info, the access log is missing.
	Level string `yaml:"level"`

	// The form of lines: json, text, or auto, which is text on a terminal and JSON otherwise.
	//
	// Default: auto
	// Example: json
	// What breaks: nothing.
	Format string `yaml:"format"`
}

// What is the same for everybody.
const (
	CodeLifetime        = 60 * time.Second
	AuthRequestLifetime = 10 * time.Minute
	DeviceLifetime      = 10 * time.Minute
)

const day = 24 * time.Hour

// WithDefaults fills in what was not given. It needs neither files nor a second call.
func (c Config) WithDefaults() Config {
	def(&c.Listen, "127.0.0.1:8080")
	def(&c.DataDir, defaultDataDir())
	def(&c.Database, "sqlite:"+filepath.Join(c.DataDir, "signet.db"))
	def(&c.Registration, "off")
	def(&c.ClientIDMetadataDocuments, "off")
	def(&c.TracesPercent, 10)
	def(&c.Brand.Name, "signet")
	def(&c.SMTP.TLS, "mandatory")
	if c.SMTP.TLS == "implicit" {
		def(&c.SMTP.Port, 465)
	}
	def(&c.SMTP.Port, 587)
	def(&c.Lifetimes.AccessToken, 5*time.Minute)
	def(&c.Lifetimes.IDToken, 5*time.Minute)
	def(&c.Lifetimes.RefreshToken, 90*day)
	def(&c.Lifetimes.SessionIdle, min(12*time.Hour, c.sessionOr(12*time.Hour)))
	def(&c.Lifetimes.Session, 30*day)
	def(&c.Limits.MaxConnections, 10_000)
	def(&c.Limits.MaxHeaderBytes, 16<<10)
	def(&c.Limits.ReadHeaderTimeout, 5*time.Second)
	def(&c.Limits.ReadTimeout, 10*time.Second)
	def(&c.Limits.WriteTimeout, 30*time.Second)
	def(&c.Limits.IdleTimeout, 2*time.Minute)
	def(&c.Limits.PasswordMemory, 256)
	def(&c.Log.Level, "info")
	def(&c.Log.Format, "auto")
	return c
}

// sessionOr keeps the default idle time below a session time that was given.
func (c Config) sessionOr(d time.Duration) time.Duration {
	if c.Lifetimes.Session > 0 {
		return c.Lifetimes.Session
	}
	return d
}

// AdminSocket is the path of the administration socket.
func (c Config) AdminSocket() string { return filepath.Join(c.DataDir, "admin.sock") }

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func defaultDataDir() string {
	if runtime.GOOS == "windows" {
		return `C:\ProgramData\signet`
	}
	return "/var/lib/signet"
}
