package oauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/session"
)

// continueStore is what a stored request needs of the database.
type continueStore interface {
	consentStore
	AuthRequest(ctx context.Context, id string, browserHash [32]byte, now time.Time) (idp.AuthRequest, error)
	FinishAuthRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, a idp.Approval, g idp.Grant, c idp.Code, now time.Time) error
	RefuseAuthRequest(ctx context.Context, id string, browserHash [32]byte, now time.Time) error
	deviceAnswerStore
}

// continueEndpoint is GET /authorize/continue?flow=ID, where every page of a login
// returns to. The browser brings only the id and the cookie that the request is bound
// to; how far the request came stands in the database (OAU-21), and what comes next is
// computed anew each time.
type continueEndpoint struct {
	issuer    string
	base      string
	directory clientDirectory
	store     continueStore
	sessions  *session.Manager
	codes     codeMaker
	devices   deviceAnswer
	pages     pageErrors
	now       func() time.Time
}

func (e *continueEndpoint) get(w http.ResponseWriter, r *http.Request) error {
	now := e.now()
	req, err := e.request(r, now)
	if err != nil {
		return err
	}
	client, err := provenClient(r.Context(), e.directory, req.ClientID)
	if err != nil {
		return err
	}
	if req.OfDevice() {
		return e.device(w, r, req, client, now)
	}
	if !registeredRedirect(client, req.RedirectURI) { // taken away since
		return badRedirect(client, req.RedirectURI)
	}
	sess, consent, err := present(r, e.sessions, e.store, req)
	if err != nil {
		return err
	}
	step := authn.Next(req, sess, client, consent, now)
	switch step.Kind {
	case authn.StepDone:
		return e.finish(w, r, req, client, *sess, idp.Approval{SessionID: sess.ID, Consent: step.Consented}, now)
	case authn.StepError:
		err := e.refuse(r, req, client, Code(step.Error), now)
		if sess == nil {
			err = toStrangers(err)
		}
		return err
	}
	seeOther(w, e.base+pagePath[step.Kind]+"?flow="+req.ID)
	return nil
}

// request reads the stored request of this browser.
func (e *continueEndpoint) request(r *http.Request, now time.Time) (idp.AuthRequest, error) {
	query, err := edge.Query(r)
	if err != nil {
		return idp.AuthRequest{}, badRequest(formError(err).Description, err)
	}
	browser, err := e.sessions.FlowHash(r)
	if err != nil {
		return idp.AuthRequest{}, flowGone(err)
	}
	req, err := e.store.AuthRequest(r.Context(), query.Get("flow"), browser, now)
	if gone(err) {
		return idp.AuthRequest{}, flowGone(err)
	}
	return req, err
}

// finish ends the request with a code, for exactly one caller.
func (e *continueEndpoint) finish(w http.ResponseWriter, r *http.Request, req idp.AuthRequest, client idp.Client, sess idp.Session, a idp.Approval, now time.Time) error {
	code, g, c := e.codes.make(req, client, sess, now)
	err := e.store.FinishAuthRequest(r.Context(), edge.Actor(r, "user", g.UserID), req.ID, req.BrowserHash, a, g, c, now)
	if errors.Is(err, idp.ErrDenied) && req.Prompted("none") { // the login ended at this very moment; no page (OpenID Connect Core §3.1.2.6)
		return e.refuse(r, req, client, AccessDenied, now)
	}
	if gone(err) || errors.Is(err, idp.ErrDenied) {
		return flowGone(err)
	}
	if err != nil {
		return err
	}
	e.pages.answerTo(w, r, e.issuer, req, codeAnswer(code))
	return nil
}

// refuse ends the request without a grant, for exactly one caller.
func (e *continueEndpoint) refuse(r *http.Request, req idp.AuthRequest, client idp.Client, code Code, now time.Time) error {
	err := e.store.RefuseAuthRequest(r.Context(), req.ID, req.BrowserHash, now)
	if gone(err) {
		return flowGone(err)
	}
	if err != nil {
		return err
	}
	return &redirectError{issuer: e.issuer, req: req, cause: refuse(code, ""), stranger: isStranger(client, req)}
}

func gone(err error) bool { return errors.Is(err, idp.ErrNotFound) || errors.Is(err, idp.ErrConsumed) }
