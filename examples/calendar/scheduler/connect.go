package scheduler

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// endpoints is what discovery says (RFC 8414 §2).
type endpoints struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
}

// tokens is the answer of the token endpoint (RFC 6749 §5.1).
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Refresh string `json:"refresh_token"`
}

// errGrantOver: the person or signet took the permission back (RFC 6749 §5.2, invalid_grant).
var errGrantOver = errors.New("the grant is over")

// connect sends the browser to signet, which asks the person (RFC 6749 §4.1.1).
func (a *App) connect(w http.ResponseWriter, r *http.Request) {
	ep, err := a.discover(r.Context())
	s := &session{state: rand.Text(), verifier: rand.Text() + rand.Text()}
	if err != nil || !a.sessions.start(w, s, connectTime) {
		a.cfg.Log.Warn("connect", "error", err)
		a.notice(w, http.StatusServiceUnavailable, unavailable)
		return
	}
	challenge := sha256.Sum256([]byte(s.verifier)) // RFC 7636 §4.2
	http.Redirect(w, r, ep.Authorization+"?"+url.Values{
		"response_type":         {"code"},
		"client_id":             {a.cfg.ClientID},
		"redirect_uri":          {a.cfg.URL + "/callback"},
		"scope":                 {scopes},
		"resource":              {a.cfg.CalendarURL},
		"state":                 {s.state},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}.Encode(), http.StatusSeeOther)
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
		a.notice(w, http.StatusBadRequest, notYours)
		return
	case q.Get("error") != "":
		a.notice(w, http.StatusOK, declined)
		return
	}
	t, err := a.token(r.Context(), url.Values{
		"grant_type": {"authorization_code"}, "code": {q.Get("code")},
		"redirect_uri": {a.cfg.URL + "/callback"}, "code_verifier": {asked.verifier},
	})
	if err != nil || !a.sessions.start(w, &session{tokens: t}, sessionTime) {
		a.cfg.Log.Warn("connect", "error", err)
		a.notice(w, http.StatusBadGateway, failed)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// disconnect gives the permission back and forgets everything (RFC 7009 §2.1).
func (a *App) disconnect(w http.ResponseWriter, r *http.Request) {
	if s := a.sessions.end(w, r); s != nil && s.state == "" {
		if err := a.giveBack(r.Context(), s.tokens.Refresh); err != nil {
			a.cfg.Log.Warn("disconnect", "error", err)
		}
	}
	a.notice(w, http.StatusOK, disconnected)
}

func (a *App) giveBack(ctx context.Context, refresh string) error {
	ep, err := a.discover(ctx)
	if err != nil {
		return err
	}
	return a.post(ctx, ep.Revocation, url.Values{"token": {refresh}, "token_type_hint": {"refresh_token"}}, nil)
}

func (a *App) token(ctx context.Context, form url.Values) (tokens, error) {
	ep, err := a.discover(ctx)
	if err != nil {
		return tokens{}, err
	}
	var t tokens
	if err := a.post(ctx, ep.Token, form, &t); err != nil {
		return tokens{}, err
	}
	if t.Access == "" || !strings.EqualFold(t.Type, "Bearer") {
		return tokens{}, errors.New("token: not a bearer token")
	}
	return t, nil
}

func (a *App) discover(ctx context.Context) (endpoints, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen != nil {
		return *a.seen, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.cfg.Issuer+"/.well-known/oauth-authorization-server", nil)
	if err != nil {
		return endpoints{}, err
	}
	var doc endpoints
	if err := a.do(req, &doc); err != nil {
		return endpoints{}, fmt.Errorf("discovery: %w", err)
	}
	if doc.Issuer != a.cfg.Issuer { // RFC 8414 §3.3: another server's document
		return endpoints{}, errors.New("discovery: another issuer")
	}
	a.seen = &doc
	return doc, nil
}

// post speaks to signet with the client's secret (RFC 6749 §2.3.1).
func (a *App) post(ctx context.Context, to string, form url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(a.cfg.ClientID), url.QueryEscape(a.cfg.ClientSecret))
	return a.do(req, into)
}

func (a *App) do(req *http.Request, into any) error {
	res, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusOK {
		if into == nil {
			return nil
		}
		return json.Unmarshal(body, into)
	}
	var problem struct {
		Error string `json:"error"`
	}
	if _ = json.Unmarshal(body, &problem); problem.Error == "invalid_grant" {
		return errGrantOver
	}
	return fmt.Errorf("status %d", res.StatusCode)
}
