package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/secret"
)

// deviceShow asks for the code that a device shows (RFC 8628 §3.3). A link may bring the
// code along (§3.3.1); it is written into the form, and that is all: nothing is looked for
// before a person presses the button.
type deviceShow struct{ *site }

// codePage is the form.
type codePage struct {
	view
	Action    string
	Code      string
	ErrorText string
	Locked    bool // trying again now is of no use, nothing is wrong with what was typed
}

func (p deviceShow) serve(w http.ResponseWriter, r *http.Request) error {
	if err := p.duplicateCookie(r); err != nil {
		return err
	}
	query, err := edge.Query(r)
	if err != nil {
		return &failure{status: http.StatusBadRequest, kind: "bad_form", cause: err}
	}
	return p.showCode(w, r, http.StatusOK, codeTry{Code: query.Get("user_code")})
}

// A codeTry is what was typed, and what was wrong with it.
type codeTry struct {
	Code  string
	Error string        // catalogue key; empty: nothing yet
	Wait  time.Duration // with "device.error.wait"
}

// maxCode is how much of a typed code comes back, in characters.
const maxCode = 40

func (s *site) showCode(w http.ResponseWriter, r *http.Request, status int, try codeTry) error {
	words := s.words(r, nil)
	page := codePage{Action: s.base + "/device", Code: oneLine(try.Code, maxCode)}
	if code, err := secret.ParseUserCode(try.Code); err == nil {
		page.Code = code.Reveal() // in the form in which the device shows it
	}
	page.view = s.formView(w, r, words, words.T("device.title"))
	if try.Error != "" {
		page.ErrorText = words.T(try.Error)
	}
	if try.Wait > 0 {
		page.ErrorText, page.Locked = words.T(try.Error, words.Wait(try.Wait)), true
	}
	return s.render(w, "device", status, page, policy{})
}

// signedIn is visit for pages that do not need anybody: the zero visit is nobody.
func (s *site) signedIn(r *http.Request) (visit, error) {
	v, err := s.visit(r)
	if errors.Is(err, errNobody) {
		return visit{}, nil
	}
	return v, err
}
