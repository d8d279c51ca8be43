package web

import (
	"errors"
	"net/http"

	"github.com/signet-id/signet/internal/idp"
)

// selectionShow asks which account to go on with (prompt=select_account, OpenID Connect
// Core §3.1.2.1).
type selectionShow struct {
	*site
	requests requests
}

type selectionPage struct {
	view
	Action string
	App    *app
	Person person
}

// A person as pages show them.
type person struct {
	Name     string
	Username string
	Email    string
	Initial  string
}

func (p selectionShow) serve(w http.ResponseWriter, r *http.Request) error {
	req, err := p.requests.must(r, p.now())
	if err != nil {
		return err
	}
	v, err := p.visit(r)
	if errors.Is(err, errNobody) {
		req.proceed(w)
		return nil
	}
	if err != nil {
		return err
	}
	words := p.words(r, req.UILocales)
	return p.render(w, "select-account", http.StatusOK, selectionPage{
		view:   p.formView(w, r, words, words.T("select.title")),
		Action: req.at("/select-account"), App: p.asking(req), Person: personOf(v.User),
	}, leadingTo(req.RedirectURI))
}

func personOf(u idp.User) person {
	p := person{Name: oneLine(u.DisplayName(), maxName), Username: oneLine(u.Username, maxName), Email: oneLine(u.Email, maxUsername)}
	p.Initial = initial(p.Name)
	return p
}
