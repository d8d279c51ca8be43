package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// endpoints is what discovery says (RFC 8414 §2).
type endpoints struct {
	Issuer        string `json:"issuer"`
	Pushed        string `json:"pushed_authorization_request_endpoint"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
	UserInfo      string `json:"userinfo_endpoint"`
}

// tokens is the answer of the token endpoint (RFC 6749 §5.1).
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Refresh string `json:"refresh_token"`
}

// errGrantOver: the person or signet took the permission back (RFC 6749 §5.2, invalid_grant).
var errGrantOver = errors.New("the grant is over")

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
	got, err := a.ask(req, "", step{}, nil)
	if err == nil {
		err = got.decode(&doc)
	}
	if err != nil {
		return endpoints{}, fmt.Errorf("discovery: %w", err)
	}
	if doc.Issuer != a.cfg.Issuer { // RFC 8414 §3.3: another server's document
		return endpoints{}, errors.New("discovery: another issuer")
	}
	a.seen = &doc
	return doc, nil
}

// push tells signet what we want before the browser goes there, so that nobody on the way
// can read or change it, and returns where the browser goes with the name of that (RFC 9126 §2).
func (a *App) push(ctx context.Context, s *session, form url.Values) (to string, err error) {
	ep, err := a.discover(ctx)
	if err != nil {
		return "", err
	}
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	if err := a.post(ctx, s, ep.Pushed, form, pushing, &pushed); err != nil {
		return "", err
	}
	q := url.Values{"client_id": {a.cfg.ClientID}, "request_uri": {pushed.RequestURI}}
	s.trace.add(exchange{step: leaving, Line: "GET " + ep.Authorization, Request: lines(q)})
	return ep.Authorization + "?" + q.Encode(), nil
}

// token asks for tokens. Those of a session with a key must be bound to it.
func (a *App) token(ctx context.Context, s *session, form url.Values, what step) (tokens, error) {
	ep, err := a.discover(ctx)
	if err != nil {
		return tokens{}, err
	}
	var t tokens
	if err := a.post(ctx, s, ep.Token, form, what, &t); err != nil {
		return tokens{}, err
	}
	if t.Access == "" || !strings.EqualFold(t.Type, s.scheme()) {
		return tokens{}, fmt.Errorf("token: not of the type %s", s.scheme())
	}
	return t, nil
}

func (a *App) refresh(ctx context.Context, s *session, what step) error {
	t, err := a.token(ctx, s, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {s.tokens.Refresh}, "resource": {a.cfg.CalendarURL},
	}, what)
	if err != nil {
		return err
	}
	s.tokens.Access = t.Access
	if t.Refresh != "" { // it rotates: the old one is worth nothing now
		s.tokens.Refresh = t.Refresh
	}
	return nil
}

// giveBack ends the grant (RFC 7009 §2.1).
func (a *App) giveBack(ctx context.Context, s *session) error {
	ep, err := a.discover(ctx)
	if err != nil {
		return err
	}
	return a.post(ctx, s, ep.Revocation, url.Values{"token": {s.tokens.Refresh}, "token_type_hint": {"refresh_token"}}, givingBack, nil)
}

// post speaks to signet with the client's secret (RFC 6749 §2.3.1).
func (a *App) post(ctx context.Context, s *session, to string, form url.Values, what step, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(a.cfg.ClientID), url.QueryEscape(a.cfg.ClientSecret))
	if err := s.key.prove(req, "", a.cfg.Now()); err != nil {
		return err
	}
	got, err := a.ask(req, lines(form), what, &s.trace)
	if err != nil {
		return err
	}
	return got.decode(into)
}

// decode reads an answer of signet into a value; nil takes none.
func (a answer) decode(into any) error {
	if a.status/100 == 2 {
		if into == nil {
			return nil
		}
		return json.Unmarshal(a.body, into)
	}
	var problem struct {
		Error string `json:"error"`
	}
	if _ = json.Unmarshal(a.body, &problem); problem.Error == "invalid_grant" {
		return errGrantOver
	}
	return fmt.Errorf("status %d %s", a.status, problem.Error)
}
