package web

import (
	"maps"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// A consoleEvent is a line of the audit log as the API shows it.
type consoleEvent struct {
	ID        int64     `json:"id"`
	At        time.Time `json:"at"`
	ActorKind string    `json:"actor_kind"`
	ActorID   string    `json:"actor_id"`
	UserID    string    `json:"user_id"`
	IP        string    `json:"ip"`
	UserAgent string    `json:"user_agent"`
	Action    string    `json:"action"`
	Target    string    `json:"target"`
	ClientID  string    `json:"client_id"`
	Result    string    `json:"result"`
	Reason    string    `json:"reason"`
}

func (e consoleEvent) event() idp.Event {
	return idp.Event{
		ID: e.ID, At: e.At, Actor: idp.Actor{Kind: e.ActorKind, ID: e.ActorID, IP: e.IP, UserAgent: e.UserAgent},
		UserID: e.UserID, Action: e.Action, Target: e.Target, ClientID: e.ClientID, Result: e.Result, Reason: e.Reason,
	}
}

// app is the id of the app that the event concerns, or that did it.
func (e consoleEvent) app() string {
	if e.ClientID == "" && e.ActorKind == "client" {
		return e.ActorID
	}
	return e.ClientID
}

// aboutOthers returns the words with those texts of events replaced that speak to the person
// whom they concern: the operator reads about somebody else.
func (w words) aboutOthers() words {
	w.text = maps.Clone(w.text)
	for key, text := range w.text {
		if event, ok := strings.CutPrefix(key, "console.event."); ok {
			w.text["event."+event] = text
		}
	}
	return w
}
