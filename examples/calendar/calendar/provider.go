package calendar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// provider speaks to the issuer as a client.
type provider struct {
	cfg  Config
	http *http.Client

	mu   sync.Mutex
	seen *endpoints // nil until discovery has worked once
}

// endpoints is what discovery says (OpenID Connect Discovery §3).
type endpoints struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	UserInfo      string `json:"userinfo_endpoint"`
	EndSession    string `json:"end_session_endpoint"`
}

// tokens is the answer of the token endpoint (RFC 6749 §5.1).
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
}

// errGrantOver: the issuer takes neither the code nor the refresh token any more (RFC 6749 §5.2, invalid_grant).
var errGrantOver = errors.New("the grant is over")

func newProvider(cfg Config) *provider {
	return &provider{cfg: cfg, http: &http.Client{
		Timeout: 10 * time.Second,
		// A redirect would carry our secret somewhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (p *provider) discover(ctx context.Context) (endpoints, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen != nil {
		return *p.seen, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.cfg.Issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return endpoints{}, err
	}
	var doc endpoints
	if err := p.do(req, &doc); err != nil {
		return endpoints{}, fmt.Errorf("discovery: %w", err)
	}
	if doc.Issuer != p.cfg.Issuer { // OpenID Connect Discovery §4.3: another server's document
		return endpoints{}, errors.New("discovery: another issuer")
	}
	p.seen = &doc
	return doc, nil
}

// token asks the token endpoint as a confidential client (RFC 6749 §2.3.1).
func (p *provider) token(ctx context.Context, form url.Values) (tokens, error) {
	ep, err := p.discover(ctx)
	if err != nil {
		return tokens{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, ep.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return tokens{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(p.cfg.ClientID), url.QueryEscape(p.cfg.ClientSecret))
	var t tokens
	if err := p.do(req, &t); err != nil {
		return tokens{}, err
	}
	if t.Access == "" || !strings.EqualFold(t.Type, "Bearer") {
		return tokens{}, errors.New("token: not a bearer token")
	}
	return t, nil
}

// name asks who the subject is; the token must be for the issuer itself.
func (p *provider) name(ctx context.Context, access, subject string) (string, error) {
	ep, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, ep.UserInfo, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+access)
	var claims struct {
		Subject string `json:"sub"`
		Name    string `json:"name"`
	}
	if err := p.do(req, &claims); err != nil {
		return "", fmt.Errorf("userinfo: %w", err)
	}
	if claims.Subject != subject { // OpenID Connect Core §5.3.2: someone else's claims
		return "", errors.New("userinfo: another subject")
	}
	return claims.Name, nil
}

func (p *provider) do(req *http.Request, into any) error {
	res, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusOK {
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
