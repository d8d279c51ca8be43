package web

import (
	"context"
	"net/http"
)

// consoleAppShow shows one app and what can be done with it.
type consoleAppShow struct{ *Console }

type consoleAppPage struct {
	view
	App       consoleClient
	Address   string
	CreatedAt instant
	LastUsed  *instant // nil: never, or not noted
	Proof     string   // how it proves itself, by the name of its text
	Grants    []string // in words
	Secret    bool     // it may have a new one
}

func (p consoleAppShow) serve(w http.ResponseWriter, r *http.Request) error {
	app, err := p.client(r.Context(), r.PathValue("app"))
	if err != nil {
		return err
	}
	now := p.now()
	page := consoleAppPage{
		view: p.consoleView(r, "apps", app.Called()), App: app, Address: p.appAddress(app.ID),
		Proof:  "console.app.proof." + string(app.TokenEndpointAuthMethod),
		Secret: app.TokenEndpointAuthMethod.Secret(),
	}
	page.CreatedAt = page.instant(app.CreatedAt, now)
	if !app.LastUsedAt.IsZero() {
		last := page.instant(app.LastUsedAt, now)
		page.LastUsed = &last
	}
	for _, g := range app.GrantTypes {
		page.Grants = append(page.Grants, page.grantType(g))
	}
	return p.render(w, "console/app", http.StatusOK, page, policy{})
}

// client asks for an app by its id.
func (c *Console) client(ctx context.Context, id string) (app consoleClient, err error) {
	return app, c.ask(ctx, http.MethodGet, apiPath("clients", id), nil, &app)
}

// grantType says how an app gets tokens; one without words is shown by its name.
func (w words) grantType(name string) string {
	if key := "console.app.grant." + name; w.Has(key) {
		return w.T(key)
	}
	return oneLine(name, maxName)
}

// AddedBy says who added an app.
func (w words) AddedBy(origin string) string { return w.T("console.app.added." + origin) }
