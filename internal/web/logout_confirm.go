package web

import (
	"net/http"
	"strings"
)

// LogoutQuestion is the question whether to sign out (OpenID Connect RP-Initiated
// Logout 1.0 §2). The form posts the values under the names of their parameters, CSRF
// as "csrf", to /logout.
type LogoutQuestion struct {
	CSRF                  string
	UserName              string
	ClientName            string // the app that asks; empty if nobody but the person does
	ClientID              string // "client_id"
	PostLogoutRedirectURI string // "post_logout_redirect_uri"; proven to be the client's
	State                 string // "state"
	UILocales             string // "ui_locales": languages that the app asks for, best first
}

type logoutPage struct {
	view
	App    string
	Name   string
	Fields []FormField
	Avatar string
}

// A FormField is a hidden field of a form.
type FormField struct{ Name, Value string }

// LogoutConfirm asks whether to sign out.
func (p *Pages) LogoutConfirm(w http.ResponseWriter, r *http.Request, q LogoutQuestion) {
	s := p.site
	keepLanguage(w, r)
	words := s.words(r, strings.Fields(q.UILocales))
	if r.Method == http.MethodPost { // what it asked is not in the address
		words = words.once()
	}
	page := logoutPage{
		view: s.view(words, words.T("logout.title")),
		App:  oneLine(q.ClientName, maxName), Name: oneLine(q.UserName, maxName),
	}
	page.CSRF, page.Avatar = q.CSRF, initial(page.Name)
	for _, f := range [...]FormField{
		{"client_id", q.ClientID}, {"post_logout_redirect_uri", q.PostLogoutRedirectURI}, {"state", q.State}, {"ui_locales", q.UILocales},
	} {
		if f.Value != "" {
			page.Fields = append(page.Fields, f)
		}
	}
	policy := policy{}
	if q.PostLogoutRedirectURI != "" {
		policy = leadingTo(q.PostLogoutRedirectURI)
	}
	p.answer(w, r, s.render(w, "logout", http.StatusOK, page, policy))
}

// answer shows what went wrong with a page that another package asked for.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		return
	}
	p.site.log.Error("page", "error", err, "route", r.Pattern)
	p.site.answerError(w, r, err)
}
