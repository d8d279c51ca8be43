package web_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
)

// The page says who asks, who is asked, for what, for what not, and where it leads (OAU-16).
func TestConsent_Page(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	a := b.get("/consent?flow=" + b.flow(func(r *idp.AuthRequest) {
		r.Scopes = []string{"openid", "offline_access", "calendar.freebusy:read", "calendar.meetings:write"}
	}))
	inOrder(t, a.text(),
		"Friendly Scheduler asks for access", "to Calendar",
		"Third-party app", "Nobody here has checked who runs it",
		"Signed in as Ann Example", "Use another account",
		"It will be able to",
		"Read only", "Recognize you", "See when you are busy", "Not titles, guests or places",
		"Make changes", "Add meetings to your calendar", "And change or cancel the ones it added",
		"For how long", "Stay connected while you are away",
		"It will not be able to", "Read your events", "Change your calendar's settings", "See your password",
		"You will be sent to 127.0.0.1:8082 on this computer",
		"Authorize Friendly Scheduler", "Cancel",
		"You can take this back at any time")
	// Equal weight: the same look, and neither is chosen for the person.
	for _, button := range []string{
		`<button class="button strong" name="decision" value="authorize">`, `<button class="button strong" name="decision" value="cancel">`,
	} {
		if !strings.Contains(a.body, button) {
			t.Errorf("no %s", button)
		}
	}
	if strings.Contains(a.body, "autofocus") {
		t.Error("a button has the focus")
	}
	b.header.Set("Accept-Language", "de-AT, en;q=0.5")
	inOrder(t, b.get("/consent?flow="+b.flow()).text(), "Friendly Scheduler bittet um Zugriff", "Sehen, wann Sie beschäftigt sind",
		"Die App darf nicht", "Ihre Termine lesen", "Ihr Passwort sehen", "Friendly Scheduler zulassen", "Abbrechen")
}

func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, p := range parts {
		_, after, ok := strings.Cut(rest, p)
		if !ok {
			t.Fatalf("%q is missing, or not where it belongs, in: %s", p, text)
		}
		rest = after
	}
}

// A scope without words, or of another service, is shown all the same.
func TestConsent_NothingHidden(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	wd.must(wd.db.PutResource(t.Context(), operator, idp.Resource{ID: "https://wiki.example", Name: "Wiki", TokenFormat: "jwt", Alg: "EdDSA", Scopes: []idp.Scope{
		{Name: "wiki:read", Title: map[string]string{"en": "Read pages"}},
	}}, wd.now()))
	b := wd.asAnn()
	a := b.get("/consent?flow=" + b.flow(func(r *idp.AuthRequest) { r.Scopes = []string{"wiki:read", "nobody:knows"} }))
	inOrder(t, a.text(), "Read only", "Read pages at Wiki", "Make changes", "nobody:knows", "nobody has described")
}

// What has no words, or not all of them, in the person's language is said in English, and marked.
func TestConsent_WordsOfAnotherLanguage(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	wd.must(wd.db.PutResource(t.Context(), operator, idp.Resource{ID: "https://wiki.example", Name: "Wiki", TokenFormat: "jwt", Alg: "EdDSA", Scopes: []idp.Scope{
		{Name: "wiki:read", Title: map[string]string{"en": "Read pages"}},
		{Name: "wiki:write", Title: map[string]string{"en": "Change pages", "de": "Seiten ändern"}, Detail: map[string]string{"en": "Never the front page."}, Write: true},
		{Name: "wiki:move", Title: map[string]string{"en": "Move pages", "de": "Seiten verschieben"}, Write: true},
		{Name: "wiki:delete", Title: map[string]string{"en": "Delete pages"}, Write: true},
	}}, wd.now()))
	b := wd.asAnn()
	flow := b.flow(func(r *idp.AuthRequest) {
		r.Resource, r.Scopes = "https://wiki.example", []string{"wiki:read", "wiki:write", "wiki:move"}
	})
	if a := b.get("/consent?flow=" + flow); strings.Contains(a.body, "<bdi lang") {
		t.Errorf("English is marked as foreign in English: %s", a.body)
	}
	b.header.Set("Accept-Language", "de")
	inOrder(t, b.get("/consent?flow="+flow).body, `<bdi lang="en">Read pages</bdi>`, `<bdi lang="en">Change pages</bdi>`, `<bdi lang="en">Never the front page.</bdi>`,
		"<bdi>Seiten verschieben</bdi>", "Die App darf nicht", `<bdi lang="en">Delete pages</bdi>`, "<bdi>Ihr Passwort sehen</bdi>")
}

// What was allowed before is folded away; what is new is not.
func TestConsent_Before(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	wd.allow(b)
	more := func(r *idp.AuthRequest) { r.Scopes = append(r.Scopes, "calendar.events:read") }
	a := b.get("/consent?flow=" + b.flow(more))
	inOrder(t, a.body, "Read your events", "<details>", "3 things that you have allowed before", "See when you are busy", "</details>")
	again := b.get("/consent?flow=" + b.flow())
	if strings.Contains(again.body, "<details>") || !strings.Contains(again.text(), "See when you are busy") {
		t.Error("asked again for the same, all of it is to be read")
	}
}

// OAU-16: a yes covers exactly what the stored request asks for, for the app and the
// service it asks for, and the person of the session; nothing of it comes from the form.
func TestConsent_OAU16_Exactly(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	flow := b.flow()
	path := "/consent?flow=" + flow
	a := b.submit(b.get(path), path, "decision", "authorize", "scope", "calendar.events:read calendar.settings:write", "scopes", "calendar.events:read",
		"client_id", "calendar", "user_id", wd.bob.ID, "resource", "https://other.example")
	if a.location() != "/authorize/continue?flow="+flow {
		t.Fatalf("%d %s", a.status, a.text())
	}
	got := wd.consents(wd.ann)
	want := []string{"openid", "calendar.freebusy:read", "calendar.meetings:write"}
	if len(got) != 1 || got[0].ClientID != schedulerID || got[0].Resource != calendarID || !slices.Equal(got[0].Scopes, want) {
		t.Errorf("consents: %+v", got)
	}
	if others := wd.consents(wd.bob); len(others) != 0 {
		t.Errorf("Bob's consents: %+v", others)
	}
	if req := b.stored(flow); req.ConsentedAt.IsZero() || !req.DeniedAt.IsZero() {
		t.Errorf("request: %+v", req)
	}
}

func TestConsent_Cancel(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	flow := b.flow()
	path := "/consent?flow=" + flow
	page := b.get(path)
	for _, bad := range []string{"", "yes", "Authorize"} {
		if a := b.submit(page, path, "decision", bad); a.status != http.StatusBadRequest {
			t.Errorf("decision %q: %d", bad, a.status)
		}
	}
	if a := b.submit(page, path, "decision", "cancel"); a.location() != "/authorize/continue?flow="+flow {
		t.Errorf("%d %s", a.status, a.location())
	}
	if req := b.stored(flow); req.DeniedAt.IsZero() || !req.ConsentedAt.IsZero() {
		t.Errorf("request: %+v", req)
	}
	if n := len(wd.consents(wd.ann)); n != 0 {
		t.Errorf("%d consents", n)
	}
}

// A new permission of a stranger's app is told by mail, once, in the person's language.
func TestConsent_Mail(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	wd.allow(b)
	wd.allow(b) // nothing new
	path := "/consent?flow=" + b.flow(func(r *idp.AuthRequest) {
		r.ClientID, r.RedirectURI, r.Resource, r.Scopes = "calendar", "http://127.0.0.1:8081/callback", issuer, []string{"openid"}
	})
	b.submit(b.get(path), path, "decision", "authorize") // our own app
	b.header.Set("Accept-Language", "de")
	path = "/consent?flow=" + b.flow(func(r *idp.AuthRequest) { r.Scopes = append(r.Scopes, "calendar.events:read") })
	b.submit(b.get(path), path, "decision", "authorize")
	wd.deliver()
	mails := wd.mail.List() // newest first
	if len(mails) != 2 {
		t.Fatalf("%d mails: %+v", len(mails), mails)
	}
	if m := mails[1]; m.To != "ann@example.com" || !strings.Contains(m.Subject, "Friendly Scheduler") ||
		!strings.Contains(m.Text, "- See when you are busy\n") || !strings.Contains(m.Text, issuer+"/account/apps") {
		t.Errorf("first: %+v", m)
	}
	if m := mails[0]; m.Lang != "de" || !strings.Contains(m.Text, "- Ihre Termine lesen\n") {
		t.Errorf("second: %+v", m)
	}
}

// deliver sends what waits: a run that is over at once still empties the queue.
func (wd *world) deliver() {
	wd.t.Helper()
	ctx, cancel := context.WithCancel(wd.t.Context())
	cancel()
	if err := wd.pages.Run(ctx); !errors.Is(err, context.Canceled) {
		wd.t.Fatal(err)
	}
}
