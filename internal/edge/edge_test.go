package edge_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// serve runs one request through the middleware and returns the answer and the log.
func serve(t *testing.T, h http.Handler, r *http.Request) (*http.Response, string) {
	t.Helper()
	var log bytes.Buffer
	cfg := edge.Config{Log: slog.New(edge.NewRedactor(slog.NewJSONHandler(&log, nil))), Now: clock}
	rec := httptest.NewRecorder()
	edge.Middleware(cfg)(h).ServeHTTP(rec, r)
	return rec.Result(), log.String()
}

func TestMiddleware_DefaultHeaders_SES06(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"answer":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") },
		"error":   http.NotFound,
		"panic":   func(http.ResponseWriter, *http.Request) { panic("boom") },
		"nothing": func(http.ResponseWriter, *http.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, _ := serve(t, h, httptest.NewRequest("GET", "/", nil))
			for key, want := range map[string]string{
				"X-Content-Type-Options":     "nosniff",
				"Cache-Control":              "no-store", // SES-04
				"Referrer-Policy":            "no-referrer",
				"Cross-Origin-Opener-Policy": "same-origin",
				"X-Frame-Options":            "DENY", // OAU-15
			} {
				if got := res.Header.Values(key); len(got) != 1 || got[0] != want {
					t.Errorf("%s: %q; want %q", key, got, want)
				}
			}
		})
	}
}

// OPS-01, DOS-04: a panic is a 500 that says nothing and leaves nothing of the answer.
func TestMiddleware_Panic(t *testing.T) {
	t.Parallel()
	res, log := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "half=done")
		panic("canary " + secret.New(secret.Refresh).Reveal())
	}), httptest.NewRequest("GET", "/", nil))
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 500 || string(body) != "internal server error\n" || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d %q %v", res.StatusCode, body, res.Header)
	}
	if !strings.Contains(log, "canary [redacted]") || !strings.Contains(log, `"status":500`) {
		t.Errorf("log: %s", log)
	}
}

// A truncated answer must not look like a whole one.
func TestMiddleware_PanicInTheMiddle(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(edge.Middleware(edge.Config{Log: slog.New(slog.DiscardHandler), Now: clock})(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "first half")
			http.NewResponseController(w).Flush()
			panic("boom")
		})))
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("the broken answer looks whole")
	}
}

// OPS-01: neither path, query, cookie nor Authorization is logged.
func TestMiddleware_AccessLog_OPS01(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) })
	r := httptest.NewRequest("GET", "/things/canary1?code=canary2", nil)
	r.Header.Set("Cookie", "a=canary3")
	r.Header.Set("Authorization", "Bearer canary4")
	r.Header.Set("Referer", "https://canary5")
	r.Header.Set("X-Request-Id", "0123abcd-EF")
	r.RemoteAddr = "192.0.2.7:1234"
	res, log := serve(t, mux, r)
	if strings.Contains(log, "canary") {
		t.Errorf("log tells: %s", log)
	}
	for _, want := range []string{`"route":"GET /things/{id}"`, `"status":418`, `"method":"GET"`, `"client_ip":"192.0.2.7"`, `"request_id":"0123abcd-EF"`, `"duration":0`} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %s: %s", want, log)
		}
	}
	if res.Header.Get("X-Request-Id") != "0123abcd-EF" {
		t.Error("the id is not sent back")
	}
}

// OPS-02: only harmless ids are taken over, and one at most.
func TestRequestID_OPS02(t *testing.T) {
	t.Parallel()
	for name, given := range map[string][]string{
		"none":        nil,
		"short":       {"abc"},
		"long":        {strings.Repeat("a", 65)},
		"line feed":   {"abcdefgh\nlevel=ERROR"},
		"escape":      {"abcdefgh\x1b[31m"},
		"quote":       {`abcdefgh"`},
		"blank":       {"abcd efgh"},
		"token":       {secret.New(secret.Access).Reveal()},
		"JWT":         {"eyJhbGciOi.eyJpc3Mi.c2ln"},
		"two headers": {"abcdefgh1", "abcdefgh2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["X-Request-Id"] = given
			var seen string
			res, _ := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = edge.RequestID(r) }), r)
			if len(seen) != 22 || res.Header.Get("X-Request-Id") != seen {
				t.Errorf("id %q", seen)
			}
		})
	}
}

func TestActor(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "[::ffff:192.0.2.7]:1"
	r.Header.Set("User-Agent", strings.Repeat("ä", 200))
	want := idp.Actor{Kind: "user", ID: "u1", IP: "192.0.2.7", UserAgent: strings.Repeat("ä", 128)}
	if got := edge.Actor(r, "user", "u1"); got != want {
		t.Errorf("%+v", got)
	}
	r.RemoteAddr = "@"
	if got := edge.Actor(r, "operator", ""); got.IP != "" {
		t.Errorf("unix socket: %+v", got)
	}
}

// Return or log, never both: Handle is the one place that logs.
func TestHandle(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err   error
		level string
	}{
		"nothing":     {nil, ""},
		"denied":      {idp.ErrDenied, "INFO"},
		"invalid":     {&edge.ParamError{Name: "x"}, "INFO"},
		"unavailable": {idp.ErrUnavailable, "WARN"},
		"unexplained": {errors.New("disk on fire"), "ERROR"},
		"canceled":    {context.Canceled, "ERROR"}, // but the client is still there
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			var answered error
			h := edge.Handle(slog.New(slog.NewTextHandler(&log, nil)),
				func(http.ResponseWriter, *http.Request) error { return tt.err },
				func(_ http.ResponseWriter, _ *http.Request, err error) { answered = err })
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/?code=canary", nil))
			if answered != tt.err {
				t.Errorf("answered %v", answered)
			}
			if tt.err == nil && log.Len() > 0 || tt.err != nil && !strings.Contains(log.String(), "level="+tt.level) || strings.Contains(log.String(), "canary") {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}
