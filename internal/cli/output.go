package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// table writes rows in columns. Cells come from people and from browsers: see oneLine.
func table(w io.Writer, header []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(header, "\t"))
	for _, row := range rows {
		for i, cell := range row {
			if cell = oneLine(cell); cell == "" {
				cell = "-"
			}
			row[i] = cell
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// field is a line of a description.
type field struct{ name, value string }

// describe writes names and values below each other; empty values are left out.
func describe(w io.Writer, fields []field) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range fields {
		if f.value != "" {
			fmt.Fprintf(t, "%s:\t%s\n", oneLine(f.name), oneLine(f.value))
		}
	}
	return t.Flush()
}

// visible replaces what terminals obey instead of showing (OPS-02): controls, and
// characters that change the direction of text.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if hidden(r) && r != '\n' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// oneLine is visible for a part of a line: what it says must not look like a line of ours.
func oneLine(s string) string {
	return strings.ReplaceAll(visible(s), "\n", string(unicode.ReplacementChar))
}

func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// writeJSON writes v for programs. The encoder escapes controls below U+0020 only; the
// others are escaped here, so that a terminal does not obey them either.
func writeJSON(w io.Writer, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range buf.String() {
		if hidden(r) && r != '\n' {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// stamp writes a time as a table shows it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}
