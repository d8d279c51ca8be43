package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/session"
	"github.com/signet-id/signet/internal/token"
)

const (
	maxLogoutForm = 32 << 10
	maxLocales    = 200
)

// logoutStore is what the logout endpoint needs of the database.
type logoutStore interface {
	EndSession(ctx context.Context, by idp.Actor, userID, sid string, now time.Time) error
	SessionClients(ctx context.Context, userID, sid string) ([]idp.Client, error)
}

// LogoutNotifier tells the clients of a session that has just ended (Back-Channel Logout
// §2.5), and comes back when they know it or after a short while.
type LogoutNotifier interface {
	Deliver(ctx context.Context, sid string)
}

// logoutEndpoint is /logout (OpenID Connect RP-Initiated Logout §2). Only who shows an
// ID token of this very login may end it unasked; everybody else makes the person be
// asked, or any page could log people out (OAU-19).
type logoutEndpoint struct {
	issuer    string
	base      string
	origin    string
	directory clientDirectory
	tokens    *token.Issuer
	store     logoutStore
	notifier  LogoutNotifier
	sessions  *session.Manager
	pages     Pages
	now       func() time.Time
}

// LogoutQuestion is the page that asks. Its form posts CSRF as "csrf", and the other
// values under the names of their parameters, to /logout.
type LogoutQuestion struct {
	CSRF                  string
	UserName              string
	ClientName            string // the app that asks; empty if nobody but the person does
	ClientID              string // "client_id"
	PostLogoutRedirectURI string // "post_logout_redirect_uri"; proven to be the client's
	State                 string // "state"
	UILocales             string // "ui_locales": languages that the app asks for, best first
}

// Farewell is the page that says that the person is signed out.
type Farewell struct {
	Apps       []idp.LeftApp
	Continue   string // where the app wants the person to go on; proven to be its own; may be empty
	ClientName string // the app, if there is a Continue
	UILocales  string
}

// leaving is a logout request after its parts are proven.
type leaving struct {
	client   idp.Client // zero if none is named
	redirect string     // registered for the client, or empty
	state    string
	locales  string // "ui_locales"
	sub, sid string // of a valid id_token_hint, or empty
}

func (e *logoutEndpoint) get(w http.ResponseWriter, r *http.Request) error {
	query, err := edge.Query(r)
	if err != nil {
		return badRequest(formError(err).Description, err)
	}
	return e.begin(w, r, query)
}

// post serves two callers: the form of our own page, which brings a CSRF value, and an
// app that sends its request as a form.
func (e *logoutEndpoint) post(w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery != "" {
		return badRequest("POST /logout reads the body; leave the query empty", nil)
	}
	form, err := edge.Form(w, r, maxLogoutForm)
	if err != nil {
		return badRequest(formError(err).Description, err)
	}
	if form.Has("csrf") {
		return e.confirmed(w, r, form)
	}
	if _, _, err := e.sessions.FromRequest(r); errors.Is(err, idp.ErrNotFound) {
		return e.comeBack(w, r, form)
	}
	return e.begin(w, r, form)
}

// comeBack is for forms of other sites, which do not bring our cookies (SameSite=Lax): a
// redirect to ourselves does. The hint stays behind, for no token belongs in a URL; so
// the person will be asked.
func (e *logoutEndpoint) comeBack(w http.ResponseWriter, r *http.Request, form url.Values) error {
	l, err := e.prove(r.Context(), form)
	if err != nil {
		return err
	}
	query := url.Values{}
	for name, value := range map[string]string{
		"client_id": l.client.ID, "post_logout_redirect_uri": l.redirect, "state": l.state, "ui_locales": l.locales,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	location := e.base + "/logout"
	if len(query) > 0 {
		location += "?" + query.Encode()
	}
	seeOther(w, location)
	return nil
}

// begin ends the login at once if the hint names it, else asks.
func (e *logoutEndpoint) begin(w http.ResponseWriter, r *http.Request, form url.Values) error {
	l, err := e.prove(r.Context(), form)
	if err != nil {
		return err
	}
	sess, user, err := e.sessions.FromRequest(r)
	switch {
	case errors.Is(err, idp.ErrNotFound): // logged out already
		e.leave(w, r, l, l.sub != "", nil)
		return nil
	case err != nil:
		return err
	case l.sid != "" && l.sid == sess.ID && l.sub == sess.UserID:
		return e.end(w, r, sess, l)
	}
	e.sessions.Flow(w, r) // so that there is a cookie to derive the CSRF value from
	e.pages.LogoutConfirm(w, r, LogoutQuestion{
		CSRF: e.sessions.CSRF(r), UserName: user.DisplayName(), ClientName: l.client.Name, ClientID: l.client.ID,
		PostLogoutRedirectURI: l.redirect, State: l.state, UILocales: l.locales,
	})
	return nil
}

// confirmed is the answer of the person.
func (e *logoutEndpoint) confirmed(w http.ResponseWriter, r *http.Request, form url.Values) error {
	if err := edge.SameOrigin(r, e.origin); err != nil {
		return &pageError{status: http.StatusForbidden, problem: foreignPage, cause: err}
	}
	if err := e.sessions.CheckCSRF(r, form.Get("csrf")); err != nil {
		return &pageError{status: http.StatusForbidden, problem: stalePage, cause: err}
	}
	l, err := e.prove(r.Context(), form)
	if err != nil {
		return err
	}
	sess, _, err := e.sessions.FromRequest(r)
	if errors.Is(err, idp.ErrNotFound) {
		e.leave(w, r, l, true, nil)
		return nil
	}
	if err != nil {
		return err
	}
	return e.end(w, r, sess, l)
}

func (e *logoutEndpoint) end(w http.ResponseWriter, r *http.Request, sess idp.Session, l leaving) error {
	err := e.store.EndSession(r.Context(), edge.Actor(r, "user", sess.UserID), sess.UserID, sess.ID, e.now())
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return err
	}
	e.sessions.Clear(w)
	e.notifier.Deliver(r.Context(), sess.ID) // §3: before the browser is back at an app
	clients, err := e.store.SessionClients(r.Context(), sess.UserID, sess.ID)
	if err != nil {
		return err
	}
	e.leave(w, r, l, true, idp.LeftApps(clients, e.issuer, sess.ID))
	return nil
}

// leave sends the browser to the app, if the app or the person proved to want that. Where
// apps hear of the logout through the browser, it must load their frames on a page of ours
// before (Front-Channel Logout §2).
func (e *logoutEndpoint) leave(w http.ResponseWriter, r *http.Request, l leaving, proven bool, apps []idp.LeftApp) {
	page := Farewell{Apps: apps, UILocales: l.locales}
	if l.redirect != "" && proven {
		page.Continue, page.ClientName = l.redirect, l.client.Name
		if l.state != "" { // §3: exactly if it was sent
			page.Continue = answerURI(l.redirect, url.Values{"state": {l.state}})
		}
	}
	framed := slices.ContainsFunc(apps, func(a idp.LeftApp) bool { return a.Frame != "" })
	if page.Continue != "" && !framed {
		seeOther(w, page.Continue)
		return
	}
	e.pages.LoggedOut(w, r, page)
}

// prove checks what the request names. What does not fit ends in a page and nowhere
// else (OAU-02): a hint that is not ours, a client that is another than the hint's, a
// URI that is not registered for it, letter by letter.
func (e *logoutEndpoint) prove(ctx context.Context, form url.Values) (leaving, error) {
	l := leaving{state: form.Get("state"), locales: form.Get("ui_locales")}
	if len(l.state) > maxState {
		return leaving{}, badRequest("state is too long", nil)
	}
	if len(l.locales) > maxLocales {
		l.locales = "" // nobody speaks so many languages; a wish is no reason to fail
	}
	clientID := form.Get("client_id")
	if hint := form.Get("id_token_hint"); hint != "" {
		sub, sid, aud, err := e.tokens.IDTokenHint(hint)
		if err != nil {
			return leaving{}, badRequest("id_token_hint is not an ID token of this issuer", err)
		}
		if clientID != "" && clientID != aud {
			return leaving{}, badRequest("client_id is not the client of id_token_hint", nil)
		}
		l.sub, l.sid, clientID = sub, sid, aud
	}
	if clientID != "" {
		c, err := provenClient(ctx, e.directory, clientID)
		if err != nil {
			return leaving{}, err
		}
		l.client = c
	}
	uri := form.Get("post_logout_redirect_uri")
	if uri == "" {
		return l, nil
	}
	if !safeRedirect(uri) || !slices.Contains(l.client.PostLogoutRedirectURIs, uri) {
		return leaving{}, badRequest("post_logout_redirect_uri is not registered; it also needs id_token_hint or client_id", nil)
	}
	l.redirect = uri
	return l, nil
}
