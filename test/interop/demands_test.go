package interop_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// A change is made to an answer on its way to the client.
type change struct {
	name   string
	path   string // whose answers it changes; empty: redirects
	change func(h http.Header, members map[string]any)
	// Who refuses to go on; everybody else does not mind.
	goOIDC, oauth4webapi, authlib, oauthlib bool
}

func member(name string, value any) func(http.Header, map[string]any) {
	return func(_ http.Header, m map[string]any) {
		if m[name] = value; value == nil {
			delete(m, name)
		}
	}
}

func header(name, value string) func(http.Header, map[string]any) {
	return func(h http.Header, _ map[string]any) { h.Set(name, value) }
}

const metadataPath = "/.well-known/openid-configuration"

var changes = []change{
	{name: "nothing"},
	{"discovery: issuer with a slash at its end", metadataPath, func(_ http.Header, m map[string]any) { m["issuer"] = m["issuer"].(string) + "/" }, true, true, true, false},
	{"discovery: text/html", metadataPath, header("Content-Type", "text/html"), false, false, false, false},
	{"discovery: no algorithms of ID tokens", metadataPath, member("id_token_signing_alg_values_supported", nil), false, false, false, false},
	{"redirect: without iss", "", func(h http.Header, _ map[string]any) {
		u, err := url.Parse(h.Get("Location"))
		if err != nil || !u.Query().Has("code") {
			return
		}
		query := u.Query()
		query.Del("iss")
		u.RawQuery = query.Encode()
		h.Set("Location", u.String())
	}, false, true, false, false},
	{"token: text/html", "/token", header("Content-Type", "text/html"), false, false, false, false},
	{"token: no token_type", "/token", member("token_type", nil), false, true, false, false},
	{"token: expires_in as text", "/token", member("expires_in", "300"), false, false, false, false},
	{"token: scope as a list", "/token", member("scope", []string{"openid", "email"}), false, true, false, false},
	{"token: fewer scopes than asked for", "/token", member("scope", "openid"), false, false, false, true},
	{"token: no scope", "/token", member("scope", nil), false, false, false, false},
	{"token: no ID token", "/token", member("id_token", nil), true, true, true, false},
	{"keys: none has a kid", "/jwks.json", func(_ http.Header, m map[string]any) {
		for _, k := range m["keys"].([]any) {
			delete(k.(map[string]any), "kid")
		}
	}, true, true, false, false},
	{"keys: one of a new kind among them", "/jwks.json", func(_ http.Header, m map[string]any) {
		m["keys"] = append(m["keys"].([]any), map[string]any{"kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AAAA", "use": "sig"})
	}, false, false, false, false},
	{"userinfo: somebody else", "/userinfo", member("sub", "somebody else"), false, true, false, false},
	{"userinfo: email_verified as text", "/userinfo", member("email_verified", "true"), false, false, false, false},
}

// tampering is a provider behind a proxy that changes its answers.
type tampering struct {
	*provider
	present atomic.Pointer[change]
}

func startTampering(t *testing.T) *tampering {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), "t")
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	p := &tampering{}
	p.present.Store(&change{})
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:" + port}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ModifyResponse: p.tamper,
		ErrorLog:       log.New(io.Discard, "", 0), // nobody listens yet
	})
	t.Cleanup(proxy.Close)
	_, own, _ := strings.Cut(proxy.Listener.Addr().String(), ":")
	p.provider = &provider{name: "tampered", issuer: "http://localhost:" + own, http: &http.Client{Timeout: patience}}
	err = p.serve(path, dir, "listen: "+target.Host+"\n")
	if p.stop != nil {
		t.Cleanup(p.stop)
	}
	if err == nil {
		err = p.furnish()
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tamper changes an answer.
func (p *tampering) tamper(res *http.Response) error {
	c := p.present.Load()
	switch {
	case c.change == nil:
		return nil
	case c.path == "" && res.StatusCode/100 == 3:
		c.change(res.Header, nil)
		return nil
	case c.path == "" || res.Request.URL.Path != c.path || res.StatusCode != http.StatusOK:
		return nil
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		return err
	}
	c.change(res.Header, members)
	if body, err = json.Marshal(members); err != nil {
		return err
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	res.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// What each client insists on: found out by taking it away.
func TestDemands(t *testing.T) {
	t.Parallel()
	t.Run("go-oidc", func(t *testing.T) {
		t.Parallel()
		p := startTampering(t)
		v := p.visitor(t, "ann")
		c := p.register(t, web("Go", map[string]any{"first_party": true}))
		for _, c2 := range changes {
			p.present.Store(&c2)
			compare(t, c2.name, goLogin(t, p.provider, v, c), c2.goOIDC)
		}
	})
	t.Run("oauth4webapi", func(t *testing.T) {
		t.Parallel()
		startTampering(t).questioned(t, needNode(t), "node/demands.mjs", func(c change) bool { return c.oauth4webapi })
	})
	t.Run("authlib", func(t *testing.T) {
		t.Parallel()
		startTampering(t).questioned(t, needPython(t), "python/demands.py", func(c change) bool { return c.authlib })
	})
	t.Run("oauthlib", func(t *testing.T) {
		t.Parallel()
		startTampering(t).questioned(t, needPython(t), "python/demands_oauthlib.py", func(c change) bool { return c.oauthlib })
	})
}

func compare(t *testing.T, change, outcome string, refuses bool) {
	t.Helper()
	if refused := outcome != "accepted"; refused != refuses {
		t.Errorf("%s: %s", change, outcome)
	} else if refused {
		t.Logf("%s: %s", change, outcome)
	}
}

// questioned lets a script log in once for each change.
func (p *tampering) questioned(t *testing.T, interpreter, script string, refuses func(change) bool) {
	t.Helper()
	clients := map[string]any{"web": p.register(t, web("Web", map[string]any{"first_party": true}))}
	given := map[string]any{"issuer": p.issuer, "callback": callback, "clients": clients}
	s := startScript(t, interpreter, script, p.ca)
	v := p.visitor(t, "ann")
	s.tell(given)
	for _, c := range changes {
		p.present.Store(&c)
		for {
			line := s.hear()
			if line.Outcome != "" {
				compare(t, c.name, line.Outcome, refuses(c))
				break
			}
			at, err := v.walk(line.Browse, line.End)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			s.tell(map[string]string{"at": at.String()})
		}
		s.tell(struct{}{})
	}
}

// goLogin is a login with go-oidc, as far as it comes.
func goLogin(t *testing.T, p *provider, v *person, c client) string {
	t.Helper()
	err := func() error {
		ctx := oidc.ClientContext(t.Context(), p.http)
		found, err := oidc.NewProvider(ctx, p.issuer)
		if err != nil {
			return err
		}
		conf := oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, Endpoint: found.Endpoint(), RedirectURL: callback, Scopes: []string{"openid", "email"}}
		verifier := oauth2.GenerateVerifier()
		at := v.authorize(conf.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), callback)
		tok, err := conf.Exchange(ctx, at.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			return err
		}
		raw, ok := tok.Extra("id_token").(string)
		if !ok {
			return errors.New("no ID token")
		}
		if _, err := found.VerifierContext(ctx, &oidc.Config{ClientID: c.ID}).Verify(ctx, raw); err != nil {
			return err
		}
		_, err = found.UserInfo(ctx, oauth2.StaticTokenSource(tok))
		return err
	}()
	if err != nil {
		return "refused: " + err.Error()
	}
	return "accepted"
}
