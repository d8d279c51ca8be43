// Package web is the pages for people: signing in, choosing an account, consent, devices, the
// account with its sessions, apps, password and log, and the pages that other packages
// show through it (errors, signing out). And the operator's: the console, which is served
// apart from all others and asks the administration through a function that it is handed.
//
// Pages are written on the server, work without JavaScript and at a width of 320 pixels
// (WCAG 2.2 AA), and load nothing from anywhere else. A page does one step of a login and
// returns to /authorize/continue; it never knows what comes next. Targets of redirects
// are ids that the server knows, never addresses from a request.
//
// It deliberately knows neither tokens nor SQL, and does not import the OAuth endpoints:
// they meet in the database and in the server.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/notify"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
)

// Config is what the pages are made of.
type Config struct {
	Issuer    string // the public URL
	Brand     Brand
	Store     Store
	Directory Directory
	Sessions  *session.Manager
	Passwords Passwords
	UserCodes UserCodes
	Mailer    notify.Mailer // nil: no mail is sent
	Logouts   LogoutNotifier
	Logos     Logos // nil: no app's logo is shown
	Now       func() time.Time
	Log       *slog.Logger
	Dev       bool        // a banner on every page, causes on the error page
	Mail      MailCatcher // shows caught mail at /dev/mail; only with Dev, may be nil
}

// Store is what the pages need of the database.
type Store interface {
	requestStore
	loginStore
	selectionStore
	consentStore
	flowStore
	confirmationStore
	sessionStore
	appStore
	eventStore
}

// Directory knows clients and resources.
type Directory interface {
	Client(ctx context.Context, id string) (idp.Client, error)
	Resource(ctx context.Context, id string) (idp.Resource, error)
	ResourceByScope(ctx context.Context, scope string) (idp.Resource, error)
}

// Passwords checks and changes passwords. Its errors are those of package authn.
type Passwords interface {
	Check(ctx context.Context, by idp.Actor, network, login string, password secret.Text) (idp.User, error)
	Change(ctx context.Context, by idp.Actor, userID string, old, next secret.Text) error
}

// MailCatcher keeps mail that was not sent.
type MailCatcher interface{ List() []notify.Caught }

// Pages serves the pages.
type Pages struct {
	site     *site
	requests requests
	routes   []route
	outbox   *outbox
}

// A route is a page or an action. What a form may do is decided by its wrapper (see
// form.go), so every POST has one.
type route struct {
	method string
	path   string // a pattern of net/http.ServeMux
	serve  page
}

// A page answers a request or returns why it did not.
type page func(w http.ResponseWriter, r *http.Request) error

// New returns the pages.
func New(cfg Config) (*Pages, error) {
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil || issuer.Scheme == "" || issuer.Host == "" {
		return nil, fmt.Errorf("issuer is no URL: %w", idp.ErrInvalid)
	}
	files, err := newAssets()
	if err != nil {
		return nil, err
	}
	templates, err := parseTemplates()
	if err != nil {
		return nil, err
	}
	s := &site{
		issuer: cfg.Issuer, origin: issuer.Scheme + "://" + issuer.Host, base: strings.TrimSuffix(issuer.EscapedPath(), "/"),
		dev: cfg.Dev, mail: cfg.Dev && cfg.Mail != nil,
		templates: templates, assets: files,
		sessions: cfg.Sessions, log: cfg.Log, now: cfg.Now,
		logos: &logos{fetch: cfg.Logos, now: cfg.Now, known: map[string]*logo{}},
	}
	if err := s.dress(cfg.Brand); err != nil {
		return nil, err
	}
	p := &Pages{
		site:     s,
		requests: requests{store: cfg.Store, directory: cfg.Directory, sessions: cfg.Sessions, base: s.base},
		outbox:   newOutbox(cfg.Mailer, cfg.Log),
	}
	p.routes = p.table(cfg)
	return p, nil
}

// table lists every page.
func (p *Pages) table(cfg Config) []route {
	s, words := p.site, permissions{directory: cfg.Directory}
	login := loginSubmit{s, p.requests, cfg.Store, cfg.Passwords}
	selection := selectionSubmit{s, p.requests, cfg.Store}
	consent := consentSubmit{s, p.requests, cfg.Store, words, p.outbox}
	device := deviceSubmit{s, cfg.Store, cfg.Directory, cfg.UserCodes}
	confirmation := confirmationShow{s, p.requests, cfg.Store, cfg.UserCodes, words}
	apps := appsShow{s, cfg.Store, cfg.Directory, words}
	routes := []route{
		{"GET", "/{$}", welcomeShow{s}.serve},
		{"GET", "/login", loginShow{s, p.requests}.serve},
		{"POST", "/login", s.form(login.serve)},
		{"GET", "/select-account", selectionShow{s, p.requests}.serve},
		{"POST", "/select-account", s.form(selection.serve)},
		{"GET", "/consent", consentShow{s, p.requests, cfg.Store, words}.serve},
		{"POST", "/consent", s.form(consent.serve)},
		{"GET", "/device", deviceShow{s}.serve},
		{"POST", "/device", s.form(device.serve)},
		{"GET", "/device/confirm", confirmation.serve},
		{"POST", "/device/confirm", s.form(confirmationSubmit{confirmation, cfg.Store}.serve)},
		{"GET", "/account", s.account(accountShow{s, cfg.Store}.serve)},
		{"GET", "/account/sessions", s.account(sessionsShow{s, cfg.Store}.serve)},
		{"POST", "/account/sessions", s.accountForm(sessionsEnd{s, cfg.Store, cfg.Logouts}.serve)},
		{"GET", "/account/apps", s.account(apps.serve)},
		{"POST", "/account/apps", s.accountForm(appsRevoke{s, cfg.Store}.serve)},
		{"GET", "/account/password", s.account(passwordShow{s}.serve)},
		{"POST", "/account/password", s.accountForm(passwordChange{s, cfg.Passwords, p.outbox}.serve)},
		{"GET", "/account/security", s.account(securityShow{s, cfg.Store, cfg.Directory}.serve)},
		{"GET", "/logo", logoShow{s, p.requests}.serve},
		{"GET", "/assets/{name}", s.assetShow},
	}
	if s.mail {
		routes = append(routes, route{"GET", "/dev/mail", mailShow{s, cfg.Mail}.serve})
	}
	for i := range routes {
		routes[i].path = s.base + routes[i].path
	}
	return append(routes, // what is looked for at the root of the host
		route{"GET", "/.well-known/change-password", s.changePasswordRedirect},
		route{"GET", "/robots.txt", robotsShow},
		route{"GET", "/favicon.ico", s.iconRedirect},
	)
}

// Register adds the pages to the mux.
func (p *Pages) Register(mux edge.Mux) {
	for _, route := range p.routes {
		mux.Handle(route.method+" "+route.path, edge.Handle(p.site.log, rememberingLanguage(route.serve), p.site.answerError))
	}
}

// Run sends mail until the context ends, then what is still waiting. It is to be called
// once; without it nothing is sent.
func (p *Pages) Run(ctx context.Context) error { return p.outbox.run(ctx) }
