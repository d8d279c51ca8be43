package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// browser keeps cookies and does what people do on pages, without the pages.
type browser struct {
	w       *world
	cookies map[string]string
}

func (w *world) browser() *browser { return &browser{w: w, cookies: map[string]string{}} }

// signedIn returns a browser in which somebody logged in before.
func (w *world) signedIn(userID string) *browser {
	w.t.Helper()
	b := w.browser()
	b.login(userID)
	return b
}

func (b *browser) request(method, target string, form url.Values, headers ...string) *http.Request {
	r := newRequest(b.w.t, method, target, form, headers...)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (b *browser) send(method, target string, form url.Values, headers ...string) answer {
	b.w.t.Helper()
	a := b.w.serve(b.request(method, target, form, headers...))
	b.keep(a.ResponseRecorder)
	return a
}

func (b *browser) keep(rec *httptest.ResponseRecorder) {
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
			continue
		}
		b.cookies[c.Name] = c.Value
	}
}

func (b *browser) get(target string) answer {
	b.w.t.Helper()
	return b.send("GET", target, nil)
}

// authorize sends an authorization request with GET.
func (b *browser) authorize(form url.Values) answer {
	b.w.t.Helper()
	return b.get("/authorize?" + form.Encode())
}

func (b *browser) follow(a answer) answer {
	b.w.t.Helper()
	return b.get(a.Header().Get("Location"))
}

// proceed is what every page does in the end.
func (b *browser) proceed(flow string) answer {
	b.w.t.Helper()
	return b.get("/authorize/continue?flow=" + flow)
}

// login is a login outside of any flow.
func (b *browser) login(userID string) idp.Session {
	b.w.t.Helper()
	rec := httptest.NewRecorder()
	s, err := b.w.sessions.Start(rec, b.request("POST", "/login", nil), idp.Actor{Kind: "user", ID: userID}, userID, idp.ACRPassword, []string{idp.AMRPassword})
	b.w.must(err)
	b.keep(rec)
	return s
}

func (b *browser) session() idp.Session {
	b.w.t.Helper()
	s, _, err := b.w.sessions.FromRequest(b.request("GET", "/", nil))
	b.w.must(err)
	return s
}

func (b *browser) flowHash() [32]byte {
	b.w.t.Helper()
	hash, err := b.w.sessions.FlowHash(b.request("GET", "/", nil))
	b.w.must(err)
	return hash
}

// loginIn, choose, agree and deny are what the pages of a flow record.
func (b *browser) loginIn(flow, userID string) {
	b.w.t.Helper()
	s := b.login(userID)
	b.w.must(b.w.db.LoginAuthRequest(b.w.t.Context(), flow, b.flowHash(), s.ID, b.w.clock()))
}

func (b *browser) choose(flow string) {
	b.w.t.Helper()
	b.w.must(b.w.db.SelectAuthRequest(b.w.t.Context(), flow, b.flowHash(), b.session().ID, b.w.clock()))
}

func (b *browser) agree(flow string) {
	b.w.t.Helper()
	ctx, s := b.w.t.Context(), b.session()
	req, err := b.w.db.AuthRequest(ctx, flow, b.flowHash(), b.w.clock())
	b.w.must(err)
	c := idp.Consent{UserID: s.UserID, ClientID: req.ClientID, Resource: req.Resource, Scopes: req.Permissions()}
	b.w.must(b.w.db.ConsentAuthRequest(ctx, idp.Actor{Kind: "user", ID: s.UserID}, flow, b.flowHash(), s.ID, c, b.w.clock()))
}

func (b *browser) confirm(flow string) {
	b.w.t.Helper()
	b.w.must(b.w.db.ConfirmAuthRequest(b.w.t.Context(), flow, b.flowHash(), b.session().ID, b.w.clock()))
}

func (b *browser) deny(flow string) {
	b.w.t.Helper()
	s := b.session()
	b.w.must(b.w.db.DenyAuthRequest(b.w.t.Context(), idp.Actor{Kind: "user", ID: s.UserID}, flow, b.flowHash(), s.ID, b.w.clock()))
}

// through answers every page with yes until the browser is sent to the client.
func (b *browser) through(a answer, userID string) answer {
	b.w.t.Helper()
	for range 8 {
		flow := a.query("flow")
		switch a.page() {
		case "/authorize/continue":
		case "/login":
			b.loginIn(flow, userID)
		case "/select-account":
			b.choose(flow)
		case "/device/confirm":
			b.confirm(flow)
		case "/consent":
			b.agree(flow)
		default:
			return a
		}
		a = b.proceed(flow)
	}
	b.w.t.Fatal("the flow does not end")
	return a
}

// code runs a request through and returns the code.
func (b *browser) code(form url.Values, userID string) string {
	b.w.t.Helper()
	a := b.through(b.authorize(form), userID)
	code := a.query("code")
	if code == "" {
		b.w.t.Fatalf("no code: %d %s %s", a.Code, a.Header().Get("Location"), a.Body)
	}
	return code
}

// tokens runs a whole flow for a client in a fresh browser.
func (w *world) tokensFor(client, userID string, pairs ...string) answer {
	w.t.Helper()
	return w.redeem(client, w.browser().code(ask(client, pairs...), userID)).ok()
}

// sameSite drops the cookies as a browser does with a form of another site (SameSite=Lax).
func (b *browser) crossSitePost(target string, form url.Values) answer {
	b.w.t.Helper()
	a := b.w.send("POST", target, form, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
	b.keep(a.ResponseRecorder)
	return a
}

func (b *browser) csrf() string {
	return b.w.sessions.CSRF(b.request("GET", "/", nil))
}

// alive reports whether the browser is still logged in.
func (b *browser) alive() bool {
	_, _, err := b.w.sessions.FromRequest(b.request("GET", "/", nil))
	return err == nil
}

func hostOf(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "unparsable"
	}
	return strings.ToLower(u.Host)
}
