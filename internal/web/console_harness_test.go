package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/web"
)

const consoleOrigin = "http://127.0.0.1:8083"

// A desk is the console over the administration of a world.
type desk struct {
	*world
	console *web.Console
	link    string // path and query
	api     http.Handler
	log     *bytes.Buffer // all that was logged
	told    map[string]web.TokenExplanation
}

func (wd *world) desk() *desk {
	wd.t.Helper()
	written := &bytes.Buffer{}
	d := wd.deskLogging(slog.New(slog.NewJSONHandler(written, &slog.HandlerOptions{Level: slog.LevelDebug})))
	d.log = written
	return d
}

func (wd *world) deskLogging(log *slog.Logger) *desk {
	wd.t.Helper()
	ring, err := keyring.Open(wd.t.Context(), wd.db, keyring.Config{KEK: secret.Key()}, wd.now())
	wd.must(err)
	hasher := passhash.New(passhash.Config{InsecureCheap: true, Workers: 2, Now: wd.now})
	d := &desk{world: wd, api: admin.New(admin.Config{Issuer: issuer, Store: wd.db, Keys: ring, Hasher: hasher, Now: wd.now, Log: log})}
	console, link, err := web.NewConsole(web.ConsoleConfig{API: d.call, Explain: d.explain, Origin: consoleOrigin, Version: "v1.2.3", Again: "signet console", Ends: true, Dev: wd.dev, Now: wd.now, Log: log})
	wd.must(err)
	d.console, d.link = console, strings.TrimPrefix(link, consoleOrigin)
	return d
}

// call asks the administration as the command line does.
func (d *desk) call(ctx context.Context, method, path string, in, out any) error {
	r := httptest.NewRequest(method, "http://"+admin.Host+path, nil).WithContext(ctx)
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		r = httptest.NewRequest(method, "http://"+admin.Host+path, bytes.NewReader(data)).WithContext(ctx)
		r.Header.Set("Content-Type", "application/json")
	}
	r.RemoteAddr = "@"
	w := httptest.NewRecorder()
	d.api.ServeHTTP(w, r)
	if w.Code/100 != 2 {
		var said admin.Error
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil {
			return err
		}
		return &web.APIError{Status: w.Code, Message: said.Message}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(w.Body.Bytes(), out)
}

// explain tells what told holds, if anything; else it asks the administration about opaque tokens; of others it knows nothing.
func (d *desk) explain(ctx context.Context, token secret.Text, _ string) (web.TokenExplanation, error) {
	if t, ok := d.told[token.Reveal()]; ok {
		return t, nil
	}
	q, ok := admin.QuestionAbout(token.Reveal())
	if !ok {
		return web.TokenExplanation{}, errors.New("no token that can be looked up: " + token.Reveal())
	}
	var a admin.TokenAnswer
	if err := d.call(ctx, http.MethodPost, "/tokens/inspect", q, &a); err != nil {
		return web.TokenExplanation{}, err
	}
	verdict := "refused"
	if a.State == "live" {
		verdict = "accepted"
	}
	return web.TokenExplanation{
		Kind:    map[secret.Prefix]string{secret.Refresh: "refresh token", secret.ClientSecret: "client secret", secret.Session: "login cookie"}[q.Kind],
		Verdict: verdict, Reason: a.Reason, UserID: a.UserID, ClientID: a.ClientID, Audience: a.Resource, Scopes: a.Scopes,
		GrantID: a.GrantID, SessionID: a.SessionID, IssuedAt: a.CreatedAt, ExpiresAt: a.ExpiresAt,
	}, nil
}

// An operatorTab is a browser at the console. It sends cookies as browsers do: by their path.
type operatorTab struct {
	d       *desk
	cookies map[string]*http.Cookie
	lang    string
	base    string // before the path of every page; empty: nobody is in
}

func (d *desk) tab() *operatorTab {
	return &operatorTab{d: d, cookies: map[string]*http.Cookie{}, lang: "en"}
}

// open follows the link and presses the button.
func (b *operatorTab) open() *operatorTab {
	b.d.t.Helper()
	a := b.enter(b.get(b.d.link))
	if a.status != http.StatusSeeOther || len(a.location()) != 24 {
		b.d.t.Fatalf("the link: %d, to %q", a.status, a.location())
	}
	b.base = strings.TrimSuffix(a.location(), "/")
	return b
}

// enter presses the button of the page that the link leads to.
func (b *operatorTab) enter(page answer) answer {
	link, err := url.ParseQuery(strings.TrimPrefix(b.d.link, "/open?"))
	b.d.must(err)
	if !strings.Contains(page.body, link.Get("link")) {
		return page // there is no button
	}
	return b.post("/open", link)
}

func (b *operatorTab) get(path string) answer { return b.send(b.request("GET", path, nil)) }

// post sends a form as our own pages do.
func (b *operatorTab) post(path string, form url.Values) answer {
	r := b.request("POST", path, form)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r)
}

// submit sends a form with the anti-CSRF value of a page.
func (b *operatorTab) submit(page answer, path string, fields ...string) answer {
	form := values(fields...)
	form.Set("csrf", page.csrf())
	return b.post(path, form)
}

func (b *operatorTab) request(method, path string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, consoleOrigin+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", b.lang)
	for _, c := range b.cookies {
		if strings.HasPrefix(path, c.Path) {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
	return r
}

func (b *operatorTab) send(r *http.Request) answer {
	w := httptest.NewRecorder()
	b.d.console.ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	return answer{res.StatusCode, res.Header, w.Body.String()}
}

// with is the same browser with another value of the cookie.
func (b *operatorTab) with(value string) *operatorTab {
	other := *b
	other.cookies = maps.Clone(b.cookies)
	for name, c := range b.cookies {
		changed := *c
		changed.Value = value
		other.cookies[name] = &changed
	}
	return &other
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return newWorld(t).desk()
}
