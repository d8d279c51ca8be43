package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
	"github.com/signet-id/signet/internal/token"
)

// maxAuthorizeForm bounds POST /authorize; the query has its own bound.
const maxAuthorizeForm = 16 << 10

// authorizeStore is what the authorization endpoint needs of the database.
type authorizeStore interface {
	CreateAuthRequest(ctx context.Context, r idp.AuthRequest, network string, perNetwork, total int, now time.Time) error
	Consent(ctx context.Context, userID, clientID, resource string) (idp.Consent, error)
	IssueCode(ctx context.Context, by idp.Actor, a idp.Approval, g idp.Grant, c idp.Code, now time.Time) error
}

// authorizeEndpoint is /authorize (RFC 6749 §3.1, OpenID Connect Core §3.1.2). Nothing
// redirects to a client before the client and its redirect URI are proven.
type authorizeEndpoint struct {
	issuer    string
	base      string
	directory clientDirectory
	audiences audiences
	tokens    *token.Issuer
	store     authorizeStore
	sessions  *session.Manager
	codes     codeMaker
	lifetime  time.Duration
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
	asked, err := e.check(r.Context(), form, now)
	if err != nil {
		return err
	}
	sess, consent, err := present(r, e.sessions, e.store, asked.req)
	if err != nil {
		return asked.answer(err)
	}
	step := authn.Next(asked.req, sess, asked.client, consent, now)
	switch step.Kind {
	case authn.StepDone:
		return e.finish(w, r, asked, *sess, idp.Approval{SessionID: sess.ID, Consent: step.Consented}, now)
	case authn.StepError:
		return asked.answer(refuse(Code(step.Error), ""))
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
	asked, err := e.check(r.Context(), form, now)
	if err != nil {
		return err
	}
	id, err := e.keep(w, r, asked.req, now)
	if err != nil {
		return err
	}
	seeOther(w, e.base+"/authorize/continue?flow="+id)
	return nil
}

// check proves client and redirect URI and then runs the table of checks. The first
// ends in a page, the second in an answer to the client.
func (e *authorizeEndpoint) check(ctx context.Context, form url.Values, now time.Time) (*asking, error) {
	client, err := provenClient(ctx, e.directory, form.Get("client_id"))
	if err != nil {
		return nil, err
	}
	uri := form.Get("redirect_uri")
	if !registeredRedirect(client, uri) {
		return nil, badRedirect(client, uri)
	}
	asked := &asking{form: form, client: client, endpoint: e, req: idp.AuthRequest{
		ClientID: client.ID, RedirectURI: uri, MaxAge: -1, CreatedAt: now, ExpiresAt: now.Add(e.lifetime),
	}}
	for _, c := range authorizeChecks {
		if err := c.check(ctx, asked); err != nil {
			return nil, asked.answer(err)
		}
	}
	return asked, nil
}

// finish issues the code without ever storing the request.
func (e *authorizeEndpoint) finish(w http.ResponseWriter, r *http.Request, asked *asking, sess idp.Session, a idp.Approval, now time.Time) error {
	code, g, c := e.codes.make(asked.req, asked.client, sess, now)
	err := e.store.IssueCode(r.Context(), edge.Actor(r, "user", g.UserID), a, g, c, now)
	if errors.Is(err, idp.ErrDenied) { // logged out, disabled or revoked at this very moment
		return asked.answer(&Error{Code: AccessDenied, Cause: err})
	}
	if err != nil {
		return asked.answer(err)
	}
	seeOther(w, codeAnswer(e.issuer, asked.req, code))
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
