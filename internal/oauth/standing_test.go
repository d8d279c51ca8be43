package oauth_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// live is a person's login at the client web, with one of everything that hangs on it.
type live struct {
	*world
	here                                              *browser
	userinfoToken, serviceToken, refreshToken         string
	authCode, deviceCode, waiting, requestURI, flowID string
}

func newLive(t *testing.T, scope string) *live {
	t.Helper()
	w := newWorld(t)
	l := &live{world: w, here: w.signedIn(ann)}
	w.serving(calendar)
	w.alter("web", func(c *idp.Client) { c.GrantTypes = append(c.GrantTypes, idp.GrantDeviceCode) })
	scopes := strings.TrimSpace("openid cal.read " + scope)
	usual := ask("web", "scope", scopes)
	a := w.redeem("web", l.here.code(usual, ann)).ok()
	l.serviceToken, l.refreshToken = a.json("access_token"), a.json("refresh_token")
	l.userinfoToken = w.redeem("web", l.here.code(ask("web", "scope", strings.TrimSpace("openid "+scope)), ann)).ok().json("access_token")
	l.authCode = l.here.code(usual, ann)
	l.requestURI, l.waiting = w.push("web", usual), w.device("web", "scope", scopes).ok().json("device_code")
	l.flowID = l.here.send("POST", "/authorize", usual).query("flow")
	codes := w.device("web", "scope", scopes).ok()
	entered{l.here, l.here.typeCode(codes.json("user_code")), codes}.allow(ann)
	l.deviceCode = codes.json("device_code")
	return l
}

// uses are those of a login, in an order in which none ends another. Each says "ok", or
// how it was refused; refusals are those that may be, when it is not the client itself
// that is refused.
var uses = []struct {
	name     string
	refusals []string
	try      func(*live) string
}{
	{"userinfo", []string{"401 invalid_token"}, func(l *live) string { return use(l.userinfo(l.userinfoToken)) }},
	{"introspect access", []string{"inactive"}, func(l *live) string { return l.active(l.as("robot", "/introspect", params("token", l.serviceToken))) }},
	{"introspect refresh", []string{"inactive"}, func(l *live) string { return l.active(l.as("web", "/introspect", params("token", l.refreshToken))) }},
	{"refresh", []string{"400 invalid_grant", "400 unauthorized_client"}, func(l *live) string { return use(l.world.refresh("web", l.refreshToken)) }},
	{"code", []string{"400 invalid_grant", "400 unauthorized_client"}, func(l *live) string { return use(l.redeem("web", l.authCode)) }},
	{"device poll", []string{"400 invalid_grant", "400 expired_token", "400 unauthorized_client"}, func(l *live) string { return use(l.poll("web", l.deviceCode)) }},
	{"device that waits", []string{"400 invalid_grant", "400 expired_token", "400 unauthorized_client"}, func(l *live) string {
		if got := use(l.poll("web", l.waiting)); got != "400 authorization_pending" {
			return got
		}
		return "ok"
	}},
	{"client_credentials", nil, func(l *live) string {
		return use(l.as("web", "/token", params("grant_type", "client_credentials", "scope", "cal.read")))
	}},
	{"push", []string{"400 unauthorized_client"}, func(l *live) string { return use(l.as("web", "/par", ask("web"))) }},
	{"silent authorize", []string{"login_required", "consent_required", "unauthorized_client", "page error"}, func(l *live) string {
		return l.sent(l.here.authorize(ask("web", "scope", "openid cal.read", "prompt", "none")))
	}},
	{"pushed before", []string{"page /login", "page /consent", "unauthorized_client", "page error"}, func(l *live) string {
		return l.sent(l.here.authorize(params("client_id", "web", "request_uri", l.requestURI)))
	}},
	{"flow under way", []string{"page /login", "page /consent", "page error"}, func(l *live) string { return l.sent(l.here.proceed(l.flowID)) }},
}

func use(a answer) string {
	if a.Code < 300 {
		return "ok"
	}
	return fmt.Sprint(a.Code, " ", a.json("error"))
}

func (l *live) active(a answer) string {
	switch {
	case a.Code != http.StatusOK:
		return use(a)
	case a.json("active") == "true":
		return "ok"
	}
	return "inactive"
}

// sent is what a browser comes back with: "ok" is a code.
func (l *live) sent(a answer) string {
	switch {
	case a.page() != "":
		return "page " + a.page()
	case a.query("code") != "":
		return "ok"
	}
	return a.query("error")
}

// What is left of a login, by what ended.
var (
	ofTheClient = []string{"device that waits", "client_credentials", "push"}                                       // and of nobody's login
	ofTheLogin  = []string{"silent authorize", "pushed before", "flow under way"}                                   // and of the consent
	ofGrants    = []string{"userinfo", "introspect access", "introspect refresh", "refresh", "code", "device poll"} // of one each
	all         = slices.Concat(ofTheClient, ofTheLogin, ofGrants)
	// ofTokens outlive a login if its grant does. A code is none of them: it would sign the
	// person in anew.
	ofTokens = []string{"userinfo", "introspect access", "introspect refresh", "refresh", "device poll"}
)

// endings are all that can end under a login.
func endings() []ending {
	user := idp.Actor{Kind: "user", ID: ann}
	return []ending{
		{name: "nothing", end: func(*live) {}, left: all},
		{name: "another user disabled", end: func(l *live) { l.must(l.db.DisableUser(l.t.Context(), system(), bob, l.clock())) }, left: all},
		{name: "another client disabled", end: func(l *live) { l.must(l.db.DisableClient(l.t.Context(), system(), "other", l.clock())) }, left: all},
		{name: "another app revoked", end: func(l *live) { l.must2(l.db.RevokeApp(l.t.Context(), user, ann, "other", l.clock())) }, left: all},

		{name: "user disabled", end: func(l *live) { l.must(l.db.DisableUser(l.t.Context(), system(), ann, l.clock())) }, left: ofTheClient},
		{name: "user disabled and enabled", end: func(l *live) {
			l.must(l.db.DisableUser(l.t.Context(), system(), ann, l.clock()))
			l.must(l.db.EnableUser(l.t.Context(), system(), ann, l.clock()))
		}, left: ofTheClient},
		{name: "user deleted", end: func(l *live) { l.must(l.db.DeleteUser(l.t.Context(), system(), ann, l.clock())) }, left: ofTheClient},
		{name: "password changed", end: func(l *live) { l.must(l.db.SetPassword(l.t.Context(), user, ann, "new hash", l.clock())) }, left: ofTheClient},
		{name: "client disabled", end: func(l *live) { l.must(l.db.DisableClient(l.t.Context(), system(), "web", l.clock())) }, client: true},
		// It asks again with the grants that it had; what it had been given is dead.
		{name: "client disabled and enabled", end: func(l *live) {
			l.must(l.db.DisableClient(l.t.Context(), system(), "web", l.clock()))
			l.must(l.db.EnableClient(l.t.Context(), system(), "web", l.clock()))
		}, left: without(all, "userinfo", "introspect access")},
		{name: "client deleted", end: func(l *live) { l.must(l.db.DeleteClient(l.t.Context(), system(), "web", l.clock())) }, client: true},
		{name: "client may not refresh", end: func(l *live) { l.without(idp.GrantRefreshToken) }, left: without(all, "refresh")},
		{name: "client may not use devices", end: func(l *live) { l.without(idp.GrantDeviceCode) }, left: without(all, "device poll", "device that waits")},
		{name: "app revoked", end: func(l *live) { l.must2(l.db.RevokeApp(l.t.Context(), user, ann, "web", l.clock())) }, left: ofTheClient},
		{name: "grants revoked", end: func(l *live) {
			grants, err := l.db.Grants(l.t.Context(), ann, l.clock())
			l.must(err)
			for _, g := range grants {
				l.must(l.db.RevokeGrant(l.t.Context(), system(), g.ID, "test", l.clock()))
			}
		}, left: slices.Concat(ofTheClient, ofTheLogin)},
		{name: "session ended", end: func(l *live) { l.must(l.db.EndSession(l.t.Context(), user, ann, l.here.session().ID, l.clock())) },
			left: ofTheClient, offline: ofTokens},
		{name: "all sessions ended", end: func(l *live) { l.must2(l.db.EndOtherSessions(l.t.Context(), user, ann, "", l.clock())) },
			left: ofTheClient, offline: ofTokens},
		{name: "session idle too long", end: func(l *live) { l.pass(12*time.Hour + time.Second) },
			left: []string{"client_credentials", "push"}, offline: []string{"introspect refresh", "refresh"}},
		{name: "restored", end: func(l *live) { l.must2(l.db.BeginEpoch(l.t.Context(), system(), l.clock())) }, left: []string{"client_credentials", "push"}},
	}
}

type ending struct {
	name    string
	end     func(*live)
	client  bool     // it is the client that ends: its own proof fails
	left    []string // uses that go on
	offline []string // those that go on besides with offline_access
}

func (l *live) without(grant string) {
	l.alter("web", func(c *idp.Client) { c.GrantTypes = without(c.GrantTypes, grant) })
}

func without(list []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(names, s) })
}

// TOK-10, OAU-20: whatever ends, ends everything that hangs on it at its next use, and
// nothing else: all endings by all uses.
func TestStanding_TOK10_EveryUseAsksAgain(t *testing.T) {
	t.Parallel()
	for _, e := range endings() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			for _, scope := range []string{"", "offline_access"} {
				l, left := newLive(t, scope), e.left
				if scope != "" {
					left = slices.Concat(left, e.offline)
				}
				e.end(l)
				for _, u := range uses {
					got, refusals := u.try(l), u.refusals
					if e.client {
						refusals = append([]string{"401 invalid_client"}, refusals...)
					}
					if alive := slices.Contains(left, u.name); alive != (got == "ok") || !alive && !slices.Contains(refusals, got) {
						t.Errorf("%q, %s: %s; goes on: %t", scope, u.name, got, alive)
					}
				}
			}
		})
	}
}

// OpenID Connect Core §11: an offline grant outlives the login, and its tokens carry no sid.
func TestToken_OIDC_11_OfflineAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	a := w.redeem("web", b.code(ask("web", "scope", "openid cal.read offline_access", "prompt", "consent"), ann)).ok()
	if claims(t, a.json("access_token"))["sid"] != nil {
		t.Error("sid in an offline access token")
	}
	w.must(w.db.EndSession(t.Context(), idp.Actor{Kind: "user", ID: ann}, ann, b.session().ID, w.clock()))
	w.refresh("web", a.json("refresh_token")).ok()
}
