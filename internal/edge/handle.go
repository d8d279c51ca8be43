package edge

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/signet-id/signet/internal/idp"
)

// Mux is where routes are added: an http.ServeMux, or who wants to know them.
type Mux interface {
	Handle(pattern string, h http.Handler)
}

// Answered is the message of a request that was answered with an error.
const Answered = "answered with an error"

// Handle makes a handler of a function that returns its error. The error is logged here
// and nowhere else, and answered by onError, which knows what the client may read.
func Handle(log *slog.Logger, fn func(http.ResponseWriter, *http.Request) error, onError func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := fn(w, r)
		if err == nil {
			return
		}
		visitorOf(r.Context()).err = err
		log.Log(r.Context(), level(r, err), Answered, "error", err, "route", r.Pattern, "request_id", RequestID(r))
		onError(w, r, err)
	})
}

// level: what a stranger can cause at will is no error of ours.
func level(r *http.Request, err error) slog.Level {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return slog.LevelDebug // the client went away
	}
	if errors.Is(err, idp.ErrUnavailable) {
		return slog.LevelWarn
	}
	for _, expected := range [...]error{
		idp.ErrNotFound, idp.ErrExists, idp.ErrExpired, idp.ErrConsumed, idp.ErrDenied, idp.ErrLimited, idp.ErrInvalid,
	} {
		if errors.Is(err, expected) {
			return slog.LevelInfo
		}
	}
	return slog.LevelError
}
