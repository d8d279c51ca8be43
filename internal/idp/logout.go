package idp

import (
	"net/url"
	"strings"
	"time"
)

// LogoutNotice is one attempt to tell a client that a login has ended (OpenID Connect
// Back-Channel Logout 1.0).
type LogoutNotice struct {
	ClientID  string
	UserID    string
	SessionID string // empty: all logins of the user at the client
	QueuedAt  time.Time
	Attempt   int // from 1
}

// LogoutOutcome is what became of an attempt.
type LogoutOutcome struct {
	Told    bool
	Reason  string    // why not; a fixed text, never what the other side said
	RetryAt time.Time // zero: it is not tried again
}

// LeftApp is an app that a person was signed in to at a login that has ended.
type LeftApp struct {
	Name  string
	Told  bool   // this server tells it
	Frame string // what a browser must load for that (Front-Channel Logout 1.0 §2); may be empty
}

// LeftApps says what the end of a login means for the apps that took part in it.
func LeftApps(clients []Client, issuer, sid string) []LeftApp {
	apps := make([]LeftApp, 0, len(clients))
	for _, c := range clients {
		a := LeftApp{Name: c.Name, Told: c.BackchannelLogoutURI != ""}
		if c.FrontchannelLogoutURI != "" {
			a.Frame = frame(c.FrontchannelLogoutURI, issuer, sid)
		}
		apps = append(apps, a)
	}
	return apps
}

// frame adds who ended what: always both, so that an app can tell our page from a
// stranger's (Front-Channel Logout §2: if either is there, both must be). A registered
// query stays as it is.
func frame(uri, issuer, sid string) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + "iss=" + url.QueryEscape(issuer) + "&sid=" + url.QueryEscape(sid)
}
