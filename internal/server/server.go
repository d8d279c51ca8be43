// Package server puts signet together: it opens the database, gives every package what it
// needs, and serves. It is the only package that knows all others, and with the commands
// the only one that reads the clock.
//
// It deliberately holds no rule: what may happen is decided in the packages below.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/backchannel"
	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/metrics"
	"github.com/signet-id/signet/internal/notify"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/internal/tracing"
	"github.com/signet-id/signet/internal/web"
	"github.com/signet-id/signet/verify/jose"
)

// Options are what a configuration file cannot say.
type Options struct {
	Log *slog.Logger
	Now func() time.Time // nil: the clock
	Dev bool             // signet dev: a banner, causes on error pages, caught mail
	// AdminSocket is the whole path of that socket, for commands on error pages of signet dev.
	AdminSocket string
	// Serving is called when requests and administration are accepted; nil: nobody waits.
	Serving func()
	// Build is what this program is, for metrics and traces.
	Build metrics.Build
	// Heartbeat of the revocation feed; 0: 5 s. For tests.
	Heartbeat time.Duration
	// Faults makes transactions fail. For tests.
	Faults *store.Faults
	// Keys are the lives of signing keys; zero: as the lifetimes of tokens ask. For tests.
	Keys keyring.Policy
	// InsecureCheapPasswords makes password hashes that are fast to guess. For tests.
	InsecureCheapPasswords bool
}

// Server is a provider, ready to serve.
type Server struct {
	cfg       config.Config
	opts      Options
	now       func() time.Time
	log       *slog.Logger
	store     *store.DB
	lock      io.Closer // keeps other servers out of the data directory
	keys      *keyring.Ring
	hasher    *passhash.Hasher
	catcher   *notify.Catcher // nil but in development
	dir       *store.Directory
	hub       *revocation.Hub
	endpoints *oauth.Endpoints
	feed      *oauth.Revocations
	metrics   *metrics.Metrics
	traces    *tracing.Tracer // nil: none
	tracers   edge.Networks   // whose traces we go on with
	pages     *web.Pages
	proxies   edge.Proxies
	services  edge.Networks // of verifiers
	outbound  *outbound.Client
	logouts   *backchannel.Sender
	public    http.Handler
	admin     http.Handler
	tls       *certificate // nil: plain HTTP
	mail      *mailer      // nil: no SMTP server
	probe     probe
	draining  atomic.Bool
	health    health

	listening atomic.Pointer[limitListener] // nil before Run
}

// ruleLeeway is what verifiers forgive a clock (verify.Leeway), twice: a token may be
// dated ahead and be accepted after its end.
const ruleLeeway = 2 * time.Minute

// maxAccessLifetime bounds what a resource may ask for: rules are kept as long.
const maxAccessLifetime = time.Hour

// New opens the database and puts a server together. The caller closes it.
func New(ctx context.Context, cfg config.Config, o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, opts: o, now: o.Now, log: o.Log}
	kek, err := cfg.Key()
	if err != nil {
		return nil, err
	}
	if err := makeDataDir(cfg.DataDir); err != nil {
		return nil, err
	}
	if err := s.beginObserving(); err != nil {
		return nil, err
	}
	if s.store, err = openStore(ctx, cfg, s.storeOptions()); err != nil {
		return nil, errors.Join(err, s.traces.Close())
	}
	if s.lock, err = holdDataDir(cfg.DataDir); err != nil {
		return nil, errors.Join(err, s.store.Close(), s.traces.Close())
	}
	if err := s.build(ctx, kek); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func makeDataDir(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("data_dir: %w; a file is in its place: name another in data_dir", err)
	case err != nil:
		return fmt.Errorf("data_dir: %w; make it for the server's user (install -d -m 700 -o USER %s), or name another in data_dir", err, dir)
	}
	return nil
}

func openStore(ctx context.Context, cfg config.Config, o store.Options) (_ *store.DB, err error) {
	if o.Password, err = cfg.DatabasePassword(); err != nil {
		return nil, err
	}
	o.RuleLifetime = maxAccessLifetime + ruleLeeway
	return store.Open(ctx, cfg.Database, o)
}

// holdDataDir: two nodes on one PostgreSQL database would take the administration socket
// from each other.
func holdDataDir(dir string) (io.Closer, error) {
	lock, err := store.LockFile(filepath.Join(dir, "server.lock"))
	if errors.Is(err, store.ErrInUse) {
		return nil, fmt.Errorf("data_dir %s is in use by another server; give each node a data_dir of its own", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("data_dir: %w; it must belong to the server's user", err)
	}
	return lock, nil
}

// Close closes the database. Run must have returned.
func (s *Server) Close() error {
	s.health.running.Wait()
	return errors.Join(s.store.Close(), s.lock.Close(), s.traces.Close())
}

// Handler serves the public side.
func (s *Server) Handler() http.Handler { return s.public }

// AdminHandler serves administration; it belongs on a socket that only the operator opens.
func (s *Server) AdminHandler() http.Handler { return s.admin }

// Mail returns the mail that development mode caught; nil otherwise.
func (s *Server) Mail() *notify.Catcher { return s.catcher }

func (s *Server) build(ctx context.Context, kek [32]byte) (err error) {
	if err = s.openKeys(ctx, kek); err != nil {
		return err
	}
	if s.hasher, err = s.newHasher(ctx); err != nil {
		return err
	}
	if s.proxies, err = edge.ParseProxies(s.cfg.TrustedProxies); err != nil {
		return err
	}
	if s.services, err = edge.ParseNetworks(s.cfg.VerifierNetworks); err != nil {
		return fmt.Errorf("verifier_networks: %w", err)
	}
	if s.tracers, err = edge.ParseNetworks(s.cfg.TracesSources); err != nil {
		return fmt.Errorf("traces_sources: %w", err)
	}
	own, err := edge.ParseNetworks(s.cfg.OutboundNetworks)
	if err != nil {
		return fmt.Errorf("outbound_networks: %w", err)
	}
	s.outbound = outbound.New(outbound.Config{
		Allow: own.Prefixes(), Loopback: s.opts.Dev, Now: s.now, Log: s.log, Observe: s.observeCalls(), Annotate: s.traces.Annotate,
	})
	mailer, err := s.newMailer()
	if err != nil {
		return err
	}
	if s.tls, err = newCertificate(s.cfg, s.log, s.now); err != nil {
		return err
	}
	s.dir = store.NewDirectory(s.store)
	s.hub = revocation.NewHub(s.store, func() (*jose.Signer, error) { return s.keys.Announcer(s.now()) },
		revocation.Config{Issuer: s.cfg.PublicURL, Heartbeat: s.opts.Heartbeat, Now: s.now, Log: s.log})
	if err := s.hub.Open(ctx); err != nil {
		return err
	}
	passwords := authn.New(authn.Config{
		Store: s.store, Hasher: s.hasher, Key: secret.Derive(kek[:], "attempts"), Now: s.now, Log: s.log,
	})
	sessions := session.New(s.store,
		session.Lifetimes{Idle: s.cfg.Lifetimes.SessionIdle, Absolute: s.cfg.Lifetimes.Session}, s.now)
	tokens := token.New(token.Config{
		Issuer: s.cfg.PublicURL, Keys: s.keys, AccessLifetime: s.cfg.Lifetimes.AccessToken, IDLifetime: s.cfg.Lifetimes.IDToken,
		MaxLifetime: maxAccessLifetime,
	})
	s.logouts = backchannel.New(backchannel.Config{
		Store: countedNotices{s.store, s.metrics}, Clients: s.dir, Tokens: tokens, Post: s.outbound, Now: s.now, Log: s.log,
	})
	deviceKey := secret.Derive(kek[:], "user_code")
	pagesOf := s.webConfig(sessions, passwords, mailer)
	if pagesOf.Brand.Logo, pagesOf.Brand.LogoDark, err = s.cfg.Brand.Logos(); err != nil {
		return err
	}
	pagesOf.UserCodes = authn.NewUserCodes(s.store, deviceKey, s.now)
	if s.pages, err = web.New(pagesOf); err != nil {
		return err
	}
	protocol := s.oauthConfig(tokens, sessions, secret.Derive(kek[:], "dpop_nonce"))
	protocol.Devices = oauth.Devices{Key: deviceKey, Lifetime: config.DeviceLifetime}
	if s.endpoints, err = oauth.New(protocol); err != nil {
		return err
	}
	s.feed = s.endpoints.Feed()
	middleware := edge.Middleware(edge.Config{Log: s.log, Proxies: s.proxies, Now: s.now, Observe: s.observeRequest})
	public := s.routes()
	if s.opts.Dev {
		public = OnlyOwnHost(s.cfg.PublicURL, public)
	}
	s.public = middleware(public)
	s.admin = middleware(admin.New(admin.Config{
		Store: s.store, Keys: s.keys, Bundle: bundler{s.keys, s.hub}, Prober: &s.probe, Hasher: s.hasher, Issuer: s.cfg.PublicURL, Now: s.now, Log: s.log,
	}))
	return nil
}

func (s *Server) webConfig(sessions *session.Manager, passwords *authn.Passwords, mailer notify.Mailer) web.Config {
	c := web.Config{
		Issuer: s.cfg.PublicURL, Brand: brandOf(s.cfg.Brand), Store: s.store, Directory: s.dir, Sessions: sessions,
		Passwords: countedLogins{passwords, s.metrics}, Mailer: mailer, Logouts: s.logouts, Logos: s.outbound, Now: s.now, Log: s.log, Dev: s.opts.Dev,
	}
	if s.catcher != nil {
		c.Mail = s.catcher
	}
	return c
}

func brandOf(b config.Brand) web.Brand {
	return web.Brand{
		Name: b.Name, Support: b.Support, Imprint: b.Imprint, Privacy: b.Privacy,
		LoginNote: map[string]string{"en": b.LoginNote, "de": b.LoginNoteDE},
		Colours:   web.Colours{Accent: b.Accent, AccentDark: b.AccentDark, Background: b.Background, BackgroundDark: b.BackgroundDark},
	}
}

func (s *Server) oauthConfig(tokens *token.Issuer, sessions *session.Manager, nonceKey [32]byte) oauth.Config {
	return oauth.Config{
		Issuer: s.cfg.PublicURL, NonceKey: nonceKey, Store: countedReplays{s.store, s.metrics}, Directory: s.dir, Tokens: tokens, Keys: s.keys, Sessions: sessions,
		Pages: pages{s.pages}, Hub: s.hub, Outbound: s.outbound, Logouts: s.logouts,
		Lifetimes: oauth.Lifetimes{
			AuthRequest: config.AuthRequestLifetime, Code: config.CodeLifetime, Refresh: s.cfg.Lifetimes.RefreshToken,
		},
		Registration: oauth.RegistrationConfig{Mode: oauth.RegistrationMode(s.cfg.Registration), Scopes: s.cfg.RegistrationScopes},
		Documents: oauth.DocumentsConfig{
			On: s.cfg.ClientIDMetadataDocuments == "on", Loopback: s.opts.Dev, Allow: s.cfg.ClientIDHostsAllowed, Deny: s.cfg.ClientIDHostsDenied,
		},
		// The feed's connections never become idle: they must leave places for everybody else.
		Feed: oauth.RevocationsConfig{MaxConnections: min(feedConnections, s.cfg.Limits.MaxConnections/2), Services: s.services, Log: s.log, Pushed: s.observePush},
		Now:  s.now, Log: s.log, Dev: s.opts.Dev, AdminSocket: s.opts.AdminSocket, Observe: s.observeSigning(), Issued: s.metrics.Token,
	}
}

// feedConnections is how many may follow the revocation feed, if there are places.
const feedConnections = 4096

// hashingSetting is where the cost of password hashes is kept between starts.
const hashingSetting = "password_hashing"

func (s *Server) newHasher(ctx context.Context) (*passhash.Hasher, error) {
	c := passhash.Config{
		MemoryBudget: int64(s.cfg.Limits.PasswordMemory) << 20, Now: s.now, InsecureCheap: s.opts.InsecureCheapPasswords, Observe: s.observeHashing(),
	}
	stored, err := s.store.Setting(ctx, hashingSetting)
	switch {
	case errors.Is(err, idp.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(stored, &c.Params); err != nil {
			return nil, fmt.Errorf("setting %s: %w", hashingSetting, err)
		}
	}
	return passhash.New(c), nil
}

func (s *Server) newMailer() (notify.Mailer, error) {
	if s.opts.Dev {
		s.catcher = notify.NewCatcher(s.now)
		return countedMailer{s.catcher, s.metrics}, nil
	}
	if s.cfg.SMTP.Host == "" {
		return nil, nil
	}
	sender, err := Sender(s.cfg, nil, s.now)
	if err != nil {
		return nil, err
	}
	s.mail = &mailer{}
	s.mail.sender.Store(sender)
	return countedMailer{s.mail, s.metrics}, nil
}
