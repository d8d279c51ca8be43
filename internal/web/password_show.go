package web

import (
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/authn"
)

// passwordShow is the form for a new password.
type passwordShow struct{ *site }

func (p passwordShow) serve(w http.ResponseWriter, r *http.Request, v visit) error {
	return p.showPassword(w, r, http.StatusOK, v, passwordTry{})
}

// A passwordTry is what was wrong with what was typed; nothing of it comes back.
type passwordTry struct {
	Field string // "old", "new", "repeat": where it was wrong; empty: nowhere
	Error string // catalogue key; empty: nothing yet
	Wait  time.Duration
}

type passwordPage struct {
	view
	Username  string // for password managers
	MinLength int
	Field     string
	ErrorText string
}

func (s *site) showPassword(w http.ResponseWriter, r *http.Request, status int, v visit, try passwordTry) error {
	page := passwordPage{
		view: s.accountView(w, r, v, "password"), Username: v.User.Username,
		MinLength: authn.MinPasswordLength, Field: try.Field,
	}
	if try.Error != "" {
		page.ErrorText = page.T(try.Error)
	}
	if try.Wait > 0 {
		page.ErrorText = page.T(try.Error, page.Wait(try.Wait))
	}
	return s.render(w, "password", status, page, policy{script: true})
}
