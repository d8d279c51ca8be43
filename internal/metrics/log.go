package metrics

import (
	"context"
	"log/slog"
)

// Counted counts the lines that next writes.
func (m *Metrics) Counted(next slog.Handler) slog.Handler { return counted{next, m} }

type counted struct {
	next slog.Handler
	m    *Metrics
}

func (h counted) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h counted) Handle(ctx context.Context, r slog.Record) error {
	h.m.lines.WithLabelValues(word(r.Level)).Inc()
	return h.next.Handle(ctx, r)
}

func (h counted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return counted{h.next.WithAttrs(attrs), h.m}
}

func (h counted) WithGroup(name string) slog.Handler { return counted{h.next.WithGroup(name), h.m} }

// word has four values, whatever the level.
func word(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warn"
	case l >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}
