package web

import (
	"net/http"
	"strconv"
)

// consoleOverviewShow says which server this is and how much there is in it.
type consoleOverviewShow struct{ *Console }

type consoleOverviewPage struct {
	view
	Issuer  string
	Version string
	Users   string // how many
	Clients int
	APIs    int
	Keys    int // that are not retired
}

// maxCounted is how many people are counted; more are "more than".
const maxCounted = 1000

func (p consoleOverviewShow) serve(w http.ResponseWriter, r *http.Request) error {
	var (
		about struct {
			Issuer string `json:"issuer"`
		}
		users, clients, resources []struct{}
		keys                      []struct {
			State string `json:"state"`
		}
	)
	for path, out := range map[string]any{
		"/about": &about, "/users?limit=" + strconv.Itoa(maxCounted): &users, "/clients": &clients, "/resources": &resources, "/keys": &keys,
	} {
		if err := p.ask(r.Context(), http.MethodGet, path, nil, out); err != nil {
			return err
		}
	}
	page := consoleOverviewPage{
		view:   p.consoleView(r, "overview", p.words(r, nil).T("console.nav.overview")),
		Issuer: about.Issuer, Version: p.version, Users: strconv.Itoa(len(users)), Clients: len(clients), APIs: len(resources),
	}
	if len(users) == maxCounted {
		page.Users = page.T("console.overview.many", maxCounted)
	}
	for _, k := range keys {
		if k.State != "retired" {
			page.Keys++
		}
	}
	return p.render(w, "console/overview", http.StatusOK, page, policy{})
}
