package cli

import (
	"io"
	"log/slog"

	"github.com/signet-id/signet/internal/edge"
)

func newLogger(w io.Writer, level slog.Leveler, asJSON bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, options)
	if asJSON {
		h = slog.NewJSONHandler(w, options)
	}
	return slog.New(edge.NewRedactor(h))
}
