package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// A consoleSession is a login as the API shows one.
type consoleSession struct {
	ID         string    `json:"sid"`
	AuthTime   time.Time `json:"auth_time"`
	LastSeenAt time.Time `json:"last_seen_at"`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"user_agent"`
}

// A consoleGrant is what a person allowed an app, as the API shows it.
type consoleGrant struct {
	ClientID   string    `json:"client_id"`
	Scopes     []string  `json:"scopes"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
}

// consoleUserShow is all that there is about one person.
type consoleUserShow struct{ *Console }

type consoleUserPage struct {
	view
	Person   consoleUser
	Called   string // the person, in one line
	Groups   []string
	Created  instant
	Disabled *instant // nil: the person may sign in
	Sessions []sessionLine
	Apps     []consoleApp
	Events   []eventLine
}

// A consoleApp is an app that may act for the person.
type consoleApp struct {
	ClientID, Name, Initial string
	Scopes                  []string
	First                   instant
	Last                    *instant // nil: never used
	first, last             time.Time
}

const userEvents = 20 // that the page of a person shows

func (p consoleUserShow) serve(w http.ResponseWriter, r *http.Request) error {
	ctx, now, id := r.Context(), p.now(), r.PathValue("user")
	if !secret.IsID(id) {
		return &failure{status: http.StatusNotFound, kind: "console_gone", cause: idp.ErrNotFound}
	}
	var (
		user     consoleUser
		sessions []consoleSession
		grants   []consoleGrant
		events   []consoleEvent
	)
	query := url.Values{"user": {id}, "limit": {strconv.Itoa(userEvents)}}
	for _, part := range []struct {
		path string
		out  any
	}{
		{apiPath("users", id), &user}, {apiPath("users", id, "sessions"), &sessions},
		{apiPath("users", id, "grants"), &grants}, {"/events?" + query.Encode(), &events},
	} {
		if err := p.ask(ctx, http.MethodGet, part.path, nil, part.out); err != nil {
			return err
		}
	}
	page := consoleUserPage{view: p.consoleView(r, "users", user.Name()), Person: user, Called: user.Name()}
	page.Created = page.instant(user.CreatedAt, now)
	if user.Disabled() {
		at := page.instant(user.DisabledAt, now)
		page.Disabled = &at
	}
	for _, g := range user.Groups {
		page.Groups = append(page.Groups, oneLine(g, maxName))
	}
	for _, s := range sessions {
		device := deviceOf(s.UserAgent)
		page.Sessions = append(page.Sessions, sessionLine{
			ID: s.ID, Phone: device.Phone, Device: page.Device(device), IP: s.IP,
			Began: page.instant(s.AuthTime, now), LastSeen: page.instant(s.LastSeenAt, now),
		})
	}
	names := map[string]string{}
	if err := p.apps(ctx, &page, grants, names, now); err != nil {
		return err
	}
	telling := p.others[page.Lang]
	for _, e := range events {
		if err := p.nameClient(ctx, names, e.ClientID); err != nil {
			return err
		}
		page.Events = append(page.Events, lineOf(telling, e.event(), names, now))
	}
	return p.render(w, "console/user", http.StatusOK, page, policy{})
}

// apps gathers the grants by app, the newest first.
func (p consoleUserShow) apps(ctx context.Context, page *consoleUserPage, grants []consoleGrant, names map[string]string, now time.Time) error {
	for _, g := range grants {
		if err := p.nameClient(ctx, names, g.ClientID); err != nil {
			return err
		}
		i := slices.IndexFunc(page.Apps, func(a consoleApp) bool { return a.ClientID == g.ClientID })
		if i < 0 {
			name := names[g.ClientID]
			page.Apps = append(page.Apps, consoleApp{ClientID: g.ClientID, Name: name, Initial: initial(name), first: g.CreatedAt})
			i = len(page.Apps) - 1
		}
		a := &page.Apps[i]
		a.Scopes = append(a.Scopes, g.Scopes...)
		if g.CreatedAt.Before(a.first) {
			a.first = g.CreatedAt
		}
		if g.LastUsedAt.After(a.last) {
			a.last = g.LastUsedAt
		}
	}
	for i := range page.Apps {
		a := &page.Apps[i]
		slices.Sort(a.Scopes)
		a.Scopes = slices.Compact(a.Scopes)
		a.First = page.instant(a.first, now)
		if !a.last.IsZero() {
			last := page.instant(a.last, now)
			a.Last = &last
		}
	}
	slices.SortStableFunc(page.Apps, func(a, b consoleApp) int { return b.first.Compare(a.first) })
	return nil
}

// nameClient finds the name of an app, unless it is in names already. One that is gone is
// called by its id.
func (c *Console) nameClient(ctx context.Context, names map[string]string, id string) error {
	if _, known := names[id]; known || id == "" {
		return nil
	}
	var client struct {
		Name string `json:"client_name"`
	}
	err := c.ask(ctx, http.MethodGet, apiPath("clients", id), nil, &client)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return err
	}
	if names[id] = oneLine(client.Name, maxName); names[id] == "" {
		names[id] = oneLine(id, maxName)
	}
	return nil
}
