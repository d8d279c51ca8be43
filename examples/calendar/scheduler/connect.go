package scheduler

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
)

// connect tells signet what we ask for and sends the browser there, where the person is
// asked (RFC 9126 §2, RFC 6749 §4.1.1). ?dpop=1 wants tokens that are bound to a key,
// ?consent=1 wants the person to be asked again.
func (a *App) connect(w http.ResponseWriter, r *http.Request) {
	s, err := newConnection(r.URL.Query().Has("dpop"))
	if err != nil {
		a.cfg.Log.Error("connect", "error", err)
		a.notice(w, r, http.StatusInternalServerError, unavailable)
		return
	}
	challenge := sha256.Sum256([]byte(s.verifier)) // RFC 7636 §4.2
	form := url.Values{
		"response_type":         {"code"},
		"client_id":             {a.cfg.ClientID},
		"redirect_uri":          {a.cfg.URL + "/callback"},
		"scope":                 {scopes},
		"resource":              {a.cfg.CalendarURL},
		"state":                 {s.state},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}
	if r.URL.Query().Has("consent") {
		form.Set("prompt", "consent")
	}
	to, err := a.push(r.Context(), s, form)
	if err != nil || !a.sessions.start(w, s, connectTime) {
		a.cfg.Log.Warn("connect", "error", err)
		a.notice(w, r, http.StatusServiceUnavailable, unavailable)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func newConnection(bound bool) (s *session, err error) {
	s = &session{state: rand.Text(), verifier: rand.Text() + rand.Text()}
	if bound {
		s.key, err = newProofKey()
	}
	return s, err
}

// callback is where the browser comes back to, with a code or a no.
func (a *App) callback(w http.ResponseWriter, r *http.Request) {
	asked := a.sessions.end(w, r) // one answer for one question, right or wrong
	q, err := url.ParseQuery(r.URL.RawQuery)
	for _, values := range q {
		if len(values) > 1 {
			err = errors.New("repeated parameter")
		}
	}
	switch {
	case err != nil || asked == nil || asked.state == "",
		subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(asked.state)) != 1, // another browser's answer (RFC 9700 §4.7)
		q.Get("iss") != a.cfg.Issuer: // another server's answer (RFC 9207 §2.4)
		a.notice(w, r, http.StatusBadRequest, notYours)
		return
	case q.Get("error") != "":
		a.notice(w, r, http.StatusOK, declined)
		return
	}
	s := &session{key: asked.key, trace: asked.trace, spent: url.Values{
		"grant_type": {"authorization_code"}, "code": {q.Get("code")},
		"redirect_uri": {a.cfg.URL + "/callback"}, "code_verifier": {asked.verifier},
	}}
	s.trace.add(exchange{step: returning, Line: "GET " + a.cfg.URL + "/callback", Request: lines(url.Values{"code": q["code"], "state": q["state"], "iss": q["iss"]})})
	s.tokens, err = a.token(r.Context(), s, s.spent, redeeming)
	if err != nil || !a.sessions.start(w, s, sessionTime) {
		a.cfg.Log.Warn("connect", "error", err)
		a.notice(w, r, http.StatusBadGateway, failed)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// disconnect gives the permission back and forgets everything (RFC 7009 §2.1).
func (a *App) disconnect(w http.ResponseWriter, r *http.Request) {
	if s := a.sessions.end(w, r); s != nil && s.state == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := a.giveBack(r.Context(), s); err != nil {
			a.cfg.Log.Warn("disconnect", "error", err)
		}
	}
	a.notice(w, r, http.StatusOK, disconnected)
}
