package web

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/signet-id/signet/internal/edge"
)

// appsRevoke takes back what an app was allowed: its tokens die at once.
type appsRevoke struct {
	*site
	store appStore
}

func (p appsRevoke) serve(w http.ResponseWriter, r *http.Request, v visit, form url.Values) error {
	clientID := form.Get("client_id")
	if clientID == "" {
		return badChoice("client_id")
	}
	if _, err := p.store.RevokeApp(r.Context(), edge.Actor(r, "user", v.UserID), v.UserID, clientID, p.now()); err != nil {
		return fmt.Errorf("revoke app: %w", err)
	}
	leaveNotice(w, "app_revoked")
	p.redirect(w, "/account/apps")
	return nil
}
