package web

import (
	"net/http"
	"net/url"

	"github.com/signet-id/signet/internal/secret"
)

// consoleAppChange disables an app, enables it again or deletes it.
type consoleAppChange struct{ *Console }

func (p consoleAppChange) serve(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id := r.PathValue("app")
	method, path, notice, next := http.MethodPost, apiPath("clients", id), "", apiPath("apps", id)
	switch form.Get("action") {
	case "disable":
		path, notice = path+"/disable", "app_disabled"
	case "enable":
		path, notice = path+"/enable", "app_enabled"
	case "delete":
		method, notice, next = http.MethodDelete, "app_deleted", "/apps"
	default:
		return badChoice("action")
	}
	if err := p.ask(r.Context(), method, path, nil, nil); err != nil {
		return err
	}
	return p.done(w, notice, next)
}

// consoleSecretMake gives an app a new secret. It stands in this answer and nowhere else: no
// address leads to it (CLI-07).
type consoleSecretMake struct{ *Console }

type consoleSecretPage struct {
	view
	App     consoleClient
	Address string
	Secret  string
}

func (p consoleSecretMake) serve(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	var made struct {
		consoleClient
		Secret string `json:"client_secret"`
	}
	if err := p.ask(r.Context(), http.MethodPost, apiPath("clients", r.PathValue("app"), "secret"), nil, &made); err != nil {
		return err
	}
	shown := secret.NewText(made.Secret)
	page := consoleSecretPage{p.consoleView(r, "apps", p.words(r, nil).T("console.secret.title")), made.consoleClient, p.appAddress(made.ID), shown.Reveal()}
	page.words = page.once() // links to another language would ask for what only a form gets
	return p.render(w, "console/app-secret", http.StatusOK, page, policy{})
}
