package calendar

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/signet-id/signet/verify"
)

// login sends the browser to the issuer (OpenID Connect Core §3.1.2.1).
func (a *App) login(w http.ResponseWriter, r *http.Request) {
	ep, err := a.provider.discover(r.Context())
	if err != nil {
		a.cfg.Log.Warn("sign-in", "error", err)
		a.notice(w, r, http.StatusServiceUnavailable, unavailable)
		return
	}
	s := &session{state: rand.Text(), nonce: rand.Text(), verifier: rand.Text() + rand.Text()}
	if !a.sessions.start(w, s, loginTime) {
		a.notice(w, r, http.StatusServiceUnavailable, unavailable)
		return
	}
	challenge := sha256.Sum256([]byte(s.verifier)) // RFC 7636 §4.2
	http.Redirect(w, r, ep.Authorization+"?"+url.Values{
		"response_type":         {"code"},
		"client_id":             {a.cfg.ClientID},
		"redirect_uri":          {a.cfg.URL + "/callback"},
		"scope":                 {strings.Join([]string{"openid profile", readEvents, writeMeetings, readFreeBusy, writeSettings}, " ")},
		"resource":              {a.cfg.URL},
		"state":                 {s.state},
		"nonce":                 {s.nonce},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}.Encode(), http.StatusSeeOther)
}

// callback is where the browser comes back to, with a code or a refusal.
func (a *App) callback(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.end(w, r) // one answer for one question, right or wrong
	q, err := url.ParseQuery(r.URL.RawQuery)
	for _, values := range q {
		if len(values) > 1 {
			err = errors.New("repeated parameter")
		}
	}
	switch {
	case err != nil || s == nil || s.state == "",
		subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(s.state)) != 1, // another browser's answer (RFC 9700 §4.7)
		q.Get("iss") != a.cfg.Issuer: // another server's answer (RFC 9207 §2.4)
		a.notice(w, r, http.StatusBadRequest, notYours)
	case q.Get("error") != "":
		a.notice(w, r, http.StatusOK, notSignedIn)
	default:
		a.finish(w, r, s, q.Get("code"))
	}
}

// finish makes a signed-in session of the code.
func (a *App) finish(w http.ResponseWriter, r *http.Request, asked *session, code string) {
	s, err := a.exchange(r.Context(), asked, code)
	if err != nil {
		a.cfg.Log.Warn("sign-in", "error", err)
		a.notice(w, r, http.StatusBadGateway, failed)
		return
	}
	if !a.sessions.start(w, s, sessionTime) {
		a.notice(w, r, http.StatusServiceUnavailable, unavailable)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *App) exchange(ctx context.Context, asked *session, code string) (*session, error) {
	t, err := a.provider.token(ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {a.cfg.URL + "/callback"}, "code_verifier": {asked.verifier},
	})
	if err != nil {
		return nil, err
	}
	id, err := a.verifier.VerifyIDToken(ctx, t.ID, a.cfg.ClientID, asked.nonce)
	if err != nil {
		return nil, err
	}
	access, err := a.verifier.Verify(ctx, t.Access)
	if err != nil {
		return nil, err
	}
	if access.Subject != id.Subject {
		return nil, errors.New("two subjects in one answer")
	}
	s := &session{subject: id.Subject, tokens: t}
	if err := a.learnName(ctx, s); err != nil {
		a.cfg.Log.Info("no name", "error", err) // the week is readable without it
	}
	return s, nil
}

// learnName asks for the person's name. Our access token is for this service alone,
// so the issuer's userinfo takes another one, which the refresh token gets (RFC 8707 §2.2).
func (a *App) learnName(ctx context.Context, s *session) error {
	t, err := a.refresh(ctx, s, a.cfg.Issuer)
	if err != nil {
		return err
	}
	s.name, err = a.provider.name(ctx, t.Access, s.subject)
	return err
}

// refresh gets an access token for the resource and keeps the next refresh token.
func (a *App) refresh(ctx context.Context, s *session, resource string) (tokens, error) {
	t, err := a.provider.token(ctx, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {s.tokens.Refresh}, "resource": {resource},
	})
	if err == nil && t.Refresh != "" {
		s.tokens.Refresh = t.Refresh
	}
	return t, err
}

// current checks the session's token as if it came from outside, at every page. An
// expired one is replaced; a revoked one stays refused.
func (a *App) current(ctx context.Context, s *session) (*verify.Claims, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims, err := a.verifier.Verify(ctx, s.tokens.Access)
	if !errors.Is(err, verify.ErrExpired) {
		return claims, err
	}
	t, err := a.refresh(ctx, s, a.cfg.URL)
	if err != nil {
		return nil, err
	}
	s.tokens.Access = t.Access
	return a.verifier.Verify(ctx, t.Access)
}

// signOut ends the session here and then at the issuer (OpenID Connect RP-Initiated Logout §2).
func (a *App) signOut(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.end(w, r)
	ep, err := a.provider.discover(r.Context())
	if s == nil || err != nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, ep.EndSession+"?"+url.Values{
		"id_token_hint":            {s.tokens.ID},
		"post_logout_redirect_uri": {a.cfg.URL + "/"},
	}.Encode(), http.StatusSeeOther)
}
