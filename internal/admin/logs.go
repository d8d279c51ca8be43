package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// Event is a line of the audit log.
type Event struct {
	ID        int64     `json:"id"`
	At        time.Time `json:"at"`
	ActorKind string    `json:"actor_kind"`
	ActorID   string    `json:"actor_id,omitempty"`
	UserID    string    `json:"user_id,omitempty"`
	IP        string    `json:"ip,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Action    string    `json:"action"`
	Target    string    `json:"target,omitempty"`
	ClientID  string    `json:"client_id,omitempty"`
	Result    string    `json:"result"`
	Reason    string    `json:"reason,omitempty"`
}

type logs struct {
	users  users
	events interface {
		Events(ctx context.Context, userID string, beforeID int64, limit int) ([]idp.Event, error)
	}
}

func (e logs) listEvents(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "user", "before", "limit")
	if err != nil {
		return err
	}
	limit, err := pageSize(q)
	if err != nil {
		return err
	}
	var before int64
	if q.Has("before") {
		if before, err = strconv.ParseInt(q.Get("before"), 10, 64); err != nil || before < 1 {
			return invalid("before is not the id of an event")
		}
	}
	userID := ""
	if q.Has("user") {
		u, err := e.users.named(r.Context(), q.Get("user"))
		if err != nil {
			return err
		}
		userID = u.ID
	}
	found, err := e.events.Events(r.Context(), userID, before, limit)
	if err != nil {
		return err
	}
	answer := make([]Event, 0, len(found))
	for _, ev := range found {
		answer = append(answer, Event{
			ID: ev.ID, At: ev.At, ActorKind: ev.Actor.Kind, ActorID: ev.Actor.ID, UserID: ev.UserID, IP: ev.Actor.IP,
			UserAgent: ev.Actor.UserAgent, Action: ev.Action, Target: ev.Target, ClientID: ev.ClientID, Result: ev.Result, Reason: ev.Reason,
		})
	}
	return writeJSON(w, http.StatusOK, answer)
}
