package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// A consoleClient is an app as the API shows one.
type consoleClient struct {
	ID         string    `json:"client_id"`
	DisabledAt time.Time `json:"disabled_at"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
	Origin     string    `json:"origin"`
	idp.ClientMetadata
}

// Disabled reports whether the app is kept from asking.
func (c consoleClient) Disabled() bool { return !c.DisabledAt.IsZero() }

// Called is what the app is called.
func (c consoleClient) Called() string {
	return appName(idp.Client{ID: c.ID, ClientMetadata: c.ClientMetadata})
}

// Kind says what sort of app it is, by the name of its text.
func (c consoleClient) Kind() string {
	switch {
	case slices.Equal(c.GrantTypes, []string{idp.GrantClientCredentials}), len(c.GrantTypes) == 0:
		return "console.apps.kind.program"
	case c.ApplicationType == "native":
		return "console.apps.kind.native"
	case c.TokenEndpointAuthMethod == idp.AuthNone:
		return "console.apps.kind.browser"
	}
	return "console.apps.kind.web"
}

// consoleAppsShow lists apps.
type consoleAppsShow struct{ *Console }

type consoleAppsPage struct {
	view
	Apps []consoleAppLine
	More string // address of the next page; empty: this is the last
}

// A consoleAppLine is an app in a list.
type consoleAppLine struct {
	consoleClient
	Address string
	Initial string
	Shown   string // the id, in one line
}

const appsPerPage = 50

func (p consoleAppsShow) serve(w http.ResponseWriter, r *http.Request) error {
	query, err := edge.Query(r)
	if err != nil {
		return &failure{status: http.StatusBadRequest, kind: "bad_form", cause: err}
	}
	var found []consoleClient
	if err := p.ask(r.Context(), http.MethodGet, "/clients", nil, &found); err != nil {
		return err
	}
	if after := query.Get("after"); after != "" {
		at := slices.IndexFunc(found, func(c consoleClient) bool { return c.ID == after })
		found = found[at+1:] // who has gone meanwhile leaves the list to begin anew
	}
	page := consoleAppsPage{view: p.consoleView(r, "apps", p.words(r, nil).T("console.nav.apps"))}
	if len(found) > appsPerPage {
		found = found[:appsPerPage]
		page.More = p.base + "/apps?" + url.Values{"after": {found[appsPerPage-1].ID}}.Encode()
	}
	for _, c := range found {
		page.Apps = append(page.Apps, consoleAppLine{c, p.appAddress(c.ID), initial(c.Called()), oneLine(c.ID, maxShownID)})
	}
	return p.render(w, "console/apps", http.StatusOK, page, policy{})
}

// maxShownID is how much is shown of an id that may be an address.
const maxShownID = 200

// appAddress is where an app is shown. Ids may be addresses with slashes.
func (c *Console) appAddress(id string) string { return c.base + apiPath("apps", id) }
