package web

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// Farewell is the end of a login as the person sees it.
type Farewell struct {
	Apps       []idp.LeftApp
	Continue   string // where the app wants the person to go on; proven to be its own; may be empty
	ClientName string // the app, if there is a Continue
	UILocales  string // languages that the app asks for, best first
}

type loggedOutPage struct {
	view
	Told     []string // apps that hear of it
	Untold   []string // apps that do not
	Frames   []string // what the browser loads, so that apps hear of it (Front-Channel Logout §2)
	Continue template.URL
	App      string // whose address that is
	Script   string
}

// LoggedOut says that the person is signed out, and where: at an app that does not hear of
// it, somebody else at the same computer may go on.
func (p *Pages) LoggedOut(w http.ResponseWriter, r *http.Request, f Farewell) {
	p.answer(w, r, p.site.loggedOut(w, r, f))
}

func (s *site) loggedOut(w http.ResponseWriter, r *http.Request, f Farewell) error {
	words := s.words(r, strings.Fields(f.UILocales)).once()
	page := loggedOutPage{view: s.view(words, words.T("loggedout.title"))}
	policy := policy{}
	for _, app := range f.Apps {
		name := oneLine(app.Name, maxName)
		origin, framed := frameOrigin(app.Frame)
		if framed {
			policy, framed = policy.framing(origin)
		}
		if framed {
			page.Frames = append(page.Frames, app.Frame)
		}
		if app.Told || framed {
			page.Told = append(page.Told, name)
		} else {
			page.Untold = append(page.Untold, name)
		}
	}
	if canLeadTo(f.Continue) {
		page.Continue, page.App = template.URL(f.Continue), oneLine(f.ClientName, maxName)
		policy = policy.withScript()
		page.Script = s.base + s.assets.path("continue.js")
	}
	return s.render(w, "logged-out", http.StatusOK, page, policy)
}
