package cli

import (
	"io"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/doctor"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/web"
	"github.com/spf13/cobra"
)

// Root is the tree of commands.
func Root() *cobra.Command {
	a := &app{stdin: nil, stdout: io.Discard, stderr: io.Discard, now: time.Now}
	return a.root()
}

// Visible is what terminals are shown.
var Visible = visible

// Describe writes one name and value.
func Describe(w io.Writer, name, value string) error { return describe(w, []field{{name, value}}) }

// WriteFindings is what doctor writes.
func WriteFindings(w io.Writer, found []doctor.Finding) error {
	return (&app{stdout: w}).writeFindings(found)
}

// Table is rows in columns.
var Table = table

// HowToEndSession is the command that ends a login of this person.
func HowToEndSession(username string) string {
	return howToEnd(opaqueKinds[secret.Session], serverAnswer{admin.TokenAnswer{Username: username, SessionID: "s1"}})
}

// WriteJSON is what programs are given.
func WriteJSON(w io.Writer, v any) error { return writeJSON(w, v) }

// Span is a duration in words.
var Span = span

// SnippetData is what templates are filled in with.
type SnippetData = snippetData

// TemplateNames are the tools that there are templates for.
func TemplateNames() (names []string) {
	for _, t := range clientTemplates {
		names = append(names, t.name)
	}
	return names
}

// Snippets fills in the files of a template.
func Snippets(t testing.TB, name string, data SnippetData) []snippet {
	t.Helper()
	found, err := findTemplate(name)
	if err != nil {
		t.Fatal(err)
	}
	all, err := found.snippets(data)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Explanation is what "signet verify --json" writes.
type Explanation = explanation

// Explainer is what the console is told of tokens by.
func Explainer(socket string, now func() time.Time) web.Explainer {
	return newAPI(socket).explainer(now)
}
