package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/session"
)

//go:embed templates
var templateFiles embed.FS

// site is what all pages share.
type site struct {
	issuer    string
	origin    string // scheme and host of the public URL
	base      string // its path; empty for most
	brand     string
	note      map[string]string // under the login form, by language
	mark      mark
	foot      []footLink
	theme     string // address of the operator's colours; empty: ours
	dev       bool
	mail      bool // /dev/mail exists
	templates map[string]*template.Template
	assets    assets
	logos     *logos
	sessions  *session.Manager
	log       *slog.Logger
	now       func() time.Time
}

// view is what every template may use. A page embeds it beside its own fields.
type view struct {
	words
	Base    string // before the path of every link
	Title   string
	Brand   string
	Dev     bool
	DevMail bool
	CSRF    string
	Mark    mark
	Foot    []footLink
	Style   string // addresses of assets
	Theme   string
	Reveal  string
	Submit  string
	Notice  string // catalogue key of what has just been done; empty: nothing

	// Of account pages.
	User    *idp.User
	Section string
}

// view prepares a page without forms.
func (s *site) view(words words, title string) view {
	return view{
		words: words, Base: s.base, Title: title, Brand: s.brand, Dev: s.dev, DevMail: s.mail,
		Mark: s.mark, Foot: s.foot, Style: s.base + s.assets.path("style.css"), Theme: s.theme, Reveal: s.base + s.assets.path("reveal.js"),
		Submit: s.base + s.assets.path("submit.js"),
	}
}

// formView prepares a page with a form: the browser gets the cookie that it needs for that.
func (s *site) formView(w http.ResponseWriter, r *http.Request, words words, title string) view {
	page := s.view(words, title)
	s.sessions.Flow(w, r)
	page.CSRF = s.sessions.CSRF(r)
	return page
}

// accountView is formView for the pages of an account; section is the one that is open.
func (s *site) accountView(w http.ResponseWriter, r *http.Request, v visit, section string) view {
	words := s.words(r, nil)
	page := s.formView(w, r, words, words.T("nav."+section))
	page.User, page.Section, page.Notice = &v.User, section, takeNotice(w, r)
	return page
}

// render writes a page. It is complete before the first byte leaves: half a page with
// status 200 would be worse than an error. What keeps an answer out of caches, frames and
// sniffers is set by package edge for everything (SES-04).
func (s *site) render(w http.ResponseWriter, name string, status int, page any, p policy) error {
	t := s.templates[name]
	if t == nil {
		return fmt.Errorf("no template %q", name)
	}
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, "frame", page); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.String())
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the visitor has gone: nobody is left to tell
	return nil
}

// parseTemplates gives each page the frame of the folder that it lies in.
func parseTemplates() (map[string]*template.Template, error) {
	pages := map[string]*template.Template{}
	for _, folder := range [...]string{"card", "account", "console"} {
		files, err := templateFiles.ReadDir("templates/" + folder)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			name := strings.TrimSuffix(f.Name(), ".html")
			if folder == "console" { // an account has an overview as well
				name = "console/" + name
			}
			t, err := template.New(name).Option("missingkey=error").ParseFS(templateFiles,
				"templates/frame.html", "templates/parts.html", "templates/frame_"+folder+".html",
				path.Join("templates", folder, f.Name()))
			if err != nil {
				return nil, fmt.Errorf("template %s: %w", name, err)
			}
			pages[name] = t
		}
	}
	return pages, nil
}
