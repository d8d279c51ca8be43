// Package oauth is the protocol: the endpoints of an authorization server and OpenID
// provider. One file is one endpoint, one grant or one way for a client to prove itself.
//
// It implements RFC 6749 (authorization code, refresh token and client credentials
// grants), RFC 6750, RFC 7009, RFC 7523 (client authentication), RFC 7591, RFC 7592, RFC
// 7636, RFC 7662, RFC 8252, RFC 8414, RFC 8628, RFC 8707, RFC 9101 (by value), RFC 9126, RFC
// 9207, RFC 9449, RFC 10070, OpenID Connect Core, Discovery, Dynamic Client Registration,
// RP-Initiated, Front-Channel and Back-Channel Logout (which package backchannel sends), Form
// Post Response Mode, within RFC 9700, and client ID metadata documents (draft -03). Where a
// specification leaves a choice, docs/conformance.md says what was chosen.
//
// It deliberately has no implicit or hybrid flow, no password grant and no "plain" PKCE,
// shows no pages (Pages does), and does not decide the next step of a login (authn.Next).
package oauth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/clientkey"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/internal/registration"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/internal/session"
	"github.com/signet-id/signet/internal/token"
)

// Config is what the endpoints need.
type Config struct {
	Issuer    string // the public URL, without a slash at its end
	Store     Store
	Directory Directory
	Tokens    *token.Issuer
	Keys      Keys
	Sessions  *session.Manager
	Pages     Pages
	Hub       *revocation.Hub
	Outbound  *outbound.Client // calls what clients name
	Logouts   LogoutNotifier
	Lifetimes Lifetimes
	Quotas    Quotas
	Devices   Devices
	NonceKey  [32]byte // of DPoP nonces; the same on all nodes

	Registration RegistrationConfig
	Documents    DocumentsConfig

	Feed RevocationsConfig
	Now  func() time.Time
	Log  *slog.Logger
	// Observe is told of signing. Issued is told the grant type of tokens that were given
	// out, and what each is: access, id or refresh. nil: nobody is.
	Observe idp.Observer
	Issued  func(grantType, kind string)

	Dev         bool   // error pages name the cause and the next step
	AdminSocket string // the whole path, for the commands of such a next step
}

// Store is what all endpoints together need of the database; each says in its own
// file what it needs.
type Store interface {
	authorizeStore
	continueStore
	codeStore
	refreshStore
	userinfoStore
	revokeStore
	introspectStore
	logoutStore
	clientAuthStore
	deviceStore
	deviceGrantStore
	usedStore
	parStore
	registerStore
	documentStore
}

// Directory is the clients and resources, kept in memory.
type Directory interface {
	Client(ctx context.Context, id string) (idp.Client, error)
	Resource(ctx context.Context, id string) (idp.Resource, error)
	ResourceByScope(ctx context.Context, scope string) (idp.Resource, error)
	Origins(ctx context.Context) (map[string]bool, error)
}

// Lifetimes of what is made here; zero values mean the defaults.
type Lifetimes struct {
	AuthRequest time.Duration // how long a person may take; 0: 10 min
	Code        time.Duration // 0: 60 s
	Refresh     time.Duration // absolute life of a refresh family; 0: 90 d
}

// Quotas bound the authorization requests that are on their way (DOS-03).
type Quotas struct {
	PerNetwork int // 0: 1,000
	Total      int // 0: 100,000
}

// retryWindow is how long a refresh token that was just rotated may be sent again by
// the same client: two tabs, or an answer that was lost on its way.
const retryWindow = 30 * time.Second

func (c *Config) setDefaults() {
	for _, d := range [...]struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.Lifetimes.AuthRequest, 10 * time.Minute},
		{&c.Lifetimes.Code, time.Minute},
		{&c.Lifetimes.Refresh, 90 * 24 * time.Hour},
		{&c.Devices.Lifetime, 10 * time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if c.Quotas.PerNetwork <= 0 {
		c.Quotas.PerNetwork = 1000
	}
	if c.Quotas.Total <= 0 {
		c.Quotas.Total = 100_000
	}
	c.Devices.setQuotas()
	if c.Issued == nil {
		c.Issued = func(string, string) {}
	}
}

// Endpoints is all of them.
type Endpoints struct {
	cfg    Config
	origin string // of the issuer: scheme and host
	base   string // the issuer's path; empty for most
	proofs *proofs
	feed   *Revocations
	routes []route
}

type route struct {
	pattern string
	handler http.Handler
}

// New checks the configuration and makes the endpoints.
func New(cfg Config) (*Endpoints, error) {
	u, err := url.Parse(cfg.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.String() != cfg.Issuer ||
		(u.Scheme != "https" && u.Scheme != "http") || len(u.Path) > 0 && u.Path[len(u.Path)-1] == '/' {
		return nil, fmt.Errorf("issuer must be a plain URL without a slash at its end: %w", idp.ErrInvalid)
	}
	cfg.setDefaults()
	e := &Endpoints{cfg: cfg, origin: u.Scheme + "://" + u.Host, base: u.Path}
	if cfg.NonceKey == ([32]byte{}) {
		return nil, fmt.Errorf("no key for nonces: %w", idp.ErrInvalid)
	}
	if e.proofs, err = newProofs(cfg.Issuer, cfg.NonceKey, cfg.Store); err != nil {
		return nil, err
	}
	e.build()
	return e, nil
}

// Register adds the endpoints to a mux under the issuer's path.
func (e *Endpoints) Register(mux edge.Mux) {
	for _, r := range e.routes {
		mux.Handle(r.pattern, r.handler)
	}
}

// shared is what several endpoints use.
type shared struct {
	documents *documents // for endpoints at which a login begins
	audiences audiences
	clients   *clientAuth
	keys      *clientkey.Cache
	cors      crossOrigin
	pages     pageErrors
	json      jsonErrors
	checks    *requestChecks
}

func (e *Endpoints) build() {
	cfg := &e.cfg
	keys, known := clientkey.New(cfg.Outbound, cfg.Outbound.Strangers(), cfg.Now), newDocuments(cfg)
	s := shared{
		documents: known,
		audiences: audiences{directory: cfg.Directory, issuer: cfg.Issuer},
		clients: &clientAuth{
			directory: presentDocuments{known}, store: cfg.Store, horizon: cfg.Hub.NotBefore, now: cfg.Now,
			assertions: assertions{issuer: cfg.Issuer, keys: keys, store: cfg.Store},
		},
		keys:  keys,
		cors:  crossOrigin{cfg.Directory},
		pages: pageErrors{cfg.Pages, cfg.Dev, cfg.AdminSocket},
		json:  jsonErrors{cfg.Issuer},
	}
	s.checks = &requestChecks{
		issuer: cfg.Issuer, audiences: s.audiences, tokens: cfg.Tokens, lifetime: cfg.Lifetimes.AuthRequest,
		objects: requestObjects{issuer: cfg.Issuer, keys: keys},
	}
	e.forPeople(s)
	e.forClients(s)
	e.forRegistration()
	e.forEverybody()
}

// forPeople adds what browsers come to. Errors are pages.
func (e *Endpoints) forPeople(s shared) {
	cfg, codes := &e.cfg, codeMaker{e.cfg.Lifetimes}
	authorize := &authorizeEndpoint{
		base: e.base, directory: s.documents, checks: s.checks, store: cfg.Store,
		sessions: cfg.Sessions, codes: codes, pages: s.pages, quotas: cfg.Quotas, now: cfg.Now,
	}
	e.handle("GET /authorize", authorize.get, s.pages.write)
	e.handle("POST /authorize", authorize.post, s.pages.write)
	resume := &continueEndpoint{
		issuer: cfg.Issuer, base: e.base, directory: cfg.Directory, store: cfg.Store, sessions: cfg.Sessions, codes: codes,
		devices: deviceAnswer{cfg.Store, cfg.Pages}, pages: s.pages, now: cfg.Now,
	}
	e.handle("GET /authorize/continue", resume.get, s.pages.write)
	logout := &logoutEndpoint{
		issuer: cfg.Issuer, base: e.base, origin: e.origin, directory: cfg.Directory, tokens: cfg.Tokens, store: cfg.Store,
		notifier: cfg.Logouts, sessions: cfg.Sessions, pages: cfg.Pages, now: cfg.Now,
	}
	e.handle("GET /logout", logout.get, s.pages.write)
	e.handle("POST /logout", logout.post, s.pages.write)
}

// forClients adds what programs ask. Errors are JSON.
func (e *Endpoints) forClients(s shared) {
	cfg := &e.cfg
	tokens := &tokenEndpoint{
		clients: s.clients, proofs: e.proofs, tokens: cfg.Tokens, cors: s.cors, observe: cfg.Observe, issued: cfg.Issued, now: cfg.Now,
		grants: map[string]grant{
			idp.GrantAuthorizationCode: &codeGrant{store: cfg.Store, audiences: s.audiences},
			idp.GrantRefreshToken:      &refreshGrant{store: cfg.Store, audiences: s.audiences},
			idp.GrantClientCredentials: &clientCredentialsGrant{audiences: s.audiences},
			idp.GrantDeviceCode:        &deviceGrant{store: cfg.Store, audiences: s.audiences},
		},
	}
	e.handle("POST /token", tokens.serve, s.json.write)
	e.handle("OPTIONS /token", s.cors.preflight("POST"), s.json.write)
	device := &deviceEndpoint{issuer: cfg.Issuer, clients: s.clients, audiences: s.audiences, store: cfg.Store, cors: s.cors, cfg: cfg.Devices, now: cfg.Now}
	e.handle("POST /device_authorization", device.serve, s.json.write)
	e.handle("OPTIONS /device_authorization", s.cors.preflight("POST"), s.json.write)
	push := &parEndpoint{json: s.json, clients: s.clients, proofs: e.proofs, checks: s.checks, store: cfg.Store, cors: s.cors, quotas: cfg.Quotas, now: cfg.Now}
	e.handle("POST /par", push.serve, push.refuse)
	e.handle("OPTIONS /par", s.cors.preflight("POST"), s.json.write)
	revoke := &revokeEndpoint{clients: s.clients, tokens: cfg.Tokens, store: cfg.Store, cors: s.cors, now: cfg.Now}
	e.handle("POST /revoke", revoke.serve, s.json.write)
	e.handle("OPTIONS /revoke", s.cors.preflight("POST"), s.json.write)
	introspect := &introspectEndpoint{issuer: cfg.Issuer, clients: s.clients, tokens: cfg.Tokens, store: cfg.Store, now: cfg.Now}
	e.handle("POST /introspect", introspect.serve, s.json.write)
	info := &userinfoEndpoint{issuer: cfg.Issuer, proofs: e.proofs, tokens: cfg.Tokens, directory: cfg.Directory, store: cfg.Store, cors: s.cors, now: cfg.Now}
	e.handle("GET /userinfo", info.serve, info.refuse)
	e.handle("POST /userinfo", info.serve, info.refuse)
	e.handle("OPTIONS /userinfo", s.cors.preflight("GET, POST"), s.json.write)
}

// forRegistration adds what clients register at, if they may: what is off has no route (OPS-06).
func (e *Endpoints) forRegistration() {
	cfg := &e.cfg
	if cfg.Registration.Mode != RegistrationToken && cfg.Registration.Mode != RegistrationOpen {
		return
	}
	register := &registerEndpoint{
		issuer: cfg.Issuer, open: cfg.Registration.Mode == RegistrationOpen, policy: registration.Policy{Scopes: cfg.Registration.Scopes},
		directory: cfg.Directory, outbound: cfg.Outbound.Strangers(), keys: cfg.Keys, store: cfg.Store, now: cfg.Now,
	}
	e.handle("POST /register", register.create, register.refuse)
	e.handle("GET /register/{client}", register.show, register.refuse)
	e.handle("PUT /register/{client}", register.change, register.refuse)
	e.handle("DELETE /register/{client}", register.remove, register.refuse)
}

// forEverybody adds public documents and the revocation feed.
func (e *Endpoints) forEverybody() {
	e.add("GET "+e.base+"/jwks.json", &jwksEndpoint{keys: e.cfg.Keys.JWKS})
	e.add("GET "+e.base+"/jwks-pq.json", &jwksEndpoint{keys: e.cfg.Keys.AllJWKS})
	metadata := newDocument(discovery(&e.cfg))
	for _, path := range discoveryPaths(e.base) {
		e.add("GET "+path, metadata)
	}
	e.feed = NewRevocations(e.cfg.Hub, e.cfg.Feed)
	e.add("GET "+e.base+"/revocations", e.feed)
	e.add("OPTIONS "+e.base+"/revocations", e.feed)
}

// Feed is the revocation feed.
func (e *Endpoints) Feed() *Revocations { return e.feed }

// handle adds an endpoint that returns its error.
func (e *Endpoints) handle(pattern string, fn func(http.ResponseWriter, *http.Request) error, onError func(http.ResponseWriter, *http.Request, error)) {
	method, path, _ := strings.Cut(pattern, " ")
	e.add(method+" "+e.base+path, edge.Handle(e.cfg.Log, fn, onError))
}

func (e *Endpoints) add(pattern string, h http.Handler) {
	e.routes = append(e.routes, route{pattern, h})
}
