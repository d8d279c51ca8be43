package web_test

import (
	"bytes"
	"context"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/notify"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/web"
)

const (
	issuer      = "https://id.example.com"
	annPassword = "correct horse battery staple"
	bobPassword = "seven grey owls at midnight"
	calendarID  = "http://127.0.0.1:8081"
	schedulerID = "friendly-scheduler"
	redirectURI = "http://127.0.0.1:8082/callback"
)

// A world is the pages over a real database, with two people, two apps and a calendar.
type world struct {
	t     *testing.T
	db    *store.DB
	pages *web.Pages
	mail  *notify.Catcher
	mux   http.Handler
	clock atomic.Int64 // unix milliseconds
	ann   idp.User
	bob   idp.User
	told  []string // sessions whose apps were told of their end
	dev   bool     // development mode
}

var deviceKey = [32]byte{7}

func (wd *world) Deliver(_ context.Context, sid string) { wd.told = append(wd.told, sid) }

var operator = idp.Actor{Kind: "operator", ID: "test"}

func newWorld(t *testing.T, change ...func(*web.Config)) *world {
	t.Helper()
	wd := &world{t: t}
	wd.clock.Store(time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC).UnixMilli())
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "signet.db"), store.Options{RuleLifetime: time.Hour, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	hasher := passhash.New(passhash.Config{InsecureCheap: true, Workers: 2, Now: wd.now})
	wd.db, wd.mail = db, notify.NewCatcher(wd.now)
	cfg := web.Config{
		Issuer: issuer, Store: db, Directory: store.NewDirectory(db), Sessions: session.New(db, session.Lifetimes{}, wd.now),
		Passwords: authn.New(authn.Config{Store: db, Hasher: hasher, Now: wd.now, Log: log}),
		UserCodes: authn.NewUserCodes(db, deviceKey, wd.now),
		Mailer:    wd.mail, Logouts: wd, Now: wd.now, Log: log,
	}
	for _, c := range change {
		c(&cfg)
	}
	wd.dev = cfg.Dev
	if wd.pages, err = web.New(cfg); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	wd.pages.Register(mux)
	wd.mux = edge.Middleware(edge.Config{Log: log, Now: wd.now})(mux)
	wd.ann = wd.addUser(hasher, "ann", "Ann Example", annPassword)
	wd.bob = wd.addUser(hasher, "bob", "Bob Example", bobPassword)
	wd.addApps()
	return wd
}

func (wd *world) now() time.Time { return time.UnixMilli(wd.clock.Load()).UTC() }

func (wd *world) pass(d time.Duration) { wd.clock.Add(d.Milliseconds()) }

func (wd *world) must(err error) {
	wd.t.Helper()
	if err != nil {
		wd.t.Fatal(err)
	}
}

func (wd *world) addUser(hasher *passhash.Hasher, username, name, password string) idp.User {
	wd.t.Helper()
	hash, err := hasher.Hash(wd.t.Context(), secret.NewText(password))
	wd.must(err)
	u := idp.User{ID: secret.ID(), Username: username, Email: username + "@example.com", EmailVerified: true, Profile: idp.Profile{Name: name}, CreatedAt: wd.now()}
	wd.must(wd.db.CreateUser(wd.t.Context(), operator, u, hash, wd.now()))
	return u
}

func (wd *world) addApps() {
	wd.t.Helper()
	ctx := wd.t.Context()
	wd.must(wd.db.PutResource(ctx, operator, calendar(), wd.now()))
	wd.must(wd.db.PutClient(ctx, operator, scheduler(), wd.now()))
	wd.must(wd.db.PutClient(ctx, operator, idp.Client{ID: "calendar", SecretHash: [32]byte{1}, ClientMetadata: idp.ClientMetadata{
		Name: "Calendar", FirstParty: true, ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
		RedirectURIs: []string{"http://127.0.0.1:8081/callback"}, GrantTypes: []string{idp.GrantAuthorizationCode}, Scopes: []string{"openid", "profile"},
	}}, wd.now()))
	wd.must(wd.db.PutClient(ctx, operator, idp.Client{ID: tvID, ClientMetadata: idp.ClientMetadata{
		Name: "TV", ApplicationType: "native", TokenEndpointAuthMethod: idp.AuthNone, Profile: idp.OAuth21,
		GrantTypes: []string{idp.GrantDeviceCode, idp.GrantRefreshToken}, Scopes: []string{"openid", "calendar.freebusy:read"},
	}}, wd.now()))
}

func calendar() idp.Resource {
	return idp.Resource{ID: calendarID, Name: "Calendar", TokenFormat: "jwt", Alg: "EdDSA", Scopes: []idp.Scope{
		{
			Name:   "calendar.freebusy:read",
			Title:  map[string]string{"en": "See when you are busy", "de": "Sehen, wann Sie beschäftigt sind"},
			Detail: map[string]string{"en": "Not titles, guests or places", "de": "Nicht Titel, Gäste oder Orte"},
		},
		{
			Name:   "calendar.meetings:write",
			Title:  map[string]string{"en": "Add meetings to your calendar", "de": "Termine in Ihren Kalender eintragen"},
			Detail: map[string]string{"en": "And change or cancel the ones it added", "de": "Und die selbst eingetragenen ändern oder absagen"}, Write: true,
		},
		{Name: "calendar.events:read", Title: map[string]string{"en": "Read your events", "de": "Ihre Termine lesen"}},
		{Name: "calendar.settings:write", Title: map[string]string{"en": "Change your calendar's settings", "de": "Die Einstellungen Ihres Kalenders ändern"}, Write: true},
	}}
}

func scheduler() idp.Client {
	return idp.Client{ID: schedulerID, SecretHash: [32]byte{2}, ClientMetadata: idp.ClientMetadata{
		Name: "Friendly Scheduler", ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
		RedirectURIs: []string{redirectURI}, GrantTypes: []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken},
		Scopes:    []string{"openid", "offline_access", "calendar.freebusy:read", "calendar.meetings:write"},
		ClientURI: "https://scheduler.example/", PolicyURI: "https://scheduler.example/privacy", TermsURI: "https://scheduler.example/terms",
	}}
}

// A browser keeps cookies and says that its forms come from our pages.
type browser struct {
	wd      *world
	cookies map[string]string
	header  http.Header
	begun   string // the flow that a code began last
}

func (wd *world) browser() *browser {
	return &browser{wd: wd, cookies: map[string]string{}, header: http.Header{
		"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"},
	}}
}

// signedIn is a browser in which somebody has signed in.
func (wd *world) signedIn(username, password string) *browser {
	wd.t.Helper()
	b := wd.browser()
	a := b.submit(b.get("/login"), "/login", "username", username, "password", password)
	if a.status != http.StatusSeeOther || a.location() != "/account" {
		wd.t.Fatalf("login of %s: %d %s", username, a.status, a.location())
	}
	return b
}

func (wd *world) asAnn() *browser { wd.t.Helper(); return wd.signedIn("ann", annPassword) }

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) location() string { return a.header.Get("Location") }

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]*)"`)

func (a answer) csrf() string {
	m := csrfField.FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// text is the body without tags, as it is read.
func (a answer) text() string {
	s := regexp.MustCompile(`(?s)<(script|template).*?</(script|template)>`).ReplaceAllString(a.body, "")
	s = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(s, " ")
	return strings.Join(strings.Fields(html.UnescapeString(s)), " ")
}

func (b *browser) get(path string) answer { return b.send(b.request("GET", path, nil)) }

// post sends a form as our own pages do.
func (b *browser) post(path string, form url.Values) answer {
	r := b.request("POST", path, form)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", issuer)
	return b.send(r)
}

// submit sends the form of a page with these fields.
func (b *browser) submit(page answer, path string, fields ...string) answer {
	form := values(fields...)
	form.Set("csrf", page.csrf())
	return b.post(path, form)
}

func values(fields ...string) url.Values {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

func (b *browser) request(method, path string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, issuer+path, nil)
	if form != nil {
		r = httptest.NewRequest(method, issuer+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, v := range b.header {
		r.Header[name] = v
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (b *browser) send(r *http.Request) answer {
	rec := httptest.NewRecorder()
	b.wd.mux.ServeHTTP(rec, r)
	res := rec.Result()
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	if at, ok := strings.CutPrefix(res.Header.Get("Location"), "/authorize/continue?flow="); ok && r.URL.Path == "/device" {
		b.begun = at
	}
	var body bytes.Buffer
	_, _ = body.ReadFrom(res.Body)
	return answer{res.StatusCode, res.Header, body.String()}
}

// flow stores an authorization request that this browser has begun and returns its id.
func (b *browser) flow(change ...func(*idp.AuthRequest)) string {
	b.wd.t.Helper()
	b.get("/login") // for the cookie
	cookie, _, err := secret.Parse(secret.Flow, b.cookies["__Host-signet-flow"])
	b.wd.must(err)
	now := b.wd.now()
	req := idp.AuthRequest{
		ID: secret.ID(), BrowserHash: secret.Hash("flow", cookie), ClientID: schedulerID, RedirectURI: redirectURI,
		State: "xyz", StateSent: true, Scopes: []string{"openid", "calendar.freebusy:read", "calendar.meetings:write"},
		Resource: calendarID, CodeChallenge: "c", MaxAge: -1, CreatedAt: now, ExpiresAt: now.Add(10 * time.Minute),
	}
	for _, c := range change {
		c(&req)
	}
	b.wd.must(b.wd.db.CreateAuthRequest(context.Background(), req, "192.0.2.1", 1000, 1000, now))
	return req.ID
}

// stored returns the flow as the database has it.
func (b *browser) stored(id string) idp.AuthRequest {
	b.wd.t.Helper()
	cookie, _, err := secret.Parse(secret.Flow, b.cookies["__Host-signet-flow"])
	b.wd.must(err)
	req, err := b.wd.db.AuthRequest(b.wd.t.Context(), id, secret.Hash("flow", cookie), b.wd.now())
	b.wd.must(err)
	return req
}
