package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
)

// pagePath is where each step of a login is taken.
var pagePath = map[authn.StepKind]string{
	authn.StepLogin:         "/login",
	authn.StepSelectAccount: "/select-account",
	authn.StepConfirm:       "/device/confirm",
	authn.StepConsent:       "/consent",
}

// codeMaker makes what a request ends with that got its yes.
type codeMaker struct{ lifetimes Lifetimes }

// shortGrant is how long a grant lives whose client has no refresh tokens: longer than
// any access token.
const shortGrant = 24 * time.Hour

func (m codeMaker) make(req idp.AuthRequest, client idp.Client, sess idp.Session, now time.Time) (secret.Text, idp.Grant, idp.Code) {
	g := m.grant(req, client, sess, now)
	code := secret.New(secret.Code)
	return code, g, idp.Code{
		Hash: secret.Hash("code", code), GrantID: g.ID, ClientID: client.ID, RedirectURI: req.RedirectURI,
		CodeChallenge: req.CodeChallenge, JKT: req.JKT, ExpiresAt: now.Add(m.lifetimes.Code),
	}
}

// grant makes what the person allows.
func (m codeMaker) grant(req idp.AuthRequest, client idp.Client, sess idp.Session, now time.Time) idp.Grant {
	g := idp.Grant{
		ID: secret.ID(), UserID: sess.UserID, ClientID: client.ID, SessionID: sess.ID, Resource: req.Resource, Scopes: req.Scopes, Claims: req.Claims,
		Nonce: req.Nonce, AuthTime: sess.AuthTime, ACR: sess.ACR, AMR: sess.AMR, CreatedAt: now, ExpiresAt: now.Add(shortGrant),
	}
	if client.MayUse(idp.GrantRefreshToken) {
		g.ExpiresAt = now.Add(m.lifetimes.Refresh)
	}
	if slices.Contains(req.Scopes, idp.ScopeOfflineAccess) {
		g.SessionID = "" // OpenID Connect Core §11: it outlives the login
	}
	return g
}

// redirectError is an error that the client is told (RFC 6749 §4.1.2.1). It is made only
// after the client and its redirect URI are proven.
type redirectError struct {
	issuer   string
	req      idp.AuthRequest
	cause    *Error
	stranger bool // the client is of no operator, and its address is on the web
}

func (e *redirectError) Error() string { return e.cause.Error() }
func (e *redirectError) Unwrap() error { return e.cause }

func isStranger(c idp.Client, req idp.AuthRequest) bool {
	return c.Unverified() && strings.HasPrefix(req.RedirectURI, "https://")
}

// toStrangers turns an error for a client that no operator knows into a page, where nobody
// has signed in yet. Everybody can have such a client, with an address that looks like
// ours, and would otherwise send people there by a link of ours that is refused at once
// (RFC 9700 §4.11.2). Programs on the person's own computer are still told.
func toStrangers(err error) error {
	e, ok := errors.AsType[*redirectError](err)
	if !ok || !e.stranger {
		return err
	}
	detail := "The client is none of an operator's, so nobody is sent to its redirect_uri before they signed in. It would have been told: " +
		string(e.cause.Code) + ": " + e.cause.Description
	return badRequest(strings.TrimSuffix(detail, ": "), e.cause)
}

// answer is what the client is told.
func (e *redirectError) answer() url.Values {
	answer := url.Values{"error": {string(e.cause.Code)}}
	if e.cause.Description != "" {
		answer.Set("error_description", e.cause.Description)
	}
	return answer
}

// codeAnswer is the good one (RFC 6749 §4.1.2).
func codeAnswer(code secret.Text) url.Values { return url.Values{"code": {code.Reveal()}} }

// seeOther sends the browser on, always with GET: after a form, 307 would send the
// password along (RFC 9700 §4.12).
func seeOther(w http.ResponseWriter, location string) {
	h := w.Header()
	h.Set("Location", location)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

// consentStore tells what a person has said yes to.
type consentStore interface {
	Consent(ctx context.Context, userID, clientID, resource string) (idp.Consent, error)
}

// present returns who is at the browser, and what they have said yes to before.
func present(r *http.Request, sessions *session.Manager, store consentStore, req idp.AuthRequest) (*idp.Session, *idp.Consent, error) {
	sess, _, err := sessions.FromRequest(r)
	if errors.Is(err, idp.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	consent, err := store.Consent(r.Context(), sess.UserID, req.ClientID, req.Resource)
	if errors.Is(err, idp.ErrNotFound) {
		return &sess, nil, nil
	}
	return &sess, &consent, err
}
