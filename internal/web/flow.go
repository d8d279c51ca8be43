package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
)

// requestStore finds authorization requests. One of another browser is not found.
type requestStore interface {
	AuthRequest(ctx context.Context, id string, browserHash [32]byte, now time.Time) (idp.AuthRequest, error)
}

// requests loads the authorization request that a page works for.
type requests struct {
	store     requestStore
	directory Directory
	sessions  *session.Manager
	base      string // path of the public URL
}

// A request is an authorization request, the app it comes from, and the hash of the
// browser that it belongs to.
type request struct {
	idp.AuthRequest
	Client      idp.Client
	BrowserHash [32]byte
	base        string
}

// errNoFlow says that the page was opened without an authorization request.
var errNoFlow = errors.New("no flow")

// load finds the request that the query names; errNoFlow if it names none. All state is
// in the database; the browser shows the id and the cookie of the flow (OAU-21).
// A request of another browser looks like one that is over: a link to a stranger's login
// must lead nowhere (login CSRF, RFC 9700 §4.7).
func (q requests) load(r *http.Request, now time.Time) (request, error) {
	query, err := edge.Query(r)
	if err != nil {
		return request{}, gone(err)
	}
	if _, given := query["flow"]; !given {
		return request{}, errNoFlow
	}
	id := query.Get("flow")
	if !secret.IsID(id) {
		return request{}, gone(fmt.Errorf("flow id: %w", idp.ErrInvalid))
	}
	hash, err := q.sessions.FlowHash(r)
	if errors.Is(err, session.ErrDuplicate) {
		return request{}, &failure{status: http.StatusBadRequest, kind: "duplicate_cookie", cause: err}
	}
	if err != nil {
		return request{}, gone(err)
	}
	req, err := q.store.AuthRequest(r.Context(), id, hash, now)
	if err != nil {
		return request{}, stepError(err)
	}
	client, err := q.directory.Client(r.Context(), req.ClientID)
	if errors.Is(err, idp.ErrNotFound) || err == nil && client.Disabled() {
		return request{}, gone(fmt.Errorf("app of the flow: %w", idp.ErrNotFound))
	}
	if err != nil {
		return request{}, fmt.Errorf("app of the flow: %w", err)
	}
	return request{req, client, hash, q.base}, nil
}

// must is load for pages that exist within a flow only.
func (q requests) must(r *http.Request, now time.Time) (request, error) {
	req, err := q.load(r, now)
	if errors.Is(err, errNoFlow) {
		return request{}, gone(err)
	}
	return req, err
}

// stepError translates an error of a step: what is not found, over or done is to be
// started again at the app.
func stepError(err error) error {
	for _, over := range [...]error{idp.ErrNotFound, idp.ErrExpired, idp.ErrConsumed} {
		if errors.Is(err, over) {
			return gone(err)
		}
	}
	return fmt.Errorf("flow: %w", err)
}

func gone(cause error) error {
	return &failure{status: http.StatusBadRequest, kind: "flow_gone", cause: cause}
}

// proceed hands the flow back: what comes next is decided in one place.
func (req request) proceed(w http.ResponseWriter) { sendTo(w, req.at("/authorize/continue")) }

// at is the address of a page within this flow.
func (req request) at(path string) string { return req.base + path + "?flow=" + req.ID }
