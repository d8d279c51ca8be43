package web

import "net/http"

// mailShow lists mail that was caught instead of sent. It exists in development only:
// everybody who reaches it reads everybody's mail.
type mailShow struct {
	*site
	catcher MailCatcher
}

type mailPage struct {
	view
	Mails []mailLine
}

type mailLine struct {
	To, Subject, Text, Lang string
	At                      instant
}

func (p mailShow) serve(w http.ResponseWriter, r *http.Request) error {
	words, now := p.words(r, nil), p.now()
	page := mailPage{view: p.view(words, words.T("mail.title"))}
	for _, m := range p.catcher.List() {
		page.Mails = append(page.Mails, mailLine{m.To, m.Subject, m.Text, m.Lang, words.instant(m.At, now)})
	}
	return p.render(w, "mail", http.StatusOK, page, policy{})
}
