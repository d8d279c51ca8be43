package web

import (
	"fmt"
	"net/http"
)

// accountShow is the home of an account: who one is, and ways to the other pages.
type accountShow struct {
	*site
	store accountStore
}

// accountStore counts what the home speaks of.
type accountStore interface {
	sessionLister
	appLister
	eventStore
}

type accountPage struct {
	view
	Person   person
	Verified bool // the address
	Groups   []string
	Sessions int
	Apps     int
	Last     *eventLine // nil: nothing yet
}

func (p accountShow) serve(w http.ResponseWriter, r *http.Request, v visit) error {
	ctx, now := r.Context(), p.now()
	sessions, err := p.store.Sessions(ctx, v.UserID, now)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	apps, err := connected(ctx, p.store, v.UserID, now)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	events, err := p.store.Events(ctx, v.UserID, 0, 1)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	page := accountPage{
		view: p.accountView(w, r, v, "overview"), Person: personOf(v.User), Verified: v.User.EmailVerified,
		Sessions: len(sessions), Apps: len(apps),
	}
	for _, g := range v.User.Groups {
		page.Groups = append(page.Groups, oneLine(g, maxName))
	}
	if len(events) > 0 {
		line := lineOf(page.words, events[0], nil, now)
		page.Last = &line
	}
	return p.render(w, "overview", http.StatusOK, page, policy{})
}
