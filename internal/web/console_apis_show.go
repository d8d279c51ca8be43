package web

import (
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// consoleAPIsShow lists the services that accept tokens, with their scopes.
type consoleAPIsShow struct{ *Console }

type consoleAPIsPage struct {
	view
	APIs []consoleAPI
}

// A consoleAPI is a resource as the API shows one, and its scopes in words.
type consoleAPI struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Alg      string      `json:"alg"`
	Lifetime int64       `json:"access_token_lifetime"` // seconds; 0: the server's default
	Given    []idp.Scope `json:"scopes"`

	Lives  string         `json:"-"` // in words; empty: as long as the server says
	Scopes []consoleScope `json:"-"`
}

// A consoleScope is what people read on the consent page.
type consoleScope struct {
	permission
	Write bool
}

func (p consoleAPIsShow) serve(w http.ResponseWriter, r *http.Request) error {
	page := consoleAPIsPage{view: p.consoleView(r, "apis", p.words(r, nil).T("console.nav.apis"))}
	if err := p.ask(r.Context(), http.MethodGet, "/resources", nil, &page.APIs); err != nil {
		return err
	}
	for i := range page.APIs {
		api := &page.APIs[i]
		if api.Lifetime > 0 {
			api.Lives = page.Wait(time.Duration(api.Lifetime) * time.Second)
		}
		for _, s := range api.Given {
			api.Scopes = append(api.Scopes, consoleScope{page.tell(s), s.Write})
		}
	}
	return p.render(w, "console/apis", http.StatusOK, page, policy{})
}
