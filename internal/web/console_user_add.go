package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// consoleUserAdd adds a person.
type consoleUserAdd struct{ *Console }

type consoleUserAddPage struct {
	view
	Username, Email, Name string // as they were typed
	Verified              bool
	MinLength             int
	Field                 string // that is wrong: username, email or password; empty: another one
	ErrorText             string
	Foreign               bool // the error's text is the server's, in English
}

// newConsoleUser is a person as the API takes one.
type newConsoleUser struct {
	Username      string      `json:"username"`
	Email         string      `json:"email,omitempty"`
	EmailVerified bool        `json:"email_verified,omitempty"`
	Profile       idp.Profile `json:"profile"`
	Password      string      `json:"password,omitempty"`
}

func (p consoleUserAdd) show(w http.ResponseWriter, r *http.Request) error {
	return p.form(w, r, http.StatusOK, consoleUserAddPage{})
}

func (p consoleUserAdd) submit(w http.ResponseWriter, r *http.Request, form url.Values) error {
	try := consoleUserAddPage{
		Username: strings.TrimSpace(form.Get("username")), Email: strings.TrimSpace(form.Get("email")), Name: strings.TrimSpace(form.Get("name")),
		Verified: form.Get("email_verified") == "yes",
	}
	password := secret.NewText(form.Get("password")) // never shown again
	words := p.words(r, nil)
	if !password.Empty() { // the API has no words for people who read another language
		about := idp.User{Username: try.Username, Email: try.Email, Profile: idp.Profile{Name: try.Name}}
		if unfit, ok := errors.AsType[*authn.Unacceptable](authn.Acceptable(password, about)); ok {
			try.Field, try.ErrorText = "password", words.T("console.add.error."+string(unfit.Reason))
			return p.form(w, r, http.StatusUnprocessableEntity, try)
		}
	}
	var made consoleUser
	err := p.ask(r.Context(), http.MethodPost, "/users", newConsoleUser{
		Username: try.Username, Email: try.Email, EmailVerified: try.Verified, Profile: idp.Profile{Name: try.Name}, Password: password.Reveal(),
	}, &made)
	if said, ok := errors.AsType[*APIError](err); ok && said.Status < 500 {
		try.blame(words, said)
		return p.form(w, r, said.Status, try)
	}
	if err != nil {
		return err
	}
	return p.done(w, "user_added", "/users/"+made.ID)
}

// blame finds the field that the server speaks of: its texts begin with the name.
func (t *consoleUserAddPage) blame(words words, said *APIError) {
	name, _, _ := strings.Cut(said.Message, " ")
	switch {
	case said.Status == http.StatusConflict:
		t.Field, t.ErrorText = "username", words.T("console.add.error.exists")
	case name == "username":
		t.Field, t.ErrorText = "username", words.T("console.add.error.username")
	case name == "email":
		t.Field, t.ErrorText = "email", words.T("console.add.error.email")
	case name == "email_verified":
		t.Field, t.ErrorText = "email", words.T("console.add.error.unverified")
	default:
		t.ErrorText, t.Foreign = oneLine(said.Message, maxText), true
	}
}

func (p consoleUserAdd) form(w http.ResponseWriter, r *http.Request, status int, page consoleUserAddPage) error {
	page.view = p.consoleView(r, "users", p.words(r, nil).T("console.add.title"))
	page.MinLength = authn.MinPasswordLength
	return p.render(w, "console/user-add", status, page, policy{}.withScript())
}
