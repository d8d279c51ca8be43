package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/signet-id/signet/internal/edge"
)

// devLog writes what the developer of an app must know, a line for each: requests that were
// answered with an error, and warnings. Where all went well it is quiet.
type devLog struct {
	w       io.Writer
	writing *sync.Mutex
	attrs   []slog.Attr
}

func newDevLog(w io.Writer) *slog.Logger {
	return slog.New(edge.NewRedactor(devLog{w: w, writing: &sync.Mutex{}}))
}

func (devLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (l devLog) Handle(_ context.Context, r slog.Record) error {
	answered := r.Message == edge.Answered
	if r.Level < slog.LevelWarn && !answered {
		return nil
	}
	line, rest, route, cause := r.Message, "", "", ""
	attr := func(a slog.Attr) bool {
		switch {
		case answered && a.Key == "route":
			route = a.Value.String()
		case answered && a.Key == "error":
			cause = a.Value.String()
		default:
			rest += " " + a.Key + "=" + a.Value.String()
		}
		return true
	}
	for _, a := range l.attrs {
		attr(a)
	}
	r.Attrs(attr)
	if answered {
		line = route + ": " + cause
	}
	if r.Level >= slog.LevelWarn {
		line = r.Level.String() + " " + line
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err := fmt.Fprintln(l.w, visible(strings.ReplaceAll(line+rest, "\n", " ")))
	return err
}

// WithAttrs returns a log whose lines have these as well.
func (l devLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	l.attrs = append(slices.Clip(l.attrs), attrs...)
	return l
}

// WithGroup keeps the names short: nobody parses these lines.
func (l devLog) WithGroup(string) slog.Handler { return l }
