package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/signet-id/signet/internal/idp"
)

// consoleLogShow lists what happened on the server, the newest first.
type consoleLogShow struct{ *Console }

type consoleLogPage struct {
	view
	Events []consoleLogLine
	Older  string // address of the next page; empty: this is the last
}

// A consoleLogLine is an event in words, with whom it concerns.
type consoleLogLine struct {
	eventLine
	Who    string // empty: nobody in particular
	Page   string // where that person is shown; empty: there is none any more
	Did    string // who did it, if not that person
	Target string // the id of what it was done to
}

func (p consoleLogShow) serve(w http.ResponseWriter, r *http.Request) error {
	before, err := beforeID(r)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(eventsPerPage + 1)}}
	if before > 0 {
		query.Set("before", strconv.FormatInt(before, 10))
	}
	var found []consoleEvent
	if err := p.ask(r.Context(), http.MethodGet, "/events?"+query.Encode(), nil, &found); err != nil {
		return err
	}
	page := consoleLogPage{view: p.consoleView(r, "log", p.words(r, nil).T("console.nav.log"))}
	if len(found) > eventsPerPage {
		found = found[:eventsPerPage]
		page.Older = p.base + "/log?before=" + strconv.FormatInt(found[eventsPerPage-1].ID, 10)
	}
	apps, people, err := p.named(r.Context(), found)
	if err != nil {
		return err
	}
	texts, now := p.others[page.Lang], p.now()
	for _, e := range found {
		e.ClientID = e.app()
		line := consoleLogLine{eventLine: lineOf(texts, e.event(), apps, now)}
		if e.UserID != "" {
			line.Who = oneLine(e.UserID, maxName)
			if name := people[e.UserID]; name != "" {
				line.Who, line.Page = name, p.base+apiPath("users", e.UserID)
			}
		}
		if key := "console.log.by." + e.ActorKind; texts.Has(key) {
			line.Did = texts.T(key)
		}
		if e.Target != e.UserID {
			line.Target = oneLine(e.Target, maxShownID)
		}
		page.Events = append(page.Events, line)
	}
	return p.render(w, "console/log", http.StatusOK, page, policy{})
}

// named finds the names of apps and people in the log; who is gone has none.
func (p consoleLogShow) named(ctx context.Context, events []consoleEvent) (apps, people map[string]string, err error) {
	apps, people = map[string]string{}, map[string]string{}
	for _, e := range events {
		if id := e.app(); id != "" && apps[id] == "" {
			app, err := p.client(ctx, id)
			if err != nil && !errors.Is(err, idp.ErrNotFound) {
				return nil, nil, err
			}
			app.ID = id
			apps[id] = app.Called()
		}
		if _, asked := people[e.UserID]; !asked && e.UserID != "" {
			user, err := p.person(ctx, e.UserID)
			if err != nil && !errors.Is(err, idp.ErrNotFound) {
				return nil, nil, err
			}
			people[e.UserID] = user.Name() // empty: gone
		}
	}
	return apps, people, nil
}

// person asks for somebody by their id.
func (c *Console) person(ctx context.Context, id string) (u consoleUser, err error) {
	return u, c.ask(ctx, http.MethodGet, apiPath("users", id), nil, &u)
}
