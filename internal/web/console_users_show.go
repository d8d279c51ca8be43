package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// A consoleUser is a person as the API shows one.
type consoleUser struct {
	ID            string      `json:"id"`
	Username      string      `json:"username"`
	Email         string      `json:"email"`
	EmailVerified bool        `json:"email_verified"`
	Profile       idp.Profile `json:"profile"`
	Groups        []string    `json:"groups"`
	DisabledAt    time.Time   `json:"disabled_at"`
	CreatedAt     time.Time   `json:"created_at"`
}

// Disabled reports whether the person is kept from signing in.
func (u consoleUser) Disabled() bool { return !u.DisabledAt.IsZero() }

// Name is what the person is called.
func (u consoleUser) Name() string {
	if name := oneLine(u.Profile.Name, maxName); name != "" {
		return name
	}
	return oneLine(u.Username, maxName)
}

// consoleUsersShow lists people.
type consoleUsersShow struct{ *Console }

type consoleUsersPage struct {
	view
	Query string
	Users []consoleUserLine
	More  string // address of the next page; empty: this is the last
}

// A consoleUserLine is a person in a list.
type consoleUserLine struct {
	ID, Username, Name, Email, Initial string
	Disabled                           bool
}

const usersPerPage = 50

func (p consoleUsersShow) serve(w http.ResponseWriter, r *http.Request) error {
	query, err := edge.Query(r)
	if err != nil {
		return &failure{status: http.StatusBadRequest, kind: "bad_form", cause: err}
	}
	wanted, after := strings.TrimSpace(query.Get("q")), query.Get("after")
	users, more, err := p.find(r.Context(), wanted, after)
	if err != nil {
		return err
	}
	page := consoleUsersPage{view: p.consoleView(r, "users", p.words(r, nil).T("console.nav.users")), Query: wanted}
	for _, u := range users {
		page.Users = append(page.Users, consoleUserLine{
			ID: u.ID, Username: oneLine(u.Username, maxName), Name: u.Name(), Email: oneLine(u.Email, maxName), Initial: initial(u.Name()), Disabled: u.Disabled(),
		})
	}
	if more {
		next := url.Values{"after": {users[len(users)-1].Username}}
		if wanted != "" {
			next.Set("q", wanted)
		}
		page.More = p.base + "/users?" + next.Encode()
	}
	return p.render(w, "console/users", http.StatusOK, page, policy{})
}

// find returns the people of a page: whoever has exactly this name, address or id, then those
// whose username begins with it. Usernames come in the order of their canonical form, so
// these are neighbours.
func (p consoleUsersShow) find(ctx context.Context, wanted, after string) (users []consoleUser, more bool, err error) {
	beginning, wrong := "", error(nil)
	if wanted != "" {
		if after == "" {
			if users, err = p.named(ctx, wanted); err != nil {
				return nil, false, err
			}
			after = wanted
		}
		if beginning, wrong = idp.CanonicalUsername(wanted); wrong != nil {
			return users, false, nil // an address: no username begins like that
		}
	}
	query := url.Values{"limit": {strconv.Itoa(usersPerPage + 1)}}
	if after != "" {
		query.Set("after", after)
	}
	var found []consoleUser
	if err := p.ask(ctx, http.MethodGet, "/users?"+query.Encode(), nil, &found); err != nil {
		return nil, false, err
	}
	more = len(found) > usersPerPage
	found = found[:min(len(found), usersPerPage)]
	if end := slices.IndexFunc(found, func(u consoleUser) bool {
		name, err := idp.CanonicalUsername(u.Username)
		return err == nil && !strings.HasPrefix(name, beginning)
	}); end >= 0 {
		found, more = found[:end], false
	}
	return append(users, found...), more, nil
}

// named returns the one person who has this name, address or id, or nobody.
func (p consoleUsersShow) named(ctx context.Context, name string) ([]consoleUser, error) {
	if name == "." || name == ".." { // no part of a path
		return nil, nil
	}
	var found consoleUser
	err := p.ask(ctx, http.MethodGet, apiPath("users", name), nil, &found)
	if errors.Is(err, idp.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []consoleUser{found}, nil
}
