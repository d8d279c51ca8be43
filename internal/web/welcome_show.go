package web

import (
	"errors"
	"net/http"
)

// welcomeShow is the first page: for whoever is signed in, the account.
type welcomeShow struct{ *site }

type welcomePage struct{ view }

func (p welcomeShow) serve(w http.ResponseWriter, r *http.Request) error {
	_, err := p.visit(r)
	if err == nil {
		p.redirect(w, "/account")
		return nil
	}
	if !errors.Is(err, errNobody) {
		return err
	}
	words := p.words(r, nil)
	return p.render(w, "welcome", http.StatusOK, welcomePage{p.view(words, words.T("welcome.title"))}, policy{})
}
