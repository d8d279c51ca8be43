package cli

import (
	"io"
	"time"

	"github.com/spf13/cobra"
)

// Root is the tree of commands.
func Root() *cobra.Command {
	a := &app{stdin: nil, stdout: io.Discard, stderr: io.Discard, now: time.Now}
	return a.root()
}

// Visible is what terminals are shown.
var Visible = visible

// WriteJSON is what programs are given.
func WriteJSON(w io.Writer, v any) error { return writeJSON(w, v) }

// Span is a duration in words.
var Span = span
