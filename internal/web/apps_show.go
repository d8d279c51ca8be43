package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// appLister lists what a person allowed.
type appLister interface {
	Consents(ctx context.Context, userID string) ([]idp.Consent, error)
	Grants(ctx context.Context, userID string, now time.Time) ([]idp.Grant, error)
}

// appStore is what the page of apps needs of the database.
type appStore interface {
	appLister
	RevokeApp(ctx context.Context, by idp.Actor, userID, clientID string, now time.Time) (int, error)
}

// appsShow lists the apps that may act for the person.
type appsShow struct {
	*site
	store       appStore
	directory   Directory
	permissions permissions
}

type appsPage struct {
	view
	Apps []appLine
}

// An appLine is an app in words.
type appLine struct {
	ClientID string
	App      *app
	Initial  string
	May      []permission
	First    instant
	Last     *instant // nil: never used
	Offline  bool     // also when the person is signed out
}

// A connection is what is known of a person and an app: consents and live grants.
type connection struct {
	ClientID    string
	Asked       map[string][]string // scopes by resource
	First, Last time.Time           // Last is zero if it was never used
	Offline     bool
}

// connected gathers the connections of a person, the newest first. Apps of our own have
// no consent, but grants: they may be disconnected as well.
func connected(ctx context.Context, store appLister, userID string, now time.Time) ([]*connection, error) {
	consents, err := store.Consents(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("consents: %w", err)
	}
	grants, err := store.Grants(ctx, userID, now)
	if err != nil {
		return nil, fmt.Errorf("grants: %w", err)
	}
	var list []*connection
	of := func(clientID string, first time.Time) *connection {
		i := slices.IndexFunc(list, func(c *connection) bool { return c.ClientID == clientID })
		if i < 0 {
			list = append(list, &connection{ClientID: clientID, Asked: map[string][]string{}, First: first})
			i = len(list) - 1
		}
		if first.Before(list[i].First) {
			list[i].First = first
		}
		return list[i]
	}
	for _, c := range consents {
		of(c.ClientID, c.CreatedAt).allow(c.Resource, c.Scopes)
	}
	for _, g := range grants {
		c := of(g.ClientID, g.CreatedAt)
		c.allow(g.Resource, g.Scopes)
		c.Offline = c.Offline || g.Offline()
		if g.LastUsedAt.After(c.Last) {
			c.Last = g.LastUsedAt
		}
	}
	slices.SortStableFunc(list, func(a, b *connection) int { return b.newest().Compare(a.newest()) })
	return list, nil
}

func (c *connection) allow(resource string, scopes []string) {
	for _, s := range scopes {
		if !slices.Contains(c.Asked[resource], s) {
			c.Asked[resource] = append(c.Asked[resource], s)
		}
	}
}

func (c *connection) newest() time.Time {
	if c.Last.IsZero() {
		return c.First
	}
	return c.Last
}

func (p appsShow) serve(w http.ResponseWriter, r *http.Request, v visit) error {
	ctx, now := r.Context(), p.now()
	list, err := connected(ctx, p.store, v.UserID, now)
	if err != nil {
		return err
	}
	page := appsPage{view: p.accountView(w, r, v, "apps")}
	for _, c := range list {
		line, err := p.line(ctx, page.words, c, now)
		if err != nil {
			return err
		}
		page.Apps = append(page.Apps, line)
	}
	return p.render(w, "apps", http.StatusOK, page, policy{})
}

func (p appsShow) line(ctx context.Context, words words, c *connection, now time.Time) (appLine, error) {
	client, err := p.directory.Client(ctx, c.ClientID)
	if errors.Is(err, idp.ErrNotFound) {
		client.ID = c.ClientID // it has just gone
	} else if err != nil {
		return appLine{}, fmt.Errorf("app: %w", err)
	}
	line := appLine{ClientID: c.ClientID, App: appOf(client), First: words.instant(c.First, now), Offline: c.Offline}
	line.Initial = initial(line.App.Name)
	if !c.Last.IsZero() {
		last := words.instant(c.Last, now)
		line.Last = &last
	}
	for resource, scopes := range c.Asked {
		told, err := p.permissions.tell(ctx, words, resource, scopes)
		if err != nil {
			return appLine{}, err
		}
		line.May = append(line.May, told.All()...)
	}
	slices.SortFunc(line.May, func(a, b permission) int { return strings.Compare(a.Scope, b.Scope) })
	line.May = slices.CompactFunc(line.May, func(a, b permission) bool { return a.Scope == b.Scope })
	return line, nil
}
