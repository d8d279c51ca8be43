package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/secret"
)

// appClient plays the server of a demo app: it redeems codes and calls the API.
type appClient struct {
	at   devAddresses
	http *http.Client
}

// appTokens is what an app holds.
type appTokens struct {
	code, verifier  string
	access, refresh string
}

// apiAnswer is an answer to a program.
type apiAnswer struct {
	status    int
	challenge string // WWW-Authenticate
	body      struct {
		Error   string `json:"error"`
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		ID      string `json:"id"`
	}
}

// text is the answer as the report has it.
func (a apiAnswer) text() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.status, a.body.Error))
}

func newAppClient(at devAddresses) appClient {
	return appClient{at, &http.Client{Timeout: 10 * time.Second}}
}

func (c appClient) do(req *http.Request) (a apiAnswer, err error) {
	res, err := c.http.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return a, err
	}
	a.status, a.challenge = res.StatusCode, res.Header.Get("WWW-Authenticate")
	_ = json.Unmarshal(body, &a.body) // lists and empty answers have none of these members
	return a, nil
}

func (c appClient) token(ctx context.Context, clientID string, form url.Values) (apiAnswer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.at.issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return apiAnswer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(clientID, devSecret(clientID).Reveal())
	return c.do(req)
}

func (c appClient) redeem(ctx context.Context, clientID, redirect string, t appTokens) (apiAnswer, error) {
	return c.token(ctx, clientID, url.Values{
		"grant_type": {"authorization_code"}, "code": {t.code}, "redirect_uri": {redirect}, "code_verifier": {t.verifier},
	})
}

// api calls the calendar.
func (c appClient) api(ctx context.Context, method, path, token string, body any) (apiAnswer, error) {
	return c.bearer(ctx, method, c.at.calendar+path, token, body)
}

func (c appClient) bearer(ctx context.Context, method, address, token string, body any) (apiAnswer, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return apiAnswer{}, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, address, &sent)
	if err != nil {
		return apiAnswer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.do(req)
}

// freeBusy is the cheapest question that a token can be tried with.
func (c appClient) freeBusy(ctx context.Context, token string) (int, error) {
	a, err := c.api(ctx, http.MethodGet, "/api/freebusy?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z", token, nil)
	return a.status, err
}

// authorize sends Ann's browser to signet as the client would, and catches the code on
// its way back. She has consented before, so nothing is asked.
func (s *story) authorize(ctx context.Context, clientID, redirect, scope string) (appTokens, error) {
	t := appTokens{verifier: secret.ID() + secret.ID()}
	challenge, state := sha256.Sum256([]byte(t.verifier)), secret.ID()
	s.ann.caught = redirect
	defer func() { s.ann.caught = "" }()
	err := s.ann.open(ctx, s.at.issuer+"/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirect}, "scope": {scope},
		"resource": {s.at.calendar}, "state": {state}, "nonce": {secret.ID()},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode())
	if err != nil {
		return t, err
	}
	q := s.ann.page.url.Query()
	if q.Get("state") != state || q.Get("iss") != s.at.issuer || q.Get("code") == "" {
		return t, errors.New("no code: " + s.seen())
	}
	t.code = q.Get("code")
	return t, nil
}

func (s *story) tokens(ctx context.Context, clientID, redirect, scope string) (appTokens, error) {
	t, err := s.authorize(ctx, clientID, redirect, scope)
	if err != nil {
		return t, err
	}
	a, err := s.client.redeem(ctx, clientID, redirect, t)
	if err != nil || a.body.Access == "" {
		return t, errors.Join(err, errors.New("code exchange: "+a.text()))
	}
	t.access, t.refresh = a.body.Access, a.body.Refresh
	return t, nil
}

func (s *story) schedulerTokens(ctx context.Context) (appTokens, error) {
	return s.tokens(ctx, devScheduler, s.at.scheduler+"/callback", scopeFreeBusy+" "+scopeMeetings+" offline_access")
}

func (s *story) calendarTokens(ctx context.Context) (appTokens, error) {
	return s.tokens(ctx, devCalendar, s.at.calendar+"/callback", "openid "+scopeEvents+" "+scopeFreeBusy+" "+scopeMeetings)
}
