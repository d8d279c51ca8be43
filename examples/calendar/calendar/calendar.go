// Package calendar is a small calendar service, as somebody who trusts signet would
// write it: an API for apps, and pages for the person whose week it is. It uses the
// standard library and the SDK, nothing else.
//
// The API checks tokens by itself with package verify (RFC 9068, RFC 6750) and says
// where they come from (RFC 9728). The pages sign people in with the authorization
// code flow (OpenID Connect Core §3.1, RFC 7636, RFC 8707, RFC 9207); the browser
// holds a random cookie, and the tokens stay here. Everything lives in memory.
package calendar

import (
	"context"
	"embed"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/signet-id/signet/verify"
)

// Config is what a calendar must be told.
type Config struct {
	Issuer       string // whose tokens it accepts, and who signs people in
	URL          string // its own address: the audience of its tokens (RFC 8707)
	ClientID     string // of its pages
	ClientSecret string
	Now          func() time.Time
	Log          *slog.Logger
}

// App is the service.
type App struct {
	cfg      Config
	verifier *verify.Verifier
	provider *provider
	sessions *sessions
	agenda   *agenda
	counts   *counts
	stopped  chan struct{} // closed when Run returns: open pages are let go
}

// The rights that this service knows (RFC 6749 §3.3).
const (
	readEvents    = "calendar.events:read"
	readFreeBusy  = "calendar.freebusy:read"
	writeMeetings = "calendar.meetings:write"
	writeSettings = "calendar.settings:write"
)

//go:embed assets
var assets embed.FS

// New makes the service; Run must run before tokens can be checked.
func New(cfg Config) (*App, error) {
	c := new(counts)
	v, err := verify.New(cfg.Issuer, cfg.URL, verify.Clock(cfg.Now), verify.Logger(cfg.Log), verify.HTTPClient(&http.Client{Transport: c}),
		verify.ResourceMetadataURL(cfg.URL+"/.well-known/oauth-protected-resource"))
	if err != nil {
		return nil, err
	}
	return &App{
		cfg: cfg, verifier: v, provider: newProvider(cfg), sessions: newSessions(cfg.Now),
		agenda:  &agenda{zone: cfg.Now().Location(), added: map[string][]meeting{}, changes: map[string]int{}},
		counts:  c,
		stopped: make(chan struct{}),
	}, nil
}

// Run follows the issuer's keys and revocations until ctx ends.
func (a *App) Run(ctx context.Context) error {
	defer close(a.stopped)
	return a.verifier.Run(ctx)
}

// Reset takes out what apps have added, for everybody: the demo begins again.
func (a *App) Reset() { a.agenda.clear() }

// Handler serves the pages and the API.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.week)
	mux.HandleFunc("GET /live", a.live)
	mux.HandleFunc("GET /login", a.login)
	mux.HandleFunc("GET /callback", a.callback)
	mux.HandleFunc("POST /signout", a.signOut)
	for _, name := range []string{"style.css", "live.js", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, assets, "assets/"+name)
		})
	}
	mux.Handle("GET /.well-known/oauth-protected-resource", a.verifier.ResourceMetadata(readFreeBusy, writeMeetings, readEvents, writeSettings))
	mux.Handle("GET /api/freebusy", a.api(readFreeBusy, a.freeBusy))
	mux.Handle("GET /api/events", a.api(readEvents, a.events))
	mux.Handle("POST /api/meetings", a.api(writeMeetings, a.addMeeting))
	mux.Handle("DELETE /api/meetings/{id}", a.api(writeMeetings, a.removeMeeting))
	mux.HandleFunc("GET /status", a.showStatus)

	// Forms are taken from our own pages only. Scripts of other sites get nothing: no CORS.
	safe := http.NewCrossOriginProtection().Handler(mux)
	policy := "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
		"form-action 'self' " + a.cfg.Issuer + "; frame-ancestors 'none'; base-uri 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		safe.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the other end went away: nobody is left to tell
}

func refuse(w http.ResponseWriter, status int, code, description string) {
	reply(w, status, map[string]string{"error": code, "error_description": description})
}
