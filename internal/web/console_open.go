package web

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// consoleOpen is where the link leads. Looking does not use it up: browsers fetch typed
// addresses in advance.
type consoleOpen struct{ *Console }

type consoleOpenPage struct {
	view
	Link string
}

func (p consoleOpen) show(w http.ResponseWriter, r *http.Request) error {
	query, err := edge.Query(r)
	if err != nil {
		return &failure{status: http.StatusBadRequest, kind: "bad_form", cause: err}
	}
	link := query.Get("link")
	if !p.door.fits(link) {
		return linkOver()
	}
	words := p.words(r, nil)
	page := consoleOpenPage{p.site.view(words, words.T("console.open.title")), link}
	return p.render(w, "console-open", http.StatusOK, page, policy{})
}

func (p consoleOpen) submit(w http.ResponseWriter, r *http.Request) error {
	form, err := p.readConsoleForm(w, r)
	if err != nil {
		return err
	}
	cookie, err := p.door.enter(form.Get("link"))
	if err != nil {
		return linkOver()
	}
	// Strict: no other site's link acts in the operator's name. Not Secure: this is http on
	// loopback, where not every browser would keep it. It goes with the browser's session.
	http.SetCookie(w, &http.Cookie{
		Name: consoleCookie, Value: cookie.Reveal(), Path: p.base + "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	sendTo(w, p.base+"/")
	return nil
}

func linkOver() error {
	return &failure{status: http.StatusGone, kind: "console_link", cause: fmt.Errorf("console link: %w", idp.ErrConsumed)}
}

// consoleLeave ends the console's session.
type consoleLeave struct{ *Console }

type consoleLeftPage struct {
	view
	Again string // the command that prints another link
	Ends  bool   // so does the process
}

func (p consoleLeave) serve(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	p.door.leave()
	http.SetCookie(w, &http.Cookie{Name: consoleCookie, Path: p.base + "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	words := p.words(r, nil).once()
	page := consoleLeftPage{p.site.view(words, words.T("console.left.title")), p.again, p.ends}
	return p.render(w, "console-left", http.StatusOK, page, policy{})
}
