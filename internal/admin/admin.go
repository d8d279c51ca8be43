// Package admin is the management API: JSON over HTTP on a unix socket that only the
// server's own user can open. Whoever reaches the socket may do everything here; there is
// no login, no password by default, and no listener on any network.
//
// Passwords and client secrets go in; a client secret comes out once, when it is made. No
// answer shows a hash or anything else that is stored of them.
//
// It deliberately sets no claim that identifies a token (sub, iss, aud, acr and the like):
// what can be written are the fields of the requests below and no others.
package admin

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// Config is what the API needs.
type Config struct {
	Issuer string // the public URL: no resource may be called like it
	Store  Store
	Keys   Keyring
	Bundle Bundler
	Prober Prober
	Hasher Hasher
	Now    func() time.Time
	Log    *slog.Logger
}

// Store is the database as the API uses it.
type Store interface {
	userStore
	accountStore
	sessionStore
	grantStore
	clientStore
	clientStateStore
	registrationTokenStore
	resourceStore
	backupStore
	inspectionStore
	Events(ctx context.Context, userID string, beforeID int64, limit int) ([]idp.Event, error)
}

// Hasher hashes passwords.
type Hasher interface {
	Hash(ctx context.Context, password secret.Text) (string, error)
}

// New returns the API. It is for a unix socket: see guard.go for what it refuses.
func New(cfg Config) http.Handler {
	changing := &sync.Mutex{}
	users := users{store: cfg.Store, account: cfg.Store, hasher: cfg.Hasher, now: cfg.Now, changing: changing}
	sessions := sessions{users: users, sessions: cfg.Store, grants: cfg.Store, clients: cfg.Store, now: cfg.Now}
	clients := clients{store: cfg.Store, state: cfg.Store, resources: cfg.Store, ring: cfg.Keys, now: cfg.Now, changing: changing}
	resources := resources{store: cfg.Store, ring: cfg.Keys, issuer: cfg.Issuer, now: cfg.Now, changing: changing}
	backups := backups{store: cfg.Store, now: cfg.Now, log: cfg.Log, one: &sync.Mutex{}}
	keys := keys{ring: cfg.Keys, now: cfg.Now}
	bundles := bundles{bundler: cfg.Bundle}
	probes := probes{prober: cfg.Prober}
	tokens := registrationTokens{store: cfg.Store, now: cfg.Now}
	inspection := tokenInspection{store: cfg.Store, now: cfg.Now}
	logs := logs{users: users, events: cfg.Store}

	mux := http.NewServeMux()
	for pattern, fn := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /users":                 users.list,
		"POST /users":                users.create,
		"GET /users/{user}":          users.show,
		"PATCH /users/{user}":        users.update,
		"DELETE /users/{user}":       users.remove,
		"POST /users/{user}/disable": users.disable,
		"POST /users/{user}/enable":  users.enable,
		"PUT /users/{user}/password": users.setPassword,

		"GET /users/{user}/sessions":              sessions.list,
		"DELETE /users/{user}/sessions":           sessions.endAll,
		"DELETE /users/{user}/sessions/{session}": sessions.end,
		"GET /users/{user}/grants":                sessions.listGrants,
		"DELETE /users/{user}/grants/{grant}":     sessions.revokeGrant,
		"DELETE /users/{user}/apps/{client}":      sessions.revokeApp,

		"GET /clients":                   clients.list,
		"POST /clients":                  clients.create,
		"GET /clients/{client}":          clients.show,
		"PATCH /clients/{client}":        clients.update,
		"DELETE /clients/{client}":       clients.remove,
		"POST /clients/{client}/disable": clients.disable,
		"POST /clients/{client}/enable":  clients.enable,
		"POST /clients/{client}/secret":  clients.newSecret,

		"GET /registration-tokens":            tokens.list,
		"POST /registration-tokens":           tokens.create,
		"DELETE /registration-tokens/{token}": tokens.revoke,

		"GET /resources":               resources.list,
		"PUT /resources/{resource}":    resources.put,
		"DELETE /resources/{resource}": resources.remove,

		"GET /keys":               keys.list,
		"POST /keys/rotate":       keys.rotate,
		"POST /keys/{key}/retire": keys.retire,
		"POST /keys/rewrap":       keys.rewrap,
		"POST /keys/bundle":       bundles.create,

		"GET /about":           about{cfg.Issuer}.show,
		"POST /tokens/inspect": inspection.inspect,

		"POST /probes":        probes.create,
		"GET /probes/{probe}": probes.show,

		"GET /events":  logs.listEvents,
		"POST /backup": backups.create,
	} {
		mux.Handle(pattern, edge.Handle(cfg.Log, fn, writeError))
	}
	mux.Handle("/", edge.Handle(cfg.Log, unknownRoute, writeError))
	return guard(cfg.Log, mux)
}

func unknownRoute(http.ResponseWriter, *http.Request) error {
	return &Error{Status: http.StatusNotFound, Code: "not_found", Message: "there is nothing here"}
}

// operator is who acts: somebody who can open the socket.
func operator(r *http.Request) idp.Actor { return edge.Actor(r, "operator", "") }
