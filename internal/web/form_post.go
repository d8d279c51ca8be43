package web

import "net/http"

// FormPost is an answer that the browser takes to an app in a form (OAuth 2.0 Form Post
// Response Mode 1.0). The form is sent by our script; without one, by its button.
type FormPost struct {
	Action string // proven to be the app's
	Fields []FormField
}

type formPostPage struct {
	view
	FormPost
}

// FormPost sends the browser on. Nothing of the answer is in a script: a state that
// somebody chose stays the value of a field (OAU-14).
func (p *Pages) FormPost(w http.ResponseWriter, r *http.Request, f FormPost) {
	s := p.site
	words := s.words(r, nil).once()
	page := formPostPage{s.view(words, words.T("formpost.title")), f}
	p.answer(w, r, s.render(w, "form-post", http.StatusOK, page, leadingTo(f.Action).withScript()))
}
