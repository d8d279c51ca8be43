package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// pagePlace is one where pages take a secret of a browser.
type pagePlace struct {
	name  string
	kind  string // what belongs there
	taken func(value string) bool
}

// TOK-09: every kind of secret that pages take, and one of every prefix, at each place
// where a page takes one: it is nothing there, unless it belongs there.
func TestPages_TOK09_KindsTimesPlaces(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	wd.allow(b)
	flow := b.flow(func(r *idp.AuthRequest) { r.Prompt = []string{"select_account", "consent"} })
	code, waiting := wd.device()
	own := b.get("/account/password").csrf()
	session, binding := b.cookies["__Host-signet"], b.cookies["__Host-signet-flow"]
	values := map[string]string{
		"session cookie": session, "flow cookie": binding, "anti-CSRF value": own, "anti-CSRF value from before the login": b.preLoginCSRF(),
		"id of a flow": flow, "user code": code, "id of a device": waiting.ID, "id of a session": b.sessionID(), "id of a person": wd.ann.ID, "nothing": "x",
	}
	for _, p := range []secret.Prefix{
		secret.Access, secret.Refresh, secret.Code, secret.Personal, secret.ServiceKey, secret.ClientSecret, secret.Device, secret.Invitation,
		secret.Pushed, secret.Management, secret.Session, secret.Flow,
	} {
		values[string(p)+" of nobody"] = secret.New(p).Reveal()
		for name, real := range map[string]string{"session cookie": session, "flow cookie": binding} {
			_, bits, err := secret.Parse(secret.Prefix(real[:4]), real)
			wd.must(err)
			if twin := secret.FromBytes(p, bits).Reveal(); twin != real {
				values[string(p)+" with the bits of the "+name] = twin
			}
		}
	}
	places := wd.pagePlaces(b, flow)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, p := range places {
			if p.kind != name && p.taken(values[name]) {
				t.Errorf("%s is taken as %s", name, p.name)
			}
		}
	}
	for _, p := range places {
		if values[p.kind] == "" {
			t.Errorf("%s: no kind %q", p.name, p.kind)
		}
		if !p.taken(values[p.kind]) {
			t.Errorf("%s: %s is not taken", p.name, p.kind)
		}
	}
}

// pagePlaces are all of them, for a browser that is signed in and a flow of it. Those that
// end something come last.
func (wd *world) pagePlaces(b *browser, flow string) []pagePlace {
	wd.t.Helper()
	as := func(name, value string) *browser {
		other := &browser{wd: wd, cookies: maps.Clone(b.cookies), header: b.header}
		other.cookies[name] = value
		return other
	}
	places := []pagePlace{
		{"session cookie", "session cookie", func(v string) bool { return as("__Host-signet", v).get("/account").status == http.StatusOK }},
		{"flow cookie", "flow cookie", func(v string) bool {
			return as("__Host-signet-flow", v).get("/consent?flow="+flow).status == http.StatusOK
		}},
		{"user code", "user code", func(v string) bool {
			begun, a := b.enter(v)
			return begun != "" || a.status != http.StatusUnprocessableEntity
		}},
	}
	for _, path := range []string{"/login", "/select-account", "/consent"} {
		places = append(places, pagePlace{"flow of " + path, "id of a flow", func(v string) bool {
			a := b.get(path + "?flow=" + url.QueryEscape(v))
			return a.status != http.StatusBadRequest || !strings.Contains(a.text(), "Go back to the app and start there again")
		}})
	}
	for _, c := range formCases(wd, b)[1:] { // after a login the browser would be somebody else's
		places = append(places, pagePlace{"csrf of " + c.route, "anti-CSRF value", func(v string) bool {
			c.form.Set("csrf", v)
			a := b.post(c.path, c.form)
			return a.status != http.StatusForbidden || !c.unchanged()
		}})
	}
	return places
}
