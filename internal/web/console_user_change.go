package web

import (
	"net/http"
	"net/url"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// consoleUserChange does what the page of a person offers. What the person had open or had
// allowed ends at once.
type consoleUserChange struct{ *Console }

func (p consoleUserChange) serve(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id := r.PathValue("user")
	if !secret.IsID(id) {
		return &failure{status: http.StatusNotFound, kind: "console_gone", cause: idp.ErrNotFound}
	}
	sid, client := form.Get("session"), form.Get("client_id")
	var method, path, notice string
	switch action := form.Get("action"); {
	case action == "disable":
		method, path, notice = http.MethodPost, apiPath("users", id, "disable"), "user_disabled"
	case action == "enable":
		method, path, notice = http.MethodPost, apiPath("users", id, "enable"), "user_enabled"
	case action == "end" && sid != "":
		method, path, notice = http.MethodDelete, apiPath("users", id, "sessions", sid), "session_ended"
	case action == "end_all":
		method, path, notice = http.MethodDelete, apiPath("users", id, "sessions"), "sessions_ended"
	case action == "revoke" && client != "":
		method, path, notice = http.MethodDelete, apiPath("users", id, "apps", client), "app_revoked"
	default:
		return badChoice("action")
	}
	if err := p.ask(r.Context(), method, path, nil, nil); err != nil {
		return err
	}
	return p.done(w, notice, "/users/"+id)
}
