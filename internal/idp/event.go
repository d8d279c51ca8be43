package idp

import "time"

// Actor is who does something, for the audit log.
type Actor struct {
	Kind      string // "user", "client", "operator", "system", "anonymous"
	ID        string
	IP        string
	UserAgent string
}

// Event is a row of the audit log: something changed or was refused.
type Event struct {
	ID       int64
	At       time.Time
	Actor    Actor
	UserID   string // the person whom it concerns, in whose log it stands; empty if none
	Action   string // "login", "grant.revoke", …: noun.verb
	Target   string // the id of what was acted on
	ClientID string
	Result   string // "ok" or "refused"
	Reason   string // a fixed text, never input
}
