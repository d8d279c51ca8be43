package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// eventStore reads the audit log.
type eventStore interface {
	Events(ctx context.Context, userID string, beforeID int64, limit int) ([]idp.Event, error)
}

// securityShow lists what happened in the person's account.
type securityShow struct {
	*site
	store     eventStore
	directory Directory
}

type securityPage struct {
	view
	Events []eventLine
	Older  string // address of the next page; empty: this is the last
}

// An eventLine is an event of the audit log in words.
type eventLine struct {
	Words   string
	Refused bool   // something was tried that did not work
	Device  string // empty: not known
	IP      string
	At      instant
}

const eventsPerPage = 50

func (p securityShow) serve(w http.ResponseWriter, r *http.Request, v visit) error {
	before, err := beforeID(r)
	if err != nil {
		return err
	}
	ctx, now := r.Context(), p.now()
	events, err := p.store.Events(ctx, v.UserID, before, eventsPerPage+1)
	if err != nil {
		return fmt.Errorf("security log: %w", err)
	}
	page := securityPage{view: p.accountView(w, r, v, "security")}
	if len(events) > eventsPerPage {
		events = events[:eventsPerPage]
		page.Older = p.base + "/account/security?before=" + strconv.FormatInt(events[len(events)-1].ID, 10)
	}
	names := p.appNames(ctx, events)
	for _, e := range events {
		page.Events = append(page.Events, lineOf(page.words, e, names, now))
	}
	return p.render(w, "security", http.StatusOK, page, policy{})
}

// beforeID reads where the page begins; 0: with the newest.
func beforeID(r *http.Request) (int64, error) {
	query, err := edge.Query(r)
	if err != nil {
		return 0, &failure{status: http.StatusBadRequest, kind: "bad_form", cause: err}
	}
	given := query.Get("before")
	if given == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(given, 10, 64)
	if err != nil || id <= 0 {
		return 0, badChoice("before")
	}
	return id, nil
}

// appNames finds the names of apps in the log; apps that are gone have none.
func (p securityShow) appNames(ctx context.Context, events []idp.Event) map[string]string {
	names := map[string]string{}
	for _, e := range events {
		if _, asked := names[e.ClientID]; asked || e.ClientID == "" {
			continue
		}
		if client, err := p.directory.Client(ctx, e.ClientID); err == nil {
			names[e.ClientID] = appName(client)
		} else {
			names[e.ClientID] = oneLine(e.ClientID, maxName)
		}
	}
	return names
}

// saidNo holds for what the person refused, not we.
func saidNo(action string) bool { return action == "consent.deny" || action == "device.deny" }

// lineOf says what happened. An action without words of its own is shown by its name:
// nothing in the log is hidden from the person whom it concerns.
func lineOf(words words, e idp.Event, names map[string]string, now time.Time) eventLine {
	line := eventLine{Refused: e.Result == "refused" && !saidNo(e.Action), IP: e.Actor.IP, At: words.instant(e.At, now)}
	key := "event." + e.Action
	if line.Refused && words.Has(key+".refused") {
		key += ".refused"
	}
	switch {
	case words.Has(key+".by_operator") && e.Actor.Kind == "operator":
		line.Words = words.T(key + ".by_operator")
	case words.Has(key+".app") && names[e.ClientID] != "":
		line.Words = words.T(key+".app", names[e.ClientID])
	case words.Has(key):
		line.Words = words.T(key)
	default:
		line.Words = words.T("event.other", oneLine(e.Action, maxName))
	}
	if e.Actor.UserAgent != "" && e.Actor.Kind != "client" {
		line.Device = words.Device(deviceOf(e.Actor.UserAgent))
	}
	return line
}
