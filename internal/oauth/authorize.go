package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
)

// maxAuthorizeForm bounds POST /authorize; the query has its own bound.
const maxAuthorizeForm = 16 << 10

// authorizeStore is what the authorization endpoint needs of the database.
type authorizeStore interface {
	CreateAuthRequest(ctx context.Context, r idp.AuthRequest, network string, perNetwork, total int, now time.Time) error
	Consent(ctx context.Context, userID, clientID, resource string) (idp.Consent, error)
	PushedRequest(ctx context.Context, hash [32]byte, clientID string, now time.Time) (idp.PushedRequest, error)
	IssueCode(ctx context.Context, by idp.Actor, a idp.Approval, g idp.Grant, c idp.Code, now time.Time) error
}

// authorizeEndpoint is /authorize (RFC 6749 §3.1, OpenID Connect Core §3.1.2). Nothing
// redirects to a client before the client and its redirect URI are proven.
type authorizeEndpoint struct {
	base      string
	directory clientDirectory
	checks    *requestChecks
	store     authorizeStore
	sessions  *session.Manager
	codes     codeMaker
	pages     pageErrors
	quotas    Quotas
	now       func() time.Time
}

// get answers at once when nothing has to be asked; else it stores the request and
// sends the browser to the first page.
func (e *authorizeEndpoint) get(w http.ResponseWriter, r *http.Request) error {
	form, err := edge.Query(r)
	if err != nil {
		return badRequest(formError(err).Description, err)
	}
	now := e.now()
	asked, err := e.read(r.Context(), form, now)
	if err != nil {
		return toStrangers(err)
	}
	sess, consent, err := present(r, e.sessions, e.store, asked.req)
	if err != nil {
		return asked.answer(err)
	}
	step := authn.Next(asked.req, sess, asked.client, consent, now)
	switch step.Kind {
	case authn.StepDone:
		return e.finish(w, r, asked, *sess, idp.Approval{SessionID: sess.ID, Consent: step.Consented, PushedHash: asked.req.PushedHash}, now)
	case authn.StepError:
		err := asked.answer(refuse(Code(step.Error), ""))
		if sess == nil {
			err = toStrangers(err)
		}
		return err
	}
	id, err := e.keep(w, r, asked.req, now)
	if err != nil {
		return err
	}
	seeOther(w, e.base+pagePath[step.Kind]+"?flow="+id)
	return nil
}

// post never looks at the session: a form of another site does not bring our cookies
// (SameSite=Lax), so it would always look logged out. A redirect to ourselves does.
func (e *authorizeEndpoint) post(w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery != "" {
		return badRequest("POST /authorize reads the body; leave the query empty", nil)
	}
	form, err := edge.Form(w, r, maxAuthorizeForm)
	if err != nil {
		return badRequest(formError(err).Description, err)
	}
	now := e.now()
	asked, err := e.read(r.Context(), form, now)
	if err != nil {
		return toStrangers(err)
	}
	id, err := e.keep(w, r, asked.req, now)
	switch {
	case err == nil:
	case !asked.req.Prompted("none"):
		return err
	case errors.Is(err, idp.ErrLimited): // OpenID Connect Core §3.1.2.6: no page, whatever is in the way
		return asked.answer(&Error{Code: TemporarilyUnavailable, Cause: err})
	default:
		return asked.answer(err)
	}
	seeOther(w, e.base+"/authorize/continue?flow="+id)
	return nil
}

// read proves the client, and reads what it asks: here, or where it pushed that before.
func (e *authorizeEndpoint) read(ctx context.Context, form url.Values, now time.Time) (*asking, error) {
	client, err := provenClient(ctx, e.directory, form.Get("client_id"))
	if err != nil {
		return nil, err
	}
	if uri := form.Get("request_uri"); strings.HasPrefix(uri, pushedPrefix) {
		return e.pushed(ctx, client, uri, now)
	}
	return e.checks.run(ctx, asking{client: client}, form, now)
}

// pushed reads a pushed request (RFC 9126 §4). Parameters beside its name count for
// nothing. Until it is found nobody has proven a redirect URI, so what is wrong with the
// name is told to the person.
func (e *authorizeEndpoint) pushed(ctx context.Context, client idp.Client, uri string, now time.Time) (*asking, error) {
	hash, err := pushedHash(uri)
	if err != nil {
		return nil, requestGone(err)
	}
	p, err := e.store.PushedRequest(ctx, hash, client.ID, now)
	if errors.Is(err, idp.ErrNotFound) {
		return nil, requestGone(err)
	}
	if err != nil {
		return nil, err
	}
	if !registeredRedirect(client, p.Request.RedirectURI) { // taken away since
		return nil, badRedirect(client, p.Request.RedirectURI)
	}
	asked := &asking{client: client, checks: e.checks, pushed: true, req: p.Request}
	asked.req.CreatedAt, asked.req.ExpiresAt = now, now.Add(e.checks.lifetime)
	return asked, nil
}

// requestGone is the answer for a name that was never given, not to this client, too long
// ago, or whose request was answered. It does not tell which.
func requestGone(cause error) error {
	return &pageError{
		status: http.StatusBadRequest, cause: cause,
		problem: Problem{overPage.Title, overPage.Text, "invalid_request_uri: request_uri is unknown, expired, used, or another client's. Push the request again."},
	}
}

// finish issues the code without ever storing the request.
func (e *authorizeEndpoint) finish(w http.ResponseWriter, r *http.Request, asked *asking, sess idp.Session, a idp.Approval, now time.Time) error {
	code, g, c := e.codes.make(asked.req, asked.client, sess, now)
	err := e.store.IssueCode(r.Context(), edge.Actor(r, "user", g.UserID), a, g, c, now)
	if errors.Is(err, idp.ErrConsumed) { // the pushed request, in another window
		return requestGone(err)
	}
	if errors.Is(err, idp.ErrDenied) { // logged out, disabled or revoked at this very moment
		return asked.answer(&Error{Code: AccessDenied, Cause: err})
	}
	if err != nil {
		return asked.answer(err)
	}
	e.pages.answerTo(w, r, e.checks.issuer, asked.req, codeAnswer(code))
	return nil
}

// keep stores the request for the pages, bound to this browser.
func (e *authorizeEndpoint) keep(w http.ResponseWriter, r *http.Request, req idp.AuthRequest, now time.Time) (id string, err error) {
	req.ID, req.BrowserHash = secret.ID(), e.sessions.Flow(w, r)
	err = e.store.CreateAuthRequest(r.Context(), req, edge.Network(edge.ClientAddr(r)), e.quotas.PerNetwork, e.quotas.Total, now)
	if errors.Is(err, idp.ErrLimited) {
		return "", &pageError{status: http.StatusTooManyRequests, problem: tooManyFlows, cause: err}
	}
	return req.ID, err
}
