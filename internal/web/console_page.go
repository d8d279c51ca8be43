package web

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// admitted is the anti-CSRF value of a request that came with the cookie.
type admitted struct{}

// consolePage lets the browser through that is in.
func (c *Console) consolePage(next page) page {
	return func(w http.ResponseWriter, r *http.Request) error {
		csrf, ok := c.door.admit(r)
		if !ok {
			return consoleClosed()
		}
		return next(w, r.WithContext(context.WithValue(r.Context(), admitted{}, csrf)))
	}
}

// consoleForm is consolePage for forms: the request comes from our own page and carries the
// value that only this session's pages have (OAU-15).
func (c *Console) consoleForm(next submission) page {
	return c.consolePage(func(w http.ResponseWriter, r *http.Request) error {
		form, err := c.readConsoleForm(w, r)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(form.Get("csrf")), []byte(csrfOf(r))) != 1 {
			return &failure{status: http.StatusForbidden, kind: "stale_form", cause: fmt.Errorf("anti-CSRF value: %w", idp.ErrDenied)}
		}
		return next(w, r, form)
	})
}

// readConsoleForm reads a form of our own pages.
func (c *Console) readConsoleForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if err := edge.SameOrigin(r, c.origin); err != nil {
		return nil, &failure{status: http.StatusForbidden, kind: "foreign_form", cause: err}
	}
	form, err := edge.Form(w, r, maxForm)
	if err != nil {
		return nil, &failure{status: formStatus(err), kind: "bad_form", cause: err}
	}
	return form, nil
}

func csrfOf(r *http.Request) string {
	csrf, _ := r.Context().Value(admitted{}).(string)
	return csrf
}

func consoleClosed() error {
	return &failure{status: http.StatusForbidden, kind: "console_closed", cause: fmt.Errorf("console session: %w", idp.ErrNotFound)}
}

// consoleView prepares a page; section is the part of the navigation that it belongs to.
func (c *Console) consoleView(r *http.Request, section, title string) view {
	page := c.site.view(c.words(r, nil), title)
	page.Base, page.Section, page.CSRF = c.base, section, csrfOf(r)
	page.Notice = c.door.takeNotice()
	return page
}

// done goes back to a page and says there what has been done.
func (c *Console) done(w http.ResponseWriter, notice, path string) error {
	c.door.leaveNotice(notice)
	sendTo(w, c.base+path)
	return nil
}

// consoleProblem shows a problem. What the server said is for the operator, who is in.
type consoleProblem struct {
	view
	Problem Problem
	Inside  bool
	ID      string
	Again   string // the command that prints another link
}

// answerError is the one place where errors of the console become answers.
func (c *Console) answerError(w http.ResponseWriter, r *http.Request, err error) {
	f := asFailure(err)
	words := c.words(r, nil).once()
	page := consoleProblem{view: c.site.view(words, words.T("problem."+f.kind+".title")), ID: edge.RequestID(r), Again: c.again}
	page.Problem = Problem{Title: page.Title, Text: words.T("problem." + f.kind + ".text")}
	if r.Host == c.host {
		_, page.Inside = c.door.admit(r)
	}
	if page.Inside {
		page.Base, page.Problem.Detail = c.base, f.cause.Error()
	}
	if err := c.render(w, "console-problem", f.status, page, policy{}); err != nil {
		c.log.Error("error page", "error", err, "request_id", page.ID)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}
