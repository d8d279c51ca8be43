package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/signet-id/signet/internal/idp"
)

// consentStore is what consent needs of the database.
type consentStore interface {
	Consent(ctx context.Context, userID, clientID, resource string) (idp.Consent, error)
	consentWriter
}

// consentShow asks whether an app may do what it asks for (RFC 6749 §4.1.1, RFC 9700 §4.16).
type consentShow struct {
	*site
	requests    requests
	store       consentStore
	permissions permissions
}

type consentPage struct {
	view
	Action      string
	LoginAction string // for another account
	App         *app
	Initial     string // of the app
	Person      person
	Asked       permissionList // new
	Before      permissionList // allowed before, asked for again
	Never       []permission   // what it will not be able to do
	Destination destination
}

func (p consentShow) serve(w http.ResponseWriter, r *http.Request) error {
	req, err := p.requests.must(r, p.now())
	if err != nil {
		return err
	}
	v, err := p.visit(r)
	if errors.Is(err, errNobody) || err == nil && !req.belongsTo(v) {
		req.proceed(w)
		return nil
	}
	if err != nil {
		return err
	}
	page, err := p.page(r, req, v)
	if err != nil {
		return err
	}
	page.view = p.formView(w, r, page.words, page.T("consent.title", page.App.Name))
	return p.render(w, "consent", http.StatusOK, page, leadingTo(req.RedirectURI))
}

// belongsTo reports whether the request is this session's, or nobody's yet. Somebody may
// have switched accounts in another tab: what they read is not what they would allow.
func (req request) belongsTo(v visit) bool { return req.SessionID == "" || req.SessionID == v.ID }

func (p consentShow) page(r *http.Request, req request, v visit) (consentPage, error) {
	words := p.words(r, req.UILocales)
	before, err := p.store.Consent(r.Context(), v.UserID, req.ClientID, req.Resource)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return consentPage{}, fmt.Errorf("consent before: %w", err)
	}
	told, err := p.permissions.tell(r.Context(), words, req.Resource, req.Permissions())
	if err != nil {
		return consentPage{}, err
	}
	page := consentPage{
		view: view{words: words}, Action: req.at("/consent"), LoginAction: req.at("/login"),
		App: p.asking(req), Person: personOf(v.User), Destination: destinationOf(req.RedirectURI),
		Never: append(told.Never, permission{Title: words.T("consent.never.password")}),
	}
	page.Initial = initial(page.App.Name)
	page.Before, page.Asked = told.split(before.Scopes)
	if page.Asked.Empty() { // asked again for the same: then all of it is to be read again
		page.Before, page.Asked = permissionList{}, told
	}
	return page, nil
}
