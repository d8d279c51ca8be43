package cli

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/template"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
)

//go:embed templates/*.tmpl
var templateFiles embed.FS

// snippet is a file for a tool, or a part of one, filled in.
type snippet struct {
	File string `json:"file"`
	Text string `json:"text"`
}

// snippetData is what templates/*.tmpl are filled in with.
type snippetData struct {
	Issuer, ClientID, ClientSecret string
	Scopes                         []string
	APIScopes                      []string // those that are not the issuer's own
	Home, Redirect                 string
	Resource, Service              string // the service of the first API scope: its identifier, and a short name
	OurPort                        bool   // the tool's default address is the issuer's
}

// LoginScopes are those of the issuer itself: a token for them, and for no service, opens userinfo.
func (d snippetData) LoginScopes() []string {
	return slices.DeleteFunc(slices.Clone(d.Scopes), func(s string) bool { return !slices.Contains(idp.IssuerScopes[:], s) })
}

// snippetFuncs write values in the tools' own notations.
var snippetFuncs = template.FuncMap{
	"quote": quote,
	"sh":    func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" },
	"join":  strings.Join,
	"https": func(s string) bool { return strings.HasPrefix(s, "https://") },
}

// quote writes a string that JSON, JavaScript and YAML read alike.
func quote(s string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// snippets fills in the files of a tool.
func (t clientTemplate) snippets(data snippetData) ([]snippet, error) {
	parsed, err := template.New(t.name).Funcs(snippetFuncs).Option("missingkey=error").ParseFS(templateFiles, "templates/"+t.name+".tmpl")
	if err != nil {
		return nil, err
	}
	var all []snippet
	for _, file := range t.files {
		var b strings.Builder
		if err := parsed.ExecuteTemplate(&b, file, data); err != nil {
			return nil, err
		}
		all = append(all, snippet{file, b.String()})
	}
	return all, nil
}

// clientWithSnippets is a new client and what its tool must be told.
type clientWithSnippets struct {
	admin.ClientWithSecret
	Issuer   string    `json:"issuer"`
	Template string    `json:"template"`
	Snippets []snippet `json:"snippets"`
}

// surroundings are what a snippet says of the server: asked before the client is made, so
// that nothing can fail when its secret has been.
func (a *app) surroundings(ctx context.Context, scopes []string) (data snippetData, err error) {
	var about admin.About
	if err := a.call(ctx, http.MethodGet, "/about", nil, &about); err != nil {
		return data, err
	}
	data.Issuer = about.Issuer
	for _, s := range scopes {
		if !slices.Contains(idp.IssuerScopes[:], s) {
			data.APIScopes = append(data.APIScopes, s)
		}
	}
	if len(data.APIScopes) == 0 {
		return data, nil
	}
	var resources []admin.Resource
	if err := a.call(ctx, http.MethodGet, "/resources", nil, &resources); err != nil {
		return data, err
	}
	for _, r := range resources {
		if slices.ContainsFunc(r.Scopes, func(s idp.Scope) bool { return s.Name == data.APIScopes[0] }) {
			data.Resource, data.Service = r.ID, shortName(r.Name)
		}
	}
	return data, nil
}

// shortName is a name without blanks.
func shortName(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), "-")) }

// addFromTemplate adds a client as a tool needs it, and writes what the tool must be told.
func (a *app) addFromTemplate(ctx context.Context, t clientTemplate, home string, req map[string]any) error {
	scopes, _ := req["scopes"].([]string)
	data, err := a.surroundings(ctx, scopes)
	if err != nil {
		return err
	}
	var c admin.ClientWithSecret
	if err := a.call(ctx, http.MethodPost, "/clients", req, &c); err != nil {
		return err
	}
	data.ClientID, data.ClientSecret, data.Scopes, data.Home, data.Redirect = c.ID, c.Secret, c.Scopes, home, c.RedirectURIs[0]
	data.OurPort = home != "" && samePlace(home, data.Issuer)
	files, err := t.snippets(data)
	if err != nil {
		return err
	}
	if a.json {
		return writeJSON(a.stdout, clientWithSnippets{c, data.Issuer, t.name, files})
	}
	if err := a.say("%s: added %s; people return to %s", c.ID, c.Name, strings.Join(c.RedirectURIs, " ")); err != nil {
		return err
	}
	// Native apps may use plain http on loopback only.
	if c.ApplicationType == "native" && slices.ContainsFunc(c.RedirectURIs, func(uri string) bool { return strings.HasPrefix(uri, "http://") }) {
		if err := a.say("on this loopback address the app may listen on any port: it asks with the one that it has (RFC 8252 §7.3)"); err != nil {
			return err
		}
	}
	if c.Secret != "" {
		if err := a.say("keep the secret, or what stands below: it is not shown again"); err != nil {
			return err
		}
	}
	for _, f := range files {
		if _, err := fmt.Fprintf(a.stdout, "-- %s --\n%s", f.File, visible(f.Text)); err != nil {
			return err
		}
	}
	return nil
}

// samePlace reports whether two addresses are one host and port.
func samePlace(a, b string) bool {
	x, err := url.Parse(a)
	y, err2 := url.Parse(b)
	return err == nil && err2 == nil && x.Host == y.Host
}

func (a *app) listTemplates() error {
	if a.json {
		type row struct {
			Name  string   `json:"name"`
			Title string   `json:"title"`
			Files []string `json:"files"`
		}
		rows := make([]row, 0, len(clientTemplates))
		for _, t := range clientTemplates {
			rows = append(rows, row{t.name, t.title, t.files})
		}
		return writeJSON(a.stdout, rows)
	}
	rows := make([][]string, 0, len(clientTemplates))
	for _, t := range clientTemplates {
		rows = append(rows, []string{t.name, t.title, strings.Join(t.files, " ")})
	}
	return table(a.stdout, []string{"TEMPLATE", "FOR", "FILES"}, rows)
}
