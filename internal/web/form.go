package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/session"
)

// maxForm is far above any form here: the longest field is a password of 1,024 bytes.
const maxForm = 16 << 10

// A submission answers a form that this browser was given by us.
type submission func(w http.ResponseWriter, r *http.Request, form url.Values) error

// A visit is a signed-in person at a browser.
type visit struct {
	idp.Session
	User idp.User
}

// form lets only forms through that this browser was given by us: the request comes from
// our own origin and carries the browser's anti-CSRF value (OAU-15). Both are checked:
// either alone has failed somewhere.
func (s *site) form(next submission) page {
	return func(w http.ResponseWriter, r *http.Request) error {
		form, err := s.readForm(w, r)
		if err != nil {
			return err
		}
		return next(w, r, form)
	}
}

func (s *site) readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if err := edge.SameOrigin(r, s.origin); err != nil {
		return nil, &failure{status: http.StatusForbidden, kind: "foreign_form", cause: err}
	}
	form, err := edge.Form(w, r, maxForm)
	if err != nil {
		return nil, &failure{status: formStatus(err), kind: "bad_form", cause: err}
	}
	if err := s.sessions.CheckCSRF(r, form.Get("csrf")); err != nil {
		return nil, s.staleForm(r, err)
	}
	return form, nil
}

// staleForm tells a page that was open for too long from a browser that has been
// tampered with: in the second case trying again does not help.
func (s *site) staleForm(r *http.Request, cause error) error {
	if err := s.duplicateCookie(r); err != nil {
		return err
	}
	return &failure{status: http.StatusForbidden, kind: "stale_form", cause: cause}
}

// duplicateCookie reports that somebody has planted a second cookie of ours (SES-02).
func (s *site) duplicateCookie(r *http.Request) error {
	_, _, sessionErr := s.sessions.FromRequest(r)
	_, flowErr := s.sessions.FlowHash(r)
	for _, err := range [...]error{sessionErr, flowErr} {
		if errors.Is(err, session.ErrDuplicate) {
			return &failure{status: http.StatusBadRequest, kind: "duplicate_cookie", cause: err}
		}
	}
	return nil
}

func formStatus(err error) int {
	switch {
	case errors.Is(err, edge.ErrMediaType):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, edge.ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// account lets signed-in people through and sends the others to the login page. Whose
// account it is comes from the session, never from the request.
func (s *site) account(next func(http.ResponseWriter, *http.Request, visit) error) page {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.visit(r)
		if errors.Is(err, errNobody) {
			s.redirect(w, "/login")
			return nil
		}
		if err != nil {
			return err
		}
		return next(w, r, v)
	}
}

// accountForm is account for forms.
func (s *site) accountForm(next func(http.ResponseWriter, *http.Request, visit, url.Values) error) page {
	return func(w http.ResponseWriter, r *http.Request) error {
		form, err := s.readForm(w, r)
		if err != nil {
			return err
		}
		return s.account(func(w http.ResponseWriter, r *http.Request, v visit) error {
			return next(w, r, v, form)
		})(w, r)
	}
}

// errNobody says that nobody is signed in at this browser.
var errNobody = errors.New("nobody is signed in")

// visit returns who is signed in at this browser, or errNobody.
func (s *site) visit(r *http.Request) (visit, error) {
	sess, user, err := s.sessions.FromRequest(r)
	switch {
	case errors.Is(err, session.ErrDuplicate):
		return visit{}, &failure{status: http.StatusBadRequest, kind: "duplicate_cookie", cause: err}
	case errors.Is(err, idp.ErrNotFound):
		return visit{}, errNobody
	case err != nil:
		return visit{}, fmt.Errorf("who is signed in: %w", err)
	}
	return visit{sess, user}, nil
}

// redirect sends the browser to one of our pages.
func (s *site) redirect(w http.ResponseWriter, page string) { sendTo(w, s.base+page) }

// sendTo answers with a redirect that is followed with GET (RFC 9110 §15.4.4). Paths are
// made here, of fixed parts and of ids that the database knew (OAU-02).
func sendTo(w http.ResponseWriter, path string) {
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
}
