package web

import "net/http"

type loggedOutPage struct{ view }

// LoggedOut says that the person is signed out.
func (p *Pages) LoggedOut(w http.ResponseWriter, r *http.Request) {
	s := p.site
	words := s.words(r, nil)
	page := loggedOutPage{s.view(words, words.T("loggedout.title"))}
	p.answer(w, r, s.render(w, "logged-out", http.StatusOK, page, policy{}))
}
