package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// Key is a signing key as the API shows it: the public half.
type Key struct {
	ID         string          `json:"kid"`
	Alg        string          `json:"alg"`
	State      string          `json:"state"` // staged, active, retiring or retired
	StagedAt   time.Time       `json:"staged_at"`
	ActiveAt   time.Time       `json:"active_at,omitzero"`
	RetiringAt time.Time       `json:"retiring_at,omitzero"`
	RetiredAt  time.Time       `json:"retired_at,omitzero"`
	Public     json.RawMessage `json:"public_jwk"`
}

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
	users users
	keys  interface {
		SigningKeys(ctx context.Context) ([]idp.SigningKey, error)
	}
	events interface {
		Events(ctx context.Context, userID string, beforeID int64, limit int) ([]idp.Event, error)
	}
}

func (e logs) listKeys(w http.ResponseWriter, r *http.Request) error {
	found, err := e.keys.SigningKeys(r.Context())
	if err != nil {
		return err
	}
	answer := make([]Key, 0, len(found))
	now := e.users.now()
	for _, k := range found {
		answer = append(answer, Key{
			ID: k.ID, Alg: k.Alg, State: keyState(k, now), Public: k.PublicJWK,
			StagedAt: k.StagedAt, ActiveAt: k.ActiveAt, RetiringAt: k.RetiringAt, RetiredAt: k.RetiredAt,
		})
	}
	return writeJSON(w, http.StatusOK, answer)
}

func keyState(k idp.SigningKey, now time.Time) string {
	begun := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	switch {
	case begun(k.RetiredAt):
		return "retired"
	case begun(k.RetiringAt):
		return "retiring"
	case begun(k.ActiveAt):
		return "active"
	}
	return "staged"
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
