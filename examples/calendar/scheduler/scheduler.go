// Package scheduler is "Friendly Scheduler", somebody else's app: it finds a free hour
// in a person's calendar and books it. It is a client of signet (RFC 6749, RFC 7636,
// RFC 8707, RFC 9126, RFC 9207, RFC 9449) with two narrow rights at the calendar, and uses
// the standard library and the SDK, nothing else.
//
// It never learns who the person is and never sees a title that it did not write. Nothing
// it does depends on what is in its access tokens: those are for the calendar to read.
// As a demo it shows what goes on (panel.go, trace.go, claims.go) and lets people try what
// must not work (cheats.go); an app that is no demo has none of that.
package scheduler

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Config is what the scheduler must be told.
type Config struct {
	Issuer       string // who gives it tokens
	URL          string // its own address
	CalendarURL  string // whose API it uses
	ClientID     string
	ClientSecret string
	Reset        func() // what else begins again with "reset the demo"; nil: nothing
	Now          func() time.Time
	Log          *slog.Logger
}

// App is the service.
type App struct {
	cfg      Config
	http     *http.Client
	sessions *sessions

	mu   sync.Mutex
	seen *endpoints // nil until discovery has worked once
}

// What it asks for (RFC 6749 §3.3). The third keeps the connection when the person
// is not signed in, as looking for times in the background needs.
const scopes = "calendar.freebusy:read calendar.meetings:write offline_access"

//go:embed assets
var assets embed.FS

// New makes the service.
func New(cfg Config) (*App, error) {
	return &App{
		cfg:      cfg,
		sessions: &sessions{now: cfg.Now, all: map[string]*session{}},
		http: &http.Client{
			Timeout: 10 * time.Second,
			// A redirect would carry a token or our secret somewhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Run waits for ctx to end: this service does nothing in the background.
func (a *App) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Handler serves the pages.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /connect", a.connect)
	mux.HandleFunc("GET /callback", a.callback)
	mux.HandleFunc("POST /disconnect", a.disconnect)
	mux.HandleFunc("GET /book", a.askTitle)
	mux.HandleFunc("POST /book", a.book)
	mux.HandleFunc("POST /cancel", a.cancel)
	mux.HandleFunc("POST /cheat", a.cheat)
	mux.HandleFunc("POST /reset", a.reset)
	for _, name := range []string{"style.css", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, assets, "assets/"+name)
		})
	}

	// Forms are taken from our own pages only.
	safe := http.MaxBytesHandler(http.NewCrossOriginProtection().Handler(mux), 16<<10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		safe.ServeHTTP(w, r)
	})
}
