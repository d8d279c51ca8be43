// Package edge is what all packages that speak HTTP share: who is at the other end of the
// connection, strict forms and queries (RFC 6749 §3.1, §3.2), the same-origin check of our
// own forms, default headers, request ids, the access log, and a log handler that keeps
// secrets out.
//
// It deliberately decides nothing about users, clients or tokens, and it never looks at
// Host or X-Forwarded-Proto: links are built from the configured public URL only.
package edge

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// Config is what the middleware needs.
type Config struct {
	Log     *slog.Logger
	Proxies Proxies // who may say whom a request comes from; zero: nobody
	Now     func() time.Time
	// Observe is told of each request, and by what it returns, how it ended. The context
	// that it returns is the request's own, and made from the one that it gets. nil: nobody is.
	Observe func(ctx context.Context, r *http.Request) (context.Context, func(Answer))
}

// Answer is how a request ended.
type Answer struct {
	Route   string // the pattern that it matched, with its method; "unmatched"
	Status  int
	Took    time.Duration
	Aborted bool // the connection was cut in the middle

	RequestID string
	Err       error // what the endpoint returned (Handle), which the answer need not tell
}

// visitor is what the middleware found out about a request.
type visitor struct {
	addr      netip.Addr
	requestID string
	err       error // of the endpoint; only the request's own goroutine touches it
}

type visitorKey struct{}

// visitorOf returns an empty one without the middleware.
func visitorOf(ctx context.Context) *visitor {
	if v, ok := ctx.Value(visitorKey{}).(*visitor); ok {
		return v
	}
	return &visitor{}
}

const maxUserAgent = 256 // bytes kept of a User-Agent

// Middleware wraps the whole server: it gives each request an id and its client's address,
// sets default headers, turns a panic into a 500 without detail, and logs the request.
func Middleware(cfg Config) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := cfg.Now()
			v := &visitor{addr: cfg.Proxies.clientAddr(r), requestID: requestID(r)}
			ctx, over := context.WithValue(r.Context(), visitorKey{}, v), func(Answer) {}
			if cfg.Observe != nil {
				ctx, over = cfg.Observe(ctx, r)
			}
			r = r.WithContext(ctx)
			setDefaults(w.Header(), v.requestID)
			rec := &recorder{ResponseWriter: w}
			defer func() {
				aborted := recovered(ctx, cfg.Log, rec, v.requestID, recover())
				a := Answer{Route: routeOf(r), Status: rec.code(), Took: cfg.Now().Sub(start), Aborted: aborted, RequestID: v.requestID, Err: v.err}
				logAccess(cfg.Log, r, v.addr, a)
				over(a)
				if aborted {
					panic(http.ErrAbortHandler)
				}
			}()
			next.ServeHTTP(rec, r)
		})
	}
}

// setDefaults sets what every answer carries unless its handler says otherwise.
func setDefaults(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
}

// recovered answers a panic. Where the answer has begun, the connection must break: a
// truncated answer must not look like a whole one.
func recovered(ctx context.Context, log *slog.Logger, rec *recorder, id string, cause any) (aborted bool) {
	if cause == nil {
		return false
	}
	if cause == http.ErrAbortHandler {
		return true
	}
	log.ErrorContext(ctx, "panic", "request_id", id, "cause", cause, "stack", string(debug.Stack()))
	if rec.status != 0 {
		return true
	}
	h := rec.Header()
	clear(h)
	setDefaults(h, id)
	http.Error(rec, "internal server error", http.StatusInternalServerError)
	return false
}

// Unmatched is the route of requests that no endpoint is there for.
const Unmatched = "unmatched"

func routeOf(r *http.Request) string {
	if r.Pattern == "" || r.Pattern == "/" {
		return Unmatched
	}
	return r.Pattern
}

// logAccess writes one line. The route's pattern stands for the path: paths and queries
// may carry codes and ids, cookies and Authorization are secrets.
func logAccess(log *slog.Logger, r *http.Request, client netip.Addr, a Answer) {
	log.InfoContext(r.Context(), "request",
		"method", clip(r.Method, 16),
		"route", a.Route,
		"status", a.Status,
		"aborted", a.Aborted,
		"duration", a.Took,
		"client_ip", clientIP(client),
		"request_id", a.RequestID)
}

// NetworkOf names the network of the client whose request this is, as Network does.
func NetworkOf(ctx context.Context) string {
	return Network(visitorOf(ctx).addr)
}

// RequestID returns the id of the request; empty without the middleware.
func RequestID(r *http.Request) string {
	return visitorOf(r.Context()).requestID
}

// requestID takes the proxy's id if it is one, else makes one. There is no '_' and no '.'
// in it, so that nobody can plant a token in our log by this header.
func requestID(r *http.Request) string {
	given := r.Header.Values("X-Request-Id")
	if len(given) != 1 || len(given[0]) < 8 || len(given[0]) > 64 {
		return secret.ID()
	}
	for _, c := range []byte(given[0]) {
		if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return secret.ID()
		}
	}
	return given[0]
}

// Actor says who made the request, for the audit log.
func Actor(r *http.Request, kind, id string) idp.Actor {
	return idp.Actor{Kind: kind, ID: id, IP: clientIP(ClientAddr(r)), UserAgent: clip(r.UserAgent(), maxUserAgent)}
}

// clientIP writes the address; empty if there is none (a unix socket).
func clientIP(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

// clip keeps the first n bytes of s, as valid UTF-8.
func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// recorder remembers the status for the log. Flush and deadlines are reached through
// Unwrap (http.ResponseController).
type recorder struct {
	http.ResponseWriter
	status int // 0: nothing sent yet
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 { // 1xx comes before the answer
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find the real writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// FlushError sends what there is; the answer has begun then.
func (r *recorder) FlushError() error {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return http.NewResponseController(r.ResponseWriter).Flush()
}

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK // net/http sends it when a handler wrote nothing
	}
	return r.status
}
