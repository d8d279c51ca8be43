package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// ConsoleConfig is what the console is made of.
type ConsoleConfig struct {
	API     API
	Explain Explainer
	Origin  string // where it is served: http, a loopback address and a port
	Version string
	Dev     bool   // a banner on every page
	Again   string // the command that prints another link
	Ends    bool   // the process ends when nobody comes in any more
	Now     func() time.Time
	Log     *slog.Logger
}

// An API is the administration of a server. It sends in as JSON, if it is not nil, and decodes
// the answer into out, if it is not nil. What the server refused is an *APIError.
type API func(ctx context.Context, method, path string, in, out any) error

// APIError is what the server said when it did not do what it was asked.
type APIError struct {
	Status  int
	Message string
}

func (e *APIError) Error() string { return e.Message }

// Unwrap lets the log see what kind of error it is.
func (e *APIError) Unwrap() error {
	switch {
	case e.Status == http.StatusNotFound:
		return idp.ErrNotFound
	case e.Status == http.StatusConflict:
		return idp.ErrExists
	case e.Status < 500:
		return idp.ErrInvalid
	}
	return nil
}

// Console is the operator's pages. It may do what the API may; one browser is let in, by a
// link that works once, for as long as the process runs.
//
// The path of all its pages is random. Cookies ignore ports: without it the browser would
// send the console's cookie to every other program that listens on this address.
type Console struct {
	*site
	api     API
	explain Explainer
	host    string // what the Host header must be
	base    string // before the path of every page
	door    *door
	others  map[string]words // by language: events told to somebody whom they do not concern
	version string
	again   string
	ends    bool
	handler http.Handler
}

// A consoleRoute is a page or an action of the console.
type consoleRoute struct {
	method string
	path   string // below the base
	serve  page
}

// table lists every page that needs the cookie. Each is wrapped in consolePage or consoleForm.
func (c *Console) table() []consoleRoute {
	return []consoleRoute{
		{"GET", "/{$}", c.consolePage(consoleOverviewShow{c}.serve)},
		{"POST", "/sign-out", c.consoleForm(consoleLeave{c}.serve)},
		{"GET", "/users", c.consolePage(consoleUsersShow{c}.serve)},
		{"GET", "/users/add", c.consolePage(consoleUserAdd{c}.show)},
		{"POST", "/users/add", c.consoleForm(consoleUserAdd{c}.submit)},
		{"GET", "/users/{user}", c.consolePage(consoleUserShow{c}.serve)},
		{"POST", "/users/{user}", c.consoleForm(consoleUserChange{c}.serve)},
		{"GET", "/apps", c.consolePage(consoleAppsShow{c}.serve)},
		{"GET", "/apps/{app}", c.consolePage(consoleAppShow{c}.serve)},
		{"POST", "/apps/{app}", c.consoleForm(consoleAppChange{c}.serve)},
		{"POST", "/apps/{app}/secret", c.consoleForm(consoleSecretMake{c}.serve)},
		{"GET", "/apis", c.consolePage(consoleAPIsShow{c}.serve)},
		{"GET", "/keys", c.consolePage(consoleKeysShow{c}.serve)},
		{"POST", "/keys/rotate", c.consoleForm(consoleKeysChange{c}.rotate)},
		{"POST", "/keys/retire", c.consoleForm(consoleKeysChange{c}.retire)},
		{"GET", "/tokens", c.consolePage(consoleTokenShow{c}.serve)},
		{"POST", "/tokens", c.consoleForm(consoleTokenSearch{c}.serve)},
		{"POST", "/tokens/revoke", c.consoleForm(consoleTokenRevoke{c}.serve)},
		{"GET", "/log", c.consolePage(consoleLogShow{c}.serve)},
	}
}

// NewConsole returns the console and the address that opens it, once.
func NewConsole(cfg ConsoleConfig) (c *Console, link string, err error) {
	origin, err := url.Parse(cfg.Origin)
	if err != nil || origin.Scheme != "http" || !loopback(origin.Hostname()) || origin.Port() == "" {
		return nil, "", fmt.Errorf("the console's origin is not http on a loopback address: %w", idp.ErrInvalid)
	}
	files, err := newAssets()
	if err != nil {
		return nil, "", err
	}
	templates, err := parseTemplates()
	if err != nil {
		return nil, "", err
	}
	c = &Console{
		site: &site{origin: cfg.Origin, dev: cfg.Dev, templates: templates, assets: files, log: cfg.Log, now: cfg.Now},
		api:  cfg.API, explain: cfg.Explain, host: origin.Host, base: "/" + secret.ID(), version: cfg.Version,
		again: cfg.Again, ends: cfg.Ends, others: map[string]words{},
	}
	if err := c.dress(Brand{}); err != nil {
		return nil, "", err
	}
	for _, w := range catalogues {
		c.others[w.Lang] = w.aboutOthers()
	}
	var ticket secret.Text
	c.door, ticket = newDoor(cfg.Now)
	c.handler = edge.Middleware(edge.Config{Log: cfg.Log, Now: cfg.Now})(c.onlyHost(c.mux()))
	return c, cfg.Origin + "/open?link=" + ticket.Reveal(), nil
}

// ServeHTTP answers a request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

func (c *Console) mux() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, p page) {
		mux.Handle(pattern, edge.Handle(c.log, rememberingLanguage(p), c.answerError))
	}
	handle("GET /open", consoleOpen{c}.show)
	handle("POST /open", consoleOpen{c}.submit)
	handle("GET /assets/{name}", c.assetShow)
	handle("/", func(http.ResponseWriter, *http.Request) error { return consoleClosed() })
	for _, route := range c.table() {
		handle(route.method+" "+c.base+route.path, route.serve)
	}
	handle(c.base+"/", c.consolePage(func(http.ResponseWriter, *http.Request) error {
		return &failure{status: http.StatusNotFound, kind: "no_page", cause: idp.ErrNotFound}
	}))
	return mux
}

// onlyHost answers under the console's own address. A stranger's page whose name points to
// this machine (DNS rebinding) says its own name.
func (c *Console) onlyHost(next http.Handler) http.Handler {
	foreign := edge.Handle(c.log, func(http.ResponseWriter, *http.Request) error {
		return &failure{status: http.StatusMisdirectedRequest, kind: "console_host", cause: fmt.Errorf("foreign Host: %w", idp.ErrDenied)}
	}, c.answerError)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != c.host {
			foreign.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ask calls the API. Without an answer there is a page that says so.
func (c *Console) ask(ctx context.Context, method, path string, in, out any) error {
	err := c.api(ctx, method, path, in, out)
	e, said := errors.AsType[*APIError](err)
	switch {
	case err == nil:
		return nil
	case said && e.Status == http.StatusNotFound:
		return &failure{status: http.StatusNotFound, kind: "console_gone", cause: err}
	case said && e.Status < 500:
		return &failure{status: http.StatusUnprocessableEntity, kind: "console_refused", cause: err}
	}
	return &failure{status: http.StatusBadGateway, kind: "console_away", cause: err}
}

// apiPath joins the parts of a path of the API, each escaped.
func apiPath(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}
